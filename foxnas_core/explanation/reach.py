"""Edits of an architecture that reach a goal, each with its price and its certainty.

A goal that is reached by a hair is kept by half of the measurements. So that it is kept as surely
as one asks, a predicted number is held to a tighter one (`search.guard`), and a predicted gain has
to be greater: by the quantile of this edit's own distribution (`search.chance.Gains`). That differs
from edit to edit and is no sum over stages, so fronts are drawn for rising gains, until the best of
every number of edits keeps the goal so surely.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.edits import EditEffects, edit_effects
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import Gains, chance_kept
from foxnas_core.search.counterfactual import better_by, counterfactuals, edits_between
from foxnas_core.search.exact import Front
from foxnas_core.search.guard import price_text, tightest
from foxnas_core.search.limits import Limit, noun_of
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.table.metrics import Metric

# Fronts that are drawn until the edits of every number are sure enough, and how much more than
# what the surest of those that are not would need the last one asks for.
_LOOKS, _MOST_LOOKS = 4, 12
_MORE = 1.001
_EVEN = 0.5  # as surely what is predicted is reached


@dataclass(frozen=True)
class Goal:
    """What the first limit of a problem shall ask.

    Its target is to be better than now by `amount`, or so much worse where that is below 0, in the
    target's unit or, `in_percent`, of what the architecture has; or, where it is not `relative`,
    `amount` is the number that it must keep when measured. For that its prediction must keep the
    number `searched` under, by default the same. Measurements shall bear a relative goal out with a
    probability of `surely`; at .5 and below predictions are held to it.
    """

    amount: float
    relative: bool = True
    searched: float | None = None
    in_percent: bool = False
    surely: float = 0.0

    def __post_init__(self) -> None:
        if self.in_percent and not self.relative:
            raise InvalidInput("A number to keep is no share; give it in the metric's unit.")

    def gain(self, problem: SearchProblem, base: Architecture) -> float:
        """What a relative goal asks for, in the target's unit."""
        if self.in_percent:
            check_share(problem.limits[0].predictor.target)
            return self.amount / 100 * _now(problem, base)
        return self.amount

    def gains(
        self, problem: SearchProblem, base: Architecture, front: Front
    ) -> tuple[Gains, float]:
        """How much better than now, or than its share of now, a front's architectures are, and how
        much they shall be."""
        predictor = _regression(problem.limits[0])
        afters = [front.candidate(point).architecture for point in range(len(front))]
        if not self.in_percent:
            return Gains.over(predictor, base, afters), self.amount
        ratio = 1 + predictor.target.sign * self.amount / 100
        return Gains.over(predictor, base, afters, ratio), 0.0

    def limit(self, asked: SearchProblem) -> Limit:
        """What measurements are held to, of the problem that is asked."""
        return asked.limits[0] if self.relative else asked.limits[0].at(self.amount)

    def text(self, limit: Limit, amount: float | None = None) -> str:
        """The goal within a sentence: "0.005 ms less latency", "20 % less latency", "latency of at
        most 0.07 ms"; of another `amount` where it is given."""
        if not self.relative:
            return limit.text
        target, less = limit.predictor.target, limit.side == "at_most"
        amount = self.amount if amount is None else amount
        number = f"{abs(amount):.3g} %" if self.in_percent else target.difference_text(abs(amount))
        way = "less" if less == (amount >= 0) else "more"
        return f"{number} {way} {noun_of(target)}"


def has_shares(target: Metric) -> bool:
    """Whether so many percent of a target's values are something of their own: not where they are
    percentages themselves, nor where they may be below 0."""
    return target.unit != "%" and target.bounds[0] >= 0


def check_share(target: Metric) -> None:
    """Raise `InvalidInput` where a target's goals can't be told in percent."""
    if not has_shares(target):
        why = "is told in percent itself" if target.unit == "%" else "may be below 0"
        unit = target.difference_unit or "its own numbers"
        raise InvalidInput(
            f"So many percent of {noun_of(target)} mean nothing clear, since that {why}; give the "
            f"goal in {unit}, without the % sign."
        )


@dataclass(frozen=True, eq=False)
class Answer:
    """An architecture that answers for another, and what changes with it.

    `effects` are by the column of their target: the objective's first, then each limit's.
    `chance` is the probability that measurements bear out the goal, or keep the first limit;
    `exact` says that nothing better is possible.
    """

    before: Architecture
    after: Architecture
    edits: int
    words: str
    effects: Mapping[str, EditEffects]
    chance: float
    exact: bool = True

    @property
    def counted(self) -> str:
        """ "1 edit"."""
        return f"{self.edits} edit{'' if self.edits == 1 else 's'}"

    def price(self, target: Metric) -> str:
        """The change of one target with its interval: "-0.25 points of top-1 accuracy (-0.36 to
        -0.14)"; of counts, which are exact, without."""
        return self.effects[target.column].text(target)

    @property
    def sure(self) -> str:
        """The chance as it is read: "63 %", "over 99 %"."""
        share = 100 * self.chance
        return f"{'over 99' if share > 99 else 'under 1' if share < 1 else f'{share:.0f}'} %"

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        return {
            "edits": self.edits,
            "id": self.after.id,
            "architecture": self.after.to_dict(),
            "in_words": self.words,
            "changes": {column: found.to_dict() for column, found in self.effects.items()},
            "chance": self.chance,
            "exact": self.exact,
        }


@dataclass(frozen=True, eq=False)
class Reached:
    """The best answer of every number of edits that is worth more than fewer: that of the fewest
    edits first, the cheapest one last. `targets` are the objective's, then each limit's; `asked`
    is the goal in words, and `held` what predictions are held to, so that it is kept as surely as
    was asked; "" where that is no more. Not even the surest answers may be so sure; then
    `is_kept` is False."""

    base: Architecture
    goal: Goal
    asked: str
    targets: tuple[Metric, ...]
    answers: tuple[Answer, ...]
    held: str = ""
    is_kept: bool = True

    def price_of_guard(self, unguarded: "Reached") -> str:
        """What the cheapest answer costs more or less than that of the same goal unguarded."""
        column, target = self.targets[0].column, self.targets[0]
        own, other = (each.cheapest.effects[column].total for each in (self, unguarded))
        return price_text(own - other, target)

    @property
    def fewest(self) -> Answer:
        return self.answers[0]

    @property
    def cheapest(self) -> Answer:
        return self.answers[-1]


def reach(
    problem: SearchProblem,
    base: Architecture,
    goal: Goal,
    *,
    allowed: Mapping[str, Sequence[Value]] | None = None,
    calibration: SearchCalibration | None = None,
    level: float = 0.95,
) -> Reached:
    """The fewest edits of `base` that reach a goal, the cheapest, and all between.

    The goal is that of `problem`'s first limit, its price the objective; `base` must be allowed in
    `problem`, whose predictors are regressions, and need not be in `allowed`. A calibration of the
    first limit's predictor tells the chance of goals that are not relative; relative ones are
    judged by `Gains`. Raises as `counterfactuals`.
    """
    if goal.relative:
        return _gained(problem, base, goal, allowed or {}, level)
    searched = goal.amount if goal.searched is None else goal.searched
    asked = problem.within(searched).restricted_to(allowed or {})
    limit = asked.limits[0].at(goal.amount)
    front, answers = counterfactuals(asked, base), []
    for point in range(len(front)):
        after = front.candidate(point).architecture
        chance = chance_kept(limit, after, calibration)
        answers.append(_answer(asked, base, after, chance, level))
    held = "" if searched == goal.amount else asked.limits[0].predictor.target.value_text(searched)
    return Reached(base, goal, goal.text(limit), _targets(asked), tuple(answers), held)


def _gained(
    problem: SearchProblem,
    base: Architecture,
    goal: Goal,
    allowed: Mapping[str, Sequence[Value]],
    level: float,
) -> Reached:
    """As `reach`, of a relative goal."""
    needed, now = goal.gain(problem, base), _now(problem, base)
    asked = better_by(problem, base, needed).restricted_to(allowed)
    limit, guarded = asked.limits[0], goal.surely > _EVEN
    sure: dict[int, tuple[float, Architecture, float]] = {}
    unsure: list[tuple[float, Architecture]] = []
    bound = limit.bound
    for look in range(_MOST_LOOKS):
        front = counterfactuals(asked.within(bound), base)
        gains, amount = goal.gains(problem, base, front)
        chances = gains.chances(amount)
        kept = (chances >= goal.surely) | (not guarded)
        unsure = []
        for point in range(len(front)):
            after, chance = front.candidate(point).architecture, float(chances[point])
            edits, value = int(front.costs[point]), problem.sign * float(front.values[point])
            if not kept[point]:
                unsure.append((chance, after))
            elif edits not in sure or value > sure[edits][0]:
                sure[edits] = (value, after, chance)
        if not unsure or (sure and look >= _LOOKS):
            break
        # At first what the nearest needs, then what all of them do.
        lacking = gains.margins(goal.surely)[~kept]
        margin = float(lacking.max() * _MORE if look else lacking.min())
        wished = better_by(problem, base, needed + margin).limits[0].bound
        before, bound = bound, tightest(asked.within(wished), limit.bound)
        if bound == before:
            break
    found, best = [], -math.inf
    for _, (value, after, chance) in sorted(sure.items(), key=lambda item: item[0]):
        if value > best:
            found.append((chance, after))
            best = value
    answers = [
        _answer(asked, base, after, chance, level)
        for chance, after in found or [max(unsure, key=lambda each: each[0])]
    ]
    held = limit.sign * (now - bound)
    told = goal.text(limit, 100 * held / now if goal.in_percent else held)
    about = f" ({limit.predictor.target.difference_text(abs(needed))})" if goal.in_percent else ""
    return Reached(
        base, goal, f"{goal.text(limit)}{about}", _targets(asked), tuple(answers),
        "" if bound == limit.bound else told, bool(found),
    )  # fmt: skip


def _now(problem: SearchProblem, base: Architecture) -> float:
    """What is predicted of an architecture in the first limit's target."""
    return float(problem.candidate(*problem.position(base)).costs[0])


def _targets(problem: SearchProblem) -> tuple[Metric, ...]:
    return (problem.objective.target, *(limit.predictor.target for limit in problem.limits))


def best_with_kept(
    problem: SearchProblem,
    base: Architecture,
    allowed: Mapping[str, Sequence[Value]],
    *,
    calibration: SearchCalibration | None = None,
    measured: float | None = None,
    level: float = 0.95,
) -> Answer:
    """The best within the limits of a problem that keeps to `allowed`, beside `base`.

    Its chance is that of the first limit or, where the search is under a tighter one, of the number
    that is to be kept when `measured`.
    Raises `InfeasibleBudget` where nothing does, and as `solving.solve`.
    """
    kept = problem.restricted_to(allowed)
    solution = solve(kept)
    after = solution.candidate.architecture
    chance = 1.0
    if kept.limits:
        limit = kept.limits[0] if measured is None else kept.limits[0].at(measured)
        chance = chance_kept(limit, after, calibration)
    return _answer(kept, base, after, chance, level, solution.exact)


def effects_of(
    problem: SearchProblem, before: Architecture, after: Architecture, level: float = 0.95
) -> dict[str, EditEffects]:
    """What changes in the objective and in what is limited, by column."""
    predictors = [problem.objective, *(limit.predictor for limit in problem.limits)]
    found = {}
    for predictor in predictors:
        assert isinstance(predictor, Predictor), "only a regression knows how sure it is"
        found[predictor.target.column] = edit_effects(predictor, before, after, level)
    return found


def _answer(
    problem: SearchProblem,
    before: Architecture,
    after: Architecture,
    chance: float,
    level: float,
    exact: bool = True,
) -> Answer:
    space = problem.space
    return Answer(
        before,
        after,
        edits_between(space, before, after),
        in_words(space, changes_between(space, before, after)),
        effects_of(problem, before, after, level),
        chance,
        exact,
    )


def _regression(limit: Limit) -> Predictor:
    assert isinstance(limit.predictor, Predictor), "only a regression knows how sure it is"
    return limit.predictor
