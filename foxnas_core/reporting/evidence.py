"""Why to believe it: the coefficients of every fit, and what speaks against the fits."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.diagnostics.diagnosis import Diagnosis, diagnose
from foxnas_core.diagnostics.normality import p_text
from foxnas_core.diagnostics.residuals import offending_rows
from foxnas_core.diagnostics.warnings import CHECKS, beyond_measured, cautions
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.coefficients import coefficient_table, side_by_side
from foxnas_core.figures.diagnostics import (
    KINDS,
    drawn_rows,
    predicted_table,
    residual_axis,
    residual_points,
)
from foxnas_core.regression import Predictor
from foxnas_core.regression.inference import KINDS as INTERVALS
from foxnas_core.regression.inference import Inference, inference
from foxnas_core.reporting import svg
from foxnas_core.reporting.layout import Column, Figure, Panel, Section, Table, table_of
from foxnas_core.reporting.subject import Subject
from foxnas_core.reporting.subnet import (
    interval_cells,
    interval_columns,
    interval_span_of,
    named,
    with_unit,
)

MOST_POINTS = 1000
_OFFENDING = 12


# Coefficients


def coefficient_section(subject: Subject) -> Section | None:
    """Every choice with its interval, then the terms of each target's regression."""
    if not subject.predictors:
        return None
    hows = {
        predictor.target.column: inference(
            predictor, _kind(subject, predictor), table=subject.table
        )
        for predictor in (*subject.main, *subject.others)
    }
    panels = [_choices(subject, [hows[p.target.column] for p in subject.main])]
    for folded, predictors in ((False, subject.main), (True, subject.others)):
        panels += [_terms(p, hows[p.target.column], folded=folded) for p in predictors]
    kind = INTERVALS[subject.request.intervals]
    return Section(
        "coefficients",
        "Coefficients",
        (
            f"Intervals are 95 % confidence intervals, by: {kind[0].lower()}{kind[1:]}.",
            "Stars: * below .05, ** below .01, *** below .001, of p adjusted so that of all "
            "starred effects at most that share is false (Benjamini and Hochberg).",
        ),
        tuple(panel for panel in panels if panel is not None),
    )


def _kind(subject: Subject, predictor: Predictor) -> str:
    """The kind of intervals asked for; a calibrated device's fit has no rows of its own to
    resample."""
    return "ordinary" if predictor.df is not None else subject.request.intervals


def _choices(subject: Subject, hows: Sequence[Inference]) -> Panel | None:
    """What each choice changes in both main targets."""
    if not subject.main:
        return None
    effects = side_by_side(subject.main, hows)
    if effects.empty:
        return None
    targets = [predictor.target for predictor in subject.main]
    of_blocks = effects[~effects["group"].isin(subject.study.space.context)]
    spans = [interval_span_of(of_blocks, target) for target in targets]
    columns = [Column("Choice", wide=True)]
    for target, span in zip(targets, spans, strict=True):
        columns += interval_columns(target, span)
    rows = []
    for row in effects.to_dict("records"):
        where = row["slot"] or row["group"]
        cells = [f"{where} {row['role']} {row['choice']} instead of {row['reference']}"]
        for target, span in zip(targets, spans, strict=True):
            text, drawn = interval_cells(target, row, span)
            mark = row[f"{target.column}_stars"]
            cells += [f"{text} {mark}" if isinstance(mark, str) and mark else text, drawn]
        rows.append(tuple(cells))
    resolution = ", at the largest resolution" if subject.study.space.context else ""
    return Panel(
        "What each choice changes",
        (
            f"Mean change in the prediction against the first choice{resolution}, the other "
            "choices being average. Where an interval spans 0 the point is hollow: there the data "
            "do not tell the sign. An arrow points to what lies beyond the scale.",
        ),
        tables=(Table("Every choice with its interval", tuple(columns), tuple(rows)),),
    )


def fit_sentences(predictor: Predictor) -> tuple[str, ...]:
    """How one target is fitted, how well, and what to beware of."""
    target = predictor.target
    unit = f" {target.difference_unit}".rstrip()
    said = [
        f"Form {predictor.form.title}: {predictor.rows:,} rows, {predictor.parameters} parameters, "
        f"R² {predictor.r2:.3f} (adjusted {predictor.r2_adjusted:.3f}). On subnets that the fit "
        f"never saw: R² {predictor.cv.r2:.3f}, RMSE {target.text(predictor.cv.rmse)}{unit}, "
        f"Kendall's tau {predictor.cv.tau:.3f}."
    ]
    ceiling = predictor.ceiling
    if ceiling is not None:
        value, low, high = (
            with_unit(target, end) if math.isfinite(end) else "no bound"
            for end in (ceiling.value, ceiling.low, ceiling.high)
        )
        said.append(
            f"Fitted as saturating at {value} (95 % interval {low} to {high}; likelihood ratio "
            f"{ceiling.statistic:.0f}, {p_text(ceiling.p)}): effects are in "
            f"{target.difference_unit} for a subnet of {with_unit(target, predictor.link.center)}."
        )
    if predictor.left_out:
        said.append(
            f"{predictor.left_out} measured rows failed a check of how they were measured and are "
            "left out."
        )
    if predictor.form.note:
        said.append(predictor.form.note)
    return (*said, *predictor.warnings)


def _terms(predictor: Predictor, how: Inference, *, folded: bool) -> Panel:
    """The coefficients of one fit, each with its interval drawn."""
    target = predictor.target
    frame = coefficient_table(predictor, how)
    # What the resolution does outweighs all else, and the intercept is no effect.
    effects = frame[[bool(t.group) for t in predictor.form.terms]]
    span = svg.interval_span(effects["low"].tolist(), effects["high"].tolist())
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    columns = (
        Column("Term", wide=True), Column(f"Estimate{unit}", True), Column("Standard error", True),
        Column("95 % interval", True), Column(svg.interval_axis(span)),
        Column("p, adjusted", True), Column("Stars"),
    )  # fmt: skip
    rows = []
    for position, row in enumerate(frame.to_dict("records")):
        drawn = ""
        if predictor.form.terms[position].group or predictor.form.terms[position].decision:
            drawn = svg.interval_cell(row["estimate"], row["low"], row["high"], span)
        rows.append(
            (
                row["label"],
                f"{row['estimate']:.4g}",
                f"{row['std_error']:.2g}",
                f"{row['low']:.4g} to {row['high']:.4g}",
                drawn,
                "< 0.001" if row["p_adjusted"] < 0.001 else f"{row['p_adjusted']:.2g}",
                row["stars"],
            )
        )
    table = Table(f"Terms of the regression of {named(target)}", columns, tuple(rows))
    return Panel(target.label, fit_sentences(predictor), tables=(table,), folded=folded)


# Diagnostics


def diagnostics_section(subject: Subject) -> Section | None:
    """What speaks against the fits of accuracy and of the chosen latency."""
    panels = [_diagnosed(subject, p, str(n)) for n, p in enumerate(subject.main, start=1)]
    if not panels:
        return None
    return Section(
        "diagnostics",
        "Diagnostics",
        (f"Checked for each fit: {'; '.join(CHECKS.values())}.",),
        tuple(panels),
    )


def _diagnosed(subject: Subject, predictor: Predictor, key: str) -> Panel:
    target = predictor.target
    try:
        diagnosis = diagnose(predictor, subject.table)
    except InvalidInput as error:
        return Panel(target.label, (str(error),))
    chosen = [subject.chosen] if subject.chosen is not None else []
    found = [c.sentence for c in (*cautions(diagnosis), *beyond_measured(diagnosis, chosen))]
    specification = diagnosis.specification
    sentences = [
        diagnosis.normality.sentence, specification.reset_sentence,
        specification.variance_sentence, diagnosis.collinearity.sentence,
    ]  # fmt: skip
    verdict = "To beware of:" if found else "Nothing in these checks speaks against the fit."
    tests = table_of(
        specification.table,
        f"Tests of the fit of {named(target)}",
        formats={"p": lambda p: "–" if np.isnan(p) else p_text(p).removeprefix("p = ")},
    )
    offending = offending_rows(diagnosis.residuals)
    shown = offending.head(_OFFENDING)[
        ["row", "id", "measured", "predicted", "studentised", "leverage", "cook", "why"]
    ]
    tables = [tests]
    if len(shown):
        caption = f"{len(shown)} of {len(offending)} flagged rows, outliers first ({named(target)})"
        tables.append(table_of(shown, caption))
    return Panel(
        target.label,
        (*sentences, verdict),
        tuple(found),
        figures=_figures(diagnosis, key),
        tables=tuple(tables),
    )


def _figures(diagnosis: Diagnosis, key: str) -> tuple[Figure, ...]:
    """Held-out predictions beside measured values, and residuals over predictions."""
    predictor = diagnosis.predictor
    target = predictor.target
    drawn = drawn_rows(diagnosis.residuals, MOST_POINTS)
    legend = tuple((kind.replace(" ", "-"), kind) for kind in KINDS if kind in set(drawn["kind"]))
    points = predicted_table(drawn)
    both = svg.span_of([*points["held_out"], *points["measured"]])
    unit = f" ({target.unit})" if target.unit else ""
    first = svg.Axes(both, both, f"Predicted, cross-validated{unit}", f"Measured{unit}", width=460)
    texts = [
        f"row {row}: measured {target.text(m)}, predicted {with_unit(target, p)}"
        for row, m, p in zip(points["row"], points["measured"], points["held_out"], strict=True)
    ]
    held_out = first.draw(
        f"Measured and predicted {named(target)}",
        f"{len(points)} subnets, each predicted by a fit that never saw it; on the line both are "
        f"equal. RMSE {with_unit(target, predictor.cv.rmse)}.",
        first.path([(both[0], both[0]), (both[1], both[1])], "equal", steps=False),
        *_dots(first, points, "held_out", "measured", texts),
        key=f"held-out-{key}",
    )
    found = residual_points(drawn, diagnosis.residuals)
    points = found.points
    second = svg.Axes(
        svg.span_of(points["predicted"].tolist()),
        svg.span_of(points["residual"].tolist()),
        f"Predicted{unit}",
        residual_axis(predictor),
        width=460,
    )
    texts = [
        f"row {row}: predicted {with_unit(target, p)}, residual {target.text(r, signed=True)}"
        for row, p, r in zip(points["row"], points["predicted"], points["residual"], strict=True)
    ]
    trend = list(zip(found.trend["predicted"], found.trend["residual"], strict=True))
    residuals = second.draw(
        f"Residuals of {named(target)} over predictions",
        "Where effects add up, the mean of residuals runs along 0.",
        second.path([(second.x[0], 0.0), (second.x[1], 0.0)], "equal", steps=False),
        *_dots(second, points, "predicted", "residual", texts),
        second.path(trend, "trend", steps=False),
        key=f"residuals-{key}",
    )
    return (
        Figure(held_out, (*legend, ("equal", "equal"))),
        Figure(residuals, (*legend, ("trend", "mean"))),
    )


def _dots(
    axes: svg.Axes, points: pd.DataFrame, x: str, y: str, texts: list[str]
) -> list[svg.Markup]:
    """One group a kind, the flagged ones over the others."""
    marks = []
    for kind in KINDS:
        own = np.flatnonzero((points["kind"] == kind).to_numpy())
        places = [(float(points[x].iloc[i]), float(points[y].iloc[i])) for i in own]
        marks.append(axes.dots(places, kind.replace(" ", "-"), 2.5, [texts[i] for i in own]))
    return marks
