import numpy as np
import pytest
import torch
from conftest import DEMO
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput, MissingPart, NotWritable
from foxnas_core.regression import fit
from foxnas_core.steps import workflow
from foxnas_core.study.locks import is_in_use
from foxnas_core.study.storage import create_study, open_study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import table_from_frame


def test_the_plan_leaves_out_what_is_measured_and_depends_on_the_seed_alone(measured_study):
    space = measured_study.space
    assert workflow.not_yet_measured(measured_study, 40, seed=0) == []
    assert workflow.not_yet_measured(measured_study, 43, seed=0) == space.sample(43, seed=0)[40:]


def test_measured_rows_are_appended_with_their_origin(tiny_study):
    architectures = tiny_study.space.sample(2, seed=3)
    reports = []
    measured = workflow.measure(tiny_study, architectures, seed=3, report=reports.append)
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
    workflow.measure(measured_study, measured_study.space.sample(1, seed=8), seed=8, report=print)
    campaigns = measured_study.table().record["campaigns"].values()
    assert len(campaigns) == 2
    assert len({c["reference_baseline_ms"] for c in campaigns}) == 1


def test_measuring_the_same_subnet_again_agrees(measured_study):
    """Accuracy is deterministic: the same weights, images and recalibration."""
    table = measured_study.table()
    architecture = table.architectures()[0]
    again = workflow.measure(measured_study, [architecture], seed=1, report=print)[0]
    assert again.values["accuracy"] == table.values("accuracy")[0]
    assert again.values["macs"] == table.values("macs")[0]


def test_every_target_gets_a_predictor(measured_study):
    predictors = workflow.fit_all(measured_study.table())
    assert list(predictors) == [t.column for t in measured_study.table().targets]
    # MACs follow from the architecture alone, so that the block-state form has no error.
    assert predictors["macs"].cv.r2 > 0.9


def test_what_cannot_be_fitted_is_a_sentence_and_stops_nothing_else():
    space = hand_space()
    table = noisy_table(space, 40)
    same = table_of(space, table.codes, accuracy=table.values("accuracy"), latency_ms=np.ones(40))
    found, sentences = workflow.fit_each(same.targets, lambda column: fit(same, column))
    assert list(found) == ["accuracy"]
    [said] = sentences
    assert said.startswith("Latency: ") and "same latency_ms" in said


def test_a_table_that_was_begun_without_int8_accuracy_goes_on(measured_study):
    table = measured_study.table()
    int8 = ["accuracy:int8", "accuracy_drop:int8"]
    frame = table.frame.copy()
    frame.loc[frame.index >= 3, int8] = np.nan
    older = table_from_frame(table.space, frame)
    assert set(workflow.fit_all(older)) == {t.column for t in table.targets} - set(int8)
    with pytest.raises(InvalidInput, match="3 have accuracy_drop:int8"):
        workflow.fit_all(older, targets=["accuracy_drop:int8"])


def test_nothing_measured_is_one_sentence(tiny_study):
    with pytest.raises(MissingPart, match="no measured subnets"):
        workflow.fit_all(tiny_study.table())


def test_measuring_runs_on_one_thread(tiny_study):
    torch.set_num_threads(2)
    workflow.measure(tiny_study, [tiny_study.space.extreme("smallest")], seed=0, report=print)
    assert torch.get_num_threads() == 1


def demo_with(rows: int):
    """The demo's table with the int8 latency of its first rows only."""
    table = open_study(DEMO).table()
    int8 = np.where(np.arange(len(table.frame)) < rows, table.values("latency_ms:int8"), np.nan)
    frame = table.frame.assign(**{"latency_ms:int8": int8})
    return table_from_frame(table.space, frame, holes=True)


@pytest.mark.parametrize(
    ("rows", "form", "calibrated"),
    [(15, "auto", True), (59, "auto", True), (200, "auto", False), (59, "foxnas", False)],
)
def test_a_latency_with_too_few_rows_is_calibrated(rows, form, calibrated):
    table = demo_with(rows)
    predictor = workflow.predictor_or_transfer(table, "latency_ms:int8", form, "none")
    read = int(usable(table, "latency_ms:int8").sum())
    assert 0.9 * rows <= read <= rows
    assert (predictor.df == read - 2) if calibrated else (predictor.df is None)
    assert predictor.rows == read
    assert predictor.left_out == rows - read
    assert any("is calibrated" in w for w in predictor.warnings) == calibrated


def test_a_memory_that_few_rows_have_keeps_nothing_else_from_being_fitted():
    table = open_study(DEMO).table()
    rows = np.arange(len(table.frame))
    memory = np.where(rows < 30, 1000.0 + rows, np.nan)
    frame = table.frame.assign(memory_kib=memory)
    found = workflow.fit_all(table_from_frame(table.space, frame, holes=True), "stage_counts")
    assert set(found) == {t.column for t in table.targets}
    everywhere = table.frame.assign(memory_kib=1000.0 + table.values("parameters"))
    found = workflow.fit_all(
        table_from_frame(table.space, everywhere), "stage_counts", targets=["memory_kib"]
    )
    assert found["memory_kib"].rows == len(table.frame)


def test_a_calibrated_latency_can_be_searched_exactly():
    from foxnas_core.search.exact import front
    from foxnas_core.search.problem import Limit, SearchProblem

    table = demo_with(15)
    fitted = workflow.fit_all(table, targets=["accuracy", "latency_ms", "latency_ms:int8"])
    accuracy, source, new = fitted.values()
    found, of_source = (front(SearchProblem(accuracy, (Limit(p, 0.0),))) for p in (new, source))
    # Scaled, the front is the source's at scaled budgets.
    slope = (found.costs[-1] - found.costs[0]) / (of_source.costs[-1] - of_source.costs[0])
    budget = float(of_source.costs[len(of_source.costs) // 2])
    scaled = found.costs[0] + slope * (budget - of_source.costs[0])
    best = found.within(float(scaled) * (1 + 1e-9))
    assert best.architecture == of_source.within(budget).architecture


def test_too_few_rows_to_calibrate_are_too_few_to_fit():
    from foxnas_core.errors import InvalidInput

    with pytest.raises(InvalidInput, match="only 4 have latency_ms:int8"):
        workflow.predictor_or_transfer(demo_with(4), "latency_ms:int8")


# Rounds of search and measurement


def test_rounds_measure_what_they_find_and_fit_anew(measured_study):
    told, said = [], []
    before = measured_study.table()
    record = workflow.search_rounds(
        measured_study, "latency_ms", 2, per_round=3, seed=5, report=told.append,
        finished=lambda done, number: said.append((number, done.sentence("latency_ms"))),
    )  # fmt: skip
    table = measured_study.table()
    assert len(table) == len(before) + 6 and not table.frame["id"].duplicated().any()
    assert table.frame["id"].iloc[:40].tolist() == before.frame["id"].tolist()
    assert table.of_origin("search").tolist() == [False] * 40 + [True] * 6
    origins = [table.record["campaigns"][c] for c in table.frame["campaign"].iloc[40:]]
    assert [o["round"] for o in origins] == [1, 1, 1, 2, 2, 2]
    assert table.frame["campaign"].iloc[40].startswith("search-1-")
    assert (table.frame["measuring_seconds"].iloc[40:] > 0).all()
    assert (told[-1].done, told[-1].total) == (6, 6) and [n for n, _ in said] == [1, 2]
    # The record on disk is the one returned, and holds the measured numbers.
    assert measured_study.rounds().to_dict() == record.to_dict()
    first, second = record.rounds
    assert first.parents["measurements"] == before.fingerprint
    assert second.parents["measurements"] == table.rows(np.arange(46) < 43).fingerprint
    for number, done in enumerate(record.rounds):
        rows = table.frame.iloc[40 + 3 * number : 43 + 3 * number]
        assert [f.architecture.id for f in done.finds] == rows["id"].tolist()
        assert [f.measured["accuracy"] for f in done.finds] == rows["accuracy"].tolist()
        assert done.after["accuracy"].rows == 43 + 3 * number
    # What was predicted was predicted without the finds.
    predictor = workflow.fit_all(before, targets=["accuracy"])["accuracy"]
    expected = predictor.predict([f.architecture for f in first.finds])["value"]
    assert [f.predicted["accuracy"].value for f in first.finds] == pytest.approx(expected.tolist())
    # Fits say that such rows are among theirs.
    assert any("6 of 46 rows were found by searching" in w for w in _warnings_of(table))
    assert not any("found by searching" in w for w in _warnings_of(before))
    # Asked for no more, nothing is measured; with another setting, it says so.
    again = workflow.search_rounds(measured_study, "latency_ms", 2, seed=5, report=told.append)
    assert again.to_dict() == record.to_dict() and len(measured_study.table()) == 46
    with pytest.raises(InvalidInput, match="begun with the seed 5"):
        workflow.search_rounds(measured_study, "latency_ms", 3, report=told.append)


def _warnings_of(table):
    return workflow.fit_all(table, "foxnas", targets=["latency_ms"])["latency_ms"].warnings


def test_a_round_that_was_stopped_goes_on_with_what_it_planned(measured_study, monkeypatch):
    kept = workflow.measure

    def interrupted(study, architectures, **options):
        kept(study, architectures[:2], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(workflow, "measure", interrupted)
    options = {"per_round": 4, "report": lambda progress: None}
    with pytest.raises(KeyboardInterrupt):
        workflow.search_rounds(measured_study, "latency_ms", 1, **options)
    planned = measured_study.rounds()
    assert planned.done == 0 and len(measured_study.table()) == 42
    monkeypatch.setattr(workflow, "measure", kept)
    [done] = workflow.search_rounds(measured_study, "latency_ms", 1, **options).rounds
    ids = [f.architecture.id for f in planned.rounds[0].finds]
    assert measured_study.table().frame["id"].iloc[40:].tolist() == ids
    assert [f.predicted for f in done.finds] == [f.predicted for f in planned.rounds[0].finds]
    assert all(f.measured for f in done.finds)


def test_rounds_leave_measured_optima_alone(measured_study):
    workflow.measure_optima(measured_study, "latency_ms", 4, seed=2, report=print)
    optima = set(measured_study.optima().frame["id"])
    record = workflow.search_rounds(
        measured_study, "latency_ms", 1, per_round=4, report=lambda progress: None
    )
    assert not optima & {f.architecture.id for f in record.rounds[0].finds}
    assert not optima & set(measured_study.table().frame["id"])
    plan = workflow.plan_measurements(measured_study, "latency_ms", 3)
    assert not optima & set(measured_study.space.ids(plan.batch.codes))


def test_without_weights_no_round_is_planned(studies):
    study = open_study(studies / "demo")
    with pytest.raises(MissingPart, match="no supernet weights"):
        workflow.search_rounds(study, "latency_ms", 1, report=print)
    assert study.rounds() is None


def test_a_campaign_that_could_keep_nothing_measures_nothing(tiny_study, monkeypatch):
    from foxnas_core.measurement import campaign

    def never(*_, **__):
        raise AssertionError("it was measured")

    monkeypatch.setattr(campaign, "standard_meters", never)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    with pytest.raises(NotWritable, match="read-only"):
        workflow.measure(
            tiny_study, tiny_study.space.sample(1, seed=0), seed=0, report=lambda progress: None
        )


def test_a_study_stays_where_it_is_while_a_campaign_measures(tiny_study, monkeypatch):
    from foxnas_core.measurement import campaign

    seen = []

    def look(*_, **__):
        seen.append(is_in_use(tiny_study.folder))

    monkeypatch.setattr(campaign, "standard_meters", look)
    monkeypatch.setattr(campaign, "run_campaign", look)
    workflow.measure(
        tiny_study, tiny_study.space.sample(1, seed=0), seed=0, report=lambda progress: None
    )
    assert seen == [True, True] and not is_in_use(tiny_study.folder)


def test_what_processes_can_not_share_is_refused(tiny_study):
    [architecture] = tiny_study.space.sample(1, seed=0)
    with pytest.raises(InvalidInput, match="leave --workers out"):
        workflow.measure(tiny_study, [architecture], seed=0, report=print, energy=True, workers=2)
    assert not len(tiny_study.table())


def test_layers_need_no_weights_where_the_space_says_what_it_builds(tiny_study, tmp_path):
    space = tiny_study.space
    bare = create_study(tmp_path / "bare", space, name="Bare")
    for which in ("smallest", "largest"):
        one = space.extreme(which)
        assert workflow.subnet_layers(bare, one) == workflow.subnet_layers(tiny_study, one)
    with pytest.raises(MissingPart, match="no supernet weights"):
        workflow.profile_subnet(bare, space.extreme("smallest"))


def test_layers_of_listed_decisions_are_not_guessed(cells):
    with pytest.raises(MissingPart, match="without saying what network they make"):
        workflow.subnet_layers(cells, cells.space.extreme("largest"))


def test_a_profile_is_of_one_of_the_precisions(tiny_study):
    with pytest.raises(InvalidInput, match="'int4' is no precision; choose fp32 or int8"):
        workflow.profile_subnet(tiny_study, tiny_study.space.extreme("smallest"), "int4")


def test_devices_are_those_that_measured_the_column(measured_study):
    table = measured_study.table()
    [campaign] = table.record["campaigns"].values()
    assert workflow.devices_of(table, "latency_ms:int8") == [campaign["device"]]
    assert workflow.devices_of(table, "latency_ms:phone") == []
