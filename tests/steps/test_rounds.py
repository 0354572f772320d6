import numpy as np
import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.search.guard import GUARD
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.steps import rounds
from foxnas_core.steps.calibrate import measure_optima, told_by_optima
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.plan import plan_measurements
from foxnas_core.steps.rounds import search_rounds
from foxnas_core.steps.search import cost_front
from foxnas_core.study import open_study

MAIN = ("accuracy", "latency_ms")


def test_rounds_measure_what_they_find_and_fit_anew(measured_study):
    told, said = [], []
    before = measured_study.table()
    columns = ("accuracy", "latency_ms")
    record = search_rounds(
        measured_study, "latency_ms", 2, per_round=3, seed=5, report=told.append,
        finished=lambda done, number: said.append((number, done.sentence(columns))),
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
    assert ROUNDS.text(measured_study.record(ROUNDS)) == ROUNDS.text(record)
    first, second = record.rounds
    assert first.parents["measurements"] == before.fingerprint
    assert second.parents["measurements"] == table.rows(np.arange(46) < 43).fingerprint
    for number, done in enumerate(record.rounds):
        rows = table.frame.iloc[40 + 3 * number : 43 + 3 * number]
        assert [f.architecture.id for f in done.finds] == rows["id"].tolist()
        assert [f.measured["accuracy"] for f in done.finds] == rows["accuracy"].tolist()
        assert done.after["accuracy"].rows == 43 + 3 * number
    # What was predicted was predicted without the finds.
    predictor = fit_all(before, targets=["accuracy"])["accuracy"]
    expected = predictor.predict([f.architecture for f in first.finds])["value"]
    assert [f.predicted["accuracy"].value for f in first.finds] == pytest.approx(expected.tolist())
    # Fits say that such rows are among theirs.
    assert any("6 of 46 rows were found by searching" in w for w in _warnings_of(table))
    assert not any("found by searching" in w for w in _warnings_of(before))
    # Asked for no more, nothing is measured; with another setting, it says so.
    again = search_rounds(measured_study, "latency_ms", 2, seed=5, report=told.append)
    assert ROUNDS.text(again) == ROUNDS.text(record) and len(measured_study.table()) == 46
    with pytest.raises(InvalidInput, match="begun with the seed 5"):
        search_rounds(measured_study, "latency_ms", 3, report=told.append)


def _warnings_of(table):
    return fit_all(table, "foxnas", targets=["latency_ms"])["latency_ms"].warnings


def test_a_round_that_was_stopped_goes_on_with_what_it_planned(measured_study, monkeypatch):
    kept = rounds.measure_subnets

    def interrupted(study, architectures, **options):
        kept(study, architectures[:2], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "measure_subnets", interrupted)
    options = {"per_round": 4, "report": lambda progress: None}
    with pytest.raises(KeyboardInterrupt):
        search_rounds(measured_study, "latency_ms", 1, **options)
    planned = measured_study.record(ROUNDS)
    # Fewer than asked for are planned where a small budget has no more.
    begun = min(2, len(planned.rounds[0].finds))
    assert planned.done == 0 and len(measured_study.table()) == 40 + begun
    monkeypatch.setattr(rounds, "measure_subnets", kept)
    [done] = search_rounds(measured_study, "latency_ms", 1, **options).rounds
    ids = [f.architecture.id for f in planned.rounds[0].finds]
    assert measured_study.table().frame["id"].iloc[40:].tolist() == ids
    assert [f.predicted for f in done.finds] == [f.predicted for f in planned.rounds[0].finds]
    assert all(f.measured for f in done.finds)


def test_rounds_leave_measured_optima_alone(measured_study):
    measure_optima(measured_study, "latency_ms", 4, seed=2, report=print)
    optima = set(measured_study.optima().frame["id"])
    record = search_rounds(
        measured_study, "latency_ms", 1, per_round=4, report=lambda progress: None
    )
    assert not optima & {f.architecture.id for f in record.rounds[0].finds}
    assert not optima & set(measured_study.table().frame["id"])
    plan = plan_measurements(measured_study, "latency_ms", 3)
    assert not optima & set(measured_study.space.ids(plan.batch.codes))


def test_rounds_are_guarded_where_optima_were_measured(measured_study):
    measure_optima(measured_study, "latency_ms", 6, seed=2, report=print)
    record = search_rounds(
        measured_study, "latency_ms", 1, per_round=3, report=lambda progress: None
    )
    assert record.guard == GUARD == measured_study.record(ROUNDS).guard
    fitted = fit_all(
        measured_study.table().rows(np.arange(len(measured_study.table())) < 40), targets=MAIN
    )
    told = told_by_optima(measured_study.table(), measured_study.optima(), fitted, *MAIN)
    least = cost_front(*fitted.values()).costs[0]
    for find in record.rounds[0].finds:
        kept = max(told["latency_ms"].guarded(find.budget, GUARD), min(find.budget, least))
        assert find.predicted["latency_ms"].value <= kept * (1 + 1e-9)


def test_without_weights_no_round_is_planned(studies):
    study = open_study(studies / "demo")
    with pytest.raises(MissingPart, match="no supernet weights"):
        search_rounds(study, "latency_ms", 1, report=print)
    assert study.record(ROUNDS) is None
