from dataclasses import replace

import numpy as np
import pytest
from conftest import tiny_document
from trust_pairs import pairs_of

from foxnas_core.evidence.trust.agreement import ALL, WITHIN
from foxnas_core.evidence.trust.noise import training_noise
from foxnas_core.evidence.trust.report import report_document, trust_report
from foxnas_core.families import space_from_dict
from foxnas_core.tasks.task import Score

SPACE = space_from_dict(tiny_document())


def repeated(alone, again, inherited=None):
    """Pairs of which the first are trained again."""
    pairs = pairs_of(SPACE, inherited or alone, alone)
    scores = [(Score(float(value), 0.1),) for value in again]
    return [replace(p, again=s) for p, s in zip(pairs, scores, strict=False)] + pairs[len(again) :]


def noise_of(pairs, **options):
    every = ~np.eye(len(pairs), dtype=bool)
    return training_noise(pairs, {ALL: every}, seed=0, draws=300, **options)


def test_without_a_second_seed_nobody_knows():
    pairs = pairs_of(SPACE, [1, 2, 3], [1, 2, 3])
    assert noise_of(pairs) is None
    report = trust_report(pairs, seed=0, resamples=20)
    assert report.noise_sentence() == "" and report_document(report)["noise_of_training"] is None


def test_the_deviation_is_pooled_over_subnets():
    noise = noise_of(repeated([80, 84, 90, 70], [81, 82]))
    assert noise.subnets == 2
    assert noise.std == pytest.approx(np.sqrt((0.5 + 2.0) / 2))
    assert noise.low < noise.std < noise.high
    # Of two normal draws the interval is wide: chi-squared with two degrees of freedom.
    assert noise.high == pytest.approx(np.sqrt(2.5 / 0.0506), rel=1e-2)


def test_luck_lowers_what_tau_can_be():
    alone = list(range(70, 94, 2))
    same, little, much = (
        noise_of(repeated(alone, [alone[0] + gap, alone[1] + gap])) for gap in (0, 1, 6)
    )
    assert same.ceilings[ALL] == (1, 1, 1)
    assert 1 > little.ceilings[ALL][0] > 0.8 > much.ceilings[ALL][0]
    # Nothing but luck leaves no order that anything could have.
    assert ALL not in noise_of(repeated(alone, [99, 20])).ceilings
    low, high = much.ceilings[ALL][1:]
    assert low < much.ceilings[ALL][0] < high


def test_the_report_says_what_luck_leaves_of_the_order():
    report = trust_report(repeated([80, 90, 82, 92, 84, 94], [81, 92]), seed=0, resamples=20)
    assert set(report.noise.ceilings) == {ALL, WITHIN}
    said = report.noise_sentence()
    assert said.startswith("Trained by another seed") and "1.12 points (2 subnets)" in said
    assert "tau at 0." in said and "within resolutions at 0." in said
    document = report_document(report)["noise_of_training"]
    assert document["subnets"] == 2 and set(document["tau_at_most"]) == {ALL, WITHIN}
