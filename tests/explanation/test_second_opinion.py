import functools

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.second_opinion import SecondOpinion, _rows, second_opinion
from foxnas_core.families import space_from_dict
from foxnas_core.regression import Predictor, fit
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable


def entwined_space() -> SearchSpace:
    """A resolution; stage g of blocks g1 (kernel, expand) and g2 (kernel); stage h of block h1."""
    return space_from_dict(
        {
            "format": 1, "family": "listed", "name": "entwined", "context": ["input"],
            "decisions": [
                {"name": "resolution", "group": "input", "role": "resolution", "choices": [12, 24]},
                *(
                    {
                        "name": f"{slot}_{role}", "group": slot[0], "role": role, "slot": slot,
                        "choices": [3, 5, 7],
                    }
                    for slot, role in (
                        ("g1", "kernel"), ("g1", "expand"), ("g2", "kernel"), ("h1", "kernel")
                    )
                ),
            ],
        }
    )  # fmt: skip


@functools.cache
def entwined() -> tuple[MeasurementTable, Predictor, SecondOpinion]:
    """Pairs of every kind, of known order."""
    space = entwined_space()
    codes = space.random_codes(200, seed=0)
    resolution, kernel, expand, second, other = (codes.T > 0) - 0.5
    rng = np.random.default_rng(0)
    accuracy = (
        60 + 3 * kernel + 2 * second + other
        + 8 * kernel * expand + 6 * kernel * second + 3.5 * resolution * second + 3 * second * other
        + rng.normal(0, 0.3, len(codes))
    )  # fmt: skip
    table = table_of(space, codes, accuracy=accuracy)
    predictor = fit(table, "accuracy", "per_layer", "none")
    return table, predictor, second_opinion(predictor, table)


def test_pairs_are_found_and_told_apart_by_where_they_are() -> None:
    _, _, opinion = entwined()
    strongest = opinion.interactions.head(4)
    assert [
        (*sorted((row["first"], row["second"])), row["where"], row["additive"])
        for row in strongest.to_dict("records")
    ] == [
        ("g1_expand", "g1_kernel", "within one block", True),
        ("g1_kernel", "g2_kernel", "within one stage", True),
        ("g2_kernel", "resolution", "with the input", True),
        ("g2_kernel", "h1_kernel", "across stages", False),
    ]
    assert opinion.interactions["strength"].is_monotonic_decreasing


def test_it_predicts_what_a_sum_of_terms_can_not() -> None:
    _, predictor, opinion = entwined()
    assert opinion.cv.rmse < predictor.cv.rmse / 4
    assert opinion.cv.r2 > 0.97 > predictor.cv.r2


def test_contributions_of_all_subnets_make_the_importance() -> None:
    table, _, opinion = entwined()
    every = opinion.contributions(table.architectures())
    np.testing.assert_allclose(every.mean(), 0, atol=1e-9)
    importance = opinion.importance.set_index("block")
    np.testing.assert_allclose(every.abs().mean(), importance["value"], atol=1e-9)
    # Together they are the fitted values about their mean.
    about = table.values("accuracy") - table.values("accuracy").mean()
    assert np.sqrt(np.mean((every.sum(axis=1).to_numpy() - about) ** 2)) < 0.5
    assert (importance["low"] <= importance["high"]).all()


def test_a_pair_is_shared_by_its_blocks() -> None:
    _, _, opinion = entwined()
    names = [name for name in opinion.terms["term"] if "×" in name]
    assert len(names) == len(opinion.interactions)
    blocks = opinion.terms.set_index("term")["block"]
    assert blocks["g1_expand"] == "g1"
    [own] = [name for name in names if set(name.split(" × ")) == {"g1_kernel", "g1_expand"}]
    assert blocks[own] == "g1"
    [other] = [name for name in names if set(name.split(" × ")) == {"g2_kernel", "h1_kernel"}]
    assert set(blocks[other].split(" × ")) == {"g2", "h1"}


def test_additive_blocks_are_found_as_they_are() -> None:
    """And what is off is a choice of its own: p2, worth 2 and more, is there in half of them."""
    space = hand_space()
    codes = space.random_codes(200, seed=4)
    p1, p2 = np.array([0, 1, 3.0])[codes[:, 1]], np.array([2, 3, 5.0, 0])[codes[:, 2]]
    noise = np.random.default_rng(0).normal(0, 0.1, len(codes))
    table = table_of(space, codes, accuracy=70 + p1 + p2 + noise)
    predictor = fit(table, "accuracy", "per_layer")
    opinion = second_opinion(predictor, table)
    found = opinion.contributions(table.architectures())
    assert found.columns.tolist() == ["p1", "p2", "q1"]
    for name, truth in (("p1", p1), ("p2", p2), ("q1", 0 * p1)):
        np.testing.assert_allclose(found[name], truth - truth.mean(), atol=0.15)
    again = second_opinion(predictor, table)
    pd.testing.assert_frame_equal(opinion.importance, again.importance)
    assert opinion.cv == again.cv


def test_too_few_subnets_are_refused() -> None:
    table = noisy_table(hand_space(), 40)
    with pytest.raises(InvalidInput, match="at least 50 measured subnets, but only 40"):
        second_opinion(fit(table, "accuracy", "per_layer"), table)


def test_its_tables_add_up_to_what_the_trees_predict():
    table, predictor, opinion = entwined()
    rows = _rows(table.space, table.codes, opinion._features)
    expected = predictor.link.inverse(opinion._model.predict(rows))
    assert opinion.values(table.codes) == pytest.approx(expected)
