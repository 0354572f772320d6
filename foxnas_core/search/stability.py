"""How sure the choices of an optimum are: the exact front of resampled coefficients.

The estimates of both regressions are drawn anew from what the data leave open about them,
b + Σ^½ z √(ν / χ²ᵥ) for estimates b of covariance Σ on ν degrees of freedom: the multivariate
Student distribution that their intervals come from (the posterior under a flat prior, Gelman et
al., "Bayesian Data Analysis", 2013, ch. 14). Σ holds what the ceiling of a saturating link adds;
the link itself increases and moves no optimum. Accuracy and cost are drawn apart, as errors of
different meters are independent. For each draw the whole front is solved exactly, so that any
budget is looked up in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.regression.link import Link
from foxnas_core.search.exact import Front, front
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

DRAWS = 200
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Stability:
    """How often the choices of the optimum under a budget are optimal for resampled coefficients.

    - `optimum`: that of the estimates themselves; `architectures`: those of the draws that have
      one; `infeasible` counts the draws in which no architecture keeps the budget.
    - `decisions`: one row a decision: decision, group, slot, role, chosen, share, next,
      next share; `chosen` is the optimum's choice and `next` the most frequent other one, "off"
      standing for not active. Shares are of the draws that have an optimum.
    - `choices`: one row a decision and choice that is optimal in some draw: decision, choice,
      share.
    """

    optimum: Candidate
    budget: float
    architectures: tuple[Architecture, ...]
    infeasible: int
    decisions: pd.DataFrame = field(repr=False)
    choices: pd.DataFrame = field(repr=False)

    @property
    def share(self) -> float:
        """The share of draws whose optimum is this very architecture."""
        same = [a == self.optimum.architecture for a in self.architectures]
        return float(np.mean(same)) if same else np.nan

    @property
    def distinct(self) -> int:
        """How many different architectures are optimal in some draw."""
        return len(set(self.architectures))


@dataclass(frozen=True, eq=False)
class ResampledFronts:
    """The exact fronts of resampled coefficients, beside that of the estimates."""

    front: Front
    seed: int
    _points: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = field(repr=False)

    @property
    def draws(self) -> int:
        return len(self._points)

    def at(self, budget: float) -> Stability:
        """How sure the choices are under a budget, in the unit of the limit.

        Raises `InfeasibleBudget` where the estimates leave no architecture within it.
        """
        optimum = self.front.within(budget)
        problem = self.front.problem
        found = []
        # A cost that is known exactly (parameters) is not to miss the budget by rounding.
        reached = budget + _ROUNDING * (1 + abs(budget))
        for costs, contexts, options in self._points:
            point = int(np.searchsorted(costs, reached, side="right")) - 1
            if point >= 0:
                found.append(problem.architecture(int(contexts[point]), options[point]))
        decisions, chosen = _shares(problem.space, optimum.architecture, found)
        infeasible = self.draws - len(found)
        return Stability(optimum, budget, tuple(found), infeasible, decisions, chosen)


def resampled_fronts(
    whole: Front,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    report: Callable[[int], None] = lambda done: None,
) -> ResampledFronts:
    """Solve the whole front for coefficients drawn anew; `report` is told the draws done.

    Raises `InvalidInput` where the front's predictors are no fitted regressions.
    """
    predictors = (whole.problem.objective, whole.problem.limits[0].predictor)
    rows, samples = [], []
    rng = np.random.default_rng(seed)
    for predictor in predictors:
        if not isinstance(predictor, Predictor):
            raise InvalidInput("Only fitted regressions have coefficients to draw anew.")
        rows.append(_OptionRows(predictor))
        samples.append(draw_estimates(predictor, draws, rng))
    points = []
    for number, (first, second) in enumerate(zip(*samples, strict=True)):
        problem = _redrawn(whole.problem, _Drawn(rows[0], first), _Drawn(rows[1], second))
        found = front(problem)
        points.append((found.costs, found.contexts, found.options))
        report(number + 1)
    return ResampledFronts(whole, seed, tuple(points))


def draw_estimates(predictor: Predictor, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Estimates (draws, terms) from the multivariate Student distribution about the fitted ones."""
    values, vectors = np.linalg.eigh(predictor.covariance)
    root = vectors * np.sqrt(values.clip(0))
    normal = rng.standard_normal((draws, len(values))) @ root.T
    df = predictor.residual_df
    spread = np.sqrt(df / rng.chisquare(df, draws))[:, np.newaxis]
    return predictor.estimates + normal * spread


def _redrawn(problem: SearchProblem, objective: "_Drawn", cost: "_Drawn") -> SearchProblem:
    [limit] = problem.limits
    return replace(problem, objective=objective, limits=(replace(limit, predictor=cost),))


def _shares(
    space: SearchSpace, optimum: Architecture, found: list[Architecture]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, every = [], []
    for decision in space.decisions:
        chosen = _shown(optimum.get(decision.name))
        taken = pd.Series([_shown(a.get(decision.name)) for a in found], dtype=str)
        shares = taken.value_counts(normalize=True)
        # Ties in the order of the choices, so that equal draws give equal tables.
        shares = shares.reindex([s for s in _choices(decision.choices) if s in shares.index])
        shares = shares.sort_values(ascending=False, kind="stable")
        others = shares.drop(chosen, errors="ignore")
        rows.append(
            (
                decision.name, decision.group, decision.slot, decision.role, chosen,
                float(shares.get(chosen, 0.0)) if found else np.nan,
                others.index[0] if len(others) else "",
                float(others.iloc[0]) if len(others) else 0.0,
            )
        )  # fmt: skip
        every += [(decision.name, choice, float(share)) for choice, share in shares.items()]
    columns = ["decision", "group", "slot", "role", "chosen", "share", "next", "next share"]
    return (
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(every, columns=["decision", "choice", "share"]),
    )


def _choices(choices: tuple[Value, ...]) -> list[str]:
    return [*(str(choice) for choice in choices), _shown(None)]


def _shown(value: Value | None) -> str:
    return "off" if value is None else str(value)


@dataclass(frozen=True, eq=False)
class _OptionRows:
    """A predictor's regression rows of every option, made once for all draws.

    Every draw is asked for the same options of a group, those of one problem.
    """

    predictor: Predictor
    _kept: dict[tuple[str, tuple], np.ndarray] = field(default_factory=dict, repr=False)

    def of(self, context: Mapping[str, Value], group: str, codes: np.ndarray) -> np.ndarray:
        key = (group, tuple(context.items()))
        if key not in self._kept:
            codes = codes.copy()
            for column, decision in enumerate(self.predictor.space.decisions):
                if decision.name in context:
                    codes[:, column] = decision.choices.index(context[decision.name])
            self._kept[key] = self.predictor.form.matrix(codes, group)
        return self._kept[key]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A predictor with other estimates, as a search asks for it."""

    rows: _OptionRows
    estimates: np.ndarray

    @property
    def space(self) -> SearchSpace:
        return self.rows.predictor.space

    @property
    def target(self) -> Metric:
        return self.rows.predictor.target

    @property
    def link(self) -> Link:
        return self.rows.predictor.link

    @property
    def table_fingerprint(self) -> str:
        return self.rows.predictor.table_fingerprint

    @property
    def couplings(self) -> Mapping[str, tuple[str, ...]]:
        return self.rows.predictor.couplings

    def predict(self, architectures) -> pd.DataFrame:
        return replace(self.rows.predictor, estimates=self.estimates).predict(architectures)

    def split(self, context: Mapping[str, Value]) -> "_DrawnValues":
        return _DrawnValues(self, context)


@dataclass(frozen=True, eq=False)
class _DrawnValues:
    drawn: _Drawn
    context: Mapping[str, Value]

    @property
    def constant(self) -> float:
        nothing = np.full((1, len(self.drawn.space.decisions)), -1, dtype=np.int16)
        return float(self.group_values("", nothing)[0])

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        rows = self.drawn.rows
        columns = rows.predictor.form.columns_of(group)
        return rows.of(self.context, group, option_codes) @ self.drawn.estimates[columns]
