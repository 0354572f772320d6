"""Asking what is known of one architecture: what was measured, else what its choices add up to
where a column is a sum of that, else what is predicted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import pandas as pd

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import family_of
from foxnas_core.regression import Predictor
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.expectation import expectation
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_all, fit_each
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.searched import told_of_searched
from foxnas_core.study import Study
from foxnas_core.table.measurements import FAILED_BESIDE, MeasurementTable
from foxnas_core.table.metrics import COUNTABLE, is_metric, metric_of
from foxnas_core.table.readings import readings_of
from foxnas_core.table.sums import Costs, kept_sums, recovered

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration

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


class Asked:
    """A study that is asked for many architectures: its table is read once.

    Raises `MissingPart` where it has no measurements.
    """

    def __init__(
        self,
        study: Study,
        predictor: Callable[[str], Predictor] | None = None,
        told: "Callable[[Architecture], dict[str, SearchCalibration]] | None" = None,
    ) -> None:
        """A column's `predictor`, and what optima tell of an architecture, may be at hand."""
        self.study, self._measured = study, study.table()
        self._predictor, self._told = predictor or self._fitted, told or self._searched
        self._optima, self._table = study.optima(), with_counted(self._measured)
        self._kept_fits = kept_fits(study)
        self._given = kept_sums(self._measured)
        self._sums: dict[str, Costs | None] = {**self._given}
        targets = {target.column: target for target in self._table.targets}
        self.targets = targets | {column: metric_of(column) for column in self._given}
        if not self.targets:
            raise MissingPart(
                f"Study {study.name!r} has no measurements, so nothing is known of any "
                "architecture; measure subnets or import a table first."
            )
        self._numbers = dict(zip(self._measured.frame["id"], _numbers(self._measured), strict=True))

    def costs(self, column: str) -> Costs | None:
        """What each choice adds to a column; None where it is no sum, or is counted."""
        if column not in self._sums:
            countable = column in COUNTABLE
            self._sums[column] = None if countable else recovered(self._measured, column)
        return self._sums[column]

    def all_costs(self, columns: Sequence[str] = ()) -> dict[str, Costs]:
        """What each choice adds to these columns, by default to all that are sums.

        Raises `MissingPart` where none is, and `InvalidInput` as `known`.
        """
        found = {column: self.costs(column) for column in self._wanted(columns)}
        sums = {column: own for column, own in found.items() if own}
        if not sums:
            raise MissingPart(
                f"Of {self.study.folder} {', '.join(found)} is no sum over the choices, so none of "
                "them has a cost of its own; ask for effects (fit)."
            )
        return sums

    def known(self, architecture: Architecture, columns: Sequence[str] = ()) -> Queried:
        """What is known of an architecture: of these columns, by default of all targets.

        Raises `InvalidInput` for a column that the study does not have.
        """
        wanted, family = self._wanted(columns), family_of(self.study.space)
        readings = readings_of([self._measured, self._optima], architecture)
        found = {
            column: Known(one.value, "measured", one.low, one.high)
            for column, one in readings.items()
            if column in wanted
        }
        for column in wanted:
            own = self._given.get(column) or (None if column in found else self.costs(column))
            if own and (column not in found or _is_made_as(found[column].value, own, architecture)):
                found[column] = _summed(own, architecture)
        failed = self._failed(architecture)
        fits, refused = fit_each(
            [self.targets[c] for c in wanted if c not in found and c not in failed],
            self._predictor,
        )
        told = self._told(architecture) if fits else {}
        for column, fit in fits.items():
            one = expectation(fit, architecture, told)
            source = cast(Source, fit.exactly or "predicted")
            ends = (one.value, one.low, one.high) if one.optima else ()
            found[column] = Known(
                one.predicted, source, one.predicted_low, one.predicted_high, *ends
            )
        number = self._numbers.get(architecture.id)
        return Queried(
            architecture,
            family.number(self.study.space, architecture) if number is None else number,
            family.write(self.study.space, architecture) or None,
            {column: found[column] for column in wanted if column in found},
            (*refused, *(said for column, said in failed.items() if column in wanted)),
        )

    def _fitted(self, column: str) -> Predictor:
        return fit_all(self._table, targets=[column], kept=self._kept_fits)[column]

    def _searched(self, architecture: Architecture) -> "dict[str, SearchCalibration]":
        return told_of_searched(self.study, [architecture])

    def _failed(self, architecture: Architecture) -> dict[str, str]:
        """By column, a sentence where a row of the architecture says why it has no value."""
        frame = self._measured.frame
        beside = [column for column in frame.columns if column.startswith(FAILED_BESIDE)]
        own = frame.loc[frame["id"] == architecture.id, beside] if beside else frame[beside]
        found = {c.removeprefix(FAILED_BESIDE): own[c].dropna() for c in beside}
        return {
            column: f"{metric_of(column).label}: the network {why.iloc[0]}."
            for column, why in found.items()
            if len(why) and is_metric(column)
        }

    def _wanted(self, columns: Sequence[str]) -> tuple[str, ...]:
        for column in columns:
            if column not in self.targets:
                known = ", ".join(self.targets)
                raise InvalidInput(f"{column!r} is no column of {self.study.folder}: {known}.")
        return tuple(columns) or tuple(self.targets)


def query(study: Study, architecture: Architecture, columns: Sequence[str] = ()) -> Queried:
    """What a study knows of one architecture; see `Asked`, which many are asked of."""
    return Asked(study).known(architecture, columns)


def _numbers(table: MeasurementTable) -> list[int | None]:
    """The numbers (rows,) of a column `index` that came with the table; None where none did."""
    if "index" not in table.frame:
        return [None] * len(table)
    cells = pd.to_numeric(table.frame["index"], errors="coerce").tolist()
    return [int(cell) if float(cell).is_integer() else None for cell in cells]


def _summed(costs: Costs, architecture: Architecture) -> Known:
    value, off = costs.sum(architecture), costs.residual
    return Known(value, "summed", *((value - off, value + off) if costs.rows else (None, None)))


def _is_made_as(value: float, costs: Costs, architecture: Architecture) -> bool:
    """Whether a row is no measurement, but a sum that was written into it."""
    total = costs.sum(architecture)
    return not costs.rows and abs(value - total) <= _SAME * abs(total)
