from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table
from reports import SPACE, TABLE, fitted, measure_optima, study_of

from foxnas_core.cards.subject import LONGEST_RATIONALE, ReportRequest, measured_of, subject_of
from foxnas_core.errors import InfeasibleBudget, InvalidInput, MissingPart
from foxnas_core.study import create_study
from foxnas_core.table.measurements import empty_table


def test_by_default_it_is_on_the_optimum_of_the_median_cost(tmp_path):
    subject = subject_of(study_of(tmp_path), ReportRequest(), fitted())
    costs = subject.front.costs
    median = float(np.median(subject.table.values("latency_ms")))
    assert subject.budget == min(max(median, costs[0]), costs[-1])
    assert subject.is_optimum
    assert subject.chosen == subject.front.within(subject.budget).architecture
    assert [p.target.column for p in subject.main] == ["accuracy", "latency_ms"]
    assert subject.others == ()


def test_a_chosen_subnet_sets_the_budget_to_what_it_takes(tmp_path):
    chosen = SPACE.extreme("smallest")
    subject = subject_of(study_of(tmp_path), ReportRequest(architecture=chosen), fitted())
    taken = fitted()["latency_ms"].predict([chosen])["value"].iloc[0]
    assert subject.budget == pytest.approx(taken)
    assert subject.chosen == chosen
    # It keeps the budget itself, so that the optimum is no worse.
    own = fitted()["accuracy"].predict([chosen])["value"].iloc[0]
    assert subject.optimum.value >= own - 1e-9


def test_without_a_latency_it_is_on_the_most_accurate_of_all(tmp_path):
    accuracy = {"accuracy": fitted()["accuracy"]}
    subject = subject_of(study_of(tmp_path), ReportRequest(), accuracy)
    every = SPACE.decode(SPACE.option_codes(SPACE.decisions))
    best = fitted()["accuracy"].predict(every)["value"]
    assert subject.optimum.value == pytest.approx(best.max())
    assert (subject.front, subject.budget) == (None, None)


def test_without_an_accuracy_no_subnet_is_chosen(tmp_path):
    latency = {"latency_ms": fitted()["latency_ms"]}
    subject = subject_of(study_of(tmp_path), ReportRequest(), latency)
    assert subject.chosen is None and subject.optimum is None
    chosen = SPACE.extreme("largest")
    named = subject_of(study_of(tmp_path), ReportRequest(architecture=chosen), latency)
    assert named.chosen == chosen


def test_measurements_of_a_subnet_are_found(tmp_path):
    subject = subject_of(study_of(tmp_path), ReportRequest(), fitted())
    [first, *_] = TABLE.architectures()
    same = TABLE.frame["id"] == first.id
    found = measured_of(subject, first, "accuracy")
    assert found == TABLE.frame.loc[same, "accuracy"].tolist()
    assert measured_of(subject, first, "latency_ms:nowhere") == []


@pytest.mark.parametrize(
    ("request_", "match"),
    [
        (ReportRequest(cost="latency_ms:nowhere"), "no target 'latency_ms:nowhere'"),
        (ReportRequest(architecture=hand_space().extreme("largest")), "none of space"),
    ],
)
def test_what_does_not_belong_is_refused_in_a_sentence(tmp_path, request_, match):
    with pytest.raises(InvalidInput, match=match):
        subject_of(study_of(tmp_path), request_, fitted())


def test_a_budget_out_of_reach_names_the_smallest(tmp_path):
    with pytest.raises(InfeasibleBudget, match="smallest that can be reached"):
        subject_of(study_of(tmp_path), ReportRequest(budget=0.1), fitted())


def test_a_guard_without_measured_optima_says_how_to_get_them(tmp_path):
    with pytest.raises(MissingPart, match="calibrate"):
        subject_of(study_of(tmp_path), ReportRequest(guard=0.9), fitted())


def test_a_guard_makes_the_searched_budget_smaller(tmp_path):
    study = study_of(tmp_path)
    middle = subject_of(study, ReportRequest(), fitted()).budget
    measure_optima(study)
    subject = subject_of(study, ReportRequest(guard=0.9, budget=middle), fitted())
    assert subject.budget == middle
    assert subject.searched == pytest.approx(
        subject.given.calibrations_of("latency_ms", "accuracy")["latency_ms"].guarded(middle, 0.9)
    )
    assert subject.searched < middle / 1.09
    assert subject.optimum.costs[0] <= subject.searched
    assert subject_of(study, ReportRequest(budget=middle), fitted()).searched == subject.searched


def test_an_empty_study_says_what_to_do(tmp_path):
    study = create_study(tmp_path / "empty", SPACE, name="Empty", table=empty_table(SPACE))
    with pytest.raises(MissingPart, match="measure some"):
        subject_of(study, ReportRequest(), {})


@pytest.mark.parametrize(
    "wrong",
    [{"parts": ("all",)}, {"intervals": "wide"}, {"rationale": "x" * (LONGEST_RATIONALE + 1)}],
)
def test_requests_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InvalidInput):
        replace(ReportRequest(), **wrong)


def test_an_unordered_table_will_do(tmp_path):
    space = choice_space({f"edge{i}": ("a", "b", "c") for i in range(3)})
    table = replace(noisy_table(space, 60), ordered=False)
    study = create_study(tmp_path / "unordered", space, name="U", table=table)
    from foxnas_core.steps.fit import fit_all

    assert subject_of(study, ReportRequest(), fit_all(table, "choice_counts")).front is not None
