import pytest

from foxnas_core import trusting
from foxnas_core.trust.pairs import TrustSettings, spread_sample

SETTINGS = TrustSettings(2, 1)


@pytest.fixture(autouse=True)
def stripes_for_data(monkeypatch, tiny_dataset):
    monkeypatch.setattr(trusting, "load_dataset", lambda path, **shape: tiny_dataset)


def test_every_sampled_subnet_gets_a_pair(tiny_study):
    told = []
    record = trusting.measure_trust(tiny_study, SETTINGS, count=3, seed=1, report=told.append)
    assert record.ids == {a.id for a in spread_sample(tiny_study.space, 3, seed=1)}
    assert record == tiny_study.trust()
    assert told[-1].pairs == told[-1].total_pairs == 3
    assert told[-1].seconds_left == 0
    print(tiny_study.trust_file.read_text(), list(tiny_study.folder.rglob("*")))
