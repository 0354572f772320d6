"""Costs that are sums: each choice, or each block that some choices make, adds its own.

A benchmark that measures blocks and adds them up has such columns, as FBNet's in HW-NAS-Bench
(arXiv 2103.10584, section 3.2): rows of whole networks tell the table of operations exactly, and
it tells every other network. A table of measured blocks is kept with the rows, in the record's
"sums".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import scipy

from foxnas_core.documents import number, whole
from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.additive import AdditiveTable, named_places
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

SUMS = "sums"  # where a table's record keeps them
# The most that a sum may differ from a row, as a share of the greatest value: what is left of
# numbers of sixteen digits. Measured networks differ by a thousandth and more.
_ROUNDING = 1e-9
# Rows beyond the rank, without which any numbers would add up.
_LEAST_SPARE = 10
_SUMMED = (
    "{} of any of the {:.3g} networks is the sum of the costs of its blocks, which were measured "
    "one by one."
)


@dataclass(frozen=True, eq=False)
class ChoiceCosts:
    """What each choice adds to a `column`, in its unit: `costs` by decision, in the order of its
    choices, and `fixed`, which all networks have.

    Where it was recovered from whole networks, `rows` of them of this `rank` tell it, and no sum is
    farther than `residual` from its row; they can't tell what all choices of a decision have in
    common, so that stands in `fixed`, and the cheapest choice of each adds 0. Where blocks were
    measured by themselves, `rows` is 0.
    """

    column: str
    space: SearchSpace
    fixed: float
    costs: Mapping[str, tuple[float, ...]]
    rows: int = 0
    rank: int = 0
    residual: float = 0.0
    _flat: np.ndarray = field(init=False, repr=False)
    _first: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes = {d.name: len(d.choices) for d in self.space.decisions}
        if not _is_plain(self.space) or {n: len(own) for n, own in self.costs.items()} != sizes:
            raise InvalidInput(
                f"A table of what choices of space {self.space.name!r} add to {self.column} needs "
                "one cost for each choice of each decision, all of which are always active."
            )
        own = [self.costs[name] for name in sizes]
        object.__setattr__(self, "_flat", np.concatenate(own).astype(float))
        object.__setattr__(self, "_first", np.cumsum([0, *sizes.values()])[:-1])

    def sums(self, codes: np.ndarray) -> np.ndarray:
        """The column (rows,) of codes (rows, decisions) of `SearchSpace.encode`."""
        return self.fixed + self._flat[codes.astype(np.intp) + self._first].sum(axis=1)

    def sum(self, architecture: Architecture) -> float:
        return float(self.sums(self.space.encode([architecture]))[0])

    def cost(self, decision: str, choice: Value) -> float:
        """What one choice adds."""
        return self.costs[decision][self.space.by_name[decision].choices.index(choice)]

    @property
    def sentence(self) -> str:
        """How it is known, and what it tells."""
        metric = metric_of(self.column)
        if not self.rows:
            return _SUMMED.format(metric.label, self.space.size)
        return (
            f"{metric.label} of any of the {self.space.size:.3g} networks is the sum of what its "
            f"choices add: {self.rows:,} rows, of rank {self.rank}, tell all of it, with no row "
            f"farther than {self.residual:.1g} {metric.unit}".rstrip()
            + " off."
        )

    def frame(self) -> pd.DataFrame:
        """One row a choice: decision, choice, cost."""
        return pd.DataFrame(
            [
                {"decision": decision.name, "choice": choice, "cost": cost}
                for decision in self.space.decisions
                for choice, cost in zip(decision.choices, self.costs[decision.name], strict=True)
            ]
        )

    @property
    def told(self) -> dict[str, float]:
        """How it was recovered; of `rows` 0 it was not."""
        return {"rows": self.rows, "rank": self.rank, "residual": self.residual}

    def to_dict(self) -> dict[str, Any]:
        """A JSON document, the inverse of `_read`."""
        costs = {name: list(own) for name, own in self.costs.items()}
        return {"fixed": self.fixed, "costs": costs} | (self.told if self.rows else {})


@dataclass(frozen=True, eq=False)
class BlockCosts:
    """What each block adds to a `column`, in its unit, where some are made by several decisions
    together, or not of every network: `costs` by the names of the space's `places`, or by those
    that tables of others have for them (`Family.keyed_places`).

    Raises `InvalidInput` naming blocks that have no cost.
    """

    column: str
    space: SearchSpace
    costs: Mapping[str, float]
    rows: ClassVar[int] = 0
    residual: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        if not self._blocks.blocks:
            raise InvalidInput(f"Networks of space {self.space.name!r} are no chains of blocks.")
        missing = [b for b in self._blocks.blocks if not np.isfinite(self.costs.get(b, np.nan))]
        if missing:
            raise InvalidInput(
                f"{self.column} of networks of space {self.space.name!r} can't be summed over "
                f"their blocks: {len(missing):,} of {len(self._blocks.blocks):,} have no cost, "
                f"such as {missing[0]!r}; {self._mend}, or take a space of fewer choices."
            )

    @property
    def _mend(self) -> str:
        measurable = self._blocks.places == family_of(self.space).places(self.space)
        bench = "measure blocks with 'python -m foxnas_core bench'"
        return bench if measurable else "add them to the table"

    @cached_property
    def _blocks(self) -> AdditiveTable:
        places = named_places(self.space, self.costs)
        return AdditiveTable(self.space, places, {self.column: self.costs})

    @property
    def parts(self) -> tuple[Lookup, ...]:
        """What each place adds, as parts of one term that are summed."""
        return self._blocks.parts(self.column)

    def sums(self, codes: np.ndarray) -> np.ndarray:
        """The column (rows,) of codes (rows, decisions) of `SearchSpace.encode`."""
        return self._blocks.sums(codes, self.column)

    def sum(self, architecture: Architecture) -> float:
        return float(self.sums(self.space.encode([architecture]))[0])

    @property
    def sentence(self) -> str:
        """How it is known, and what it tells."""
        return _SUMMED.format(metric_of(self.column).label, self.space.size)

    def frame(self) -> pd.DataFrame:
        """One row a block: block, cost."""
        blocks = self._blocks.blocks
        return pd.DataFrame({"block": blocks, "cost": [self.costs[block] for block in blocks]})

    @property
    def told(self) -> dict[str, float]:
        """It was not recovered from rows."""
        return {"rows": self.rows, "rank": 0, "residual": self.residual}

    def to_dict(self) -> dict[str, Any]:
        """A JSON document, the inverse of `_read`."""
        return {"blocks": {block: self.costs[block] for block in self._blocks.blocks}}


Costs = ChoiceCosts | BlockCosts


def costs_of_blocks(blocks: AdditiveTable, column: str) -> Costs:
    """The costs of measured blocks: by choices, where each block is set by one or by none, else as
    they are. Raises `InvalidInput` naming blocks that were not measured."""
    whole = BlockCosts(column, blocks.space, blocks.costs[column])
    if not _is_plain(blocks.space) or any(len(place.decisions) > 1 for place in blocks.places):
        return whole
    space, known, fixed = blocks.space, blocks.costs[column], 0.0
    costs = {d.name: np.zeros(len(d.choices)) for d in space.decisions}
    for place in blocks.places:
        for chosen, block in place.blocks.items():
            if chosen:
                [name] = place.decisions
                costs[name][space.by_name[name].choices.index(chosen[0])] += known[block]
            else:
                fixed += known[block]
    own = {name: tuple(each.tolist()) for name, each in costs.items()}
    return ChoiceCosts(column, space, fixed, own)


def with_sums(table: MeasurementTable, *sums: Costs) -> MeasurementTable:
    """The table with tables of costs kept in its record, each in place of an earlier one, and with
    their columns, which no row needs to have."""
    kept = {**table.record.get(SUMS, {}), **{one.column: one.to_dict() for one in sums}}
    new = [one.column for one in sums if one.column not in table.frame]
    return replace(
        table,
        frame=table.frame.assign(**dict.fromkeys(new, np.nan)).astype(dict.fromkeys(new, float)),
        targets=(*table.targets, *map(metric_of, new)),
        record={**table.record, SUMS: kept},
    )


def tells(table: MeasurementTable) -> bool:
    """Whether anything is known of networks: by rows, or by costs of blocks without any."""
    return bool(len(table) or table.record.get(SUMS))


def kept_sums(table: MeasurementTable) -> dict[str, Costs]:
    """Those that the table keeps, by column; raises `InvalidInput` where one is damaged."""
    found = table.record.get(SUMS, {})
    try:
        return {column: _read(table.space, column, own) for column, own in found.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"The costs of blocks that the table's record keeps are damaged ({error}); import or "
            "measure them again."
        ) from error


def recovered(table: MeasurementTable, column: str) -> ChoiceCosts | None:
    """The table of costs that the rows of a column tell, by least squares; None where they are no
    sums, or too few or too alike to tell each choice's cost."""
    space = table.space
    if not _is_plain(space) or column not in [target.column for target in table.targets]:
        return None
    kept = usable(table, column)
    sizes = [len(d.choices) for d in space.decisions]
    unknown = 1 + sum(sizes) - len(sizes)
    if kept.sum() < unknown + _LEAST_SPARE:
        return None
    codes, values = table.codes[kept].astype(np.intp), table.values(column)[kept]

    def solved(rows: int) -> tuple[np.ndarray, int, float] | None:
        """Estimates, their rank and the greatest residual of the first rows; None of no sums."""
        # Of each decision the first choice is left to the constant.
        own = [codes[:rows, [at]] == np.arange(1, size) for at, size in enumerate(sizes)]
        design = np.hstack([np.ones((min(rows, len(codes)), 1)), *own])
        estimates, _, rank, _ = scipy.linalg.lstsq(
            design, values[:rows], lapack_driver="gelsy", check_finite=False
        )
        most = float(np.abs(design @ estimates - values[:rows]).max())
        return (estimates, int(rank), most) if adds_up(values[:rows], rank, most) else None

    # Most columns are no sums, which few rows tell soon.
    found = solved(unknown + _LEAST_SPARE) and solved(len(codes))
    if not found or found[1] < unknown:
        return None
    estimates, rank, residual = found
    fixed, costs, first = float(estimates[0]), {}, 1
    for decision, size in zip(space.decisions, sizes, strict=True):
        each = np.append(0.0, estimates[first : first + size - 1])
        first += size - 1
        fixed += float(each.min())
        costs[decision.name] = tuple((each - each.min()).tolist())
    return ChoiceCosts(column, space, fixed, costs, int(kept.sum()), rank, residual)


def adds_up(values: np.ndarray, rank: int, most: float) -> bool:
    """Whether values (rows,) are sums, of which least squares of this rank leave so much at
    `most`: nothing but rounding, with rows enough to spare that not any numbers would do."""
    return len(values) >= rank + _LEAST_SPARE and most <= _ROUNDING * np.abs(values).max()


def choice_costs(table: MeasurementTable, column: str) -> Costs | None:
    """What a column's sums are made of: as it is kept with the table, else as its rows tell it;
    None where it is no sum."""
    return kept_sums(table).get(column) or recovered(table, column)


def all_choice_costs(table: MeasurementTable) -> dict[str, Costs]:
    """Those of all columns that are sums."""
    columns = dict.fromkeys([*(t.column for t in table.targets), *table.record.get(SUMS, {})])
    found = {column: choice_costs(table, column) for column in columns}
    return {column: one for column, one in found.items() if one}


def _is_plain(space: SearchSpace) -> bool:
    return not space.context and not any(decision.conditions for decision in space.decisions)


def _read(space: SearchSpace, column: str, document: Any) -> Costs:
    column = metric_of(column).column
    if "blocks" in document:
        own = {str(block): float(number(cost)) for block, cost in document["blocks"].items()}
        return BlockCosts(column, space, own)
    costs = {
        str(name): tuple(float(number(cost)) for cost in own)
        for name, own in document["costs"].items()
    }
    told = {name: whole(document.get(name, 0)) for name in ("rows", "rank")}
    residual = float(number(document.get("residual", 0.0)))
    return ChoiceCosts(
        column, space, float(number(document["fixed"])), costs, **told, residual=residual
    )
