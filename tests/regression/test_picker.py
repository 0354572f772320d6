import functools

import numpy as np
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.regression.assessment import LARGEST_SAMPLE, Data
from foxnas_core.regression.features import build_form, names
from foxnas_core.regression.picker import Recommendation, better_across, choose, recommend
from foxnas_core.table.measurements import MeasurementTable

MINI = load_shipped("foxnas-mini")


def table_with(form: str, *, rows: int = 400, noise: float = 0.05, pairs=(), ordered=True):
    """Accuracy that the terms of a form make up, with random weights."""
    codes = MINI.random_codes(rows, seed=3)
    x = build_form(form, MINI, "accuracy", pairs).matrix(codes)
    rng = np.random.default_rng(5)
    truth = x[:, 1:] @ rng.normal(0, 1, x.shape[1] - 1)
    values = 60 + 5 * truth / truth.std() + rng.normal(0, noise, rows)
    return table_of(MINI, codes, ordered=ordered, accuracy=values)


@functools.cache
def states() -> MeasurementTable:
    return table_with("block_state")


@functools.cache
def recommended() -> Recommendation:
    return recommend(states(), "accuracy")


@pytest.mark.parametrize("form", ["per_layer", "block_state", "stage_counts", "choice_counts"])
def test_the_form_that_made_the_data_is_recommended(form: str) -> None:
    assert fit(table_with(form), "accuracy", link="none").form.name == form


def test_interactions_are_recommended_where_they_made_the_data() -> None:
    pairs = (("s1b1_kernel", "s1b1_expand"), ("resolution", "s2b2_on"), ("s3b1_expand", "s3b2_on"))
    predictor = fit(table_with("interactions", pairs=pairs), "accuracy", link="none")
    assert predictor.form.name == "interactions"
    assert set(predictor.form.pairs) == set(pairs)


def test_without_the_order_of_blocks_only_forms_that_do_not_need_it_are_compared() -> None:
    found = recommend(table_with("choice_counts", rows=500, ordered=False), "accuracy")
    assert found.form == "choice_counts"
    assert set(found.table["form"]) == {
        "choice_counts", "count_interactions", "stage_counts", "foxnas", "count_across_stages",
    }  # fmt: skip


def test_a_form_across_stages_is_recommended_where_it_predicts_better(monkeypatch) -> None:
    """Where its cells are too many it is only named."""
    table = table_with("count_across_stages", rows=300, ordered=False)
    found = choose(Data.of(table, "accuracy"), MINI, "auto", seed=0)
    assert found.best.form.name == "count_across_stages"
    monkeypatch.setattr(names, "_MOST_CELLS", 80)
    said = recommend(table, "accuracy")
    assert said.form != "count_across_stages"
    assert "Choice counts and across stages predicts clearly better still" in said.sentence


def test_so_is_one_that_predicts_clearly_better_than_a_fit(monkeypatch) -> None:
    across = table_with("count_across_stages", rows=300, ordered=False)
    fitted = [fit(across, "accuracy", form) for form in ("choice_counts", "count_across_stages")]
    assert not better_across(across, fitted[0])  # it was compared with that already
    monkeypatch.setattr(names, "_MOST_CELLS", 80)
    said = better_across(across, fitted[0])
    assert said.startswith("Choice counts and across stages predicts accuracy clearly better (RMSE")
    assert said.endswith(": --form count_across_stages.") and not better_across(across, fitted[1])


def test_a_recommendation_says_why_and_what_each_form_errs_by() -> None:
    found = recommended()
    assert (found.form, found.link) == ("block_state", "none")
    assert found.sentence.startswith("Block states: ") and "nested" in found.sentence
    table = found.table.set_index("form")
    assert table["RMSE"].idxmin() in ("block_state", "interactions")
    assert table.loc["block_state", "parameters"] == 108
    # The picking as a whole errs as the picked form does, since every fold picks it.
    assert found.nested.rmse == pytest.approx(table.loc["block_state", "RMSE"], rel=0.1)


def test_among_forms_that_predict_alike_the_smallest_is_taken() -> None:
    found = choose(Data.of(table_with("per_layer"), "accuracy"), MINI, "none", seed=0)
    rmse = {n: np.sqrt(np.mean((found.data.y - a.held_out) ** 2)) for n, a in found.carried.items()}
    # Interactions contain the per-layer form, and block states do so with twice the parameters.
    assert rmse["block_state"] < 1.2 * rmse["per_layer"]
    assert found.best.form.name == "per_layer"


def test_forms_that_the_rows_can_not_carry_are_left_out_with_the_reason() -> None:
    found = choose(Data.of(noisy_table(MINI, 120), "accuracy"), MINI, "auto", seed=0)
    assert (
        "120 rows are too few for its 108 parameters; it wants 324" in found.refused["block_state"]
    )
    assert "block_state" not in found.carried


def test_too_few_rows_for_any_form_name_what_is_missing() -> None:
    with pytest.raises(
        InvalidInput, match="needs 12, and 24 for intervals .* measure 6 subnets more"
    ):
        fit(noisy_table(hand_space(), 8), "accuracy")


def test_the_same_seed_picks_the_same() -> None:
    again = recommend(states(), "accuracy")
    assert again.sentence == recommended().sentence and again.table.equals(recommended().table)


def test_a_large_table_is_judged_by_a_sample_of_it() -> None:
    table = table_with("per_layer", rows=LARGEST_SAMPLE + 500)
    found = choose(Data.of(table, "accuracy"), MINI, "none", seed=1)
    assert len(found.data.y) == LARGEST_SAMPLE
    assert fit(table, "accuracy", link="none").rows == LARGEST_SAMPLE + 500
