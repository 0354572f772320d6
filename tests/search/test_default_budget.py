"""Where a search starts that nobody gave a budget."""

import numpy as np
from hand import choice_space, table_of

from foxnas_core.regression import fit
from foxnas_core.search.default_budget import default_budget
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem

SPACE = choice_space({f"e{i}": (0, 1, 2) for i in range(4)})


def table_and_front(power: float, chosen=slice(None)):
    codes = SPACE.option_codes(SPACE.decisions)[chosen]
    table = table_of(
        SPACE, codes, accuracy=60.0 + codes.sum(axis=1), latency_ms=1 + codes.sum(axis=1) ** power
    )
    accuracy, latency = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    return table, front(SearchProblem(accuracy, (Limit(latency, 0.0),)))


def test_half_of_the_measured_subnets_cost_less_however_long_the_tail():
    table, whole = table_and_front(3.0)
    found, values = default_budget(whole, table), table.values("latency_ms")
    assert found == np.median(values) < whole.costs[[0, -1]].mean()
    assert (values <= found).mean() >= 0.5 and (values >= found).mean() >= 0.5


def test_it_is_one_that_the_front_has():
    table, whole = table_and_front(1.0)
    dear = table.rows(table.values("latency_ms") > 8)
    assert default_budget(whole, dear) == min(whole.costs[-1], np.median(dear.values("latency_ms")))
    expensive = table_of(SPACE, table.codes[-1:], accuracy=np.array([60.0]),
                         latency_ms=np.array([1e6]))  # fmt: skip
    assert default_budget(whole, expensive) == whole.costs[-1]
    assert (
        default_budget(whole, table.rows(np.zeros(81, dtype=bool))) == whole.costs[[0, -1]].mean()
    )
