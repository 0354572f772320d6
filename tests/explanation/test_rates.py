import numpy as np

from foxnas_core.explanation.rates import rates
from foxnas_core.table.metrics import metric_of

ACCURACY, LATENCY, ENTROPY = map(metric_of, ("accuracy", "latency_ms", "cross_entropy"))


def test_what_a_unit_of_cost_buys_is_told_where_one_is_traded_for_the_other() -> None:
    gained, paid = [1.0, -1.0, 1.0, -1.0, 1.0], [0.5, -0.25, -0.5, 0.5, 0.5]
    low, high = [0.4, -0.3, -0.6, 0.4, -0.1], [0.6, -0.2, -0.4, 0.6, 1.1]
    found = rates(gained, paid, low, high, ACCURACY, LATENCY)
    np.testing.assert_allclose(found, [2.0, 4.0, np.nan, np.nan, np.nan])
    # Of an objective of which less is better the other way round.
    found = rates(gained, paid, low, high, ENTROPY, LATENCY)
    np.testing.assert_allclose(found, [np.nan, np.nan, 2.0, 2.0, np.nan])
    counted = rates([1.0, 1.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0], ACCURACY, LATENCY)
    np.testing.assert_allclose(counted, [0.5, np.nan])
