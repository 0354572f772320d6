"""What speaks against a fitted regression: its rows, its errors, its terms, its form."""

from collections.abc import Callable, Mapping
from contextlib import suppress

import streamlit as st

from foxnas_core.diagnostics.diagnosis import Diagnosis
from foxnas_core.diagnostics.fitted import exact_sentence, is_exact
from foxnas_core.diagnostics.residuals import (
    cook_limit,
    leverage_limit,
    offending_rows,
    outlier_limit,
)
from foxnas_core.diagnostics.warnings import (
    CHECKS,
    Caution,
    beyond_measured,
    cautions,
    interaction_gain,
)
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures.diagnostics import (
    MOST_POINTS,
    curve_figure,
    drawn_rows,
    inflation_figure,
    inflation_table,
    influence_figure,
    influence_points,
    predicted_figure,
    predicted_table,
    quantile_figure,
    quantile_table,
    residual_figure,
    residual_points,
)
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import BASES, forms_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page
from pages.shared.latency import budget_of, latency_of
from pages.shared.panel import as_csv, panel
from pages.shared.text import plain

# Above so many rows a learning curve takes longer than a page should.
_QUICK_ROWS = 2000
_MOST_OFFERED = 200


def target_picker(table: MeasurementTable) -> str:
    """Draw the picker of the target and return its column; raises `MissingPart` without any."""
    columns = [target.column for target in table.targets]
    if not columns or not len(table):
        raise MissingPart(
            "This study has no measurements yet; measure subnets with 'python -m foxnas_core "
            "measure' or import a table."
        )
    chosen = choices.remembered("diagnosed-target")
    first = "accuracy" if "accuracy" in columns else columns[0]
    choices.show("target", chosen if chosen in columns else first)
    labels = {target.column: target.label for target in table.targets}
    return st.selectbox(
        "Target",
        columns,
        format_func=lambda column: labels.get(column, column),
        key="target",
        on_change=choices.on_change(
            "target", lambda column: choices.remember("diagnosed-target", column)
        ),
    )


def form_of(table: MeasurementTable) -> str:
    """The form chosen on Coefficients, or "auto" where this table can't have it."""
    chosen = choices.current().form
    return chosen if chosen in forms_of(table.space, ordered=table.ordered) else "auto"


def watched(study: Study, table: MeasurementTable) -> dict[str, Architecture]:
    """The architectures whose predictions are relied on, by what they are."""
    found = {}
    chosen = choices.chosen_architecture(study.space)
    if chosen is not None:
        found["the one chosen in What-if"] = chosen
    latency = latency_of(table)
    if latency is not None:
        with suppress(FoxnasError):  # where no search is possible, the page for it says why
            front = cache.front_of(study, latency)
            best = front.within(budget_of(front))
            found["the best within the latency budget"] = best.architecture
    return found


def show_cautions(
    diagnosis: Diagnosis,
    interacting: Predictor | None,
    architectures: Mapping[str, Architecture],
) -> None:
    """What applies, one sentence each, and what else was checked."""
    found: list[Caution] = cautions(diagnosis)
    found += beyond_measured(diagnosis, list(dict.fromkeys(architectures.values())))
    checked = set(CHECKS)
    if not architectures:
        checked -= {"range", "leverage"}
    if interacting is None:
        checked.remove("interactions")
    elif (gain := interaction_gain(diagnosis.predictor, interacting)) is not None:
        found.append(gain)
    for caution in found:
        st.warning(plain(caution.sentence))
    checked -= {caution.code for caution in found}
    passed = [what for code, what in CHECKS.items() if code in checked]
    if not found:
        st.success(f"No warning applies. Checked: {'; '.join(passed)}.")
    elif passed:
        st.caption(f"Passed: {'; '.join(passed)}.")
    if architectures:
        named = "; ".join(f"{a.id} ({what})" for what, a in architectures.items())
        st.caption(f"Predictions checked against the measured range: {named}.")


def interacting_of(study: Study, table: MeasurementTable, predictor: Predictor) -> Predictor | None:
    """The same target with interactions, where the form has none yet and they can be fitted."""
    if predictor.form.name in BASES:
        return None
    added = {base: name for name, base in BASES.items()}
    others = "interactions" if table.ordered else "count_interactions"
    form = added.get(predictor.form.name, others)
    try:
        return cache.predictor_of(study, predictor.target.column, form, choices.current().link)
    except FoxnasError:
        return None


def _row_of(study: Study) -> str:
    """What the row chosen last is remembered by."""
    return f"diagnosed-row-{study.folder.name}"


def choose_point(study: Study, key: str) -> Callable[[], None]:
    """A callback that remembers the row of a clicked point, and highlights its subnet."""

    def act(state: Mapping[str, Mapping[str, list]]) -> None:
        points = [p for p in state["selection"]["points"] if p.get("customdata")]
        if points:
            row, subnet, *_ = points[0]["customdata"]
            choices.remember(_row_of(study), int(row))
            if subnet != choices.current().subnet:
                choices.highlight(subnet=subnet)

    return choices.on_change(f"{key}-figure", act)


def show_rows(study: Study, diagnosis: Diagnosis) -> None:
    """The flagged rows, and a way to open one in What-if."""
    predictor, residuals = diagnosis.predictor, diagnosis.residuals
    n, p = predictor.rows, predictor.parameters
    offending = offending_rows(residuals)
    flags = {
        "outlier": f"outliers, studentised residual beyond ±{outlier_limit(n, p):.2f} (5 % "
        "Bonferroni)",
        "influential": f"influential, Cook's distance above 4 / rows = {cook_limit(n):.2g}",
        "high_leverage": f"of high leverage, above 3 × parameters / rows = "
        f"{leverage_limit(n, p):.2g}",
    }
    counts = "; ".join(f"{int(residuals[flag].sum())} {text}" for flag, text in flags.items())
    columns = [
        "row", "id", "why", "measured", "predicted", "held_out", "residual", "studentised",
        "leverage", "cook",
    ]  # fmt: skip

    def choose(state: Mapping[str, Mapping[str, list]]) -> None:
        rows = state["selection"]["rows"]
        if rows and rows[0] < len(offending):
            choices.remember(_row_of(study), int(offending["row"].iloc[rows[0]]))

    panel(
        "Rows to look into",
        f"Of {n:,} rows: {counts}. Choose a row here, or click a point in a figure above, to open "
        "its subnet.",
        offending[columns].rename(columns={"held_out": "cross-validated"}),
        key="offending",
        on_select=choices.on_change("offending-table", choose),
    )
    why = dict(zip(offending["row"], offending["why"], strict=True))
    offered = [int(row) for row in offending["row"].head(_MOST_OFFERED)]
    chosen = choices.remembered(_row_of(study))
    known = residuals.set_index("row")
    if chosen in known.index and chosen not in offered:
        offered.insert(0, chosen)
    if offered:
        choices.show("row", chosen if chosen in offered else offered[0])
        target = predictor.target

        def described(row: int) -> str:
            own = known.loc[row]
            return (
                f"row {row}, {own['id']}: measured {target.text(own['measured'])}, predicted "
                f"{target.text(own['held_out'])} {target.unit} ({why.get(row, 'not flagged')})"
            )

        row = st.selectbox(
            "Row to open",
            offered,
            format_func=described,
            key="row",
            on_change=choices.on_change(
                "row", lambda number: choices.remember(_row_of(study), number)
            ),
        )
    buttons = st.container(horizontal=True)
    if offered and buttons.button("Open it in What-if", key="open-row"):
        codes = cache.table_of(study).codes[[row - 1]]
        choices.set_architecture(study.space.decode(codes)[0])
        st.switch_page("pages/2_What_if.py")
    buttons.download_button(
        "Download every row (CSV)",
        lambda: as_csv(residuals),
        file_name="residuals.csv",
        mime="text/csv",
        key="every-row-download",
        on_click="ignore",
    )


def show_points(study: Study, diagnosis: Diagnosis) -> None:
    """The four figures with a point for each row."""
    predictor, residuals = diagnosis.predictor, diagnosis.residuals
    target, cv = predictor.target, predictor.cv
    drawn = drawn_rows(residuals)
    part = ""
    if len(drawn) < len(residuals):
        part = (
            f" Drawn: {len(drawn):,} of {len(residuals):,} rows, the most influential ones and a "
            "random sample of the others."
        )
    left, right = st.columns(2, gap="large")
    table = predicted_table(drawn)
    with left:
        panel(
            "Predicted and measured",
            f"Each row as predicted by a fit that never saw its subnet (10 folds): R² "
            f"{cv.r2:.3f}, RMSE {target.text(cv.rmse)} {target.difference_unit}, Kendall's tau "
            f"{cv.tau:.3f}.{part}",
            table,
            predicted_figure(table, target),
            key="predicted",
            on_select=choose_point(study, "predicted"),
        )
    points = residual_points(drawn, residuals)
    with right:
        panel(
            "Residuals",
            "What the fit leaves, measured less predicted"
            + ("" if predictor.link.is_identity else ", on the scale on which effects add up")
            + f". Where effects add up, the mean of rows alike runs along 0.{part}",
            points.points,
            residual_figure(points, predictor),
            key="residuals",
            on_select=choose_point(study, "residuals"),
        )
    left, right = st.columns(2, gap="large")
    quantiles = quantile_table(diagnosis.normality)
    thinned = (
        f" Drawn: {MOST_POINTS:,} points."
        if len(quantiles) < len(diagnosis.normality.points)
        else ""
    )
    with left:
        panel(
            "Are errors normal? (QQ)",
            plain(diagnosis.normality.sentence) + thinned,
            quantiles,
            quantile_figure(quantiles),
            key="quantiles",
            on_select=choose_point(study, "quantiles"),
        )
    influence = influence_points(drawn, predictor)
    with right:
        panel(
            "Leverage and influence",
            "How unusual a subnet is (leverage) and how badly it is fitted: beyond the dotted "
            "lines one row alone moves the fit more than 4 / rows in Cook's distance." + part,
            influence.points,
            influence_figure(influence),
            key="influence",
            on_select=choose_point(study, "influence"),
        )


def show_terms(diagnosis: Diagnosis) -> None:
    """Overlap of terms, and the tests of the form."""
    left, right = st.columns(2, gap="large")
    with left:
        found = diagnosis.collinearity
        if found.table.empty:
            st.header("Overlap of terms")
            st.write(found.sentence)
        else:
            table = inflation_table(found)
            more = len(found.table) - len(table)
            panel(
                "Overlap of terms",
                plain(found.sentence) + (f" The {len(table)} largest are drawn." if more else ""),
                found.table,
                inflation_figure(table),
                key="inflation",
            )
    with right:
        specification = diagnosis.specification
        panel(
            "Does the form fit? (RESET and equal variance)",
            f"{plain(specification.reset_sentence)} {plain(specification.variance_sentence)}",
            specification.table,
            key="specification",
        )


def show_curve(study: Study, column: str, form: str, link: str, rows: int) -> None:
    """The learning curve, at once where it is quick."""
    title = "How many more rows?"
    if rows > _QUICK_ROWS:
        st.header(title)
        if not st.toggle("Fit parts of the table to draw the learning curve", key="curve"):
            return
        title = ""
    with errors_as_cards():
        curve = cache.learning_curve_of(study, column, form, link)
        part = f" From a random {curve.used:,} rows." if curve.used < curve.rows else ""
        panel(
            title,
            f"{plain(curve.sentence)} {plain(curve.error_sentence)} Each point: the mean over "
            f"draws of subnets, tried on all others, with one standard deviation.{part}",
            curve.table,
            curve_figure(curve),
            key="learning",
        )


with page(
    "Diagnostics",
    "What speaks against the fitted regression: its rows, its errors, its terms, its form, and "
    "how many more rows it needs.",
) as study:
    table = cache.table_of(study)
    left, right = st.columns(2)
    with left:
        column = target_picker(table)
    form = form_of(table)
    link = choices.current().link
    predictor = cache.predictor_of(study, column, form, link)
    right.metric("Form of the regression", predictor.form.title)
    if right.button("Choose another on Coefficients", key="to-coefficients"):
        st.switch_page("pages/1_Coefficients.py")
    if is_exact(predictor, table):
        st.info(plain(exact_sentence(predictor)))
        st.stop()
    diagnosis: Diagnosis = cache.diagnosis_of(study, column, form, link)
    show_cautions(diagnosis, interacting_of(study, table, predictor), watched(study, table))
    show_points(study, diagnosis)
    show_rows(study, diagnosis)
    show_terms(diagnosis)
    show_curve(study, column, form, link, predictor.rows)
