from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, noisy_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.whole import (
    CODES,
    Finding,
    Named,
    already_in,
    findings,
    findings_of,
    multiples,
)

DATA = Path(__file__).parents[2] / "data"
EIGHT = choice_space({f"k{i}": (3, 5) for i in range(8)})
MINI = load_shipped("foxnas-mini")
seeds = st.integers(0, 2**32 - 1)


def of_code(table: MeasurementTable, code: str) -> list[Finding]:
    return [finding for finding in findings(table) if finding.code == code]


def seeded(subnets: int = 30, runs: int = 2, seed: int = 0, noise: float = 0.1) -> MeasurementTable:
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(2**8)[:subnets]
    codes = np.repeat((numbers[:, np.newaxis] >> np.arange(8)) & 1, runs, axis=0)
    accuracy = 70 + codes @ np.linspace(0.2, 1, 8) + rng.normal(0, noise, len(codes))
    latency = 4 * np.exp(0.1 * codes.sum(axis=1) + rng.normal(0, 0.02, len(codes)))
    return table_of(EIGHT, codes, accuracy=accuracy, latency_ms=latency)


def altered(table: MeasurementTable, column: str, rows: list[int], factor: float):
    frame = table.frame.copy()
    frame.loc[rows, column] *= factor
    return table_from_frame(table.space, frame, holes=True)


# Honest tables


@pytest.mark.parametrize("name", ["demo", "demo-cpu", "demo-rounds"])
def test_nothing_is_found_in_the_shipped_tables(name: str) -> None:
    table = open_study(DATA / name).table()
    assert findings(table) == []
    half = table.rows(np.arange(len(table)) % 7 == 0)
    assert not [f for f in findings(half) if f.code != "rare choices"]


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(5, 300), st.floats(0.01, 3))
def test_honest_tables_raise_no_alarm(seed: int, rows: int, noise: float) -> None:
    drawn = noisy_table(MINI, rows, seed=seed % 2**16, noise=noise)
    # Latencies of all sizes, one of which is far above the others.
    rng = np.random.default_rng(seed)
    latency = np.exp(rng.normal(0, 1.5, rows))
    latency[0] *= 20
    table = table_of(
        MINI, drawn.codes, accuracy=drawn.values("accuracy"), latency_ms=latency,
        macs=latency * rng.uniform(0.9, 1.1, rows),
    )  # fmt: skip
    assert {f.code for f in findings(table)} <= {"rare choices", "repeats"}


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(2, 4), st.floats(0.01, 0.5))
def test_honest_repeats_do_not_contradict(seed, subnets, runs, noise) -> None:
    found = findings(seeded(subnets, runs, seed, noise))
    assert {f.code for f in found} <= {"repeats", "rare choices"}


# Repeats


def test_repeats_and_copies_are_counted() -> None:
    once = seeded(runs=1)
    assert not of_code(once, "repeats")
    rows = [*range(30), 3, 3, 7]
    [found] = of_code(table_from_frame(EIGHT, once.frame.iloc[rows]), "repeats")
    assert found.rows == (30, 31, 32) and not found.grave
    assert found.sentence.startswith(
        "3 of 33 rows repeat a subnet that another row has (rows 31, 32, 33); there are 30 "
        "different subnets, and 3 rows are copies of others in every column."
    )


def test_rows_are_known_again_by_all_of_their_columns() -> None:
    table = seeded()
    assert already_in(table, table).all()
    other = altered(table, "accuracy", [4], 1.001)
    assert np.flatnonzero(~already_in(table, other)).tolist() == [4]
    # A column that the table lacks makes rows new, and an empty one doesn't.
    seed = table_from_frame(EIGHT, table.frame.assign(seed=1))
    assert not already_in(table, seed).any() and already_in(seed, table).all()
    assert already_in(table, table_from_frame(EIGHT, table.frame.assign(seed=np.nan))).all()
    assert not already_in(table.rows(np.zeros(60, dtype=bool)), table).any()


# Contradictions


@pytest.mark.parametrize("subnets", [1, 2, 30])
def test_a_subnet_of_two_values_is_named(subnets: int) -> None:
    single, double = seeded(60, 1, 1), seeded(subnets, 2, 2)
    both = single.with_rows(double.frame.drop(columns="id"))
    assert not of_code(both, "contradictions")
    wrong = altered(both, "accuracy", [60], 0.9)
    [found] = of_code(wrong, "contradictions")
    own = wrong.frame["id"] == wrong.frame["id"][60]
    assert found.rows == tuple(np.flatnonzero(own)) and found.columns == ("accuracy",)
    assert f"most {wrong.frame['id'][60]} (rows " in found.sentence
    assert not findings_of(wrong, metric_of("latency_ms"))


def test_what_standard_errors_allow_is_no_contradiction() -> None:
    table = altered(seeded(), "accuracy", [6], 0.98)
    assert of_code(table, "contradictions")
    frame = table.frame.assign(accuracy_std_error=1.0)
    assert not of_code(table_from_frame(EIGHT, frame), "contradictions")
    frame["accuracy_std_error"] = 0.1
    assert of_code(table_from_frame(EIGHT, frame), "contradictions")


def test_where_rows_of_one_subnet_differ_as_those_of_others_a_column_is_missing() -> None:
    table = seeded(20)
    frame = table.frame.assign(accuracy=np.where(np.arange(40) % 2, 60.0, 90.0))
    [found] = of_code(table_from_frame(EIGHT, frame), "undetermined")
    assert len(found.rows) == 40 and "no column yet, such as the data" in found.sentence


# Choices that one subnet alone has


def test_a_choice_of_one_subnet_is_named_however_often_it_was_measured() -> None:
    space = choice_space({"a": (3, 5, 7), "b": (3, 5), "c": (3, 5)})
    codes = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)] + [[2, 0, 1]] * 2)
    [found] = of_code(table_of(space, codes, macs=np.arange(1.0, 11)), "rare choices")
    assert found.rows == (8,)
    assert found.sentence.startswith("One subnet alone has a = 7 (row 9): what it does rests on")


# Multiples


def test_a_column_that_is_another_one_times_a_constant_is_told() -> None:
    table = seeded()
    for digits in (12, 4):
        frame = table.frame.assign(energy_mj=(7 * table.values("latency_ms")).round(digits))
        [found] = multiples(table_from_frame(EIGHT, frame))
        assert (found.of, found.column, found.constant) == ("latency_ms", "energy_mj", 7)
        assert found.rows == len(table)
        assert found.sentence.startswith("The column energy_mj is 7 times latency_ms in every row")
    same = table_from_frame(
        EIGHT, table.frame.assign(**{"latency_ms:b": table.values("latency_ms")})
    )
    assert "The column latency_ms:b is latency_ms in every" in multiples(same)[0].sentence
    rough = 7 * table.values("latency_ms") * np.random.default_rng(0).normal(1, 0.002, 60)
    assert not multiples(table_from_frame(EIGHT, table.frame.assign(energy_mj=rough)))


# As values


def test_a_finding_is_a_document_and_grave_ones_come_first() -> None:
    table = altered(seeded(), "latency_ms", [3], 1000)
    found = findings(table)
    assert [f.code for f in found] == sorted([f.code for f in found], key=list(CODES).index)
    assert found[0].to_dict() == {
        "code": "mixed units", "sentence": found[0].sentence, "rows": [4],
        "columns": ["latency_ms"], "grave": True,
    }  # fmt: skip


def test_rows_are_called_as_the_user_counts_them() -> None:
    assert Named()([0]) == "row 1" and Named()([0, 4]) == "rows 1, 5"
    lines = Named("line", np.arange(2, 50))
    assert lines(range(7)) == "lines 2, 3, 4, 5, 6 and 2 more"


def test_an_empty_table_has_nothing_to_say() -> None:
    frame = pd.DataFrame({f"k{i}": pd.Series(dtype=int) for i in range(8)})
    assert findings(table_from_frame(EIGHT, frame)) == []
