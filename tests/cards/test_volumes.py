"""Cards of networks for volumes, on a study whose truth is known."""

import numpy as np
import pytest
from volume_study import volume_study

from foxnas_core.cards import mixtures, volumes
from foxnas_core.cards.given import Given
from foxnas_core.evidence.cases import paired_gain
from foxnas_core.evidence.operations import decided, weights_words
from foxnas_core.families.volumetric.space import uniform


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    return Given(volume_study(tmp_path_factory.mktemp("made") / "balls"))


def test_a_regression_tells_what_depth_brings_in_each_cell(given):
    table = given.averages("dice").table.set_index(["decision", "choice"])
    for cell, factor in (("cell1", 1), ("cell2", 2), ("cell3", 1)):
        for choice, gain in (("P3D", 0.02), ("3D", 0.03)):
            assert table.loc[(cell, choice), "effect"] == pytest.approx(gain * factor, abs=0.002)


def test_networks_are_laid_beside_uniform_ones(given):
    networks = volumes.networks_of(given)
    assert networks["3D everywhere"] == uniform(given.study.space, "3D")
    assert list(networks)[:3] == ["2D everywhere", "P3D everywhere", "3D everywhere"]
    table = volumes.reach.compute(given).table
    assert table["slices seen"].tolist()[:3] == [1, 6, 6] and set(table["of"]) == {6}
    table = volumes.lines_to_beat.compute(given).table.set_index("network")
    assert table.loc["2D everywhere", "dice"] == pytest.approx(0.7, abs=0.005)
    assert table.loc["3D everywhere", "latency_ms"] == pytest.approx(3.6, abs=0.05)


def test_a_network_is_no_better_than_itself_on_any_case(given):
    card = volumes.paired.compute(given, one="3D everywhere", other="3D everywhere")
    assert "can't be told apart" in card.sentence and not card.table["difference"].any()
    slices = volumes.slices.compute(given, one="2D everywhere", place=2)
    assert "slice 3 of 6" in slices.sentence and len(slices.table) == 8 * 4
    assert len(slices.figure().data) >= 3 and mixtures.by_each_edge.compute(given).figure()


def test_paired_gains_by_hand():
    gain = paired_gain(np.array([3.0, 1.0, 5.0]), np.ones(3))
    # Differences 2, 0, 4: mean 2, standard deviation 2, t of two degrees of freedom 4.303.
    assert (gain.mean, gain.worst, gain.told_apart) == (2, 1, False)
    assert gain.high - gain.mean == pytest.approx(4.3027 * 2 / np.sqrt(3), rel=1e-4)


def test_an_edge_is_decided_where_one_operation_outweighs_all_others():
    assert decided({"2D": 0.2, "3D": 0.8}) == "3D" and decided({"2D": 0.5, "3D": 0.5}) is None
    assert weights_words({"2D": 0.34, "P3D": 0.33, "3D": 0.33}) == "undecided: .34 .33 .33"
