"""All comparisons have one direction: this one's less the reference's."""

from collections.abc import Callable, Iterator

import pytest
from conftest import DEMO

from foxnas_core.cards import counterfactuals, front, what_if
from foxnas_core.cards.decided import summary
from foxnas_core.cards.given import Given
from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.reporting.subnet import chosen_section
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import open_study

# What is compared, with what, in which column, and the difference that is shown.
Shown = tuple[Architecture, Architecture, str, float]
LATENCY = "latency_ms"


@pytest.fixture(scope="module")
def given() -> Given:
    study = open_study(DEMO)
    smallest, largest = (study.space.extreme(name) for name in ("smallest", "largest"))
    return Given(study, architecture=largest, start=smallest, target=LATENCY)


def of_predictions(given: Given) -> Iterator[Shown]:
    changes = what_if.predictions.compute(given).table["change"]
    for column, change in zip(what_if.fits_of(given), changes, strict=True):
        yield given.subnet, given.start, column, change


def of_differences(given: Given) -> Iterator[Shown]:
    changes = what_if.difference.compute(given).table["difference"]
    for column, change in zip(what_if.fits_of(given), changes, strict=True):
        yield given.subnet, given.start, column, change


def of_edits(given: Given) -> Iterator[Shown]:
    for path in ((), (given.start, given.subnet)):
        effects = what_if.edits.compute(given, path=path).table["effect"]
        yield given.subnet, given.start, LATENCY, effects.iloc[-1]


def of_answers(given: Given) -> Iterator[Shown]:
    found, chosen = counterfactuals.reached(given)
    prices = counterfactuals.edits.compute(given).table.set_index("id")["price"]
    for answer in found.answers:
        yield answer.after, given.subnet, "accuracy", prices[answer.after.id]
    each = counterfactuals.each.compute(given, column=LATENCY).table
    yield chosen.after, given.subnet, LATENCY, each["effect"].iloc[-1]


def of_tied(given: Given) -> Iterator[Shown]:
    found = front.tied_with(given)
    by_id = {one.id: one for one in found.architectures}
    optimum, *others = front.ties.compute(given).table.itertuples()
    for row in (others[0], others[-1]):
        yield by_id[row.id], by_id[optimum.id], "accuracy", row.difference


def of_claims(given: Given) -> Iterator[Shown]:
    for column in given.main:
        claims = claims_on(given.predictor(column), (given.start, given.subnet), level=0.95)
        yield given.subnet, given.start, column, claims[-1].value


@pytest.mark.parametrize(
    "shown", [of_predictions, of_differences, of_edits, of_answers, of_tied, of_claims]
)
def test_a_difference_is_this_less_the_reference(
    given: Given, shown: Callable[[Given], Iterator[Shown]]
):
    pairs = list(shown(given))
    assert pairs
    for this, reference, column, difference in pairs:
        now, then = given.predictor(column).predict([this, reference])["value"]
        assert difference == pytest.approx(now - then, abs=1e-9), column
    assert any(difference for *_, difference in pairs)


def test_the_report_tells_the_chosen_subnet_by_the_optimum(given: Given):
    request = ReportRequest(architecture=given.start)
    subject = subject_of(given.study, request, given.fits()[0])
    now, then = given.predictor("accuracy").predict([given.start, subject.optimum.architecture])[
        "value"
    ]
    gap = f"{then - now:.2f} points less accurate than the exact optimum"
    assert any(gap in sentence for sentence in summary(subject).points)
    panel = chosen_section(subject).panels[-1]
    assert panel.title == "From the optimum to the chosen subnet"
    assert f"{now - then:.4g}"[:5] in str(panel.figures[0].table.rows[-1])
