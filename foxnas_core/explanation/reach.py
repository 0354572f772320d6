"""Edits of an architecture that reach a goal, each with its price and its certainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foxnas_core.explanation.edits import EditEffects, edit_effects
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import chance_better, chance_kept
from foxnas_core.search.counterfactual import better_by, counterfactuals, edits_between
from foxnas_core.search.guard import price_text
from foxnas_core.search.limits import Limit, noun_of
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.table.metrics import Metric


@dataclass(frozen=True)
class Goal:
    """What the first limit of a problem shall ask.

    Its target is to be better than now by `amount`, or so much worse where that is below 0; or,
    where it is not `relative`, `amount` is the number that it must keep when measured. For that its
    prediction must keep the number `searched` under, by default the same.
    """

    amount: float
    relative: bool = True
    searched: float | None = None

    def asked(self, problem: SearchProblem, base: Architecture) -> SearchProblem:
        """The problem under this goal; its first limit's own number is not read."""
        if self.relative:
            return better_by(problem, base, self.amount)
        return problem.within(self.amount if self.searched is None else self.searched)

    def limit(self, asked: SearchProblem) -> Limit:
        """What measurements are held to, of the problem that is asked."""
        return asked.limits[0] if self.relative else asked.limits[0].at(self.amount)

    def text(self, limit: Limit) -> str:
        """The goal within a sentence: "0.005 ms less latency", "latency of at most 0.07 ms"."""
        if not self.relative:
            return limit.text
        target, less = limit.predictor.target, limit.side == "at_most"
        number = target.difference_text(abs(self.amount))
        way = "less" if less == (self.amount >= 0) else "more"
        return f"{number} {way} {noun_of(target)}"


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
    is the goal in words."""

    base: Architecture
    goal: Goal
    asked: str
    targets: tuple[Metric, ...]
    answers: tuple[Answer, ...]

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
    judged by `chance_better`. Raises as `counterfactuals`.
    """
    asked = goal.asked(problem, base).restricted_to(allowed or {})
    limit = goal.limit(asked)
    front = counterfactuals(asked, base)
    answers = []
    for point in range(len(front)):
        after = front.candidate(point).architecture
        if goal.relative:
            predictor = _regression(limit)
            chance = chance_better(predictor, base, after, goal.amount)
        else:
            chance = chance_kept(limit, after, calibration)
        answers.append(_answer(asked, base, after, chance, level))
    targets = (asked.objective.target, *(x.predictor.target for x in asked.limits))
    return Reached(base, goal, goal.text(limit), targets, tuple(answers))


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
