"""Searches of costs that are kept by block, without a measured network: merged fronts held against
all architectures of a small space, and against integer programming over all 9^22 of FBNet's."""

import itertools
import json

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.__main__ import main
from foxnas_core.errors import InfeasibleBudget
from foxnas_core.families import load_shipped
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.solving import solve
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.search import cost_front, search_problem
from foxnas_core.study import create_study
from foxnas_core.table.measurements import MeasurementTable, empty_table
from foxnas_core.table.sums import ChoiceCosts, kept_sums, with_sums
from tests.search.additive import listed_space

GAIN, COST, OTHER = "accuracy", "latency_ms", "latency_ms:phone"


def kept(space, seed: int, *columns: str, whole: bool = False) -> MeasurementTable:
    """A table of no rows that keeps sums of columns; of `whole` costs many tie."""
    rng = np.random.default_rng(seed)

    def costs(choices: int) -> tuple[float, ...]:
        drawn = rng.integers(0, 4, choices) if whole else rng.uniform(0, 3, choices)
        return tuple(drawn.astype(float).tolist())

    sums = [
        ChoiceCosts(column, space, 1.0, {d.name: costs(len(d.choices)) for d in space.decisions})
        for column in columns
    ]
    return with_sums(empty_table(space), *sums)


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 10_000),
    whole=st.booleans(),
)
def test_a_merged_front_is_that_of_all_architectures(sizes, seed, whole):
    space = listed_space(sizes)
    table = kept(space, seed, GAIN, COST, OTHER, whole=whole)
    fitted = fit_all(table, targets=[GAIN, COST, OTHER])
    codes = np.array([*itertools.product(*(range(len(d.choices)) for d in space.decisions))])
    gain, cost, other = (fitted[c].predicted(codes)["value"] for c in (GAIN, COST, OTHER))
    front = cost_front(fitted[GAIN], fitted[COST])
    for budget in np.unique(cost) + 1e-9:
        found = front.within(budget)
        assert found.value == pytest.approx(gain[cost <= budget].max(), abs=1e-9)
    limits = {c: float(np.median(own)) + 1e-9 for c, own in ((COST, cost), (OTHER, other))}
    fits = (cost <= limits[COST]) & (other <= limits[OTHER])
    problem = search_problem(fitted, limits, objective=GAIN)
    if fits.any():
        assert solve(problem).candidate.value == pytest.approx(gain[fits].max(), abs=1e-9)
    else:
        with pytest.raises(InfeasibleBudget):
            solve(problem)


def test_the_optima_of_all_of_fbnets_networks_are_those_of_integer_programming():
    space = load_shipped("fbnet-imagenet")
    table = with_counted(kept(space, 5, COST))
    assert not len(table)
    fitted = fit_all(table, targets=["size:macs", COST])
    front = cost_front(fitted["size:macs"], fitted[COST])
    # Of the first network and of those that differ from it in one layer.
    cells = [(at, own) for at, d in enumerate(space.decisions) for own in range(len(d.choices))]
    codes = np.zeros((1 + len(cells), len(space.decisions)), dtype=np.int16)
    for row, (at, own) in enumerate(cells, 1):
        codes[row, at] = own
    gain, cost = (fitted[c].predicted(codes)["value"] for c in ("size:macs", COST))
    layer = np.array([at for at, _ in cells])
    one = (layer == np.arange(len(space.decisions))[:, np.newaxis]).astype(float)
    for budget in np.quantile(front.costs, (0.02, 0.4, 0.9)):
        found = front.within(float(budget))
        best = scipy.optimize.milp(
            -(gain[1:] - gain[0]) / 1e6,
            integrality=1,
            bounds=scipy.optimize.Bounds(0, 1),
            constraints=[
                scipy.optimize.LinearConstraint(one, 1, 1),
                scipy.optimize.LinearConstraint(cost[1:] - cost[0], ub=budget - cost[0]),
            ],
            options={"mip_rel_gap": 0},
        )
        assert best.success
        assert found.value == pytest.approx(gain[0] - 1e6 * best.fun, rel=1e-7)
        assert found.costs[0] <= budget


def test_a_study_of_blocks_alone_is_searched(tmp_path, capsys):
    space = listed_space([3, 4, 2])
    study = create_study(tmp_path / "own", space, name="own")
    command = ["search", "--study", str(study.folder), "--budget", "5", "--json"]
    assert main(command) != 0 and "no measured" in capsys.readouterr().err
    table = kept(space, 3, GAIN, COST)
    study.amend(lambda _: table)
    assert main(command) == 0
    best = json.loads(capsys.readouterr().out)["best"]
    sums = kept_sums(table)
    found = space.architecture(best["architecture"])
    assert best[COST]["value"] == pytest.approx(sums[COST].sum(found)) and best[COST]["summed"]
    assert best[GAIN]["value"] == pytest.approx(sums[GAIN].sum(found))
    assert main([*command[:-1]]) == 0
    assert "(summed)" in capsys.readouterr().out
