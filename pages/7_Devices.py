"""Two devices beside each other, and a new one calibrated from a few measurements."""

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.devices.common import (
    architectures_of,
    device_of,
    latency_columns,
    read_rows,
)
from foxnas_core.devices.comparison import UNITS
from foxnas_core.devices.reversals import RankReversals
from foxnas_core.devices.transfer import LEAST_ROWS, source_values, spread_rows, transfer
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures import calibration
from foxnas_core.figures import devices as figures
from foxnas_core.figures.coefficients import heatmap_figure
from foxnas_core.glossary import meaning_of
from foxnas_core.regression import Predictor
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from pages.shared import cache, choices
from pages.shared.cost import named
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import as_csv, panel
from pages.shared.text import plain

MOST_SHOWN = 50
USUAL = 15


def picker(label: str, options: list[str], key: str, fallback: str) -> str:
    """Draw a picker of a device that is remembered on the way back, and return its column."""
    chosen = choices.remembered(key)
    choices.show(key, chosen if chosen in options else fallback)
    return st.selectbox(
        label,
        options,
        format_func=named,
        key=key,
        on_change=choices.on_change(key, lambda column: choices.remember(key, column)),
    )


def show_reversals(study: Study, table: MeasurementTable, first: str, second: str) -> None:
    """The rank-reversal map and the pairs that swap most clearly."""
    found = cache.reversals_of(study, first, second)
    names = found.names
    st.write(plain(found.sentence()))
    if found.rows < found.available:
        st.caption(f"A random sample of {found.rows:,} of the {found.available:,} subnets.")
    left, right = st.columns(2, gap="large")
    with left:
        panel(
            "Measured subnets on both devices",
            f"Each point is a subnet, redder the more of its pairs swap. A line that falls joins "
            f"a pair of which one is faster on {plain(names[0])}, the other on {plain(names[1])}.",
            found.subnets,
            figures.subnet_figure(found),
            key="subnets",
        )
    with right:
        panel(
            "Rank-reversal map",
            f"Equal shares of the subnets by their latency on {plain(names[0])}: the share (%) of "
            f"pairs whose order turns round on {plain(names[1])}. 50 would be a coin's toss.",
            found.grid,
            figures.map_figure(found),
            key="map",
        )
    gaps = figures.gap_table(found)
    panel(
        "How far apart is far enough",
        plain(found.gap_sentence()),
        gaps,
        figures.gap_figure(gaps, found),
        key="gaps",
    )
    pair = None
    try:
        pair = cache.pair_of(study, first, second)
    except FoxnasError:
        st.caption("Without a fit of both devices the list does not say which blocks are behind.")
    if not len(found.pairs):
        st.info("No pair swaps its order by more than the noise of measurement.")
        return
    panel(
        "The clearest reversed pairs",
        "Those that swap by the largest margin on both devices, each subnet twice at most. "
        "Margin: the smaller of the two devices' differences.",
        figures.pair_table(found, table, pair),
        key="pairs",
    )
    show_pair(table, found, pair, second)


def show_pair(
    table: MeasurementTable,
    found: RankReversals,
    predictors: tuple[Predictor, Predictor] | None,
    second: str,
) -> None:
    """One reversed pair: what makes the devices disagree, and the way to What-if."""
    names = found.names
    ids = list(zip(found.pairs["quick_first"], found.pairs["quick_second"], strict=True))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = row.selectbox(
        "A pair to look into",
        range(len(ids)),
        format_func=lambda k: f"{ids[k][0]} → {ids[k][1]}",
        key="pair",
        width=340,
    )
    one, other = architectures_of(table, ids[chosen])
    if row.button("Open this pair in What-if", key="pair-what-if"):
        texts = choices.as_text(other), choices.as_text(one)
        choices.update(architecture=texts[0], start=texts[1], latency=second, budget=None)
        st.switch_page("pages/2_What_if.py")
    st.caption(
        f"From the subnet that is faster on {plain(names[0])} to the one that is faster on "
        f"{plain(names[1])}: {plain(str(found.pairs['differs'].iloc[chosen]))}."
    )
    if predictors is not None:
        steps = figures.step_table(predictors, one, other)
        columns = found.first.column, found.second.column
        panel(
            "",
            "What each block adds or takes on either device, by the regressions; the blocks that "
            "the devices disagree about most come first.",
            steps,
            figures.step_figure(steps, names, columns),
            key="steps",
        )


@st.fragment
def effects_section(study: Study, first: str, second: str) -> None:
    """Drawn anew alone when its unit is switched."""
    with errors_as_cards():
        show_effects(study, first, second)


def show_effects(study: Study, first: str, second: str) -> None:
    """How the coefficients differ, in ms or in percent of each device's mean latency."""
    try:
        found = cache.comparison_of(study, first, second)
    except FoxnasError as error:
        st.info(f"Both devices need a fit of their own on the same subnets. {plain(str(error))}")
        return
    names = [plain(name) for name in found.names]
    unit = st.segmented_control(
        "Compare in",
        UNITS,
        default="percent",
        format_func=lambda u: "ms" if u == "ms" else "percent of the mean latency",
        key="unit",
        required=True,
    )
    means = [calibration.number(mean) for mean in found.means]
    st.write(
        f"{found.rows:,} subnets measured on both; their mean latency is {means[0]} ms on "
        f"{names[0]} and {means[1]} ms on {names[1]}. "
        + (
            "In percent of its own mean, a device that is slower throughout counts as equal."
            if unit == "percent"
            else "In ms, a device that is slower throughout differs in every choice."
        )
    )
    said = found.sentences(unit)
    if said:
        st.write("The largest differences:")
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in said))
    else:
        st.write("No choice differs between the devices beyond the uncertainty of the fits.")
    heatmaps = figures.difference_heatmaps(found, unit)
    if heatmaps:
        panel(
            "Difference by stage and block",
            f"{names[1]} less {names[0]}: orange where {names[1]} pays more for it, blue where it "
            "pays less. Numbers in parentheses: the 95 % interval spans 0.",
            found.effects(unit),
            heatmap_figure(heatmaps),
            key="difference",
        )
    blocks = figures.block_table(found, unit)
    differ = int((found.blocks[f"adjusted_{unit}"] < 0.05).sum())
    what = "equal on both devices" if unit == "ms" else "the same share of the mean latency on both"
    panel(
        "Which blocks differ",
        f"Wald test that all terms of a block are {what}; p is adjusted for the number of blocks "
        f"(Benjamini-Hochberg). {differ} of {len(blocks)} differ at 5 %.",
        blocks,
        key="blocks",
    )
    rows = figures.effect_table(found, unit)
    panel(
        "Every choice on both devices",
        "Mean change against the first choice"
        + (", in percent of each device's mean latency," if unit == "percent" else "")
        + " and the difference of the two, with 95 % confidence intervals. That of the difference "
        "takes into account that both fits read the same subnets. Hollow where it spans 0.",
        rows,
        figures.effect_figure(rows, figures.effect_targets(found, unit)),
        key="effects",
    )


@st.fragment
def calibration_section(study: Study, table: MeasurementTable, columns: list[str]) -> None:
    """Drawn anew alone when its widgets are moved."""
    with errors_as_cards():
        show_calibration(study, table, columns)


def show_calibration(study: Study, table: MeasurementTable, columns: list[str]) -> None:
    """A device's predictor from another's and a few rows, and the error by their number."""
    counts = {column: len(read_rows(table, column)) for column in columns}
    left, right = st.columns(2)
    with left:
        target = picker("New device", columns, "device-new", min(columns[::-1], key=counts.get))
    others = [column for column in columns if column != target]
    with right:
        source = picker("Calibrate from", others, "device-source", max(others, key=counts.get))
    predictor = cache.predictor_of(study, source)
    rows = read_rows(table, target)
    most = min(MOST_SHOWN, len(rows))
    count = most
    if most > LEAST_ROWS:
        count = st.slider(
            "Rows measured on the new device",
            LEAST_ROWS,
            most,
            value=most if len(rows) <= MOST_SHOWN else USUAL,
            key="shown-rows",
        )
    known = source_values(predictor, table)
    used = rows[spread_rows(known[rows], count)] if len(rows) else rows
    found = transfer(predictor, table=table, target=target, rows=used)
    if count < len(rows):
        st.caption(
            f"{len(rows)} rows have {plain(named(target))}; here it is as if only {count} of them "
            "had been measured, and the others judge the result."
        )
    st.info(plain(found.warnings[0]))
    for warning in found.warnings[1:]:
        st.warning(plain(warning))
    if cache.predictor_of(study, target).df is not None:
        st.success(
            f"{len(rows)} rows are too few for a fit of {plain(named(target))} of its own, so "
            "What-if, Search and Export use such a calibration from all of them."
        )
    calibrated = calibration.calibration_table(found, table, used)
    unseen = calibrated[~calibrated["used"]]
    judged = unseen if len(unseen) > 1 else calibrated
    errors = calibration.calibration_errors(judged)
    whose = "subnets not used" if judged is unseen else "each row left out in turn"
    labels = {"rmse": "RMSE (ms)", "mape": "Mean absolute error (%)", "tau": "Kendall's tau"}
    for place, (name, label) in zip(st.columns(4), [*labels.items(), ("", "")], strict=True):
        if name:
            place.metric(label, calibration.number(getattr(errors, name)), help=meaning_of(label))
        else:
            place.metric("Judged by", f"{len(judged)} rows")
    left, right = st.columns(2, gap="large")
    with left, errors_as_cards():
        show_curve(study, source, target, count)
    with right:
        panel(
            "Predicted and measured",
            f"The {len(used)} rows used are spread evenly over the latency on "
            f"{plain(named(source))}; the errors above are of {whose}.",
            calibrated,
            calibration.calibration_figure(calibrated, metric_of(target)),
            key="calibrated",
        )
    with st.expander(f"Coefficients of the calibrated predictor of {plain(named(target))}"):
        panel("", "", found.coefficients(), key="calibrated-terms")


def show_curve(study: Study, source: str, target: str, count: int) -> None:
    """Error against the number of rows shown."""
    curve = cache.curve_of(study, source, target)
    st.header("Error by the number of rows")
    metric = st.segmented_control(
        "Error as",
        list(calibration.METRICS),
        default="rmse",
        format_func=calibration.METRICS.get,
        key="metric",
        required=True,
        label_visibility="collapsed",
    )
    panel(
        "",
        plain(curve.sentence(count)) + " Random rows, 50 draws of each number; bands hold 90 % of "
        "the draws.",
        curve.table,
        calibration.curve_figure(curve, metric),
        key="curve",
    )


def show_instructions(study: Study, table: MeasurementTable, columns: list[str]) -> None:
    """Which subnets to measure on a device that the table lacks, and how to bring them in."""
    st.header("Bring in a device of your own")
    st.write(
        "Measure these subnets on it, fill in the last column (rename it to latency\\_ms:NAME) and "
        "import the file with 'python -m foxnas_core import FILE --study "
        f"{plain(str(study.folder.name))}', in the studies' folder. They are spread evenly over "
        f"the latency on {plain(named(columns[0]))}; 10 to 20 will do."
    )
    latencies = table.values(columns[0])
    first_of_id = ~table.frame["id"].duplicated().to_numpy()
    rows = spread_rows(np.where(first_of_id, latencies, np.nan), USUAL)
    wanted = table.frame.iloc[rows][["id", *table.space.by_name]]
    st.download_button(
        f"Download {len(rows)} subnets to measure (CSV)",
        as_csv(pd.DataFrame(wanted).assign(**{"latency_ms:NEW": ""})),
        file_name="subnets-to-measure.csv",
        mime="text/csv",
        key="to-measure",
        on_click="ignore",
    )


with page(
    "Devices",
    "The same subnets on two devices: which choices cost more on one than on the other, which "
    "subnets swap their order, and how few measurements a new device needs.",
) as study:
    table = cache.table_of(study)
    columns = latency_columns(table)
    if not columns or not len(table):
        raise MissingPart(
            "This study has no measured latency yet; measure subnets with 'python -m foxnas_core "
            "measure' or import a table with a column latency_ms."
        )
    if len(columns) == 1:
        st.info(
            f"This study has one latency column, {plain(columns[0])}, so there is nothing to "
            "compare; measure some of its subnets on another device, or import a table with a "
            "column latency\\_ms:NAME."
        )
        show_instructions(study, table, columns)
        st.stop()
    left, right = st.columns(2)
    with left:
        first = picker("Device A", columns, "device-first", columns[0])
    with right:
        rest = [column for column in columns if column != first]
        chosen = choices.current().latency
        fallback = chosen if chosen in rest else rest[0]
        second = picker("Device B", rest, "device-second", fallback)
    names = [plain(device_of(metric_of(column))) for column in (first, second)]
    st.header("Which subnets swap their order", divider="grey")
    with errors_as_cards():
        show_reversals(study, table, first, second)
    st.header(f"What costs more on {names[1]} than on {names[0]}", divider="grey")
    effects_section(study, first, second)
    st.header("Calibrate a new device from a few measurements", divider="grey")
    calibration_section(study, table, columns)
    show_instructions(study, table, columns)
