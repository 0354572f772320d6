import numpy as np
import pytest
from hand import choice_space, noisy_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import family_of, load_shipped
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.units import Mixed, mixed_units

MINI = load_shipped("foxnas-mini")


def found(table: MeasurementTable, column: str) -> Mixed | None:
    return mixed_units(table, metric_of(column))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(60, 200),
    st.integers(1, 6),
    st.sampled_from([("accuracy", 0.01), ("latency_ms", 1e3), ("latency_ms", 1e-3),
                     ("latency_ms", 1e6), ("energy_mj", 1e-3)]),
)  # fmt: skip
def test_rows_in_another_unit_are_found(seed, rows, odd, case) -> None:
    column, factor = case
    drawn = noisy_table(MINI, rows, seed=seed)
    values = drawn.values("accuracy" if column == "accuracy" else "latency_ms").copy()
    chosen = np.sort(np.random.default_rng(seed).choice(rows, odd, replace=False))
    assert found(table_of(MINI, drawn.codes, **{column: values}), column) is None
    values[chosen] *= factor
    mixed = found(table_of(MINI, drawn.codes, **{column: values}), column)
    assert mixed is not None
    np.testing.assert_array_equal(mixed.rows, chosen)
    assert mixed.factor == pytest.approx(factor)
    assert mixed.range_of_odd == (values[chosen].min(), values[chosen].max())


def test_a_choice_that_makes_networks_fail_is_no_other_unit() -> None:
    """Networks of one choice guess among 200 classes: .5 %, where the others reach 40 to 60."""
    space = choice_space({"op": ("none", "conv"), "a": (1, 2, 3, 4), "b": (1, 2, 3, 4)})
    codes = space.random_codes(120, seed=0)
    rng = np.random.default_rng(0)
    accuracy = 40 + 3 * codes[:, 1] + 3 * codes[:, 2] + rng.normal(0, 0.3, 120)
    failed = codes[:, 0] == 0
    accuracy[failed] = 0.5 + rng.normal(0, 0.01, failed.sum())
    assert found(table_of(space, codes, accuracy=accuracy), "accuracy") is None


def test_trainings_that_diverged_are_no_other_unit() -> None:
    drawn = noisy_table(MINI, 100, seed=3)
    for chance in (0.1, 0.2):
        accuracy = drawn.values("accuracy").copy()
        accuracy[[4, 50]] = chance
        assert found(table_of(MINI, drawn.codes, accuracy=accuracy), "accuracy") is None


def test_few_rows_tell_no_unit() -> None:
    drawn = noisy_table(MINI, 5, seed=3)
    latency = drawn.values("latency_ms") * [1, 1, 1, 1, 1000]
    assert found(table_of(MINI, drawn.codes, latency_ms=latency), "latency_ms") is None


def test_cells_that_compute_nothing_are_no_other_unit() -> None:
    space = load_shipped("nasbench201")
    cells, dead = space.sample(80, seed=0), "|none~0|+|{}~0|none~1|+|none~0|none~1|none~2|"
    family = family_of(space)
    cells = [cell for cell in cells if family.canonical(space, cell) != "0"]
    idle = [family.read(space, dead.format(op)) for op in ("none", "skip_connect", "nor_conv_3x3")]
    for odd, unit in ((idle, None), (cells[:3], 1e-3)):
        others = [cell for cell in cells if cell not in odd]
        codes = space.encode([*others, *odd])
        values = np.random.default_rng(0).normal(5, 0.1, len(codes))
        values[len(others) :] *= 1e-3
        mixed = found(table_of(space, codes, latency_ms=values), "latency_ms")
        assert (mixed and mixed.factor) == (unit and pytest.approx(unit))
