"""The card of networks trained alone, of a record whose truth is known."""

import numpy as np
import pytest
from volume_study import SPACE

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.evidence.judged import JUDGED, JudgedNetwork, JudgedRecord
from foxnas_core.families import family_of
from foxnas_core.study import create_study
from foxnas_core.tasks.task import Score

CASES = 20
LEVELS = {"2D everywhere": -0.05, "P3D everywhere": 0.0, "3D everywhere": 0.0}


def network(seed: int, choice: str, text: str, level: float) -> JudgedNetwork:
    """Case by case .8 and so much more, with noise of its own."""
    rng = np.random.default_rng([seed, len(choice)])
    cases = 0.8 + level + 0.01 * rng.normal(0, 1, CASES)
    score = Score(float(cases.mean()), float(cases.std() / np.sqrt(CASES)))
    own = family_of(SPACE).read(SPACE, text)
    return JudgedNetwork(seed, choice, own, text, score, 1.0, cases=tuple(map(float, cases)))


@pytest.fixture
def given(tmp_path):
    networks = [
        network(seed, choice, ",".join([choice.split()[0]] * 3), level)
        for seed in (1, 2, 3)
        for choice, level in LEVELS.items()
    ]
    networks += [network(seed, "magnitude", "2D,P3D,3D", 0.0) for seed in (1, 2, 3)]
    record = JudgedRecord(
        {"space": SPACE.fingerprint, "checkpoint": ""}, "dice", "balls", 8, CASES, {"epochs": 5},
        "a processor", "2", networks=tuple(networks),
    )  # fmt: skip
    study = create_study(tmp_path / "balls", SPACE, name="Balls")
    study.save(JUDGED, record)
    assert study.record(JUDGED) == record
    return Given(study)


def test_a_selection_is_held_against_each_other_network_case_by_case(given):
    card = analysis_of("select-judged").compute(given)
    assert "better than 2D everywhere; not told apart from P3D everywhere, 3D everywhere" in (
        card.sentence
    )
    sizes = card.table.groupby("chosen")["parameters"].first()
    assert sizes["2D everywhere"] < sizes["magnitude"] < sizes["3D everywhere"]
    [flat] = [point for point in card.points if "2D everywhere" in point]
    assert "over 20 cases; seed by seed: " in flat and len(card.table) == 12
    assert len(card.figure().data) == 3
