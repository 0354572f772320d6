"""Average effects: known answers, their errors by a library and by hand, and what is left out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from published_cells import published_cells
from statsmodels.regression.linear_model import OLS

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.averages import average_effects
from foxnas_core.explanation.coefficients import KEYS, choice_effects, effect_rows
from foxnas_core.families import load_shipped
from foxnas_core.families.nasbench201 import parse_cell
from foxnas_core.regression import fit
from foxnas_core.regression.features import averaged_form
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

MINI = load_shipped("foxnas-mini")
SPACE = hand_space(resolutions=(12, 24))


def drawn(rows: int, *, seed: int = 0) -> MeasurementTable:
    """A latency whose blocks cost by the pixels, and more in a deep first stage."""
    codes = SPACE.random_codes(rows, seed=seed, by="balanced")
    share = np.where(codes[:, 0] == 0, 0.25, 1.0)
    blocks = codes[:, 2] + 2.0 * codes[:, 4] * (1 + codes[:, 1]) + (codes[:, 3] >= 0)
    noise = np.random.default_rng(seed).normal(0, 0.1, rows)
    return table_of(SPACE, codes, latency_ms=20 + share * blocks + noise)


def of_origin(table: MeasurementTable, origin: str, rows: slice) -> MeasurementTable:
    """The table with some rows in a campaign of an origin, the others in one of none."""
    campaign = np.full(len(table), "random", dtype=object)
    campaign[rows] = "chosen"
    record = {"campaigns": {"random": {}, "chosen": {"origin": origin}}}
    return replace(table, frame=table.frame.assign(campaign=campaign), record=record)


def test_where_effects_add_up_they_are_those_of_the_form() -> None:
    table = noisy_table(MINI, 300)
    found = average_effects(table, "accuracy")
    form = choice_effects(fit(table, "accuracy", "per_layer"))
    pd.testing.assert_frame_equal(found.table[KEYS], form[KEYS])
    np.testing.assert_allclose(found.table["effect"], form["effect"], atol=1e-9)
    assert (found.rows, found.parameters, found.untold) == (300, 54, 0)


def test_effects_that_depend_on_others_are_averaged_as_subnets_are_drawn() -> None:
    effects = average_effects(drawn(4000), "latency_ms").table.set_index(["decision", "choice"])
    # The mean share of both resolutions is .625, and depth 2 is drawn in 5 of 7.
    assert effects.loc[("p1_kernel", 7), "effect"] == pytest.approx(2 * 0.625, abs=0.1)
    assert effects.loc[("q1_kernel", 7), "effect"] == pytest.approx(4 * 0.625 * 12 / 7, abs=0.1)


def test_standard_errors_are_hc2_and_degrees_of_freedom_those_of_the_quadratic_form() -> None:
    table = drawn(70)
    found = average_effects(table, "latency_ms")
    form = averaged_form(SPACE)
    ids, first = np.unique(table.frame["id"].to_numpy(dtype=str), return_index=True)
    assert found.rows == len(ids)
    means = table.frame.groupby("id")["latency_ms"].mean().loc[ids].to_numpy()
    x, (_, rows) = form.matrix(table.codes[first]), effect_rows(form)
    robust = OLS(means, x).fit().get_robustcov_results("HC2")
    np.testing.assert_allclose(found.table["effect"], rows @ robust.params, atol=1e-9)
    errors = np.sqrt(np.diag(rows @ robust.cov_params() @ rows.T))
    np.testing.assert_allclose(found.table["std_error"], errors, rtol=1e-9)
    inverse = np.linalg.inv(x.T @ x)
    rest = np.eye(len(x)) - x @ inverse @ x.T
    for combination, df in zip(rows, found.table["df"], strict=True):
        weights = np.diag((x @ inverse @ combination) ** 2 / np.diag(rest))
        form_matrix = rest @ weights @ rest
        assert df == pytest.approx(np.trace(form_matrix) ** 2 / np.trace(form_matrix @ form_matrix))
    assert (found.table["df"] < len(x) - form.parameters + 1e-9).all()


@pytest.mark.parametrize("origin", ["search", "design", "verify", "named"])
def test_rows_that_nobody_drew_are_left_out_and_counted(origin) -> None:
    table = drawn(120)
    found = average_effects(of_origin(table, origin, slice(90, 120)), "latency_ms")
    alone = average_effects(table.rows(np.arange(120) < 90), "latency_ms")
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert sum(found.left_out.values()) == 30 and not found.assumed
    assert "30" in found.sentences[0] and "no random draw" in found.sentences[0]


def test_what_is_assumed_of_rows_of_unknown_design_is_said() -> None:
    assert "not recorded" in average_effects(drawn(90), "latency_ms").assumed
    codes = MINI.random_codes(300, seed=0)
    kernels = [MINI.decisions.index(MINI.by_name[f"s{stage}b1_kernel"]) for stage in (1, 2)]
    codes[:270, kernels[0]] = codes[:270, kernels[1]]
    found = average_effects(table_of(MINI, codes, accuracy=np.arange(300) / 10.0), "accuracy")
    assert "choices go together" in found.assumed
    cells = choice_space({"a": ("x", "y"), "b": ("x", "y", "z")})
    complete = np.array([[a, b] for a in range(2) for b in range(3)], dtype=np.int16)
    assert not average_effects(
        table_of(cells, complete, accuracy=np.arange(6.0)), "accuracy"
    ).assumed


def test_rows_of_one_subnet_count_as_one() -> None:
    table = drawn(90)
    twice = table_of(
        SPACE, np.vstack([table.codes] * 2), latency_ms=np.tile(table.values("latency_ms"), 2)
    )
    once, again = (average_effects(own, "latency_ms").table for own in (table, twice))
    pd.testing.assert_frame_equal(once, again)


def test_at_one_resolution_its_own_subnets_are_read() -> None:
    table = drawn(400)
    found = average_effects(table, "latency_ms", at=(("resolution", 12),))
    alone = average_effects(table.rows(table.codes[:, 0] == 0), "latency_ms")
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert found.rows == len(set(table.frame["id"][table.codes[:, 0] == 0]))
    assert found.to_dict()["at"] == {"resolution": 12}
    effects = found.table.set_index(["decision", "choice"])["effect"]
    assert effects["p1_kernel", 7] == pytest.approx(2 * 0.25, abs=0.1)


def test_a_choice_that_no_two_subnets_have_is_not_told() -> None:
    space = choice_space({"a": ("x", "y", "z"), "b": ("x", "y")})
    codes = space.random_codes(30, seed=1)
    codes[codes[:, 0] == 2, 0] = 1
    for alone in (False, True):
        if alone:
            codes[0, 0] = 2
        rng = np.random.default_rng(0)
        values = 60.0 + codes[:, 0] + rng.normal(0, 0.1, 30)
        table = table_of(space, codes, accuracy=values)
        frame = table.frame.assign(id=[f"{number:012x}" for number in range(30)])
        found = average_effects(replace(table, frame=frame), "accuracy")
        assert found.table[["decision", "choice"]].to_numpy().tolist() == [["a", "y"], ["b", "y"]]
        assert found.table["effect"].iloc[0] == pytest.approx(1, abs=0.15)
        assert found.untold == 1 and "1 choices" in found.sentences[-1]


def test_without_the_order_of_blocks_a_stage_counts_them() -> None:
    found = average_effects(noisy_table(MINI, 300, ordered=False), "accuracy")
    assert found.form == "choice_counts" and "order of the blocks" in found.sentences[-1]


def test_too_few_subnets_are_refused_with_their_number() -> None:
    table = of_origin(drawn(40), "search", slice(5, 40))
    with pytest.raises(InvalidInput, match=r"5 are measured, besides 35 that were chosen"):
        average_effects(table, "latency_ms")


def test_intervals_that_hold_together_are_wider_and_hold_as_often_as_they_say() -> None:
    one, all_ = (average_effects(drawn(90), "latency_ms", together=t).table for t in (False, True))
    np.testing.assert_allclose(one["effect"], all_["effect"])
    assert ((all_["high"] - all_["low"]) > 1.1 * (one["high"] - one["low"])).all()
    # Nothing has an effect, so that 0 is the truth of all of them.
    codes = SPACE.random_codes(100, seed=2, by="balanced")
    held = []
    for seed in range(200):
        values = 60 + np.random.default_rng(seed).normal(0, 1, 100)
        told = average_effects(table_of(SPACE, codes, accuracy=values), "accuracy", together=True)
        held.append(bool((told.table["low"] * told.table["high"] < 0).all()))
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_skewed_leftovers_are_warned_of_until_rows_outweigh_them() -> None:
    codes = SPACE.random_codes(2000, seed=3, by="balanced")
    failed = np.random.default_rng(3).random(2000) < 0.02
    values = 60 + np.random.default_rng(4).normal(0, 0.1, 2000) - 20 * failed
    few, many = (
        average_effects(table_of(SPACE, codes[:n], accuracy=values[:n]), "accuracy")
        for n in (150, 2000)
    )
    assert few.skewness < -3 and few.rows < few.wanted_rows <= 25 * few.skewness**2 + 1
    [warned] = [said for said in few.sentences if "skewed" in said]
    assert f"{few.wanted_rows:,} subnets" in warned
    assert not any("skewed" in said for said in many.sentences)
    even = average_effects(drawn(90), "latency_ms")
    assert abs(even.skewness) < 1 and not any("skewed" in said for said in even.sentences)


def test_averages_of_all_published_cells_are_held_by_intervals_of_few() -> None:
    """Every cell was measured, so that the true averages are known; some cells fail altogether."""
    published = published_cells()
    space = load_shipped("nasbench201")
    cells = [dict(zip(space.by_name, parse_cell(cell), strict=True)) for cell in published["arch"]]
    measured = {"accuracy": "test_acc_cifar10", "latency_ms": "lat_raspi4"}
    columns = {target: published[own].to_numpy() for target, own in measured.items()}
    table = table_from_frame(space, pd.DataFrame(cells).assign(**columns))
    for target in measured:
        true = average_effects(table, target)
        assert true.rows == 15_625 and not true.sentences
        # At 150 rows those of accuracies, of which some are of cells that fail, hold in .90.
        some = np.random.default_rng(0).permutation(len(table)) < 150
        few = average_effects(table.rows(some), target)
        warned = [said for said in few.sentences if "skewed" in said]
        assert bool(warned) == (target == "accuracy") == (few.wanted_rows > 150)
        held = []
        for seed in range(30):
            drawn = np.zeros(len(table), dtype=bool)
            drawn[np.random.default_rng(seed).choice(len(table), 400, replace=False)] = True
            told = average_effects(table.rows(drawn), target).table
            effects = true.table["effect"]
            held.append(((told["low"] <= effects) & (effects <= told["high"])).mean())
        assert np.mean(held) >= 0.92, target
