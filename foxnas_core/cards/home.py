"""What the first page says: the best subnet within the budget and why it is so, what the study
holds and lacks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.answers import reasons_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import chances_of, expected, promised
from foxnas_core.cards.given import Given
from foxnas_core.cards.measurements import ORDERLESS
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import no_search
from foxnas_core.cards.sharing import once
from foxnas_core.cards.standing import (
    beyond_sentence,
    first_sentence,
    own_sentence,
    standing_of,
)
from foxnas_core.figures import search as tables
from foxnas_core.figures.coefficients import interval_figure
from foxnas_core.figures.reasons import reasons_intervals, reasons_table
from foxnas_core.search.expectation import Expectation, not_fitted_sentence
from foxnas_core.search.standing import Standing
from foxnas_core.study.siblings import sibling_sentence
from foxnas_core.table.metrics import Metric, metric_of, unknown_sentence
from foxnas_core.table.reliability import reliability_of
from foxnas_core.table.sums import tells

if TYPE_CHECKING:
    from foxnas_core.explanation.reasons import Reasons

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_of(count: int) -> str:
    """A count as people read it: 1,234 or 2.01 × 10¹⁰."""
    if count < 1_000_000:
        return f"{count:,}"
    mantissa, exponent = f"{float(count):.2e}".split("e+")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


@once
def answered(given: Given) -> tuple[Quest, Standing]:
    """The search for the best within the budget, and how what it finds stands to what was
    measured; raises as `Given.front_of` and `Front.within`."""
    quest = Quest(given)
    best = given.front_of(given.traded[1]).within(quest.searched)
    return quest, standing_of(quest, best)


@analysis("Study", "answer", "The best subnet within the budget", no_search)
def answer(given: Given) -> Card:
    """What the optimum promises: what it is expected to measure, and how surely it keeps the
    budget."""
    quest, beside = answered(given)
    best, cost = beside.candidate, metric_of(quest.limited)
    found = expected(given, best.architecture, given.main)
    targets = [each.target for each in found]
    promise = "" if beside.known else promised(quest, best)
    said = (first_sentence(beside, targets), promise, own_sentence(beside, targets))
    facts, asides = {}, {}
    for each in found:
        target, reading = each.target, beside.known.get(each.target.column)
        facts[target.named] = target.text(each.value if reading is None else reading.value)
        asides[target.named] = each.told if reading is None else f"measured{reading.ends(target)}"
    already = " was measured already" if beside.measured_first else ""
    return Card(
        title=f"The best subnet within {_with_word(cost, quest.bound)}{already}",
        sentence=" ".join(filter(None, (*said, beyond_sentence(beside)))),
        facts=facts,
        asides=asides,
        table=tables.promise_table(found, *chances_of(quest, best)),
        notes=(_certainty(quest, beside, found),),
    )


def _with_word(target: Metric, value: float) -> str:
    """The value with its unit, or with its word where it has none."""
    return f"{target.text(value)} {target.unit or target.word}"


def _certainty(quest: Quest, beside: Standing, found: Sequence[Expectation]) -> str:
    """How the numbers came about, and what is proven of the best."""
    better = found[0].target.compared(better=True)
    of = f"Of {number_of(quest.given.study.space.size)} subnets"
    if beside.whole:
        return f"{of} none measured within the budget is {better}."
    if said := not_fitted_sentence(found):
        return f"{said} {of} none within the budget is {better}: it is the exact optimum."
    within = "the budget so guarded" if quest.searched != quest.bound else "the budget"
    exact = f"{of} the regression predicts none within {within} to be {better}"
    if beside.measured_first:
        return f"{exact} than {beside.candidate.architecture.id}, its exact optimum."
    intervals = "95 % prediction intervals of one measurement; measure it to be sure"
    if count := found[0].optima:
        intervals = (
            f"95 % intervals by {count} other optima that were measured; predicted is what the "
            "regression says without looking at those"
        )
    return f"Expected, with {intervals}. {exact}: it is the exact optimum."


def unfitted(given: Given) -> str | None:
    """What keeps an answer from being explained; raises as `Given.predictor`."""
    if sentence := no_search(given):
        return sentence
    for column in given.traded:
        given.predictor(column)
    return None


def _reasons(given: Given) -> "Reasons":
    _, beside = answered(given)
    return reasons_of(given, given.traded[1], beside.answer, beside.candidate.costs[0])


@analysis("Study", "why", "Why these blocks", unfitted)
def why(given: Given) -> Card:
    """The reason for every block of the answer."""
    found = _reasons(given)
    best, scale = found.gain.target, ""
    if not found.gain.link.is_identity:
        scale = (
            f" {best.title} saturates, so its {best.difference_unit or 'effects'} are those of a "
            f"subnet of average {best.word}."
        )
    return Card(
        key="reasons",
        sentence=f"{' '.join(found.sentences())} What each block changes against the average "
        "measured subnet is from the regression's coefficients, with 95 % confidence intervals; "
        f"where one spans 0 the point is hollow.{scale}",
        table=reasons_table(found),
    )


def _both(given: Given) -> Options:
    return {"column": {column: metric_of(column).label for column in given.traded}}


@analysis("Study", "block-effects", "What each block does", unfitted, _both)
def block_effects(given: Given, *, column: str = "") -> Card:
    """What each block of the answer does to one target."""
    target = metric_of(column or given.traded[0])
    rows = reasons_intervals(_reasons(given))
    own = rows[rows["target"] == target.column]
    unit = f", in {target.difference_unit}" if target.difference_unit else ""
    return Card(
        key=f"reasons-{target.column}",
        sentence=f"What each block does to {target.word}{unit}.",
        table=own,
        draw=lambda: interval_figure(own, [target]),
    )


def _unreadable(given: Given) -> str | None:
    """Nothing; raises what keeps the table from being read."""
    given.table  # noqa: B018
    return None


@analysis("Study", "holds", "What the study holds", _unreadable)
def holds(given: Given) -> Card:
    """What there is, and what is lacking."""
    study, table = given.study, given.table
    weights, images = study.checkpoint_file.exists(), study.images_file.exists()
    lacking = []
    if not len(table):
        lacking.append(
            "No network is measured yet, but the costs of all its blocks are: any network's cost "
            "is their sum."
            if tells(table)
            else "There are no measurements yet; run 'python -m foxnas_core measure' or 'import'."
        )
    if not weights:
        lacking.append(
            "There is no supernet, so nothing can be measured or exported here; the predictors "
            "work without one."
        )
    elif not images:
        need = "There are no images, which measuring and exporting need."
        lacking.append(f"{need} {sibling_sentence(study.folder)}".strip())
    if not table.ordered:
        lacking.append(ORDERLESS)
    reliable = reliability_of(table, study.objective)
    return Card(
        title=study.name,
        sentence=f"{len(table):,} subnets are measured of {number_of(study.space.size)} that the "
        "search space has.",
        facts={
            "Search space": study.space.name,
            "Architectures": number_of(study.space.size),
            "Measured subnets": f"{len(table):,}",
            "Supernet": "present" if weights else "none",
            "Images": "present" if images else "none",
        },
        points=(*lacking, *([f"Reliability: {reliable.sentence}"] if reliable else [])),
        cautions=(
            *([unknown_sentence(table.unknown)] if table.unknown else []),
            *(finding.sentence for finding in given.findings() if finding.grave),
        ),
    )
