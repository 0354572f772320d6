import itertools

import numpy as np
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.planning.coordinate_exchange import DesignBatch, next_batch, start_seed
from foxnas_core.planning.information import information_of
from foxnas_core.regression.features import Form, build_form
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study


def form(space: SearchSpace, target: str = "accuracy") -> Form:
    return build_form("per_layer", space, target)


def log_det_of(form: Form, measured: np.ndarray, batch: np.ndarray) -> float:
    matrix, _ = information_of(form.matrix(measured))
    rows = form.matrix(batch)
    return float(np.linalg.slogdet(matrix + rows.T @ rows)[1])


def everything(space: SearchSpace) -> np.ndarray:
    return space.option_codes(space.decisions)


def check(batch: DesignBatch, measured: np.ndarray) -> None:
    """What every batch keeps."""
    space = batch.form.space
    assert all(space.is_member(a) for a in batch.architectures())
    ids = space.ids(batch.codes)
    assert len(set(ids)) == len(ids) and not set(ids) & set(space.ids(measured))
    assert np.isclose(batch.log_det, log_det_of(batch.form, measured, batch.codes), atol=1e-7)
    assert batch.log_det >= batch.begun - 1e-9
    assert batch.log_det == max(batch.starts)


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([(), (8, 16)]))
def test_a_batch_is_valid_new_and_never_worse_than_the_random_ones(seed, count, resolutions):
    space = hand_space(resolutions=resolutions)
    measured = noisy_table(space, 12, seed=seed).codes
    for target in ("accuracy", "latency_ms"):
        batch = next_batch(form(space, target), measured, count, seed=seed, starts=2)
        check(batch, measured)
        exclude = space.ids(measured)
        for number, reached in enumerate(batch.starts):
            drawn = space.sample(count, seed=start_seed(seed, number), exclude=exclude)
            assert reached >= log_det_of(batch.form, measured, space.encode(drawn)) - 1e-9


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("resolutions", [(), (8, 16)])
@pytest.mark.parametrize("seed", range(3))
def test_on_a_tiny_space_it_is_the_best_of_all_batches(count, resolutions, seed):
    space = hand_space(resolutions=resolutions)
    measured = noisy_table(space, 14, seed=seed).codes
    own = form(space, "latency_ms")
    known = {row.tobytes() for row in measured}
    free = np.array([row for row in everything(space) if row.tobytes() not in known])
    best = max(
        log_det_of(own, measured, free[list(chosen)])
        for chosen in itertools.combinations(range(len(free)), count)
    )
    batch = next_batch(own, measured, count, seed=seed, starts=40)
    assert np.isclose(batch.log_det, best, atol=1e-9)


def test_equal_seeds_give_equal_batches_and_the_first_rows_tell_most():
    space = hand_space(resolutions=(8, 16))
    measured = noisy_table(space, 20).codes
    one, other = (next_batch(form(space), measured, 5, seed=3) for _ in range(2))
    assert np.array_equal(one.codes, other.codes) and one.starts == other.starts
    alone = [log_det_of(form(space), measured, row[np.newaxis]) for row in one.codes]
    assert alone[0] == max(alone)


def test_nothing_that_is_taken_is_chosen():
    space = hand_space()
    every = everything(space)
    batch = next_batch(form(space), every[:10], 3, taken=every[10:-3])
    assert sorted(space.ids(batch.codes)) == sorted(space.ids(every[-3:]))


def test_without_any_row_a_batch_lets_all_terms_be_told_apart():
    space = hand_space()
    own = form(space)
    batch = next_batch(own, every := everything(space)[:0], 12)
    assert not batch.known and len(every) == 0
    assert np.linalg.matrix_rank(own.matrix(batch.codes)) == own.parameters


def test_progress_is_told_start_by_start():
    space, told = hand_space(), []
    next_batch(
        form(space), everything(space)[:9], 2, starts=3, report=lambda *done: told.append(done)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("count", [0, 33, 501])
def test_a_count_out_of_range_is_one_sentence(count):
    space = hand_space()
    with pytest.raises(InvalidInput, match="ask for 1 to 32"):
        next_batch(form(space), everything(space)[:4], count)


def test_on_the_demo_it_tells_far_more_than_random_rows_do():
    table = open_study(DEMO).table()
    own = build_form("stage_counts", table.space, "latency_ms")
    batch = next_batch(own, table.codes, 6, starts=1)
    check(batch, table.codes)
    without = log_det_of(own, table.codes, table.codes[:0])
    assert batch.log_det - without > 2 * (batch.begun - without)
