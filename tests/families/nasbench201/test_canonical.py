import itertools
from collections import defaultdict

import numpy as np
import pytest
from published_cells import published_cells

from foxnas_core.families.nasbench201.canonical import canonical_key, live_edges
from foxnas_core.families.nasbench201.space import EDGES, numbered_cells


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return [canonical_key(cell) for cell in numbered_cells()]


def outputs(cell: tuple[str, ...], weights: np.ndarray) -> np.ndarray:
    """What a cell makes of one number, for each row of `weights` (rows, edges)."""
    nodes = [np.full(len(weights), 0.83), *np.zeros((3, len(weights)))]
    for edge, ((source, target), operation) in enumerate(zip(EDGES, cell, strict=True)):
        value, weight = nodes[source], weights[:, edge]
        nodes[target] = (
            nodes[target]
            + {
                "none": 0 * value,
                "skip_connect": value,
                "avg_pool_3x3": 0.71 * value,
                "nor_conv_1x1": np.tanh(weight * value),
                "nor_conv_3x3": np.sin(weight * value),
            }[operation]
        )
    return nodes[3]


def test_cells_meet_if_and_only_if_they_compute_the_same(keys):
    # Over all ways to hand out six weights: what is computed, whichever edge has which.
    weights = np.array(list(itertools.permutations([0.37, 0.91, 1.43, 1.77, 2.21, 2.93])))
    computed = [round(float((outputs(c, weights) ** 3).sum()), 6) for c in numbered_cells()]
    by_key, by_output = defaultdict(set), defaultdict(set)
    for key, output in zip(keys, computed, strict=True):
        by_key[key].add(output)
        by_output[output].add(key)
    assert all(len(found) == 1 for found in by_key.values())
    assert all(len(found) == 1 for found in by_output.values())


def test_dead_edges_are_as_many_as_known():
    dead = [
        any(op != "none" and not alive for op, alive in zip(cell, live_edges(cell), strict=True))
        for cell in numbered_cells()
    ]
    disconnected = [not any(live_edges(cell)) for cell in numbered_cells()]
    assert (sum(dead), sum(disconnected)) == (6180, 341)


def test_a_disconnected_cell_is_nothing():
    for cell in numbered_cells():
        assert (canonical_key(cell) == "0") == (not any(live_edges(cell)))


def test_shared_and_separate_convolutions_differ():
    # Written out as trees these two read alike; one has two convolutions of the input, the other
    # one that is read twice.
    shared = ("nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "nor_conv_1x1")
    separate = ("nor_conv_3x3", "nor_conv_3x3", "none", "none", "nor_conv_1x1", "nor_conv_1x1")
    assert canonical_key(shared) != canonical_key(separate)
    assert canonical_key(shared) == (
        "0=nor_conv_1x1([2]); 1=nor_conv_1x1([2]); 2=nor_conv_3x3(x); [0]+[1]"
    )


def test_equal_networks_are_about_equally_accurate(keys):
    rows = published_cells().assign(key=keys)
    accuracy = rows["test_acc_cifar10"]
    within = accuracy - rows.groupby("key")["test_acc_cifar10"].transform("mean")
    assert within.std() < 0.25 and accuracy.std() > 12
