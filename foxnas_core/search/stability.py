"""How sure the choices of an optimum are: the exact front of resampled coefficients.

The estimates of both regressions are drawn anew from what the data leave open about them,
b + Σ^½ z √(ν / χ²ᵥ) for estimates b of covariance Σ on ν degrees of freedom: the multivariate
Student distribution that their intervals come from (the posterior under a flat prior, Gelman et
al., "Bayesian Data Analysis", 2013, ch. 14). Σ holds what the ceiling of a saturating link adds;
the link itself increases and moves no optimum. Accuracy and cost are drawn apart, as errors of
different meters are independent. For each draw the whole front is solved exactly, so that any
budget is looked up in it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.search.coupling import names_in
from foxnas_core.search.exact import Front, front_of
from foxnas_core.search.exact import front as exact_front
from foxnas_core.search.merging import merge_efficient
from foxnas_core.search.options import put_choices
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace

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
    # Of each draw the costs (points,), and what tells the architecture of a point.
    _points: tuple[tuple[np.ndarray, "_Told"], ...] = field(repr=False)

    @property
    def draws(self) -> int:
        return len(self._points)

    def at(self, budget: float) -> Stability:
        """How sure the choices are under a budget, in the unit of the limit.

        Raises `InfeasibleBudget` where the estimates leave no architecture within it.
        """
        optimum = self.front.within(budget)
        found = []
        # A cost that is known exactly (parameters) is not to miss the budget by rounding.
        reached = budget + _ROUNDING * (1 + abs(budget))
        for costs, architecture in self._points:
            point = int(np.searchsorted(costs, reached, side="right")) - 1
            if point >= 0:
                found.append(architecture(point))
        decisions, chosen = _shares(self.front.problem.space, optimum.architecture, found)
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
    problem = whole.problem
    rng = np.random.default_rng(seed)
    predictors, samples = [], []
    for predictor in problem.readers[:2]:
        if not isinstance(predictor, Predictor):
            raise InvalidInput("Only fitted regressions have coefficients to draw anew.")
        predictors.append(predictor)
        samples.append(draw_estimates(predictor, draws, rng))
    solved = (_in_cells if problem.settled else _in_contexts)(problem, predictors)
    points = []
    for number, drawn in enumerate(zip(*samples, strict=True)):
        points.append(solved(drawn))
        report(number + 1)
    return ResampledFronts(whole, seed, tuple(points))


_Told = Callable[[int], Architecture]
_Solved = Callable[[Sequence[np.ndarray]], tuple[np.ndarray, _Told]]


def _in_contexts(problem: SearchProblem, predictors: Sequence[Predictor]) -> _Solved:
    """What solves the front for drawn estimates, of sums over groups."""
    sums = [
        [_sums_of(problem, predictor, table.context) for table in problem.tables]
        for predictor in predictors
    ]

    def solved(drawn: Sequence[np.ndarray]) -> tuple[np.ndarray, _Told]:
        parts = {}
        for context, (table, *own) in enumerate(zip(problem.tables, *sums, strict=True)):
            (score, scores), (cost, costs) = (
                summed(estimates) for summed, estimates in zip(own, drawn, strict=True)
            )
            sign = problem.limits[0].sign
            redrawn = replace(
                table,
                score_constant=problem.sign * score,
                cost_constants=(sign * cost,),
                scores=tuple(problem.sign * part for part in scores),
                limit_costs=tuple(sign * part[:, np.newaxis] for part in costs),
            )
            parts[context] = merge_efficient(redrawn, math.inf)
        found = front_of(problem, parts)
        contexts, options = found.contexts, found.options
        return found.costs, lambda point: problem.architecture(int(contexts[point]), options[point])

    return solved


def _in_cells(problem: SearchProblem, predictors: Sequence[Predictor]) -> _Solved:
    """The same of predictions across stages."""

    def solved(drawn: Sequence[np.ndarray]) -> tuple[np.ndarray, _Told]:
        objective, cost = (
            replace(predictor, estimates=estimates)
            for predictor, estimates in zip(predictors, drawn, strict=True)
        )
        limit = replace(problem.limits[0], predictor=cost)
        found = exact_front(SearchProblem(objective, (limit,), problem.allowed))
        space = problem.space
        # Its own tables are let go: those of all draws would be many.
        codes = found.problem.codes(found.contexts.tolist(), found.options)
        return found.costs, lambda point: space.decode(codes[point : point + 1])[0]

    return solved


def draw_estimates(predictor: Predictor, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Estimates (draws, terms) from the multivariate Student distribution about the fitted ones."""
    values, vectors = np.linalg.eigh(predictor.covariance)
    root = vectors * np.sqrt(values.clip(0))
    normal = rng.standard_normal((draws, len(values))) @ root.T
    df = predictor.residual_df
    spread = np.sqrt(df / rng.chisquare(df, draws))[:, np.newaxis]
    return predictor.estimates + normal * spread


_Sums = Callable[[np.ndarray], tuple[float, list[np.ndarray]]]


def _sums_of(problem: SearchProblem, predictor: Predictor, context: Mapping[str, Value]) -> _Sums:
    """What makes of estimates the constant of a context and the values of each group's allowed
    options; their regression rows are made once."""
    space, form = problem.space, predictor.form

    def rows(name: str, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = codes.copy()
        put_choices(codes, space, context)
        return form.matrix(codes, name), form.columns_of(name)

    fixed, own = rows("", np.full((1, len(space.decisions)), -1, dtype=np.int16))
    groups = []
    for group, kept in zip(problem.groups, problem.options, strict=True):
        names = names_in(predictor, problem.block(group))
        codes = problem.listing(group)
        groups.append(([rows(name, codes) for name in names], kept))

    def summed(estimates: np.ndarray) -> tuple[float, list[np.ndarray]]:
        values = [
            reduce(np.add, [part @ estimates[columns] for part, columns in parts])[kept]
            for parts, kept in groups
        ]
        return float((fixed @ estimates[own])[0]), values

    return summed


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
