"""What a choice is worth beside another one, which the products of a regression tell.

Choices are taken together as one would say them: those of a role throughout a stage (kernel 7 in
all blocks of s3), the depth of a stage, the resolution. Of each two, one is what pays and the other
where it does: the effect of the last choice of the first instead of its first choice, at the first
and at the last choice of the second, all others at random as campaigns draw them. These and how
they differ are combinations of coefficients, so that their intervals are those of the regression,
and hold where its form does.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.regression.inference import Inference, inference
from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.parts import canonical
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

_DRAWN = 300  # over which others are averaged
_NOTHING = 1e-9
_CLEAR = 0.05
# Of two units the one of the lower rank is where the other one pays.
_CONTEXT, _OPENING, _OWN = 0, 1, 2


@dataclass(frozen=True)
class Unit:
    """Decisions that are made alike, of one `role` in one `group`, with their `first` and `last`
    choice; what has a lower `rank` is where others pay."""

    group: str
    role: str
    decisions: tuple[Decision, ...]
    first: Value
    last: Value
    rank: int

    @property
    def effect(self) -> str:
        """What is chosen instead of what, in words."""
        where = "" if self.rank == _OPENING else f" in {self.group}"
        what = f"{self.group} {self.role}" if self.rank == _OPENING else self.role
        return f"{what} {self.last} instead of {self.first}{where}"

    def at(self, value: Value) -> str:
        """Where it has a choice, in words."""
        if self.rank == _CONTEXT:
            return f"at {value} px" if self.role == "resolution" else f"at {self.role} {value}"
        if self.rank == _OPENING:
            return f"where {self.group} has {self.role} {value}"
        return f"beside {self.role} {value} in {self.group}"


def dependences(predictor: Predictor, how: Inference | None = None) -> pd.DataFrame:
    """One row for each two units of which one changes what the other is worth, the clearest
    difference first; none where the form has no products: choice, where, effect_first, low_first,
    high_first, effect_last, low_last, high_last, difference, low, high, p_adjusted, stars, in
    words.

    Effects are in the target's unit; on the scale of the predictor's link, for a subnet of average
    value. `how` sure one may be as in `explanation.coefficients.choice_effects`.
    """
    nothing, form = pd.DataFrame(columns=_COLUMNS), predictor.form
    if not form.interactions:
        return nothing
    how = how or inference(predictor)
    pairs, first, last = _combinations(form)
    if not pairs:
        return nothing
    told = {
        end: how.intervals(rows)[["value", "low", "high"]].add_suffix(f"_{end}")
        for end, rows in (("first", first), ("last", last))
    }
    differs = how.intervals(last - first).rename(columns={"value": "difference"})
    table = pd.concat([*told.values(), differs], axis=1)
    table = table.rename(columns={f"value_{end}": f"effect_{end}" for end in told})
    table["choice"] = [what.effect for what, _ in pairs]
    table["where"] = [where.at(where.last) for _, where in pairs]
    table["in words"] = [
        _sentence(row, what, where, predictor.target)
        for (what, where), (_, row) in zip(pairs, table.iterrows(), strict=True)
    ]
    clearest = (-table["t"].abs()).sort_values(kind="stable").index
    return table.loc[clearest, _COLUMNS].reset_index(drop=True)


_COLUMNS = [
    "choice", "where",
    *(f"{what}_{end}" for end in ("first", "last") for what in ("effect", "low", "high")),
    "difference", "low", "high", "p_adjusted", "stars", "in words",
]  # fmt: skip


def clear(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `dependences` whose difference is told from none, adjusted for all of them."""
    return table[table["p_adjusted"] < _CLEAR]


def _sentence(row: pd.Series, what: Unit, where: Unit, target: Metric) -> str:
    """A row in words: "kernel 7 instead of 3 in s3 pays only at 28 px: +0.52 points (0.44 to 0.60),
    and at 18 px -0.03 (-0.11 to 0.05), which is not told from 0"."""
    ends = {end: float(row[f"effect_{end}"]) for end in ("first", "last")}
    sure = {end: row[f"low_{end}"] * row[f"high_{end}"] > 0 for end in ends}
    more = max(ends, key=lambda end: target.sign * ends[end])
    less = "first" if more == "last" else "last"
    at = {"first": where.at(where.first), "last": where.at(where.last)}

    def number(end: str) -> str:
        span = f"{target.text(row[f'low_{end}'])} to {target.text(row[f'high_{end}'])}"
        return f"{target.difference_text(ends[end], signed=True)} ({span})"

    if row["p_adjusted"] >= _CLEAR:
        said = f"is worth as much {at['first']} as {at['last']}, as far as can be told"
        return f"{what.effect} {said}: {number('first')} and {number('last')}"
    signs = {end: target.sign * ends[end] > 0 for end in ends}
    if sure[more] and sure[less] and signs[more] != signs[less]:
        verb, end, other = f"pays {at[more]} and costs {at[less]}", more, less
    elif sure[more] and signs[more]:
        verb, end, other = f"pays {'more' if sure[less] else 'only'} {at[more]}", more, less
    elif sure[less] and not signs[less]:
        verb, end, other = f"costs {'more' if sure[more] else 'only'} {at[less]}", less, more
    else:
        verb, end, other = f"is worth more {at[more]}", more, less
    unsure = "" if sure[other] else ", which is not told from 0"
    return f"{what.effect} {verb}: {number(end)}, and {at[other]} {number(other)}{unsure}"


@lru_cache(maxsize=64)
def _combinations(
    form: Form,
) -> tuple[tuple[tuple[Unit, Unit], ...], np.ndarray, np.ndarray]:
    """What pays and where, and the combinations of terms (pairs, terms) that its effects are at the
    first and at the last choice of that."""
    pairs, drawn = _pairs(form.space), _drawn(form.space)
    first, last = (
        np.array([_effect(form, *pair, getattr(pair[1], end), drawn) for pair in pairs])
        for end in ("first", "last")
    )
    if not pairs:
        return (), first, last
    differ = np.flatnonzero(np.abs(last - first).max(axis=1) > _NOTHING)
    return tuple(pairs[i] for i in differ), first[differ], last[differ]


def _pairs(space: SearchSpace) -> list[tuple[Unit, Unit]]:
    """Of each two units, but those of the context, what pays and where."""
    found = []
    for one, other in combinations(_units(space), 2):
        where, what = sorted((one, other), key=lambda unit: unit.rank)
        if what.rank != _CONTEXT:
            found.append((what, where))
    return found


def _units(space: SearchSpace) -> list[Unit]:
    """The decisions of a space as one would say them, those of one choice left out."""
    governing = {c.decision for d in space.decisions for c in d.conditions}
    members: dict[tuple[str, str], list[Decision]] = {}
    for decision in space.decisions:
        if len(decision.choices) > 1:
            members.setdefault((decision.group, decision.role), []).append(decision)
    found = []
    for (group, role), own in members.items():
        if all(decision.choices == own[0].choices for decision in own):
            rank = _OPENING if {d.name for d in own} & governing else _OWN
            rank = _CONTEXT if group in space.context else rank
            ends = own[0].choices[0], own[0].choices[-1]
            found.append(Unit(group, role, tuple(own), *ends, rank))
    return found


def _drawn(space: SearchSpace) -> np.ndarray:
    """Codes (rows, decisions) of choices as campaigns draw them, also of what is off."""
    rng = np.random.default_rng(0)
    drawn = [
        rng.choice(len(decision.choices), _DRAWN, p=space.shares(decision, "balanced"))
        for decision in space.decisions
    ]
    return np.stack(drawn, axis=1)


def _effect(form: Form, what: Unit, where: Unit, value: Value, drawn: np.ndarray) -> np.ndarray:
    """The combination (terms,) that the effect of what pays is at a choice of where it does."""
    space, means = form.space, []
    for chosen in (what.first, what.last):
        codes = drawn.copy()
        for unit, made in ((where, value), (what, chosen)):
            for decision in unit.decisions:
                codes[:, space.decisions.index(decision)] = decision.choices.index(made)
        means.append(form.matrix(canonical(space, codes)).mean(axis=0))
    return means[1] - means[0]
