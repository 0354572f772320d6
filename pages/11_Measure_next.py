"""The batch of subnets that tells most, what it is expected to tell, and the rounds of search."""

import streamlit as st

from foxnas_core.errors import MissingPart
from foxnas_core.figures import design as figures
from foxnas_core.figures import rounds as round_figures
from foxnas_core.planning.gain import ExpectedGain
from foxnas_core.search.rounds.outcome import rounds_table
from foxnas_core.search.rounds.record import RoundsRecord, front_error
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from pages.shared import cache
from pages.shared.commands import show_command, shown_folder
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import as_csv, panel
from pages.shared.text import plain

SIZES = (6, 12, 24, 48, 96)
USUAL = 24
ASSUMED_SECONDS = 3.0


@st.fragment
def batch_section(study: Study, columns: list[str]) -> None:
    """Drawn anew alone when its widgets are moved."""
    with errors_as_cards():
        show_batch(study, columns)


def show_batch(study: Study, columns: list[str]) -> None:
    """The batch, and what it is expected to do to the intervals."""
    left, middle, right = st.columns(3)
    with left:
        column = st.selectbox(
            "Learn the effects on",
            columns,
            format_func=lambda c: metric_of(c).label,
            key="design-target",
        )
    with middle:
        count = st.select_slider("Subnets to measure", SIZES, value=USUAL, key="design-count")
    recorded = cache.seconds_of(study)
    with right:
        seconds = st.number_input(
            "Seconds a subnet takes",
            min_value=0.01,
            max_value=1e6,
            value=recorded or ASSUMED_SECONDS,
            format="%.2f",
            key="design-seconds",
            help="The median of this study's campaigns."
            if recorded
            else "This study's campaigns did not record it; put in what yours take.",
        )
    plan = cache.plan_of(study, column, count)
    gain = plan.gain
    if gain is None:
        st.info(
            f"The batch is planned without a fit, so there are no intervals to become narrower "
            f"yet. {plain(plan.why)}"
        )
    else:
        show_gain(gain, seconds)
    wanted = plan.table()
    panel(
        "The batch",
        f"{len(wanted)} subnets that were not measured yet, the one that tells most first. On this "
        "machine the command below plans the same batch, measures it and appends its rows.",
        wanted,
        key="batch",
    )
    show_command(
        study,
        f"measure --study {shown_folder(study)} --next {count}"
        + (f" --target {column}" if column != study.objective.column else ""),
    )
    st.write(
        "To measure it elsewhere, fill in the last column and bring the file back on the page "
        "Import, or with 'python \\-m foxnas\\_core import FILE'."
    )
    st.download_button(
        "Download to fill in (CSV)",
        as_csv(wanted.assign(**{column: ""})),
        file_name="subnets-to-measure.csv",
        mime="text/csv",
        key="to-measure",
        on_click="ignore",
    )


def show_gain(gain: ExpectedGain, seconds: float) -> None:
    """How much narrower the intervals become, and which effects gain."""
    own, random = gain.per_minute(seconds)
    for place, (label, value) in zip(
        st.columns(4),
        {
            "Intervals narrower by": f"{100 * gain.narrower:.1f} %",
            "By as many random ones": f"{100 * gain.narrower_by_random:.1f} %",
            "In a minute of measuring": f"{100 * own:.2f} %",
            "Random ones for the same": f"over {gain.followed}"
            if gain.equal_rows is None
            else f"{gain.equal_rows}",
        }.items(),
        strict=True,
    ):
        place.metric(label, value)
    left, right = st.columns([3, 2], gap="large")
    with left:
        curve = figures.gain_table(gain, seconds)
        panel(
            "What measuring is expected to tell",
            "By how much the 95 % intervals of the effects become narrower on average, as the "
            "batch is measured in its order, beside random batches as 'measure \\-\\-count' "
            "draws them (mean and 90 % range of 20). It rests on the design alone and takes "
            f"the scatter about the fit as it is. D-efficiency of random batches: "
            f"{gain.efficiency:.3f}; in a minute they narrow by {100 * random:.2f} %.",
            curve,
            figures.gain_figure(curve),
            key="gain",
        )
    with right:
        blocks = figures.block_gain_table(gain)
        panel(
            "Which effects gain",
            "The mean over a block's effects, and the range from the one that gains least to "
            "the one that gains most.",
            blocks,
            figures.block_gain_figure(blocks),
            key="blocks",
        )
    with st.expander("Standard errors of every effect and coefficient, now and expected"):
        panel("", "", gain.effects, key="effects")
        panel("", "", gain.coefficients, key="coefficients")


def show_rounds(study: Study) -> None:
    """What rounds of search and measurement came to, or how to run some."""
    record = cache.rounds_of(study)
    command = f"search --study {shown_folder(study)} --rounds 3"
    if record is None or not record.done:
        begun = record is not None and bool(record.rounds)
        st.info(
            (
                "The first round was planned and is not measured yet; the command below goes on."
                if begun
                else "No rounds were run in this study, so there is no course to show yet."
            )
            + " A round searches the front at some budgets, measures what it finds on this machine "
            "with the study's weights and images, appends the rows and fits anew. Ctrl-C and a "
            "kill lose no more than the batch under way."
        )
        show_command(study, command)
        return
    show_course(record)
    if not record.rounds[-1].done:
        st.info(f"Round {len(record.rounds)} is planned and not measured to its end yet.")
    st.write("More rounds go on from here:")
    show_command(
        study,
        f"{command.removesuffix('3')}{record.done + 1}"
        + (f" --seed {record.seed}" if record.seed else "")
        + "".join(
            f" {option} {column}"
            for option, column, own in (
                ("--objective", record.objective, study.objective),
                ("--cost", record.latency, study.cost),
            )
            if column != own.column
        ),
    )


def show_course(record: RoundsRecord) -> None:
    """Errors at the front, the best measured subnets, and the fits, by round."""
    table = round_figures.find_table(record)
    objective, cost = map(metric_of, record.columns)
    finds = [find for r in record.rounds if r.done for find in r.finds]
    st.write(
        f"{record.done} rounds measured {len(finds)} subnets on the front of predicted "
        f"{plain(objective.word)} over {plain(cost.label.lower())}. Their rows are in the table, "
        "marked by their campaign, and fits use them: they sharpen predictions where searches "
        "look, and lean coefficients towards there."
    )
    for place, column in zip(st.columns(2, gap="large"), record.columns, strict=True):
        error, target = front_error(finds, column), metric_of(column)
        with place:
            said = ""
            if error is not None:
                unit = target.difference_unit
                said = (
                    f"Over all rounds {target.text(error.bias, signed=True)} {unit} on average, "
                    f"RMSE {target.text(error.rmse)} {unit}, {100 * error.inside:.0f} % inside the "
                    "95 % prediction interval, which does not reckon with a search picking what "
                    "is overrated."
                )
            panel(
                f"{target.label}: error at the front",
                f"Measured less what was predicted before. {said}",
                table,
                round_figures.error_figure(table, column),
                key=f"error-{column.partition(':')[0]}",
            )
    best = round_figures.best_table(record)
    added = f" ({objective.difference_unit})" if objective.difference_unit else ""
    panel(
        "Best measured subnet",
        f"The measured {plain(objective.word)} of the best subnet whose measured "
        f"{plain(cost.word)} keeps a budget, before the first round and after each, and in "
        f"parentheses what the rounds have added{added}.",
        best,
        round_figures.best_figure(best, record.columns),
        key="best",
    )
    panel(
        "The fits, round by round",
        "Errors at the front and cross-validation after each round. moved: how far the round moved "
        "the predictions of random subnets, beside what chance alone does; well above 1 its rows "
        "disagree with those before them.",
        rounds_table(record),
        key="fits",
    )


with page(
    "Measure next",
    "Which subnets to measure so that the effects become known best in the least time, and what "
    "rounds of searching and measuring have come to.",
) as study:
    table = cache.table_of(study)
    columns = [t.column for t in table.targets] or [study.objective.column]
    if not len(table) and not study.checkpoint_file.exists():
        raise MissingPart(
            "This study has neither measurements nor a supernet to measure; import a table, or "
            "train with 'python -m foxnas_core train'."
        )
    st.header("The next batch", divider="grey")
    batch_section(study, columns)
    st.header("Rounds of search and measurement", divider="grey")
    with errors_as_cards():
        show_rounds(study)
