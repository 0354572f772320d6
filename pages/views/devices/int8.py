"""What int8 costs and wins in this supernet, and in another variant of it."""

import streamlit as st

from foxnas_core.cards import quantization
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study, list_studies, open_study
from pages.shared import cards, choices
from pages.shared.cards import given_of
from pages.shared.frame import studies_folder
from pages.shared.picked import picked, show_part
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = (
    "Is this supernet quantization-friendly? What its subnets lose in accuracy and win in time by "
    "int8, on each runtime measured, beside another variant."
)
ALONE = ""


def needs(study: Study) -> str | None:
    return quantization.costs.lacks(given_of(study))


def others_of(study: Study) -> dict[str, Study]:
    """The other studies with both precisions, another space of the same family first, since that
    is a variant; damaged ones are said and left out."""
    found = {}
    for folder in list_studies(studies_folder()):
        if folder == study.folder:
            continue
        try:
            other = open_study(folder)
            if quantization.one_precision(given_of(other)) is None:
                found[folder.name] = other
        except FoxnasError as error:
            st.caption(f"{plain(folder.name)} is left out: {plain(str(error))}")

    def distance(name: str) -> tuple[bool, bool]:
        space = found[name].space
        return space.family != study.space.family, space.fingerprint == study.space.fingerprint

    return {name: found[name] for name in sorted(found, key=distance)}


def partner_picker(others: dict[str, Study]) -> str:
    """Draw the picker of the second study; "" for none."""
    options = {name: name for name in others} | {ALONE: "no other study"}
    return picked(st.selectbox, "Compare with", options, key="quantized-partner", width=420)


def show_second() -> None:
    """How to get a variant to compare with."""
    st.info(
        "This is the only study here with both precisions. Whether another design is friendlier to "
        "int8 (ReLU6 against h-swish with squeeze-and-excitation, say) is told by a second "
        "supernet, trained on the same images and measured on the same machine:"
    )
    st.code(
        "python -m foxnas_core train --study data/demo-cpu --space foxnas-mini-cpu --seed 1\n"
        "python -m foxnas_core measure --study data/demo-cpu --count 300 --seed 1",
        language="bash",
    )


def show(study: Study) -> None:
    given = given_of(study)
    if others := others_of(study):
        if partner := partner_picker(others):
            given = given_of(study, beside=given_of(others[partner]))
    else:
        show_second()
    show_part(
        "quantized-shown",
        {
            quantization.costs.title: lambda: show_costs(given),
            "Subnet by subnet": lambda: show_subnets(given),
        },
    )


def show_subnets(given: Given) -> None:
    """Every subnet in both precisions."""
    runtimes = quantization.latencies.options(given)["runtime"]
    how = {}
    if len(runtimes) > 1:
        how["runtime"] = picked(st.selectbox, "Runtime", runtimes, key="runtime", width=420)
    shown = [(quantization.accuracies, {}), (quantization.latencies, how)]
    cards.beside(given, *(shown if runtimes else shown[:1]))


def show_costs(given: Given) -> None:
    """Means over subnets, in a figure and in numbers, and what explains them."""
    cards.show(quantization.costs, given, header=False)
    cards.show(quantization.variants, given)
    if cards.show(quantization.fragile, given) and st.button(
        "Explain the accuracy lost by int8", key="explain-drop"
    ):
        choices.remember("explained-target", quantization.drop_of(given))
        go("Coefficients", "explanations")
