"""Cards of all devices, of cells whose truth is known."""

import pytest
from conftest import REPOSITORY
from device_cells import BOARD, SERVER, device_study, device_values
from hand import choice_space

from foxnas_core.cards import (
    coefficients,
    device_choices,
    device_columns,
    devices,
    every_device,
)
from foxnas_core.cards.given import Given
from foxnas_core.study import create_study, open_study

CARDS = (
    every_device.ranks, every_device.moved, every_device.fronts, device_choices.operations,
    device_columns.sums, device_columns.copies,
)  # fmt: skip
NAMES = {"latency_ms:board": "board", "latency_ms:server": "server"}


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Given:
    return Given(device_study(tmp_path_factory.mktemp("devices") / "cells"))


def test_energy_that_is_latency_times_seven_is_a_copy(given):
    card = device_columns.copies.compute(given)
    told = card.table.loc[0, ["column", "of", "constant", "rows"]].tolist()
    assert told == ["energy_mj:board", "latency_ms:board", 7, 150]
    assert "energy_mj:board is 7 times latency_ms:board" in card.points[0]


def test_a_sum_is_told_from_what_is_fused(given):
    card = device_columns.sums.compute(given)
    table = card.table.set_index("device")
    assert table["sum"].to_dict() == {"board": "exact", "server": "no"}
    assert table.loc["board", "rank"] == 25
    assert card.sentence.startswith("Exact sums of what each choice adds, whatever the others are")


def test_orders_are_told_of_costs_and_of_what_is_counted(given):
    table = every_device.ranks.compute(given).table.set_index(["first", "second"])
    assert table.loc[("latency_ms:board", "energy_mj:board"), "tau"] == 1
    fused = table.loc[("latency_ms:board", "latency_ms:server")]
    assert -0.3 < fused["low"] < fused["tau"] < fused["high"] < 0.3
    assert table.loc[("latency_ms:board", "macs"), "tau"] > fused["tau"]


def test_the_best_network_moves_with_a_loss(given):
    card = every_device.moved.compute(given, share=0.25)
    values = device_values(given.table.architectures())
    row = card.table.set_index(["home", "device"]).loc["latency_ms:board", "latency_ms:server"]
    place = given.table.frame["id"].tolist().index(row["id"])
    assert row["gain"] == values["accuracy"][place]
    assert row["cost"] == values["latency_ms:server"][place]
    assert row["extra"] > 0 and "more latency on" in card.sentence
    lost = every_device.moved.compute(given, share=0.25, loss="lost")
    assert "against the best that costs no more there" in lost.sentence


def test_fronts_are_those_of_each_device(given):
    table = every_device.fronts.compute(given).table
    assert set(table["device"]) == set(NAMES)
    for _, own in table.groupby("device"):
        assert own["cost"].is_monotonic_increasing and own["gain"].is_monotonic_increasing


@pytest.mark.parametrize(("device", "costs"), list(zip(NAMES, (BOARD, SERVER), strict=True)))
def test_operations_cost_what_they_were_made_to(given, device, costs):
    table = device_choices.operations.compute(given, device=device).table
    plain = table[~table["place"].isin(["edge_0_1", "edge_1_3"])]
    truth = dict(zip(given.study.space.decisions[0].choices, costs, strict=True))
    for row in plain.to_dict("records"):
        assert row["low"] - 0.05 < truth[row["choice"]] < row["high"] + 0.05
    shown = device_choices.operations.compute(given, device=device_choices.EVERY)
    assert set(shown.table["unit"]) == {"percent"} and len(shown.points) == len(NAMES)
    assert len(shown.figure().data) == len(NAMES)


def test_without_a_quality_macs_stand_in(given, tmp_path):
    table = given.table
    study = create_study(tmp_path / "bare", table.space, name="Bare")
    rows = table.frame[list(NAMES)].to_dict("records")
    study.append(table.architectures(), rows)
    bare = Given(study)
    table = every_device.moved.compute(bare).table
    macs = dict(zip(bare.table.frame["id"], bare.table.values("macs"), strict=True))
    assert (table["gain"] == table["id"].map(macs)).all()


def test_a_whole_table_is_held_against_its_regression(tmp_path):
    space = choice_space({name: (0, 1, 2) for name in "abcd"})
    study = create_study(tmp_path / "whole", space, name="Whole")
    codes = space.option_codes(space.decisions)
    latency = 1 + codes @ [0.1, 0.2, 0.3, 0.4]
    accuracy = 80 + codes @ [1.0, 0.8, 2.0, 1.5]
    accuracy[codes.tolist().index([2, 0, 1, 0])] += 6  # which no regression knows
    study.append(
        space.decode(codes),
        [
            {"accuracy": float(a), "latency_ms": float(ms)}
            for a, ms in zip(accuracy, latency, strict=True)
        ],
    )
    card = device_columns.whole.compute(Given(study))
    missed = card.table[card.table["table"] == space.ids(codes)[codes.tolist().index([2, 0, 1, 0])]]
    assert missed["short"].max() > 5 and (card.table["best"] >= 80).all()
    assert (card.table.loc[card.table["keeps"], "short"] >= 0).all()
    assert "at most" in card.sentence and len(card.figure().data) == 4


def test_each_says_what_a_study_of_one_device_lacks(given, tmp_path):
    study = create_study(tmp_path / "one", given.study.space, name="One")
    cells = given.table.architectures()[:2]
    study.append(cells, [{"latency_ms": 1.0}, {"latency_ms": 2.0}])
    one = Given(study)
    assert "nothing to compare" in every_device.moved.needs(one)
    assert "holds every architecture" in device_columns.whole.needs(one)


def test_two_devices_of_measured_blocks_need_no_fit_and_one_is_told_where_they_are_compared():
    blocks = Given(open_study(REPOSITORY / "data" / "fbnet"))
    assert "shows, at 'What choices cost', each choice" in devices.difference.needs(blocks)
    assert device_choices.operations.needs(blocks) is None
    assert coefficients.averaged(blocks) == ({}, [])
