"""A form that is chosen is that of all predictions."""

from dataclasses import replace

import pytest
from conftest import DEMO

from foxnas_core.cards.given import Given
from foxnas_core.study import open_study


@pytest.fixture(scope="module")
def counts() -> Given:
    return Given(open_study(DEMO), form="choice_counts")


def test_a_chosen_form_predicts_and_searches(counts):
    assert counts.fitted.form.name == "choice_counts"
    assert counts.predictor("accuracy") is counts.fitted
    problem = counts.front_of("latency_ms").problem
    assert [p.form.name for p in problem.predictors] == ["choice_counts"] * 2
    # Whoever looks by another form shares nothing that follows from it.
    other = replace(counts, form="auto").front_of("latency_ms").problem
    assert other.objective.form.name != "choice_counts"


def test_what_can_be_counted_is_fitted_only_where_its_fit_is_looked_into(counts):
    assert counts.predictor("macs").is_counted
    assert not counts.into("macs").fitted.is_counted


def test_a_target_that_cant_have_the_form_has_the_recommended_one(counts):
    across = replace(counts, form="across_stages")
    assert across.fitting_form == "across_stages"
    assert across.into("latency_ms").fitting_form == "auto"
    assert replace(counts, form="live").fitting_form == "auto"
