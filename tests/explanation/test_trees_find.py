"""What trees would choose, held against all architectures of a small space."""

import numpy as np
import pytest

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.explanation.trees_find import find_by
from foxnas_core.regression import fit
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from tests.hand import hand_space, noisy_table

SPACE = hand_space(resolutions=(16, 32))
TABLE = noisy_table(SPACE, 60)
ACCURACY, LATENCY = (fit(TABLE, column, "per_layer") for column in ("accuracy", "latency_ms"))


def jagged(codes: np.ndarray) -> np.ndarray:
    """No sum over anything."""
    return np.sin((codes * np.arange(1, codes.shape[1] + 1)).sum(axis=1) ** 2)


@pytest.mark.parametrize("allowed", [{}, {"resolution": (16,)}])
def test_the_best_within_the_limits_is_found(allowed: dict) -> None:
    codes = SPACE.option_codes(SPACE.decisions)
    costs = LATENCY.predict_codes(codes)["value"].to_numpy()
    budget = float(np.median(costs))
    problem = SearchProblem(ACCURACY, (Limit(LATENCY, budget),), allowed)
    found = find_by(jagged, problem, evaluations=500)
    kept = costs <= budget
    if allowed:
        kept &= np.array([a["resolution"] == 16 for a in SPACE.decode(codes)])
    assert found.value == jagged(codes)[kept].max()
    assert jagged(SPACE.encode([found.architecture]))[0] == found.value
    assert found.costs[0] <= budget


def test_what_nothing_keeps_is_said() -> None:
    problem = SearchProblem(ACCURACY, (Limit(LATENCY, 1e-9),))
    with pytest.raises(InfeasibleBudget):
        find_by(jagged, problem, evaluations=50)
