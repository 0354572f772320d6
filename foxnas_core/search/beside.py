"""What a table that holds every architecture answers beside what its regression does."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.search.exact import Front
from foxnas_core.search.lookup import WholeTable
from foxnas_core.search.problem import Candidate


def table_beside_regression(
    measured: Front, fitted: Front, whole: WholeTable, budgets: Sequence[float]
) -> pd.DataFrame:
    """One row a budget: the optimum of each front, and what the regression's measures.

    Columns: budget, table (its id), best and cost, what it measured; regression (the other's id),
    predicted, its own value and cost when measured, `keeps`, whether that is within the budget, and
    `short`, by how much its measured value is worse than the table's best, negative where it is
    better for breaking the budget. Budgets that either has nothing for are left out.
    """
    columns = [metric.target.column for metric in measured.problem.predictors[:2]]
    looked = [whole.predictors()[column] for column in columns]
    sign = measured.problem.objective.target.sign
    bound = measured.problem.limits[0].sign

    def told(candidate: Candidate) -> list[float]:
        codes = whole.space.encode([candidate.architecture])
        return [float(own.told(codes)[0][0]) for own in looked]

    rows = []
    for budget in budgets:
        try:
            best, other = measured.within(budget), fitted.within(budget)
        except InfeasibleBudget:
            continue
        (value, cost), (own, paid) = told(best), told(other)
        rows.append(
            {
                "budget": budget, "table": best.architecture.id, "best": value, "cost": cost,
                "regression": other.architecture.id, "predicted": other.value, "measured": own,
                "its_cost": paid, "keeps": bool(bound * (paid - budget) <= 0),
                "short": sign * (value - own),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def spread_budgets(costs: np.ndarray, count: int) -> np.ndarray:
    """So many budgets (count,), each kept by an equal share more of the costs (n,)."""
    known = costs[np.isfinite(costs)]
    return np.quantile(known, (np.arange(count) + 0.5) / count)
