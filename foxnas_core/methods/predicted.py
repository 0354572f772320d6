"""Methods that ask regressions of the table: the annealer beside the exact optimum, and every
strategy that only has architectures evaluated."""

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.methods.method import Method, Question, Run, Selection, missing_columns
from foxnas_core.methods.posing import Posed, posed
from foxnas_core.records import document_of
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.guard import chance_of_all, price_text, promised
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import certificate_of, gap_to
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.search.strategies.driver import StrategyRun
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.search.strategies.strategy import strategy_of
from foxnas_core.study import Study

# Values that differ by less, relative to their size, are sums in another order.
_ROUNDING = 1e-9
# Architectures that a strategy has evaluated.
EVALUATIONS = 2000


class Annealing(Method):
    """Regressions of the table's columns, the annealer under the limits, and the exact optimum."""

    name = "regression"
    title = "Regression and annealing"

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        return missing_columns(study, question)

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        asked = posed(study, question)
        if asked.problem.is_listed:
            annealer = Annealer(asked.problem, AnnealingSettings(seed=seed))
            return _Searching(asked, annealer, steps_of(state))
        # Chains walk options that can be listed.
        return _evaluating("Regularised evolution", asked, seed, steps_of(state))


class Evaluating(Method):
    """A strategy, which is told nothing but what the regressions predict."""

    def __init__(self, strategy: str) -> None:
        self.title = strategy
        self.name = strategy.lower().replace("'", "").replace(" ", "-")

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        return missing_columns(study, question)

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        return _evaluating(self.title, posed(study, question), seed, steps_of(state))


class _Searching:
    """A search at work. Its steps are made anew from a state that counts them, which takes a
    moment; always whole batches, so that it matters nowhere how the way was divided."""

    def __init__(
        self, asked: Posed, course: Annealer | StrategyRun, made: int, batch: int = 1
    ) -> None:
        self._asked, self._course, self._batch = asked, course, batch
        self.advance(made)

    @property
    def total(self) -> int:
        return self._course.total

    @property
    def done(self) -> int:
        return self._course.evaluations

    def advance(self, steps: int) -> None:
        self._course.advance(-(-steps // self._batch) * self._batch)

    def state(self) -> bytes:
        return str(self.done).encode()

    def selection(self) -> Selection:
        best = self._course.result().best
        return _selection(self._asked, best, *solve(self._asked.problem).proven)


def _evaluating(name: str, asked: Posed, seed: int, made: int) -> _Searching:
    goal = SearchGoal.of(asked.problem)
    strategy = strategy_of(name, goal, seed)
    course = StrategyRun(strategy, evaluation_of(asked.problem), goal, EVALUATIONS)
    return _Searching(asked, course, made, strategy.batch)


def steps_of(state: bytes | None) -> int:
    """The steps that a state counts; raises `InvalidInput` where it is none."""
    if state is None:
        return 0
    if not state.isdigit() or len(state) > 12:
        raise InvalidInput("The kept state is damaged; begin anew without it.")
    return int(state)


def _selection(
    asked: Posed, best: Candidate, exact: Candidate | None, bound: float | None
) -> Selection:
    """What was found, beside the exact optimum or, where that is out of reach, a bound on it."""
    problem, limits = asked.problem, asked.wanted.limits
    gap = gap_to(problem, best, exact.value if exact else bound)
    if gap is not None and abs(gap) <= _ROUNDING * (1 + abs(best.value)):
        gap = 0.0
    said, price = certificate_of(gap, bound), ""
    if asked.guard:
        other = solve(asked.wanted).candidate
        own, plain = (asked.expected(one)[0].value for one in (best, other))
        price = price_text(own - plain, problem.objective.target)
    if limits:
        said = f"{promised(asked.wanted, best.architecture, asked.told, asked.goals, price)} {said}"
    shown = {"": best} | ({"exact_": exact} if exact and gap else {})
    evidence = pd.DataFrame(
        {"column": predictor.target.column, **limit}
        | {
            f"{prefix}{name}": float(value)
            for prefix, candidate in shown.items()
            for name, value in predictor.predict([candidate.architecture])[
                ["value", "prediction_low", "prediction_high"]
            ]
            .iloc[0]
            .items()
        }
        for predictor, limit in zip(problem.predictors, asked.held(best), strict=True)
    )
    document = {
        "exact": document_of(exact),
        "gap": gap,
        "bound": bound,
        "guard": asked.guard,
        "chance": chance_of_all(limits, best.architecture, asked.told) if limits else None,
    }
    return Selection(best.architecture, said, evidence, document)
