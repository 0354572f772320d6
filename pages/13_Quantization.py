"""What int8 costs and wins in this supernet, and in another variant of it."""

import streamlit as st

from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures import quantization as figures
from foxnas_core.quantization.comparison import (
    PrecisionComparison,
    compare_precisions,
    has_both_precisions,
)
from foxnas_core.study import Study, list_studies, open_study
from pages.shared import cache, choices
from pages.shared.frame import page, studies_folder
from pages.shared.panel import panel
from pages.shared.text import plain

DROP = "accuracy_drop:int8"
ALONE = ""


def others_of(study: Study) -> dict[str, Study]:
    """The other studies with both precisions, those of another space first; damaged ones are said
    and left out."""
    found = {}
    for folder in list_studies(studies_folder()):
        if folder == study.folder:
            continue
        try:
            other = open_study(folder)
            if has_both_precisions(cache.table_of(other)) and len(cache.table_of(other)):
                found[folder.name] = other
        except FoxnasError as error:
            st.caption(f"{plain(folder.name)} is left out: {plain(str(error))}")
    same = study.space.fingerprint
    return dict(sorted(found.items(), key=lambda kv: kv[1].space.fingerprint == same))


def partner_picker(others: dict[str, Study]) -> str:
    """Draw the picker of the second study; "" for none."""
    chosen = choices.remembered("quantized-partner")
    options = [*others, ALONE]
    choices.show("quantized-partner", chosen if chosen in options else options[0])
    return st.selectbox(
        "Compare with",
        options,
        format_func=lambda name: name or "no other study",
        key="quantized-partner",
        on_change=choices.on_change(
            "quantized-partner", lambda name: choices.remember("quantized-partner", name)
        ),
        width=420,
    )


def show_second(study: Study) -> None:
    """How to get a variant to compare with."""
    st.info(
        "This is the only study here with both precisions. Whether another design is friendlier to "
        "int8 (ReLU6 against h-swish with squeeze-and-excitation, say) is told by a second "
        "supernet, trained on the same images and measured on this machine:"
    )
    st.code(
        "python -m foxnas_core train --study data/demo-cpu --space foxnas-mini-cpu --seed 1\n"
        "python -m foxnas_core measure --study data/demo-cpu --count 300 --seed 1",
        language="bash",
    )


def show_scatter(comparison: PrecisionComparison) -> None:
    """Every subnet in both precisions, by accuracy and by a runtime's latency."""
    left, right = st.columns(2, gap="large")
    if any(s.has_accuracy for s in comparison.studies):
        with left:
            rows = figures.scatter_table(comparison, "accuracy", "")
            panel(
                "Accuracy of each subnet",
                "A point is a subnet, scored on the same held-out images in both precisions. Below "
                "the line, int8 loses accuracy.",
                rows,
                figures.scatter_figure(rows, "accuracy"),
                key="accuracies",
            )
    runtimes = list(dict.fromkeys(r for s in comparison.studies for r in s.runtimes))
    if not runtimes:
        return
    with right:
        runtime = runtimes[0]
        if len(runtimes) > 1:
            runtime = st.selectbox("Runtime", runtimes, key="runtime")
        rows = figures.scatter_table(comparison, "time", runtime)
        panel(
            f"Latency of each subnet on {plain(runtime)}",
            "A point is a subnet, measured alike in both precisions. Below the line, int8 is "
            "faster.",
            rows,
            figures.scatter_figure(rows, "time"),
            key="latencies",
        )


def show_fragile(study: Study) -> None:
    """The way to the blocks that lose most by int8."""
    st.header("Which blocks make a subnet fragile")
    if DROP not in [target.column for target in cache.table_of(study).targets]:
        st.info(
            "No subnet of this study has its accuracy in int8 yet, only its latency. Subnets that "
            "'python -m foxnas\\_core measure' adds from now on are scored in both precisions."
        )
        return
    st.write(
        "What int8 loses is a target like any other: its coefficients and explanations tell which "
        "choices of a block make it more."
    )
    if st.button("Explain the accuracy lost by int8", key="explain-drop"):
        choices.remember("explained-target", DROP)
        st.switch_page("pages/6_Explanations.py")
    st.caption(
        "A subnet that loses too much can be fine-tuned with the rounding in its forward pass: "
        "'python -m foxnas\\_core fine-tune --study DIR --architecture FILE --out FOLDER "
        "--quantization-aware'."
    )


with page(
    "Quantization",
    "Is this supernet quantization-friendly? What its subnets lose in accuracy and win in time by "
    "int8, on each runtime measured, beside another variant.",
) as study:
    table = cache.table_of(study)
    if not len(table) or not has_both_precisions(table):
        raise MissingPart(
            "This study has nothing measured in both precisions; 'python -m foxnas_core measure' "
            "measures accuracy and latency in fp32 and int8, or import a table with latency_ms and "
            "latency_ms:int8 (of a further runtime latency_ms:NAME and latency_ms:NAME-int8)."
        )
    tables = [(study.folder.name, table)]
    others = others_of(study)
    if others:
        partner = partner_picker(others)
        if partner:
            tables.append((partner, cache.table_of(others[partner])))
    else:
        show_second(study)
    comparison = compare_precisions(tables)
    for sentence in [*comparison.sentences(), *comparison.difference_sentences()]:
        st.markdown(f"- {plain(sentence)}")
    panel(
        "What int8 costs and wins",
        "Means over subnets of what int8 changes in each, with 95 % intervals (bootstrap over "
        "subnets). A negative saving: int8 is slower than fp32.",
        comparison.table,
        figures.interval_figure(comparison),
        key="costs",
    )
    panel(
        "Both variants side by side" if len(tables) == 2 else "In numbers",
        "Means over the measured subnets, and what int8 changes in each with its 95 % interval; a "
        "negative saving is a latency that grows.",
        figures.side_by_side(comparison),
        key="variants",
    )
    if len(comparison.differences):
        st.caption(
            "The difference is over the architectures that both measured."
            if comparison.differences["paired"].all()
            else "The two share too few architectures to be compared one by one, so the difference "
            "is that of two samples."
        )
    show_scatter(comparison)
    show_fragile(study)
