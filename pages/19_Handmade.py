"""Networks designed by hand beside searched ones: same recipe, same meter."""

import math

import streamlit as st

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.handmade.claims import WAYS, Comparison
from foxnas_core.evidence.handmade.record import ALONE, PRECISIONS, HandmadeRecord
from foxnas_core.figures import handmade as figures
from foxnas_core.steps.handmade import ComparisonSettings
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.commands import show_command, shown_folder
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import panel
from pages.shared.text import plain


def show_how(record: HandmadeRecord) -> None:
    """How all of it was trained and measured, and what that leaves open."""
    recipe, told = record.recipe, record.circumstances
    chosen = sum(c.searched for c in record.contenders)
    lines = [
        f"Every network was trained alone on {record.training_images:,} images of "
        f"{plain(record.dataset)} for {recipe['epochs']:g} epochs by one recipe (batch "
        f"{recipe['batch']:g}, learning rate {recipe['learning_rate']:g}); the {chosen} searched "
        "ones also stand with the weights they inherit from the supernet.",
        "MobileNetV2, MobileNetV3-Small and EfficientNet-Lite0 are those of their papers' tables, "
        "every width scaled alike. The stem has the stride of this study's; further strides are "
        "the tables' own until the map would have fewer than 4 pixels a side.",
    ]
    if told:
        lines.append(
            f"Latencies are of one campaign on {plain(str(told['device']))}, "
            f"{plain(str(told['runtime']))}, {told['threads']} thread, {told['rounds']} rounds "
            "that each visit all networks in both precisions, in a new order."
        )
    spread = record.seed_spread("")
    lines.append(
        f"One network's accuracy in fp32 differs from seed to seed by {spread:.2f} points "
        "(standard deviation), which the intervals hold."
        if math.isfinite(spread)
        else "Each was trained once: what another seed would change is in no interval; the command "
        "below with another --seed tells."
    )
    st.header("How it was measured")
    st.markdown("\n".join(f"- {line}" for line in lines))


@st.fragment
@errors_as_cards()
def show_results(study: Study, record: HandmadeRecord) -> None:
    """Drawn anew alone when its widgets are moved."""
    left, right = st.columns(2)
    with left:
        precision = st.segmented_control(
            "Precision", PRECISIONS, default=":int8", format_func=PRECISIONS.get,
            key="precision", required=True,
        )  # fmt: skip
    with right:
        way = st.segmented_control(
            "Searched networks", WAYS, default=ALONE, format_func=WAYS.get, key="way",
            required=True,
        )  # fmt: skip
    comparison = cache.handmade_comparison_of(study, way, precision)
    st.info(plain(comparison.sentence()))
    show_families(comparison)
    table = figures.network_table(record)
    panel(
        "Accuracy against latency",
        "Up and to the left is better. Bars are 95 % intervals of accuracy, and the least and "
        "greatest round of latency; the dotted line is the front of the searched networks, "
        f"{WAYS[way]}.",
        table,
        figures.network_figure(table, comparison),
        key="networks",
    )
    panel(
        "How much faster at equal accuracy",
        "Latency of the hand-designed network over that of the searched front at its accuracy: "
        "right of 1 the searched are faster. A triangle is at least that, a cross at 0 means that "
        "no searched network reaches the accuracy. Bars are 95 % intervals.",
        figures.claim_table(comparison),
        figures.claim_figure(comparison),
        key="ratios",
    )


def show_families(comparison: Comparison) -> None:
    """A sentence a family, with the paper's figure."""
    st.markdown(
        "\n".join(f"- {plain(comparison.family_sentence(f))}" for f in comparison.families())
    )


def show_command_for(study: Study, record: HandmadeRecord | None) -> None:
    """The command that trains the networks, or goes on."""
    command = f"handmade --study {shown_folder(study)}"
    if record is None:
        show_command(study, f"{command} --epochs {ComparisonSettings.epochs} --seed 1")
        return
    widths = sorted({c.width for c in record.contenders if c.width is not None})
    said = " ".join(f"{width:g}" for width in widths)
    seeds = record.seeds
    seed = seeds[-1] + 1 if record.timed and seeds else (seeds or (1,))[-1]
    show_command(
        study, f"{command} --widths {said} --epochs {record.recipe['epochs']:g} --seed {seed}"
    )


with page(
    "Hand-designed",
    "Are searched networks faster than ones designed by hand, at the same accuracy? All were "
    "trained alone by one recipe and measured by one meter, in fp32 and in int8.",
) as study:
    record = cache.handmade_of(study)
    if record is None:
        if not study.checkpoint_file.exists():
            raise MissingPart(
                "This study has no supernet whose subnets and recipe networks designed by hand "
                "could be held against; train one with 'python -m foxnas_core train', or copy its "
                "weights into the study's folder."
            )
        st.info(
            "No network designed by hand was trained on this study's images yet. The command below "
            "trains some beside searched ones, goes on where it was after a stop, and measures "
            "all when the last is done; it takes an hour or more."
        )
        show_command_for(study, None)
        st.stop()
    if cache.is_of_other_weights(study, record):
        st.warning(
            f"These networks stand beside subnets of checkpoint "
            f"{plain(record.parents['checkpoint'])}, and the study has another one now; move "
            "handmade.json away and run the command anew."
        )
    if record.timed:
        show_results(study, record)
    else:
        trained = sum(bool(c.of(ALONE)) for c in record.contenders)
        st.info(
            f"{trained} of {len(record.contenders)} networks are trained. Latencies are measured "
            "when all are, so that one campaign visits them all; until then there is only "
            "accuracy."
        )
        panel(
            "Trained so far",
            "Accuracy (%) of what is done, with its 95 % interval.",
            figures.network_table(record),
            key="networks",
        )
    show_how(record)
    st.header("Train by another seed" if record.timed else "Go on")
    show_command_for(study, record)
