"""Whether the supernet ranks subnets as training each of them alone does."""

import math

import streamlit as st

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.trust.pairs import TrustRecord, TrustSettings
from foxnas_core.evidence.trust.report import ENOUGH, INHERITED, TRAINED, TrustReport
from foxnas_core.figures import trust as figures
from foxnas_core.glossary import meaning_of
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.commands import show_command, shown_folder
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import panel
from pages.shared.text import plain

USUAL = 16


def show_verdict(report: TrustReport) -> None:
    """The numbers that decide, the verdict and what follows from it."""
    main, offset = report.agreement(), report.offset()
    for place, (label, value) in zip(
        st.columns(4),
        {
            "Kendall's tau": f"{main.tau:.2f}" if math.isfinite(main.tau) else "none yet",
            "Pairs in the same order": f"{100 * (1 - report.reversed_share['alone']):.0f} %",
            "Training adds, mean": f"{offset.mean:+.2f} points",
            "Lost by its first choice": f"{report.regret['alone']:.2f} points",
        }.items(),
        strict=True,
    ):
        place.metric(label, value, help=meaning_of(label))
    st.caption(
        f"{report.count} subnets, inherited accuracy with recalibration against training from "
        "scratch. Lost by its first choice: how much worse the subnet that the supernet ranks "
        "first is, when trained, than the best of these."
    )
    shown = {"holds": st.success, "fails": st.error, "open": st.warning, "few": st.info}
    shown[report.verdict()](plain(report.sentence()))
    further = [report.resolution_sentence(), report.recalibration_sentence()]
    st.write(plain(" ".join(sentence for sentence in further if sentence)))


def show_advice(report: TrustReport) -> None:
    """What raises the agreement."""
    advice = report.advice()
    if advice:
        st.header("What would raise it")
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in advice))


@st.fragment
@errors_as_cards()
def show_pairs(study: Study, record: TrustRecord, report: TrustReport) -> None:
    """Drawn anew alone when its widgets are moved."""
    left, right = st.columns(2)
    with left:
        trained = st.segmented_control(
            "Compare with subnets",
            TRAINED,
            default="alone",
            format_func=TRAINED.get,
            key="trained",
            required=True,
        )
    with right:
        inherited = st.segmented_control(
            "Inherited accuracy",
            INHERITED,
            default="inherited",
            format_func=INHERITED.get,
            key="inherited",
            required=True,
        )
    table = figures.pair_table(report, record.pairs, study.space, trained)
    epochs = record.settings.epochs if trained == "alone" else record.settings.fine_tune_epochs
    left, right = st.columns(2, gap="large")
    with left:
        panel(
            "Inherited and trained",
            f"Each point is a subnet, trained for {epochs} epochs; bars are two standard errors. "
            "Where the order is the same, points rise from left to right.",
            table.drop(columns="architecture"),
            figures.pair_figure(table, inherited, trained),
            key="pairs",
        )
    with right:
        agreements = figures.agreement_table(report)
        panel(
            "Agreement of the orders",
            "Kendall's tau: 1 is the same order, 0 none in common, -1 the opposite; from the "
            f"dotted line, {ENOUGH}, three of four pairs stand in the same order, which is taken "
            "as enough to search by. Intervals (95 %) resample the subnets; those of a few are "
            "wide.",
            agreements,
            figures.agreement_figure(agreements, trained),
            key="agreement",
        )
    left, right = st.columns(2, gap="large")
    with left:
        panel(
            "What training adds, by size",
            "Trained less inherited accuracy. A level cloud shifts all subnets alike, which keeps "
            "the order; a slope says that the supernet underrates one end.",
            table.drop(columns="architecture"),
            figures.offset_figure(table),
            key="offset",
        )
    with right:
        panel(
            "What training adds, on average",
            "Mean of trained less inherited accuracy (points) with its 95 % interval.",
            figures.offset_table(report, trained),
            key="offsets",
        )
    share, certain = report.reversed_share[trained], report.certain_share[trained]
    said = (
        f"{100 * share:.0f} % of the pairs of subnets swap their order, {100 * certain:.0f} % by "
        "more than two standard errors in both accuracies. What one training differs from "
        "another by its seed is not in these errors."
    )
    reversals = figures.reversal_table(report, trained)
    if len(reversals):
        panel("The largest reversals", said, reversals, key="reversals")
    else:
        st.info("No pair of subnets swaps its order.")


def show_more(study: Study, record: TrustRecord | None) -> None:
    """The command that trains subnets, or more of them."""
    command = f"trust --study {shown_folder(study)} --count "
    if record is None:
        show_command(study, f"{command}{USUAL} --seed 1")
        return
    settings, seed = record.settings, record.pairs[-1].seed
    count = 2 * sum(pair.seed == seed for pair in record.pairs)
    rate = (
        ""
        if settings.fine_tune_rate == TrustSettings.fine_tune_rate
        else (f" --fine-tune-rate {settings.fine_tune_rate:g}")
    )
    st.write(
        f"Trained on {record.training_images:,} images of {plain(record.dataset)}: from scratch "
        f"for {settings.epochs} epochs and, from the inherited weights, for "
        f"{settings.fine_tune_epochs} at {settings.fine_tune_rate:g} times the recipe's learning "
        "rate. More subnets go on from here:"
    )
    show_command(
        study,
        f"{command}{count} --epochs {settings.epochs} "
        f"--fine-tune-epochs {settings.fine_tune_epochs}{rate} --seed {seed}",
    )


with page(
    "Trust",
    "Does the supernet rank subnets as training each alone does? Every measurement and search "
    "rests on the accuracy that a subnet inherits; here some were trained by themselves.",
) as study:
    record = cache.trust_of(study)
    if record is None or not record.pairs:
        if not study.checkpoint_file.exists():
            raise MissingPart(
                "This study has no supernet whose ranking could be looked into; train one with "
                "'python -m foxnas_core train', or copy its weights into the study's folder."
            )
        st.info(
            "No subnet of this study was trained alone yet. The command below trains some, from "
            "scratch and from what they inherit, and goes on where it was after a stop; each "
            "takes minutes to hours, and what is done shows here at once."
        )
        show_more(study, None)
        st.stop()
    if cache.is_of_other_weights(study, record):
        st.warning(
            f"These subnets were compared with checkpoint {plain(record.parents['checkpoint'])}, "
            "and the study has another one now; move trust.json away and run the command anew."
        )
    report = cache.trust_report_of(study)
    show_verdict(report)
    show_advice(report)
    show_pairs(study, record, report)
    st.header("Train more")
    show_more(study, record)
