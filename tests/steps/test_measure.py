import pytest
import torch

from foxnas_core.errors import InvalidInput, NotWritable
from foxnas_core.steps.measure import measure_subnets
from foxnas_core.study.locks import is_in_use


def test_measured_rows_are_appended_with_their_origin(tiny_study):
    architectures = tiny_study.space.sample(2, seed=3)
    reports = []
    measured = measure_subnets(tiny_study, architectures, seed=3, report=reports.append)
    table = tiny_study.table()
    assert table.architectures() == architectures == [m.architecture for m in measured]
    assert [t.column for t in table.targets] == [
        "accuracy", "cross_entropy", "accuracy:int8", "accuracy_drop:int8", "parameters", "macs",
        "latency_ms", "latency_ms:int8",
    ]  # fmt: skip
    [circumstances] = table.record["campaigns"].values()
    assert len(circumstances["checkpoint"]) == 12
    assert circumstances["held_out_images"] == 300
    assert reports[-1].done == 2


def test_a_later_campaign_is_held_to_the_first_ones_baseline(measured_study):
    measure_subnets(measured_study, measured_study.space.sample(1, seed=8), seed=8, report=print)
    campaigns = measured_study.table().record["campaigns"].values()
    assert len(campaigns) == 2
    assert len({c["reference_baseline_ms"] for c in campaigns}) == 1


def test_measuring_the_same_subnet_again_agrees(measured_study):
    """Accuracy is deterministic: the same weights, images and recalibration."""
    table = measured_study.table()
    architecture = table.architectures()[0]
    first, again = (
        measure_subnets(measured_study, [architecture], seed=seed, report=print)[0].values
        for seed in (1, 2)
    )
    for column in ("accuracy", "accuracy:int8", "cross_entropy"):
        assert first[column] == again[column]
    assert first["macs"] == again["macs"] == table.values("macs")[0]


def test_measuring_runs_on_one_thread(tiny_study):
    torch.set_num_threads(2)
    measure_subnets(tiny_study, [tiny_study.space.extreme("smallest")], seed=0, report=print)
    assert torch.get_num_threads() == 1


def test_a_campaign_that_could_keep_nothing_measures_nothing(tiny_study, monkeypatch):
    from foxnas_core.measurement import campaign

    def never(*_, **__):
        raise AssertionError("it was measured")

    monkeypatch.setattr(campaign, "device_meters", never)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    with pytest.raises(NotWritable, match="read-only"):
        measure_subnets(
            tiny_study, tiny_study.space.sample(1, seed=0), seed=0, report=lambda progress: None
        )


def test_a_study_stays_where_it_is_while_a_campaign_measures(tiny_study, monkeypatch):
    from foxnas_core.measurement import campaign

    seen = []

    def look(*_, **__):
        seen.append(is_in_use(tiny_study.folder))
        return []

    monkeypatch.setattr(campaign, "device_meters", look)
    monkeypatch.setattr(campaign, "run_campaign", look)
    measure_subnets(
        tiny_study, tiny_study.space.sample(1, seed=0), seed=0, report=lambda progress: None
    )
    assert seen == [True, True] and not is_in_use(tiny_study.folder)


def test_what_processes_can_not_share_is_refused(tiny_study):
    [architecture] = tiny_study.space.sample(1, seed=0)
    with pytest.raises(InvalidInput, match="leave --workers out"):
        measure_subnets(tiny_study, [architecture], seed=0, report=print, energy=True, workers=2)
    assert not len(tiny_study.table())
