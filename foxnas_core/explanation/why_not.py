"""Why a choice is not taken: what it would change, what the limits leave, what the best with it is.

The first comes from the coefficients, with their intervals; the last is exact: the choice is pinned
and all others are optimised anew.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.explanation.edits import EditEffects
from foxnas_core.explanation.reach import effects_of
from foxnas_core.records import document_of
from foxnas_core.search.limits import Limit, noun_of
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.restriction import choices_that_take, narrowed
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision, check_choice
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True, eq=False)
class WhyNot:
    """What speaks against (or for) `value` of `decision` in `base`.

    - `alone`: `base` with nothing else changed than must be, and its `effects` by column, the
      objective's first, then each limit's.
    - `room`: what each limit leaves at `base`, in its target's unit; below 0 where it is broken.
    - `optimum`, the best within all limits, and `best`, the best of those that have the value,
      None where none is within them; `nearest` is then the nearest number for the first limit.
    - `loss`: the objective's change from `optimum` to `best`.
    - `exact`: whether nothing better than `optimum` or `best` is possible.
    """

    problem: SearchProblem
    base: Architecture
    base_value: float
    decision: Decision
    value: Value
    alone: Architecture
    effects: Mapping[str, EditEffects]
    room: tuple[float, ...]
    optimum: Candidate
    best: Candidate | None
    nearest: str
    loss: EditEffects | None
    exact: bool

    def sentence(self) -> str:
        """All of it in words.

        "Kernel 7 in s2b1 would add 0.12 points of top-1 accuracy (0.05 to 0.19) and 0.0110 ms of
        latency (0.0090 to 0.0130). The budget of 0.075 ms leaves 0.00200 ms, so something else
        would have to shrink: the best subnet with it is 0.08 points worse (0.01 to 0.15) than this
        one."
        """
        parts = [f"{self._subject()} would {self._changes()}.", *self._rooms(), self._best()]
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        return {
            "decision": self.decision.name,
            "choice": self.value,
            "alone": {column: found.to_dict() for column, found in self.effects.items()},
            "room": {
                limit.column: room
                for limit, room in zip(self.problem.limits, self.room, strict=True)
            },
            "optimum": document_of(self.optimum),
            "best": document_of(self.best),
            "loss": self.loss.to_dict() if self.loss else None,
            "sentence": self.sentence(),
        }

    @property
    def fits(self) -> bool:
        """Whether the value alone keeps every limit."""
        return all(room >= self._taken(limit) for limit, room in self._limits())

    def _limits(self) -> list[tuple[Limit, float]]:
        return list(zip(self.problem.limits, self.room, strict=True))

    def _taken(self, limit: Limit) -> float:
        return limit.sign * self.effects[limit.column].total

    def _subject(self) -> str:
        decision = self.decision
        where = decision.slot or decision.group
        named = f"{decision.role} {self.value}"
        inside = "" if decision.group in self.problem.space.context else f" in {where}"
        changed = changes_between(self.problem.space, self.base, self.alone)
        others = [change for change in changed if change.decision != decision]
        also = f", with {in_words(self.problem.space, changed)}," if others else ""
        return f"{named[:1].upper()}{named[1:]}{inside}{also}"

    def _changes(self) -> str:
        """ "add 0.12 points of accuracy (0.05 to 0.19) and take 0.01 ms of latency (…)"."""
        told: list[str] = []
        verb = ""
        targets = [self.problem.objective.target]
        targets += [x.predictor.target for x in self.problem.limits]
        for target in dict.fromkeys(targets):
            found = self.effects[target.column]
            own = "add" if found.total >= 0 else "take"
            amount = found.text(target, 1.0 if own == "add" else -1.0)
            told.append(amount if own == verb else f"{own} {amount}")
            verb = own
        return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"

    def _rooms(self) -> list[str]:
        """What the first limit leaves, and every other that the value would break."""
        said = []
        for place, (limit, room) in enumerate(self._limits()):
            short = room < self._taken(limit)
            if place and not short:
                continue
            target = limit.predictor.target
            kind = "budget" if limit.side == "at_most" else "floor"
            name = f"The {kind} of {limit.bound:.6g} {target.unit or noun_of(target)}"
            left = target.difference_text(abs(room))
            left += "" if target.difference_unit else f" {noun_of(target)}"
            if room < 0:
                text = f"{name} is missed by {left} already"
            else:
                text = f"{name} leaves {left}"
                if short:
                    text += ", so something else would have to give way"
                elif self.fits:
                    text += ", which is enough for it"
            said.append(f"{text}.")
        return said

    def _best(self) -> str:
        target = self.problem.objective.target
        many = len(self.problem.limits) > 1
        within = "within all limits" if many else "within it" if self.problem.limits else "of all"
        if self.best is None or self.loss is None:
            return f"No subnet {within} has it: {self.nearest}."
        amount, low, high = self._worse()
        rest = ""
        here = self.optimum.architecture == self.base
        below = self.problem.sign * (self.optimum.value - self.base_value)
        if not here and below > 0 and min(self.room, default=0.0) >= 0:
            rest = f" This subnet is {target.difference_text(below)} short of the best itself."
        if amount <= 0:
            return f"The best subnet {within} has it.{rest}"
        other = "this one" if here else "the best of all"
        text = (
            f"The best subnet {within} that has it is {target.difference_text(amount)} worse "
            f"({target.text(low)} to {target.text(high)}) than {other}"
        )
        return f"{text}{', which may be as good' if low <= 0 else ''}.{rest}"

    def _worse(self) -> tuple[float, float, float]:
        """By how much the best with the value is worse than the best, with its interval."""
        assert self.loss is not None
        found = self.loss
        if self.problem.sign > 0:
            return -found.total, -found.high, -found.low
        return found.total, found.low, found.high


def why_not(
    problem: SearchProblem,
    base: Architecture,
    decision: str,
    value: Value,
    *,
    allowed: Mapping[str, Sequence[Value]] | None = None,
    level: float = 0.95,
) -> WhyNot:
    """Why `base` does not have `value` of `decision`, under the limits of `problem`.

    `base` must be allowed in `problem`, whose predictors are regressions; what is optimised keeps
    to `allowed`. Raises `InvalidInput` where `base` has the value, the space lacks it or `allowed`
    rules it out, and `InfeasibleBudget` where nothing at all is within the limits.
    """
    space = problem.space
    if decision not in space.by_name:
        raise InvalidInput(
            f"{decision!r} is no decision of space {space.name!r}; its decisions are "
            f"{', '.join(space.by_name)}."
        )
    own = space.by_name[decision]
    value = check_choice(own, value)
    if base.get(decision) == value:
        raise InvalidInput(f"This subnet has {decision} {value} already; ask for another choice.")
    kept = problem.restricted_to(allowed or {})
    pins = choices_that_take(space, own, value)
    for name, choices in narrowed(kept.allowed, pins).items():
        if not choices:
            raise InvalidInput(
                f"{decision} can't be {value} while {name} is kept at "
                f"{', '.join(map(str, kept.allowed[name]))}; keep one choice less."
            )
    at = problem.candidate(*problem.position(base))
    room = tuple(
        limit.sign * (limit.bound - cost)
        for limit, cost in zip(problem.limits, at.costs, strict=True)
    )
    alone = _alone(space, base, own, value)
    optimum, best, nearest, loss = solve(kept), None, "", None
    exact = optimum.exact
    try:
        with_it = solve(kept.restricted_to(pins))
    except InfeasibleBudget as error:
        limit = next(x for x in problem.limits if x.column == error.column)
        way = "smallest" if limit.side == "at_most" else "greatest"
        target = limit.predictor.target
        number = f"{target.text(error.smallest)} {target.unit or noun_of(target)}"
        nearest = f"the {way} that can be reached with it is {number}"
    else:
        best, exact = with_it.candidate, exact and with_it.exact
        objective = problem.objective.target.column
        loss = effects_of(problem, optimum.candidate.architecture, best.architecture, level)[
            objective
        ]
    return WhyNot(
        problem,
        base,
        at.value,
        own,
        value,
        alone,
        effects_of(problem, base, alone, level),
        room,
        optimum.candidate,
        best,
        nearest,
        loss,
        exact,
    )


def every_choice(
    problem: SearchProblem,
    base: Architecture,
    decision: str,
    *,
    allowed: Mapping[str, Sequence[Value]] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """The best within the limits of a problem that has each choice of a decision, beside the best.

    One row a choice that `allowed` leaves: choice, id, value, change (to the best of all), low and
    high (its interval), all missing where nothing within the limits has it, and now, whether `base`
    has it. Raises `InfeasibleBudget` where nothing at all is within the limits.
    """
    space = problem.space
    own, kept = space.by_name[decision], problem.restricted_to(allowed or {})
    objective, optimum = problem.objective.target.column, solve(kept).candidate
    rows = []
    for choice in kept.allowed.get(decision, own.choices):
        row: dict[str, Any] = {"choice": str(choice), "id": ""}
        row |= dict.fromkeys(("value", "change", "low", "high"), math.nan)
        row["now"] = base.get(decision) == choice
        pins = narrowed(kept.allowed, choices_that_take(space, own, choice))
        with suppress(InfeasibleBudget):
            if all(pins.values()):
                best = solve(kept.restricted_to(pins)).candidate
                found = effects_of(problem, optimum.architecture, best.architecture, level)
                change = found[objective]
                row |= {"id": best.architecture.id, "value": best.value, "change": change.total}
                row |= {"low": change.low, "high": change.high}
        rows.append(row)
    return pd.DataFrame(rows)


def _alone(
    space: SearchSpace, base: Architecture, decision: Decision, value: Value
) -> Architecture:
    """`base` with one choice; what must open for it takes the nearest step, and its own decisions
    their first choices."""
    choices = {d.name: d.choices[0] for d in space.decisions} | base.to_dict()
    choices[decision.name] = value
    waiting = [decision]
    while waiting:
        for condition in waiting.pop().conditions:
            parent = space.by_name[condition.decision]
            if choices[parent.name] not in condition.values:
                here = parent.choices.index(choices[parent.name])
                steps = [abs(parent.choices.index(v) - here) for v in condition.values]
                choices[parent.name] = condition.values[int(np.argmin(steps))]
            waiting.append(parent)
    return space.architecture(choices)
