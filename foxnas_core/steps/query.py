"""Asking what is known of one architecture: what was measured, else what its choices add up to
where a column is a sum of that, else what is predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import family_of
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.expectation import expectation
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_all, fit_each
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.searched import told_of_searched
from foxnas_core.study import Study
from foxnas_core.table.metrics import COUNTABLE, metric_of
from foxnas_core.table.readings import readings_of
from foxnas_core.table.sums import ChoiceCosts, kept_sums, recovered

Source = Literal["measured", "counted", "summed", "predicted"]
# The most that a row may differ, as a share, from the sum that it was made as.
_SAME = 1e-9


@dataclass(frozen=True)
class Known:
    """What is known of one column: a value in its unit, where it is from, and its 95 % interval: of
    a measured latency the range of its rounds, of a prediction where one measurement would fall, of
    what is counted itself, of what is summed the most that any row differs from its sum; None where
    nothing tells it.

    Of what is predicted of an architecture that was searched for, `expected` is what it is expected
    to measure by what optima did; else None.
    """

    value: float
    source: Source
    low: float | None
    high: float | None
    expected: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None


@dataclass(frozen=True)
class Queried:
    """An architecture with its number in the published benchmark and its line of text, where its
    family has such, what is known of it, by column, and a sentence for each column of which nothing
    is."""

    architecture: Architecture
    index: int | None
    string: str | None
    metrics: dict[str, Known]
    refused: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.architecture.id,
            "index": self.index,
            "string": self.string,
            "architecture": self.architecture.to_dict(),
            "metrics": {column: vars(known) for column, known in self.metrics.items()},
        }


def query(study: Study, architecture: Architecture, columns: Sequence[str] = ()) -> Queried:
    """What a study knows of an architecture: of these columns, by default of all of its targets.

    Raises `MissingPart` where the study has no measurements, `InvalidInput` for a column that it
    does not have.
    """
    measured, family = study.table(), family_of(study.space)
    table = with_counted(measured)
    kept_costs = kept_sums(measured)
    targets = {target.column: target for target in table.targets}
    targets |= {column: metric_of(column) for column in kept_costs}
    if not targets:
        raise MissingPart(
            f"Study {study.name!r} has no measurements, so nothing is known of any architecture; "
            "measure subnets or import a table first."
        )
    for column in columns:
        if column not in targets:
            raise InvalidInput(f"{column!r} is no column of {study.folder}: {', '.join(targets)}.")
    wanted = tuple(columns) or tuple(targets)
    readings = readings_of([measured, study.optima()], architecture)
    found = {
        column: Known(one.value, "measured", one.low, one.high)
        for column, one in readings.items()
        if column in wanted
    }
    for column in wanted:
        own = kept_costs.get(column)
        if own is None and column not in found and column not in COUNTABLE:
            own = recovered(measured, column)
        if own and (column not in found or _is_made_as(found[column].value, own, architecture)):
            found[column] = _summed(own, architecture)
    kept = kept_fits(study)
    fits, refused = fit_each(
        [targets[column] for column in wanted if column not in found],
        lambda column: fit_all(table, targets=[column], kept=kept)[column],
    )
    told = told_of_searched(study, [architecture]) if fits else {}
    for column, fit in fits.items():
        one = expectation(fit, architecture, told)
        source: Source = "counted" if fit.is_counted else "predicted"
        ends = (one.value, one.low, one.high) if one.optima else ()
        found[column] = Known(one.predicted, source, one.predicted_low, one.predicted_high, *ends)
    return Queried(
        architecture,
        family.number(study.space, architecture),
        family.write(study.space, architecture) or None,
        {column: found[column] for column in wanted if column in found},
        tuple(refused),
    )


def _summed(costs: ChoiceCosts, architecture: Architecture) -> Known:
    value, off = costs.sum(architecture), costs.residual
    return Known(value, "summed", *((value - off, value + off) if costs.rows else (None, None)))


def _is_made_as(value: float, costs: ChoiceCosts, architecture: Architecture) -> bool:
    """Whether a row is no measurement, but a sum that was written into it."""
    total = costs.sum(architecture)
    return not costs.rows and abs(value - total) <= _SAME * abs(total)
