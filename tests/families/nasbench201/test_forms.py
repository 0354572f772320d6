"""Which edges count is for the data to say: forms of cells, and how they are picked."""

import functools

import numpy as np
import pytest
from hand import table_of
from published_cells import coded, published_cells

from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.families import load_shipped
from foxnas_core.families.nasbench201.canonical import live_edges
from foxnas_core.families.nasbench201.forms import counting_codes
from foxnas_core.families.nasbench201.space import OPERATIONS, numbered_cells
from foxnas_core.regression import fit
from foxnas_core.regression.features import build_form
from foxnas_core.regression.picker import recommend

SPACE = load_shipped("nasbench201")
ROWS = 220
# By edge, of the operations in their order, in ms; and of a cell that is not connected.
COSTS, REST = np.array([0.0, 0.5, 2.0, 6.0, 1.0]), 9.0


def codes_of(rows: int, seed: int) -> np.ndarray:
    return coded(np.random.default_rng(seed).choice(15_625, rows, replace=False))


def law(kind: str, codes: np.ndarray) -> np.ndarray:
    """A cost (rows,) of a runtime that drops nothing ("raw"), or what does not count."""
    counted = codes if kind == "raw" else counting_codes(codes, kind)
    connected = counting_codes(codes, "live").any(axis=1)
    return 4 + COSTS[counted].sum(axis=1) + REST * (connected | (kind == "raw"))


@functools.cache
def measured(kind: str):
    codes, noise = codes_of(ROWS, 3), np.random.default_rng(4).normal(0, 0.2, ROWS)
    return table_of(SPACE, codes, **{"latency_ms": law(kind, codes) + noise})


def test_live_edges_are_those_of_the_graph():
    codes = codes_of(300, 1)
    kept = counting_codes(codes, "live") > 0
    cells = [numbered_cells()[n] for n in np.random.default_rng(1).choice(15_625, 300, False)]
    assert kept.tolist() == [list(live_edges(cell)) for cell in cells]
    # What is live is reached by the input and reaches the output, and is an edge.
    reached, reaching = (counting_codes(codes, own) for own in ("reached", "reaching"))
    assert (((reached > 0) & (reaching > 0)) == kept).all() and (reached != reaching).any()
    for own in (reached, reaching):
        assert (own[own > 0] == codes[own > 0]).all()


@pytest.mark.parametrize(
    ("cell", "longest", "shortest", "most"),
    [
        (("nor_conv_3x3", "none", "nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1"), 3, 1, 2),
        (("none", "none", "nor_conv_3x3", "none", "nor_conv_3x3", "nor_conv_3x3"), 0, 0, 0),
        (("skip_connect",) * 6, 0, 0, 0),
        (("nor_conv_1x1",) * 6, 3, 1, 0),
    ],
)  # fmt: skip
def test_convolutions_are_counted_along_paths(cell, longest, shortest, most):
    codes = np.array([[OPERATIONS.index(operation) for operation in cell]])
    form = build_form("live_paths", SPACE, "accuracy")
    [row] = form.matrix(codes)
    columns = dict(zip([term.name for term in form.terms], row, strict=True))
    for name, told, bounds in (
        ("depth", longest, 3),
        ("shortcut", shortest, 1),
        ("reach", most, 2),
    ):
        own = [columns[f"cell_{name}>={n}"] for n in range(1, bounds + 1)]
        assert own == [float(told >= n) for n in range(1, bounds + 1)]


@pytest.mark.parametrize(
    ("kind", "form", "told"),
    [
        ("raw", "choice_counts", "runs every edge, dead ones too"),
        ("reached", "reached", "runs what never reaches the output too, where it has an input"),
        ("reaching", "reaching", "drops what never reaches the output"),
        ("live", "live", "runs only what lies between the input and the output"),
    ],
)
def test_the_coding_that_made_the_costs_is_picked_and_told_in_words(kind, form, told):
    found = recommend(measured(kind), "latency_ms")
    assert found.form == form and found.sentence.endswith(f"So this runtime {told}.")
    assert found.nested.r2 > 0.98
    predictor = fit(measured(kind), "latency_ms", form)
    other = codes_of(500, 9)
    assert np.abs(predictor.predict_codes(other)["value"] - law(kind, other)).max() < 0.6


def test_cells_that_ignore_their_input_are_told_by_each_other():
    # They are one network, which equal networks' folds would hold together.
    codes = codes_of(ROWS, 3)
    accuracy = np.where(counting_codes(codes, "live").any(axis=1), 80, 10) + codes.sum(axis=1) / 9
    predictor = fit(table_of(SPACE, codes, accuracy=accuracy), "accuracy", "live", "none")
    assert np.isfinite(predictor.held_out).all() and predictor.cv.r2 > 0.9


# R² over all cells that were not read, and of those that are connected; Spearman's correlation.
PUBLISHED = {
    "latency_ms:fpga": ({"choice_counts"}, 0.999, 0.999),
    "latency_ms:1080ti": ({"choice_counts"}, 0.989, 0.989),
    "latency_ms:gold_6226": ({"choice_counts"}, 0.974, 0.974),
    "latency_ms:raspi4": ({"reaching"}, 0.94, 0.95),
    "latency_ms:pixel3": ({"reaching"}, 0.93, 0.935),
    "accuracy": ({"live", "live_paths"}, 0.9, 0.63),
    "accuracy:cifar100": ({"live", "live_paths"}, 0.86, 0.72),
}


def test_the_coding_of_each_published_column_is_as_known():
    from benchmarks.codings import read_codings

    for own in read_codings(published_cells(), seed=0):
        forms, r2, connected = PUBLISHED[own.column]
        assert own.form in forms, own
        assert own.r2 > r2 and own.connected_r2 > connected and own.spearman > 0.88, own
        assert own.link == ("saturating" if own.column.startswith("accuracy") else "none")


def test_each_edge_is_explained_though_all_are_read_together():
    predictor = fit(measured("live"), "latency_ms", "live")
    assert [block.name for block in blocks_of(predictor.form)] == list(SPACE.by_name)
