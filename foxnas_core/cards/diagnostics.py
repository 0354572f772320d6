"""What speaks against a fitted regression: its rows, its errors, its terms, its form."""

from contextlib import suppress

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.diagnostics.diagnosis import Diagnosis, diagnose
from foxnas_core.diagnostics.fitted import exact_sentence, is_exact
from foxnas_core.diagnostics.learning_curve import LearningCurve, learning_curve
from foxnas_core.diagnostics.residuals import (
    cook_limit,
    leverage_limit,
    offending_rows,
    outlier_limit,
)
from foxnas_core.diagnostics.warnings import CHECKS, beyond_measured, cautions, interaction_gain
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import diagnostics as figures
from foxnas_core.figures.learning import curve_figure
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import BASES
from foxnas_core.space.architecture import Architecture

# Above so many rows a learning curve takes longer than one waits for unasked.
QUICK_ROWS = 2000


def exact(given: Given) -> str | None:
    """Why there are no errors to look into."""
    predictor = given.fitted
    return exact_sentence(predictor) if is_exact(predictor, given.table) else None


@shared(spinner="Looking for what speaks against the fit …")
def _diagnosed(given: Given, column: str, form: str, link: str) -> Diagnosis:
    return diagnose(given.predictor(column, form, link), given.table)


@shared(spinner="Fitting parts of the table …")
def _curve(given: Given, column: str, form: str, link: str) -> LearningCurve:
    return learning_curve(given.predictor(column, form, link), given.table)


def diagnosis(given: Given) -> Diagnosis:
    """What speaks against the fit; raises as it and `diagnose`."""
    return _diagnosed(given, given.column, given.fitting_form, given.link)


@analysis("Diagnostics", "verdict", "What to beware of", exact)
def verdict(given: Given) -> Card:
    """What applies, one sentence each, and what else was checked."""
    watched = _watched(given)
    found = [
        *cautions(diagnosis(given)),
        *beyond_measured(diagnosis(given), list(dict.fromkeys(watched.values()))),
    ]
    checked = set(CHECKS)
    if not watched:
        checked -= {"range", "leverage"}
    interacting = _interacting(given)
    if interacting is None:
        checked.remove("interactions")
    elif (gain := interaction_gain(given.fitted, interacting)) is not None:
        found.append(gain)
    passed = [what for code, what in CHECKS.items() if code in checked - {c.code for c in found}]
    named = "; ".join(f"{a.id} ({what})" for what, a in watched.items())
    return Card(
        sentence=f"Passed: {'; '.join(passed)}."
        if found
        else f"No warning applies. Checked: {'; '.join(passed)}.",
        tone="plain" if found else "good",
        cautions=tuple(caution.sentence for caution in found),
        notes=(f"Predictions checked against the measured range: {named}.",) if named else (),
    )


def _watched(given: Given) -> dict[str, Architecture]:
    """The architectures whose predictions are relied on, by what they are."""
    found = {}
    if given.architecture is not None:
        found["the one chosen in What-if"] = given.architecture
    # With one of the two columns there is nothing to trade.
    if given.budget is not None and len(given.main) > 1:
        with suppress(FoxnasError):  # where no search is possible, the page for it says why
            best = given.front(given.main[-1]).within(given.budget)
            found["the best within the budget"] = best.architecture
    return found


def _interacting(given: Given) -> Predictor | None:
    """The same target with interactions, where the form has none yet and they can be fitted."""
    name = given.fitted.form.name
    if name in BASES:
        return None
    added = {base: name for name, base in BASES.items()}
    others = "interactions" if given.table.ordered else "count_interactions"
    try:
        return given.predictor(given.column, added.get(name, others), given.link)
    except FoxnasError:
        return None


def _in_part(drawn: int, given: Given) -> str:
    every = len(diagnosis(given).residuals)
    return "" if drawn == every else (
        f" Drawn: {drawn:,} of {every:,} rows, the most influential ones and a random sample of "
        "the others."
    )  # fmt: skip


@analysis("Diagnostics", "predicted", "Predicted and measured", exact)
def predicted(given: Given) -> Card:
    target, cv = given.fitted.target, given.fitted.cv
    table = figures.predicted_table(figures.drawn_rows(diagnosis(given).residuals))
    return Card(
        sentence=f"Each row as predicted by a fit that never saw its subnet (10 folds): R² "
        f"{cv.r2:.3f}, RMSE {target.text(cv.rmse)} {target.difference_unit}, Kendall's tau "
        f"{cv.tau:.3f}.{_in_part(len(table), given)}",
        table=table,
        draw=lambda: figures.predicted_figure(table, target),
    )


@analysis("Diagnostics", "residuals", "Residuals", exact)
def residuals(given: Given) -> Card:
    predictor, every = given.fitted, diagnosis(given).residuals
    found = figures.residual_points(figures.drawn_rows(every), every)
    scale = "" if predictor.link.is_identity else ", on the scale on which effects add up"
    return Card(
        sentence=f"What the fit leaves, measured less predicted{scale}. Where effects add up, the "
        f"mean of rows alike runs along 0.{_in_part(len(found.points), given)}",
        table=found.points,
        draw=lambda: figures.residual_figure(found, predictor),
    )


@analysis("Diagnostics", "quantiles", "Are errors normal? (QQ)", exact)
def quantiles(given: Given) -> Card:
    normality = diagnosis(given).normality
    table = figures.quantile_table(normality)
    part = f" Drawn: {len(table):,} points." if len(table) < len(normality.points) else ""
    return Card(
        sentence=normality.sentence + part,
        table=table,
        draw=lambda: figures.quantile_figure(table),
    )


@analysis("Diagnostics", "influence", "Leverage and influence", exact)
def influence(given: Given) -> Card:
    drawn = figures.drawn_rows(diagnosis(given).residuals)
    found = figures.influence_points(drawn, given.fitted)
    return Card(
        sentence="How unusual a subnet is (leverage) and how badly it is fitted: beyond the dotted "
        "lines one row alone moves the fit more than 4 / rows in Cook's distance."
        + _in_part(len(drawn), given),
        table=found.points,
        draw=lambda: figures.influence_figure(found),
    )


@analysis("Diagnostics", "offending", "Rows to look into", exact)
def offending(given: Given) -> Card:
    """The flagged rows, outliers first."""
    every, n, p = diagnosis(given).residuals, given.fitted.rows, given.fitted.parameters
    flags = {
        "outlier": f"outliers, studentised residual beyond ±{outlier_limit(n, p):.2f} (5 % "
        "Bonferroni)",
        "influential": f"influential, Cook's distance above 4 / rows = {cook_limit(n):.2g}",
        "high_leverage": f"of high leverage, above 3 × parameters / rows = "
        f"{leverage_limit(n, p):.2g}",
    }
    counts = "; ".join(f"{int(every[flag].sum())} {text}" for flag, text in flags.items())
    columns = [
        "row", "id", "why", "measured", "predicted", "held_out", "residual", "studentised",
        "leverage", "cook",
    ]  # fmt: skip
    return Card(
        sentence=f"Of {n:,} rows: {counts}.",
        table=offending_rows(every)[columns].rename(columns={"held_out": "cross-validated"}),
    )


@analysis("Diagnostics", "inflation", "Overlap of terms", exact)
def inflation(given: Given) -> Card:
    found = diagnosis(given).collinearity
    table = figures.inflation_table(found)
    more = len(found.table) > len(table)
    return Card(
        sentence=found.sentence + (f" The {len(table)} largest are drawn." if more else ""),
        table=found.table,
        draw=(lambda: figures.inflation_figure(table)) if len(table) else None,
    )


@analysis(
    "Diagnostics", "specification", "Does the form fit? (RESET and equal variance)", exact
)  # fmt: skip
def specification(given: Given) -> Card:
    found = diagnosis(given).specification
    return Card(
        sentence=f"{found.reset_sentence} {found.variance_sentence}", table=found.table
    )  # fmt: skip


@analysis("Diagnostics", "learning", "How many more rows?", exact)
def learning(given: Given) -> Card:
    """How error and intervals shrink with rows."""
    curve = _curve(given, given.column, given.fitting_form, given.link)
    part = f" From a random {curve.used:,} rows." if curve.used < curve.rows else ""
    return Card(
        sentence=f"{curve.sentence} {curve.error_sentence} Each point: the mean over draws of "
        f"subnets, tried on all others, with one standard deviation.{part}",
        table=curve.table,
        draw=lambda: curve_figure(curve),
    )
