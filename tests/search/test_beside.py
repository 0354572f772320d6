"""What a whole table answers beside predictors that know one of its networks wrongly."""

import numpy as np
import pytest
from hand import choice_space, table_of

from foxnas_core.search.beside import spread_budgets, table_beside_regression
from foxnas_core.search.coupling import JointPredictor
from foxnas_core.search.exact import front
from foxnas_core.search.limits import limit_of
from foxnas_core.search.lookup import whole_table
from foxnas_core.search.problem import SearchProblem
from foxnas_core.table.metrics import metric_of

SPACE = choice_space({name: (0, 1, 2) for name in ("a", "b", "c")})
CODES = SPACE.option_codes(SPACE.decisions)
PLACES = CODES @ np.array([9, 3, 1])
GAINS, COSTS = 50.0 + PLACES, 1.0 + PLACES


def problem(gains, costs):
    own = {
        column: JointPredictor(
            SPACE,
            metric_of(column),
            lambda codes, v=values: v[codes @ np.array([9, 3, 1])],
            "0" * 12,
        )
        for column, values in (("accuracy", gains), ("latency_ms", costs))
    }
    return SearchProblem(own["accuracy"], (limit_of(own["latency_ms"], 0.0),))


def test_what_each_optimum_measures_is_told():
    order = np.argsort(PLACES)
    gains, costs = GAINS[order], COSTS[order]
    table = table_of(SPACE, CODES, accuracy=GAINS, latency_ms=COSTS)
    whole = whole_table(table, ("accuracy", "latency_ms"))
    # It takes network 3, of 53 % in 4 ms, for the best of all, and network 20 for a free one.
    wrong, free = gains.copy(), costs.copy()
    wrong[3], free[20] = 99.0, 1.0
    found = table_beside_regression(
        front(problem(gains, costs)), front(problem(wrong, free)), whole, [0.5, 1.0, 10.0]
    )
    assert found["budget"].tolist() == [1.0, 10.0]
    first, second = found.to_dict("records")
    assert (first["best"], first["measured"], first["its_cost"]) == (50, 70, 21)
    assert not first["keeps"] and first["short"] == -20
    assert (second["best"], second["predicted"], second["measured"]) == (59, 99, 53)
    assert second["keeps"] and second["short"] == 6


def test_budgets_are_spread_over_what_is_known():
    budgets = spread_budgets(np.array([1.0, 2, 3, 4, 5, np.nan]), 2)
    assert budgets.tolist() == pytest.approx([2, 4])
