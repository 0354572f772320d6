"""What a round came to: the errors at the front, the best measured, how far fits moved."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.records import document_of
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.rounds.record import BestMeasured, Find, RoundsRecord, front_error
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.readings import incumbent


def measured_finds(finds: Sequence[Find], table: MeasurementTable) -> tuple[Find, ...]:
    """The finds with what the table measured of them, means where it did so more than once."""
    return tuple(
        replace(
            find,
            measured={
                column: float(np.nanmean(table.values(column)[own]))
                for column in find.predicted
                if (own := (table.frame["id"] == find.architecture.id).to_numpy()).any()
                and np.isfinite(table.values(column)[own]).any()
            },
        )
        for find in finds
    )


def best_measured(
    table: MeasurementTable, columns: Sequence[str], budgets: Sequence[float]
) -> tuple[BestMeasured, ...]:
    """For each budget the subnet of the best measured objective whose measured cost keeps it;
    `columns` are those of the two."""
    found = []
    for budget in budgets:
        top = incumbent(table, columns[0], {columns[1]: budget})
        if top is None:
            found.append(BestMeasured(float(budget), "", math.nan, math.nan))
            continue
        value, cost = (top.readings[column].value for column in columns)
        found.append(BestMeasured(float(budget), top.architecture.id, value, cost))
    return tuple(found)


def movement(before: Predictor, table: MeasurementTable, *, seed: int) -> float:
    """How far the rows added to `table` since the fit `before` move it, beside what chance would.

    Root mean square over 500 architectures, drawn uniformly over decisions, of the change of the
    prediction (on the link's scale) divided by √(Var before − Var after), which is the standard
    error of that change where the form is right for old and new rows alike (Hausman,
    "Specification tests in econometrics", Econometrica 46, 1978). The same form is fitted to both;
    both variances are by the scatter before.
    """
    link = "none" if before.link.is_identity else "saturating"
    after = fit(table, before.target.column, before.form, link, before.estimator)
    rows = before.form.matrix(before.space.random_codes(500, seed=seed))
    scatter = before.residual_variance / max(after.residual_variance, np.finfo(float).tiny)
    variance = before.std_error(rows) ** 2 - scatter * after.std_error(rows) ** 2
    change = before.link.inverse(rows @ before.estimates) - after.link.inverse(
        rows @ after.estimates
    )
    slope = before.link.slope(rows @ before.estimates)
    known = variance > 1e-9 * before.scatter(rows @ before.estimates)
    if not known.any():
        return 0.0
    return float(np.sqrt(np.mean((change / slope)[known] ** 2 / variance[known])))


def rounds_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a finished round: round, rows, finds, alternatives, and for each target, as
    `COLUMN_…`, bias, rmse, inside, where optima told expected_bias, expected_rmse and
    expected_inside, cv_r2, cv_rmse and moved.
    """
    rows = []
    for turn, done in enumerate((r for r in record.rounds if r.done), start=1):
        row: dict[str, Any] = {
            "round": turn,
            "rows": done.after[record.objective].rows,
            "finds": len(done.finds),
            "alternatives": done.alternatives,
        }
        for column in record.columns:
            for name, own in (("", False), ("_expected", True)):
                error = front_error(done.finds, column, expected=own)
                if error is not None:
                    row |= {
                        f"{column}{name}_bias": error.bias,
                        f"{column}{name}_rmse": error.rmse,
                        f"{column}{name}_inside": error.inside,
                    }
            row |= {
                f"{column}_cv_r2": done.after[column].r2,
                f"{column}_cv_rmse": done.after[column].rmse,
                f"{column}_moved": done.moved.get(column, math.nan),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def rounds_document(record: RoundsRecord) -> dict[str, Any]:
    """What `search --rounds --json` prints; missing numbers are null."""
    documents = []
    for turn, done in enumerate((r for r in record.rounds if r.done), start=1):
        errors, expected = (
            {c: front_error(done.finds, c, expected=own) for c in record.columns}
            for own in (False, True)
        )
        documents.append(
            {
                "round": turn,
                "finds": len(done.finds),
                "alternatives": done.alternatives,
                "errors": errors,
                "expected_errors": expected,
                "fit": done.after,
                "moved": done.moved,
                "best_before": done.best_before,
                "best": done.best,
            }
        )
    found = {
        "objective": record.objective,
        "latency": record.latency,
        "budgets": record.budgets,
        "guard": record.guard or None,
        "rounds": documents,
    }
    return dict(document_of(found))
