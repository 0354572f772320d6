"""Claims that are stated, kept, measured and judged."""

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
from trials import claim_of, trial_of

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.verification.claims import CLAIMS, FitRecord, Trials
from foxnas_core.evidence.verification.edits import random_edits
from foxnas_core.evidence.verification.judging import claims_on, wilson
from foxnas_core.evidence.verification.scoreboard import scoreboard
from foxnas_core.regression import fit
from foxnas_core.steps import verify
from foxnas_core.steps.claims import current_trials
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import create_study, open_study
from foxnas_core.table import latency_verdicts

TARGETS = ("accuracy", "accuracy:int8", "latency_ms", "latency_ms:int8")


@pytest.fixture
def pair(measured_study):
    """An edit of a subnet, neither of which is in the table."""
    taken = set(measured_study.table().frame["id"])
    pairs = random_edits(measured_study.space, 30, seed=7)
    return next(p for p in pairs if not {a.id for a in p} & taken)


def test_an_edit_is_stated_measured_judged_and_kept(measured_study, pair):
    before = measured_study.table()
    told = []
    trial = verify.verify(measured_study, pair, report=told.append)
    assert measured_study.record(CLAIMS).trials == (trial,) and trial.done
    assert {(c.kind, c.target) for c in trial.claims} == {
        (kind, target) for kind in ("value", "difference") for target in TARGETS
    }
    assert trial.parents["measurements"] == before.fingerprint and trial.left_out == 0
    predictors = fit_all(before, targets=TARGETS)
    for claim in trial.claims:
        assert claim.fit.table == before.fingerprint
        assert claim in claims_on(predictors[claim.target], pair, level=0.95)

    # Both rows are in the table, and the verdicts are of what these rows say.
    table = measured_study.table()
    assert len(table) == len(before) + 2
    rows = table.frame.set_index("id").loc[[a.id for a in pair]]
    assert table.of_origin("verify").tolist() == [False] * len(before) + [True] * 2
    for claim, verdict in trial.judged:
        old, new = rows[claim.target]
        assert verdict.measured == pytest.approx(new if claim.kind == "value" else new - old)
        if claim.kind == "value" and claim.target == "accuracy":
            right = round(new / 100 * 300)
            ends = wilson(right, 300)
            assert (verdict.low, verdict.high) == pytest.approx([100 * end for end in ends])
    assert trial.circumstances.images == trial.circumstances.held_out == 300
    assert trial.circumstances.rows == 2
    assert told[0].stage.startswith("Fitting") and (told[-1].done, told[-1].total) == (1, 1)


def test_a_claim_is_of_fits_that_have_not_seen_its_subnets(measured_study, monkeypatch):
    table = measured_study.table()
    one = table.architectures()[0]
    trial = verify.verify(measured_study, [one])
    others = table.rows((table.frame["id"] != one.id).to_numpy())
    assert trial.left_out == len(table) - len(others) > 0
    [accuracy] = [c for c in trial.claims if c.target == "accuracy"]
    assert accuracy.fit == FitRecord.of(fit(others, "accuracy"))
    assert accuracy.fit != FitRecord.of(fit(table, "accuracy"))
    # Fits are kept, each under the rows that it reads.
    monkeypatch.setattr("foxnas_core.steps.fit._fit_or_transfer", lambda *asked: pytest.fail())
    again = verify.verify(measured_study, [one])
    assert again.left_out > trial.left_out
    assert [claim.fit for claim in again.claims] == [claim.fit for claim in trial.claims]


def test_fewer_images_leave_the_table_as_it_was(measured_study, pair):
    before = measured_study.table_file.read_bytes()
    trial = verify.verify(measured_study, pair, images=120)
    assert measured_study.table_file.read_bytes() == before
    assert trial.circumstances.images == 120 and trial.circumstances.rows == 0
    for claim, verdict in trial.judged:
        wider = verdict.judged_high - verdict.judged_low > claim.high - claim.low
        assert wider == (claim.target.startswith("accuracy") or claim.kind == "difference")


@pytest.mark.parametrize("images", [99, 301])
def test_images_that_are_too_few_or_not_there_are_refused(measured_study, pair, images):
    with pytest.raises(InvalidInput, match="take 100 to all 300"):
        verify.verify(measured_study, pair, images=images)
    assert not measured_study.file(CLAIMS).exists()


def test_what_was_found_in_several_ways_is_measured_each_alone(measured_study, pair):
    finds = dict(zip(("regression", "trees"), pair, strict=True))
    trials = verify.verify_finds(measured_study, finds, images=120)
    assert [(t.chosen, t.subnets, t.done) for t in trials] == [
        (way, (find,), True) for way, find in finds.items()
    ]
    assert len({c.fit for t in trials for c in t.claims if c.target == "accuracy"}) == 1
    assert set(scoreboard(trials).table["chosen"]) == {*finds}


def test_the_same_subnet_twice_is_no_edit(measured_study, pair):
    with pytest.raises(InvalidInput, match="no difference"):
        verify.verify(measured_study, [pair[0], pair[0]])


def test_random_trials_are_of_the_seed_and_go_on_where_they_were(measured_study, monkeypatch):
    asked = []
    done = []

    def stop():
        return len(done) >= 1

    def report(progress):
        done.extend([1] * (progress.done - len(done)))

    first = verify.verify_random(measured_study, 3, seed=5, report=report, stop=stop)
    assert [t.done for t in first] == [True, False, False]
    # All claims were kept before the first was measured, by one fit.
    assert [t.id for t in measured_study.record(CLAIMS).trials] == [t.id for t in first]
    assert len({c.fit for t in first for c in t.claims if c.target == "accuracy"}) == 1
    assert [t.subnets for t in first] == random_edits(measured_study.space, 3, seed=5)

    stated = verify._blind
    monkeypatch.setattr(verify, "_blind", lambda *a: asked.append(1) or stated(*a))
    again = verify.verify_random(measured_study, 3, seed=5)
    assert not asked, "what was stated before stands"
    assert all(t.done for t in again) and again[0] == first[0]
    assert [t.claims for t in again] == [t.claims for t in first]
    assert len(measured_study.record(CLAIMS).trials) == 3
    more = verify.verify_random(measured_study, 4, seed=5)
    assert more[:3] == again and asked
    rows = int(measured_study.table().of_origin("verify").sum())
    assert rows == 8
    board = scoreboard(current_trials(measured_study))
    assert board.table["tested"].add(board.table["not counted"]).tolist() == [4] * 8


def test_a_stop_between_scoring_and_timing_keeps_the_claims_alone(measured_study, pair):
    stages = []
    trial = verify.verify(
        measured_study,
        pair,
        report=lambda progress: stages.append(progress.stage),
        stop=lambda: "Scoring and timing" in stages,
    )
    assert not trial.done and measured_study.record(CLAIMS).trials == (trial,)
    assert not measured_study.table().of_origin("verify").any()
    # The same subnets again: the claims that were stated stand.
    after = verify.verify(measured_study, pair)
    assert after.done and (after.id, after.claims) == (trial.id, trial.claims)


def elsewhere(study, device="a tablet"):
    """The study's table as if another device had measured it."""

    def change(table):
        campaigns = table.record["campaigns"]
        named = {name: how | {"device": device} for name, how in campaigns.items()}
        return replace(table, record={**table.record, "campaigns": named})

    study.amend(change)


def test_latencies_of_another_device_neither_count_nor_join_the_table(measured_study, pair):
    elsewhere(measured_study)
    trial = verify.verify(measured_study, pair)
    for claim, verdict in trial.judged:
        assert bool(verdict.reason) == claim.target.startswith("latency")
        if verdict.reason:
            assert "the table's are of a tablet" in verdict.reason
    new = measured_study.table().frame.iloc[-2:]
    assert new["accuracy"].notna().all() and new["latency_ms"].isna().all()
    assert not any(new[c].notna().any() for c in new if "latency_ms" in c)


def test_a_table_that_does_not_say_its_device_counts_no_latency(measured_study, pair):
    measured_study.amend(lambda table: replace(table, record={}))
    trial = verify.verify(measured_study, pair)
    reasons = {v.reason for c, v in trial.judged if c.target == "latency_ms"}
    assert len(reasons) == 1 and "a machine that the table does not name" in reasons.pop()


def test_a_latency_that_fails_its_checks_does_not_count(measured_study, pair, monkeypatch):
    # The rows that are there have fixed numbers; what is measured now has some spread.
    monkeypatch.setattr(latency_verdicts, "MOST_SPREAD", 0.0)
    trial = verify.verify(measured_study, pair)
    for claim, verdict in trial.judged:
        if claim.target.startswith("latency"):
            assert "the rounds differ by more than" in verdict.reason
        else:
            assert not verdict.reason


def test_what_is_missing_is_one_sentence_and_nothing_is_claimed(
    measured_study, pair, tiny_space, tmp_path
):
    empty = create_study(tmp_path / "empty", tiny_space, name="Empty")
    with pytest.raises(MissingPart, match="no supernet weights"):
        verify.verify(empty, pair)
    measured_study.images_file.rename(tmp_path / "images.npz")
    with pytest.raises(MissingPart, match="no images"):
        verify.verify(measured_study, pair)
    (tmp_path / "images.npz").rename(measured_study.images_file)
    measured_study.table_file.unlink()
    with pytest.raises(MissingPart, match="no other measured subnets"):
        verify.verify_random(measured_study, 1, seed=0)
    assert not measured_study.file(CLAIMS).exists()


def test_too_few_rows_say_how_many_are_wanted(tiny_study, tiny_rows, pair):
    rows, circumstances = tiny_rows
    few = rows[:4]
    study = create_study(tiny_study.folder.parent / "few", tiny_study.space, name="Few")
    for name in ("supernet.safetensors", "images.npz"):
        (study.folder / name).write_bytes((tiny_study.folder / name).read_bytes())
    study.append([r.architecture for r in few], [r.values for r in few], circumstances)
    with pytest.raises(
        InvalidInput, match="4 rows with top-1 accuracy are too few .*measure 14 subnets more"
    ):
        verify.verify(study, pair)


def test_trials_of_other_weights_are_set_aside(measured_study):
    own = verify.file_hash(measured_study.checkpoint_file)
    space = measured_study.space
    trials = (
        trial_of(space, "old", [claim_of()], [80.0]),
        trial_of(space, "new", [claim_of()], [80.0], checkpoint=own),
    )
    measured_study.save(CLAIMS, Trials(trials))
    assert [t.id for t in current_trials(measured_study)] == ["new"]
    measured_study.checkpoint_file.unlink()
    assert [t.id for t in current_trials(measured_study)] == ["old", "new"]


def _verify_one(arguments):
    folder, seed = arguments
    return verify.verify_random(open_study(folder), 1, seed=seed)[0].done


def test_two_processes_that_verify_at_once_lose_nothing(measured_study):
    # Forked, so that they need not import everything once more.
    with multiprocessing.get_context("fork").Pool(2) as pool:
        seeds = [(measured_study.folder, seed) for seed in (1, 2)]
        assert pool.map_async(_verify_one, seeds).get(300) == [True, True]
    assert {t.seed for t in measured_study.record(CLAIMS).trials if t.done} == {1, 2}
    assert np.sum(measured_study.table().of_origin("verify")) == 4


def test_what_others_hold_is_held_while_latencies_are_timed_and_no_longer(measured_study, pair):
    held, scored = [], []

    class Lock:
        def __enter__(self):
            held.append(len(scored))

        def __exit__(self, *error):
            held.append("free")

    def report(progress):
        if progress.stage == "Scoring and timing":
            scored.append(len(held))

    verify.verify(measured_study, pair, report=report, alone=Lock())
    # For the reference, then once both precisions of both subnets are scored.
    assert held == [0, "free", 4, "free"] and set(scored) == {2}
