import functools

import numpy as np
import pytest
from conftest import DEMO
from hand import table_of

from foxnas_core.families import load_shipped
from foxnas_core.regression import fit, interactions
from foxnas_core.regression.features import BASES, Form, Pair, build_form, candidate_pairs
from foxnas_core.regression.interactions import (
    MOST_STEPS,
    ROWS_A_PARAMETER,
    Selection,
    select_interactions,
)
from foxnas_core.regression.leastsquares import FoldedRows, deal_folds
from foxnas_core.study import open_study

MINI = load_shipped("foxnas-mini")
PAIRS: dict[str, tuple[Pair, ...]] = {
    "interactions": (
        ("s1b1_kernel", "s1b1_expand"), ("resolution", "s2b2_on"), ("s3b1_expand", "s3b2_on"),
    ),
    "count_interactions": (("s1_count", "s1_count"), ("s2b1_expand", "s2_kernels")),
}  # fmt: skip


def made_by(
    form: Form, seed: int, *, noise: float = 0.5, rows: int = 400
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, values with a spread of 5 and noise, and folds."""
    codes = MINI.random_codes(rows, seed=seed)
    rng = np.random.default_rng(seed)
    truth = form.matrix(codes)[:, 1:] @ rng.normal(size=form.parameters - 1)
    values = 60 + 5 * truth / truth.std() + rng.normal(0, noise, rows)
    return codes, values, deal_folds(np.arange(rows), seed)


def select(name: str, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Selection:
    form, (codes, values, fold) = build_form(name, MINI, "accuracy"), data
    return select_interactions(form, codes, values, FoldedRows.of(form.matrix(codes), fold))


@functools.cache
def paired() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return made_by(build_form("interactions", MINI, "accuracy", PAIRS["interactions"]), 3)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("seed", range(3))
def test_pairs_that_made_the_data_are_found(name: str, seed: int) -> None:
    truth = build_form(name, MINI, "accuracy", PAIRS[name])
    data = made_by(truth, seed, noise=0.1)
    found = select(name, data)
    assert set(found.pairs) == set(PAIRS[name])
    # What is left is the noise, with the price of what was fitted.
    assert np.std(data[1] - found.held_out) < 0.13


def test_hardly_any_pair_is_found_where_effects_only_add_up() -> None:
    """Of 20 simulations at most 2 see a pair where there is none."""
    form = build_form("interactions", MINI, "accuracy")
    found = [select("interactions", made_by(form, seed, noise=1.0)).pairs for seed in range(20)]
    assert sum(bool(pairs) for pairs in found) <= 2
    assert all(len(pairs) <= 1 for pairs in found)


def test_a_chosen_number_of_steps_predicts_better_than_none() -> None:
    codes, values, fold = paired()
    base = FoldedRows.of(build_form("interactions", MINI, "accuracy").matrix(codes), fold)
    without = np.mean((values - base.predict(values)) ** 2)
    assert np.mean((values - select("interactions", paired()).held_out) ** 2) < 0.5 * without


def test_with_no_step_predictions_are_those_of_the_base(monkeypatch) -> None:
    monkeypatch.setattr(interactions, "MOST_STEPS", 0)
    codes, values, fold = paired()
    found = select("interactions", paired())
    base = FoldedRows.of(build_form("interactions", MINI, "accuracy").matrix(codes), fold)
    assert found.pairs == ()
    np.testing.assert_allclose(found.held_out, base.predict(values), atol=1e-6)


def test_held_out_predictions_are_those_of_selections_without_the_fold(monkeypatch) -> None:
    """Selected and fitted again, by rows, on the rows of the other folds alone."""
    codes, values, fold = paired()
    steps = 2
    monkeypatch.setattr(interactions, "_fewest_steps", lambda errors, members: steps)
    found = select("interactions", paired())
    for number in (0, 4, 9):
        kept, held = fold != number, fold == number
        other = select("interactions", (codes[kept], values[kept], fold[kept]))
        form = build_form("interactions", MINI, "accuracy", other.pairs)
        assert len(other.pairs) == steps
        b, *_ = np.linalg.lstsq(form.matrix(codes[kept]), values[kept], rcond=None)
        np.testing.assert_allclose(found.held_out[held], form.matrix(codes[held]) @ b, atol=1e-5)


@pytest.mark.parametrize("steps", [None, 0, 1, 4])
def test_no_prediction_depends_on_the_values_of_its_own_fold(monkeypatch, steps) -> None:
    """However wild they are; what the other folds are told may well change. Unfixed, the number
    of steps, which all folds choose together, is the one thing a fold has a part in."""
    codes, values, fold = paired()
    own = fold == 5
    chosen = []
    decide = interactions._fewest_steps

    def recorded(errors: np.ndarray, members: None) -> int:
        chosen.append(decide(errors) if steps is None else steps)
        return chosen[-1]

    monkeypatch.setattr(interactions, "_fewest_steps", recorded)
    plain = select("interactions", paired()).held_out
    rng = np.random.default_rng(0)
    for size in (1.0, 100.0):
        wild = np.where(own, values + size * rng.normal(size=len(values)), values)
        moved = select("interactions", (codes, wild, fold)).held_out
        assert np.abs(moved - plain)[~own].max() > 1e-2
        if chosen[-1] == chosen[0]:
            np.testing.assert_allclose(moved[own], plain[own], atol=1e-5)
    # With noise of the usual size, at least, as many steps are taken.
    assert chosen[1] == chosen[0]


def test_each_step_takes_the_pair_that_is_worth_most_at_its_price(monkeypatch) -> None:
    """Every pair fitted by itself: what it takes off the squares less 2 s² a column."""
    codes, values, fold = made_by(build_form("interactions", MINI, "accuracy"), 0, noise=1.0)
    monkeypatch.setattr(interactions, "_fewest_steps", lambda errors, members: 2)
    found = select("interactions", (codes, values, fold)).pairs

    def squares(pairs: tuple[Pair, ...]) -> tuple[float, int]:
        x = build_form("interactions", MINI, "accuracy", pairs).matrix(codes)
        rest = values - x @ np.linalg.lstsq(x, values, rcond=None)[0]
        return float(rest @ rest), x.shape[1]

    chosen: tuple[Pair, ...] = ()
    candidates = candidate_pairs("interactions", MINI, "accuracy")
    for _ in range(2):
        rss, columns = squares(chosen)
        price = 2 * rss / (len(values) - columns)
        worth = {}
        for pair in candidates.keys() - set(chosen):
            left, wide = squares((*chosen, pair))
            worth[pair] = rss - left - price * (wide - columns)
        best = max(worth, key=lambda pair: worth[pair])
        if worth[best] <= 0:
            break
        chosen += (best,)
    assert found == chosen


def test_the_fewest_steps_not_clearly_worse_are_taken() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(200, 1)) ** 2
    falling = np.hstack([noise + 2, noise + 1, noise, noise])
    assert interactions._fewest_steps(falling) == 2
    assert interactions._fewest_steps(np.hstack([noise, noise])) == 0
    # Better by chance: the difference is within two standard errors.
    unclear = noise - 0.01 + rng.normal(0, 1, (200, 1))
    assert interactions._fewest_steps(np.hstack([noise, unclear])) == 0


def test_a_selection_never_outgrows_its_rows() -> None:
    """150 rows carry 50 parameters: three rows a parameter."""
    space_form = build_form("count_interactions", MINI, "accuracy", PAIRS["count_interactions"])
    codes, values, fold = made_by(space_form, 2, noise=0.01, rows=150)
    found = select("count_interactions", (codes, values, fold))
    form = build_form("count_interactions", MINI, "accuracy", found.pairs)
    base = build_form("count_interactions", MINI, "accuracy")
    assert base.parameters <= form.parameters <= 150 / ROWS_A_PARAMETER
    assert len(found.pairs) <= MOST_STEPS


def test_selections_are_repeatable() -> None:
    one, other = (select("interactions", paired()) for _ in range(2))
    assert one.pairs == other.pairs
    np.testing.assert_array_equal(one.held_out, other.held_out)


def test_the_order_of_rows_makes_no_difference() -> None:
    codes, values, fold = paired()
    order = np.random.default_rng(2).permutation(len(values))
    one = select("interactions", paired())
    other = select("interactions", (codes[order], values[order], fold[order]))
    assert one.pairs == other.pairs
    np.testing.assert_allclose(other.held_out, one.held_out[order], atol=1e-6)


@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_a_fit_with_chosen_pairs_still_splits_over_groups(target: str) -> None:
    table = open_study(DEMO).table()
    predictor = fit(table, target, "interactions", "none")
    assert predictor.form.pairs
    space = table.space
    codes = table.codes[:60].copy()
    for context in space.context_options():
        split = predictor.split(context)
        total = split.constant + sum(split.group_values(g, codes) for g in space.additive_groups)
        for name, value in context.items():
            decision = space.by_name[name]
            codes[:, space.decisions.index(decision)] = decision.choices.index(value)
        np.testing.assert_allclose(total, predictor.predict_codes(codes)["value"], atol=1e-9)


def test_a_fit_through_a_link_chooses_on_the_scale_where_effects_add_up() -> None:
    """Below a ceiling every effect depends on every other; on the link's scale none does."""
    codes = MINI.random_codes(400, seed=6)
    form = build_form("per_layer", MINI, "accuracy")
    rng = np.random.default_rng(6)
    eta = form.matrix(codes)[:, 1:] @ rng.normal(size=form.parameters - 1)
    eta = 2 * eta / eta.std() + rng.normal(0, 0.1, 400)
    table = table_of(MINI, codes, accuracy=80 - 8 * np.exp(-eta / 4))
    through = fit(table, "accuracy", "interactions", "saturating")
    assert through.form.pairs == ()
    assert through.ceiling is not None and through.ceiling.value == pytest.approx(80, abs=0.5)
    assert through.cv.rmse < 0.8 * fit(table, "accuracy", "interactions", "none").cv.rmse
