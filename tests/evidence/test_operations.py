"""What operations are worth, on selections whose every number is known."""

import numpy as np
import pandas as pd
import pytest

from foxnas_core.evidence.operations import (
    agreements,
    comparable,
    course,
    orders,
    taken_over,
    with_effects,
    worth,
)
from foxnas_core.families.darts.space import MIXTURE as DARTS
from foxnas_core.families.nasbench201.space import MIXTURE as CELLS
from foxnas_core.search.selections import (
    EdgeDecision,
    MaskedOperation,
    SelectedCell,
    SupernetSelection,
)

EDGES = {edge.name: edge.operations for edge in CELLS.edges}


def selection(
    drops=(0, 1, 2, 3, 4), weights=(4, 3, 2, 1, 0), *, seed=0, kept="nor_conv_3x3", **how
):
    """The same of every edge; the margin of the first is within its error."""
    decisions = tuple(
        EdgeDecision(
            edge,
            kept,
            tuple(
                MaskedOperation(name, w / 10, 90.0 - d, 0.4 if d else 0.0, float(d))
                for name, d, w in zip(operations, drops, weights, strict=True)
            ),
            90.0,
            89.0,
            1.0,
            0.6 if place == 0 else 0.1,
        )
        for place, (edge, operations) in enumerate(EDGES.items())
    )
    cell = SelectedCell("cell", None, "cell")
    return SupernetSelection("perturbation", seed, tuple(EDGES), decisions, cell, how)


def test_every_operation_has_its_numbers_and_noise_is_told():
    table = worth(selection(), CELLS)
    assert len(table) == 30 and table["of_edge"].all() and table["taken"].all()
    assert table[table["kept"]]["option"].unique().tolist() == ["nor_conv_3x3"]
    first = table[table["decision"] == "edge_0_1"]
    assert first["chance"].all() and not table[table["decision"] != "edge_0_1"]["chance"].any()
    assert first["noise"].tolist() == [True, False, False, False, False]  # 1 point ± 0.4
    assert not selection().decisions[1].by_chance
    tie = EdgeDecision("edge_0_1", "none", (), margin=0.0, margin_error=0.0)
    assert tie.by_chance


def test_opposite_orders_have_the_tau_of_minus_one_and_equal_ones_of_one():
    table = worth(selection(), CELLS)
    [own] = agreements(table)
    assert (own.inherited, own.trained, own.tau, own.same_order) == ("lost", "weight", -1, 0)
    effects = pd.DataFrame(
        [
            {"decision": edge, "choice": name, "reference": "none", "effect": -n, "std_error": 0.1}
            for edge, operations in EDGES.items()
            for n, name in enumerate(operations)
            if n
        ]
    )
    found = {
        (a.inherited, a.trained): a.tau
        for a in agreements(with_effects(table, "coefficient", effects, -1.0))
    }
    assert found["lost", "coefficient"] == 1 and found["weight", "coefficient"] == -1
    [alike] = agreements(worth(selection(weights=(2,) * 5), CELLS))
    assert np.isnan(alike.tau)


def test_orders_are_those_of_other_seeds_of_the_same_supernet():
    shown = selection(seed=1)
    known = {
        "a": shown, "b": selection(seed=2, kept="none"), "c": selection(seed=3),
        "d": selection(seed=2), "e": selection(seed=4, checkpoint="other"),
    }  # fmt: skip
    others = comparable(known, shown)
    assert set(others) == {"a", "b", "c"}  # of a seed the newest, which comes first
    table = orders(list(others.values()), shown)
    assert table["agree"].to_numpy() == pytest.approx(200 / 3)
    assert table["kept_by"].iloc[0] == "nor_conv_3x3 2, none 1"
    assert table["chance"].tolist() == [3, 0, 0, 0, 0, 0]


def test_a_skip_that_takes_over_is_found_from_where_it_stays():
    ahead = {1: 4, 2: 2, 3: 5, 4: 6}  # edges on which the skip leads
    epochs = []
    for epoch, skips in ahead.items():
        weights = {
            edge: [0.1, 0.5, 0.1, 0.2, 0.1] if n < skips else [0.1, 0.2, 0.1, 0.5, 0.1]
            for n, edge in enumerate(EDGES)
        }
        epochs.append({"epoch": epoch, **weights})
    table = course(epochs, CELLS)
    assert taken_over(table, "skip_connect") == 3
    assert taken_over(table, "nor_conv_3x3") is None is taken_over(table, "no such")
    last = table[table["epoch"] == 4].set_index("operation")
    assert last.loc["skip_connect", "edges"] == 100
    assert last["weight"].sum() == pytest.approx(100)
    assert taken_over(course(epochs[2:], CELLS), "skip_connect") == 3


def test_edges_of_nodes_are_kept_by_what_the_node_reads():
    junction = DARTS.junctions[0]
    decision = EdgeDecision(
        junction.name, "0,2", tuple(MaskedOperation(edge, 0.5) for edge in junction.edges)
    )
    cell = SelectedCell("cell", None, "cell")
    table = worth(SupernetSelection("magnitude", 0, (), (decision,), cell, {}), DARTS)
    assert table["kept"].tolist() == [True, False, True] and not table["of_edge"].any()
