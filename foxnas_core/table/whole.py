"""A table read as a whole: what its rows say together that no cell says alone.

Each finding is a value with its sentence and its rows. Nothing is mended here, and nothing is left
out: who reads a finding decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import scipy

from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.machine import Machine, rows_by_machine
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import SIZES, STD_ERROR, Metric, some_of
from foxnas_core.table.units import Mixed, mixed_units

_NAMED = 5  # rows or choices at most, in a sentence
# Of the test that values of one subnet contradict each other, over all subnets.
_LEVEL = 1e-3
# So many subnets with several rows tell how far those differ.
_LEAST_GROUPS = 5
# Bounds of that, as shares of how far different subnets differ: where few tell, and at least.
_FEW, _LEAST = 1.0, 0.01
# Different subnets differ no more than rows of one where, of so many, the F test says so.
_UNDETERMINED_GROUPS, _UNDETERMINED_LEVEL = 20, 0.1
# Degrees of freedom of a median of variances, as a share of theirs together.
_EFFICIENCY = 0.37
# How closely one column must follow another to be a multiple of it, beside its own spread.
_EQUAL, _OF_SPREAD = 5e-4, 0.02
_LEAST_ROWS = 5


@dataclass(frozen=True)
class Finding:
    """`code` is one of `CODES`; `rows` are positions in the table, from 0, `columns` those that it
    is about. Where it is `grave`, no answer that reads them is sound."""

    code: str
    sentence: str
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    grave: bool = False

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; rows are counted from 1."""
        return {
            "code": self.code, "sentence": self.sentence, "rows": [row + 1 for row in self.rows],
            "columns": list(self.columns), "grave": self.grave,
        }  # fmt: skip


CODES = {
    "mixed units": "numbers of one column in one unit",
    "machines": "one machine a column",
    "contradictions": "rows of one subnet agree",
    "undetermined": "different subnets differ more than rows of one",
    "repeats": "one row a subnet",
    "rare choices": "no choice that one subnet alone has",
    "multiples": "no column that is another one times a constant",
}


@dataclass(frozen=True, eq=False)
class Named:
    """How sentences call rows: by the `word` and the `numbers` (rows,) that the user counts by,
    by default from 1."""

    word: str = "row"
    numbers: np.ndarray | None = None

    def __call__(self, rows: Sequence[int] | np.ndarray) -> str:
        told = [str(row + 1 if self.numbers is None else self.numbers[row]) for row in rows]
        return f"{self.word}{'s' if len(told) > 1 else ''} {some_of(told, _NAMED)}"


def findings(table: MeasurementTable, named: Named | None = None) -> list[Finding]:
    """All that is found, what is grave first."""
    named = named or Named()
    found: list[Finding | None] = []
    for metric in table.targets:
        found += findings_of(table, metric, named)
    found += [_repeats(table, named), _rare(table, named)]
    found += [own.finding for own in multiples(table)]
    order = list(CODES)
    return sorted((f for f in found if f is not None), key=lambda f: order.index(f.code))


def findings_of(
    table: MeasurementTable, metric: Metric, named: Named | None = None
) -> list[Finding]:
    """What is found of one column alone."""
    named = named or Named()
    mixed = mixed_units(table, metric)
    own = [_mixed(mixed, metric, named)] if mixed else []
    own += _machines(table, metric, named)
    return own + list(_disagreements(table, metric, named))


def already_in(table: MeasurementTable, added: MeasurementTable) -> np.ndarray:
    """Which rows (rows,) of `added` the table has already: the same subnet with the same values in
    every column."""
    columns = ["id", *(c for c in added.frame.columns if c not in ("id", *table.space.by_name))]
    columns = [c for c in columns if added.frame[c].notna().any()]
    if not set(columns) <= set(table.frame.columns):
        return np.zeros(len(added), dtype=bool)

    def keys(frame: pd.DataFrame) -> list[tuple]:
        cells = frame[columns].astype(object)
        return list(cells.where(cells.notna(), None).itertuples(index=False, name=None))

    held = set(keys(table.frame))
    return np.array([key in held for key in keys(added.frame)], dtype=bool)


def _mixed(mixed: Mixed, metric: Metric, named: Named) -> Finding:
    low, high = (metric.text(end) for end in mixed.range_of_odd)
    least, most = (metric.text(end) for end in mixed.range_of_others)
    count, unit = len(mixed.rows), f" {metric.unit}" if metric.unit else ""
    size = "more" if mixed.factor > 1 else "less"
    names = [name for name, _ in metric.units]
    # What they would be of, were they divided by the factor.
    other = next((n for n, f in metric.units if np.isclose(f * mixed.factor, 1)), None)
    kinds = {"percent": "percentages", "fraction": "fractions"}
    guess = (
        f": {kinds.get(names[0], names[0])} and {kinds.get(other, other)} are mixed, it seems"
        if other
        else ", as if they were in another unit"
    )
    return Finding(
        "mixed units",
        f"In {count} {'row' if count == 1 else 'rows'} {metric.word} is about "
        f"{max(mixed.factor, 1 / mixed.factor):,.0f} times {size} than in rows of subnets alike "
        f"({named(mixed.rows)}: {low if low == high else f'{low} to {high}'}{unit}; the others: "
        f"{least} to {most}{unit})"
        f"{guess}; give all in one unit, or import those of each unit as a file of their own.",
        tuple(mixed.rows.tolist()),
        (metric.column,),
        grave=True,
    )


def _machines(table: MeasurementTable, metric: Metric, named: Named) -> list[Finding]:
    """Rows of a device's column that another machine measured than the first one, or that nobody
    says whose they are."""
    own = rows_by_machine(table, metric.column)
    first = next(iter(own), Machine())
    others = {m: rows for m, rows in own.items() if m != first and not m.same_as(first)}
    if not others:
        return []
    rows = np.sort(np.concatenate(list(others.values())))
    told = " and ".join(f"{len(r):,} of {m.name}" for m, r in {first: own[first], **others}.items())
    return [
        Finding(
            "machines",
            f"{metric.column} holds rows of {len(others) + 1} machines: {told} "
            f"({named(rows)}); give each machine a column of its own ({metric.head}:NAME).",
            tuple(rows.tolist()),
            (metric.column,),
        )
    ]


def _disagreements(table: MeasurementTable, metric: Metric, named: Named) -> Iterator[Finding]:
    """Rows of one subnet, by its id, that differ by more than their errors or the column's noise
    allow, or as much as rows of different subnets do."""
    rows = np.flatnonzero(usable(table, metric.column))
    ids = table.frame["id"].to_numpy()[rows]
    member, names = pd.factorize(ids)
    counts = np.bincount(member, minlength=len(names))
    if counts.max(initial=0) < 2:
        return
    values = table.values(metric.column)[rows]
    # What is above 0 and has no bound errs by a share of itself.
    low, high = metric.bounds
    scaled = np.log(values) if low > 0 and np.isinf(high) else values
    means = np.bincount(member, scaled) / counts
    squares = np.bincount(member, (scaled - means[member]) ** 2)
    spread = float(1.4826 * np.median(np.abs(means - np.median(means)))) or float(np.std(means))
    several = np.flatnonzero(counts > 1)
    free = counts[several] - 1
    # A subnet's spread over that of its noise is at the median as that of chi-squared.
    own = np.sqrt(squares[several] / scipy.special.chdtri(free, 0.5))
    own = own[own > 0]
    noise = float(np.median(own)) if len(own) else 0.0
    if _undetermined(means[several], counts[several], squares[several]):
        yield Finding(
            "undetermined",
            f"Rows of one subnet differ in {metric.word} as much as rows of different ones "
            f"({len(several)} subnets with several rows): the choices don't tell it, so look for "
            "what is no column yet, such as the data or the device, and make a study of each.",
            tuple(rows[np.isin(member, several)].tolist()),
            (metric.column,),
        )
        return
    errors = _errors(table, metric, rows, member, values, scaled)
    if len(own) < _LEAST_GROUPS:
        noise = _FEW * spread
        if len(names) < _LEAST_GROUPS:  # nor do those tell how far subnets differ
            noise = 0.0 if (errors > 0).all() else np.inf
    allowed = np.maximum(np.maximum(noise, _LEAST * spread), errors[several])
    allowed = np.maximum(allowed, 1e-9 * np.abs(means[several]) + 1e-300)
    # What is told of errors is known; the noise is an estimate, of few subnets a poor one.
    poor = _EFFICIENCY * free.sum() if len(own) >= _LEAST_GROUPS else np.inf
    known = np.where(errors[several] >= allowed, np.inf, poor)
    p = scipy.special.fdtrc(free, np.minimum(known, 1e9), squares[several] / (free * allowed**2))
    wrong = several[p * len(several) < _LEVEL]
    if not len(wrong):
        return
    worst = int(several[p.argmin()])
    at = np.flatnonzero(member == worst)
    told = " and ".join(metric.text(v) for v in (values[at].min(), values[at].max()))
    yield Finding(
        "contradictions",
        f"{len(wrong)} of {len(several)} subnets with several rows have values of {metric.word} "
        f"that contradict each other, most {names[worst]} ({named(rows[at])}: {told} "
        f"{metric.unit}".rstrip() + "), by more than their errors or the column's noise allow; "
        "correct or leave out what is wrong, or measure these subnets again.",
        tuple(rows[np.isin(member, wrong)].tolist()),
        (metric.column,),
    )  # fmt: skip


def _undetermined(means: np.ndarray, counts: np.ndarray, squares: np.ndarray) -> bool:
    """Whether subnets with several rows, of these means, counts and sums of squares (subnets,),
    differ no more than rows of one do."""
    if len(means) < _UNDETERMINED_GROUPS:
        return False
    free, within = len(means) - 1, int(counts.sum()) - len(means)
    between = float(counts @ (means - np.average(means, weights=counts)) ** 2) / free
    noise = float(squares.sum()) / within
    return (
        noise > 0
        and float(scipy.special.fdtrc(free, within, between / noise)) > _UNDETERMINED_LEVEL
    )


def _errors(
    table: MeasurementTable,
    metric: Metric,
    rows: np.ndarray,
    member: np.ndarray,
    values: np.ndarray,
    scaled: np.ndarray,
) -> np.ndarray:
    """The largest standard error (subnets,) of each subnet's rows as told, on the scale that they
    are compared on; 0 where none is."""
    found = np.zeros(member.max() + 1)
    if (column := f"{metric.column}{STD_ERROR}") in table.frame:
        told = np.nan_to_num(table.frame[column].to_numpy(float)[rows])
        np.maximum.at(found, member, told if scaled is values else told / values)
    return found


def _repeats(table: MeasurementTable, named: Named) -> Finding | None:
    again = table.frame["id"].duplicated().to_numpy()
    if not again.any():
        return None
    plain = table.frame.astype(object)
    copies = int(plain.where(plain.notna(), None).duplicated().sum())
    subnets = len(again) - int(again.sum())
    return Finding(
        "repeats",
        f"{int(again.sum()):,} of {len(again):,} rows repeat a subnet that another row has "
        f"({named(np.flatnonzero(again))}); there are {subnets:,} different subnets"
        + (f", and {copies:,} rows are copies of others in every column" if copies else "")
        + ". Folds keep the rows of one subnet together, and where those err together, standard "
        "errors count subnets, not rows.",
        tuple(np.flatnonzero(again).tolist()),
    )


def _rare(table: MeasurementTable, named: Named) -> Finding | None:
    """Choices that one subnet alone has, of decisions that others have another choice of."""
    _, first = np.unique(table.frame["id"].to_numpy(), return_index=True)
    if len(first) < _LEAST_ROWS:
        return None
    found, rows = [], set()
    for decision, codes in zip(table.space.decisions, table.codes[first].T, strict=True):
        counts = np.bincount(codes[codes >= 0], minlength=len(decision.choices))
        if (counts > 0).sum() < 2:
            continue
        for code in np.flatnonzero(counts == 1):
            found.append(f"{decision.name} = {decision.choices[code]}")
            rows.add(int(first[np.flatnonzero(codes == code)[0]]))
    if not found:
        return None
    one = len(found) == 1
    return Finding(
        "rare choices",
        f"One subnet alone has {some_of(found, _NAMED)} ({named(sorted(rows))}): what "
        f"{'it does' if one else 'each of them does'} rests on that subnet, and no fit without it "
        f"can tell; measure more subnets with {'it' if one else 'them'}.",
        tuple(sorted(rows)),
    )


@dataclass(frozen=True)
class Multiple:
    """A `column` that is a `constant` times another one, `of`, in each of the `rows` that have
    both."""

    column: str
    of: str
    constant: float
    rows: int

    @property
    def sentence(self) -> str:
        both = "in every row that has both, so it tells nothing of its own"
        if self.constant == 1:
            return f"The column {self.column} is {self.of} {both}."
        return (
            f"The column {self.column} is {self.constant:.6g} times {self.of} {both}: a model made "
            "it, not a measurement."
        )

    @property
    def finding(self) -> Finding:
        return Finding("multiples", self.sentence, columns=(self.of, self.column))


def multiples(table: MeasurementTable) -> list[Multiple]:
    """Columns that are another one times a constant, up to rounding: they tell nothing more."""
    found: list[Multiple] = []
    told: set[str] = set()
    # A size is a counted cost, by another name.
    columns = [target.column for target in table.targets if target.column not in SIZES]
    for one, other in combinations(columns, 2):
        if one in told or other in told:
            continue
        if multiple := _multiple(table, one, other):
            told.add(other)
            found.append(multiple)
    return found


def _multiple(table: MeasurementTable, of: str, column: str) -> Multiple | None:
    """What `column` is of the other one wherever both are, if that is always the same."""
    one, other = table.values(of), table.values(column)
    both = np.isfinite(one) & np.isfinite(other) & (one > 0) & (other > 0)
    rows = int(both.sum())
    if rows < _LEAST_ROWS:
        return None
    ratios, spread = np.log(other[both] / one[both]), float(np.std(np.log(one[both])))
    middle = float(np.median(ratios))
    if np.abs(ratios - middle).max() > min(_EQUAL, _OF_SPREAD * spread):
        return None
    return Multiple(column, of, float(f"{np.exp(middle):.4g}"), rows)
