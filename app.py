"""The first page: the study's best subnet and why it is so, what the study holds and lacks."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.glossary import meaning_of
from foxnas_core.study import Study
from foxnas_core.study.goals import stand_in_sentence
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, unknown_sentence
from foxnas_core.table.reliability import reliability_of
from pages.shared import cache, choices, tour
from pages.shared.cards import given_of
from pages.shared.cost import budget_of, budget_picker, chosen_cost
from pages.shared.frame import errors_as_cards, page
from pages.shared.moved import tell_unknown
from pages.shared.panel import panel
from pages.shared.text import article, plain

if TYPE_CHECKING:  # the facts need not wait for it
    from foxnas_core.cards.quest import Quest
    from foxnas_core.regression import Predictor
    from foxnas_core.search.expectation import Expectation
    from foxnas_core.search.standing import Standing

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_of(count: int) -> str:
    """A count as people read it: 1,234 or 2.01 × 10¹⁰."""
    if count < 1_000_000:
        return f"{count:,}"
    mantissa, exponent = f"{float(count):.2e}".split("e+")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def with_word(target: Metric, value: float) -> str:
    """The value with its unit, or with its word where it has none."""
    return f"{target.text(value)} {target.unit or target.word}"


def show_whose(study: Study, latency: str) -> None:
    """Which machine the latencies are of, and where that is another, what makes this one a device
    of the study."""
    from foxnas_core.cards import machine
    from pages.shared.machine import show_machine

    given = given_of(study, cost=latency)
    if (seat := machine.looked_at(given)) is not None:
        st.caption(plain(seat.sentence()))
        show_machine(given)


def show_answer(study: Study, latency: str) -> None:
    """The optimum at the chosen budget, or at the default one: what it promises, why it
    is so, and where to go with it."""
    from foxnas_core.cards.answers import reasons_of
    from foxnas_core.cards.quest import Quest
    from foxnas_core.cards.standing import standing_of
    from foxnas_core.figures.coefficients import interval_figure
    from foxnas_core.figures.picture import picture_data
    from foxnas_core.figures.reasons import reasons_intervals, reasons_table
    from foxnas_core.space.called import called
    from pages.shared.picture import picture

    front = cache.front_of(study, latency)
    cost = front.problem.limits[0].predictor.target
    quest = Quest(given_of(study, cost=latency, budget=budget_of(study, front)))
    best = front.within(quest.searched)
    beside = standing_of(quest, best)
    already = " was measured already" if beside.measured_first else ""
    st.header(f"The best subnet within {with_word(cost, quest.bound)}{already}")
    left, right = st.columns([1.3, 1], gap="large")
    with right:
        budget_picker(study, front)
    with left:
        picture(
            picture_data(study.space, beside.answer, editable=False),
            label="The best subnet",
            key="best-picture",
        )
        st.markdown(f"Subnet **{called(beside.answer.id)}**")
    with right:
        show_promise(quest, beside)
    if not is_fitted(study, study.objective.column, latency):
        return
    found = reasons_of(quest.given, latency, beside.answer, best.costs[0])
    st.header("Why these blocks")
    best, scale = found.gain.target, ""
    if not found.gain.link.is_identity:
        scale = (
            f" {best.title} saturates, so its {best.difference_unit or 'effects'} are those of a "
            f"subnet of average {best.word}."
        )
    st.write(
        f"{plain(' '.join(found.sentences()))} Below is what each block changes against the "
        "average measured subnet, from the regression's coefficients, with 95 % confidence "
        f"intervals; where one spans 0 the point is hollow.{scale}"
    )
    intervals = reasons_intervals(found)
    targets = (found.gain.target, found.cost.target)
    for target, place in zip(targets, st.columns(2, gap="large"), strict=True):
        own = intervals[intervals["target"] == target.column]
        with place:
            panel(
                "",
                f"What each block does to {target.label.lower()}"
                f"{f', in {target.difference_unit}' if target.difference_unit else ''}.",
                own,
                interval_figure(own, [target]),
                key=f"reasons-{target.column}",
            )
    panel("", "", reasons_table(found), key="reasons")


def show_promise(quest: "Quest", beside: "Standing") -> None:
    """What the best subnet is expected to measure and how surely it keeps the budget, with the
    plain prediction behind it, or what it measured where that answers; and the ways on."""
    from foxnas_core.cards.expected import expected, promised
    from foxnas_core.cards.standing import beyond_sentence, first_sentence, own_sentence

    given, best = quest.given, beside.candidate
    found = expected(given, best.architecture, given.main)
    targets = [each.target for each in found]
    promise = "" if beside.known else promised(quest, best)
    said = (first_sentence(beside, targets), promise, own_sentence(beside, targets))
    st.write(plain(" ".join(filter(None, (*said, beyond_sentence(beside))))))
    row = st.container(horizontal=True)
    for each in found:
        target, reading = each.target, beside.known.get(each.target.column)
        place = row.container(width=180, gap=None)
        value = each.value if reading is None else reading.value
        place.metric(target.named, target.text(value), help=meaning_of(target.column))
        place.caption(each.told if reading is None else f"measured{reading.ends(target)}")
    st.caption(_certainty(quest, beside, found))
    row = st.container(horizontal=True)
    if row.button("Edit it in What-if", key="home-what-if"):
        choices.set_architecture(beside.answer)
        st.switch_page("pages/2_What_if.py")
    if row.button("Watch a search for it", key="home-search"):
        choices.update(budget=quest.bound, goal="accuracy")
        st.switch_page("pages/3_Search.py")


def _certainty(quest: "Quest", beside: "Standing", found: "Sequence[Expectation]") -> str:
    """How the numbers came about, and what is proven of the best."""
    better = found[0].target.compared(better=True)
    of = f"Of {number_of(quest.given.study.space.size)} subnets"
    if beside.whole:
        return f"{of} none measured within the budget is {better}."
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


def fit_table(predictors: "dict[str, Predictor]") -> pd.DataFrame:
    """One row a target: how it is fitted, and how well."""
    return pd.DataFrame(
        [
            {
                "target": p.target.label,
                "unit": p.target.unit,
                "form": p.form.title,
                "rows": p.rows,
                "parameters": p.parameters,
                "R²": p.r2,
                "adjusted R²": p.r2_adjusted,
                "cross-validated R²": p.cv.r2,
                "RMSE": p.cv.rmse,
                "tau": p.cv.tau,
            }
            for p in predictors.values()
        ]
    )


def show_facts(study: Study, table: MeasurementTable) -> None:
    """What the study holds, and what it lacks."""
    st.header(plain(study.name), divider="grey")
    if study.description:
        st.write(plain(study.description))
    parts = (
        ("Search space", plain(study.space.name)),
        ("Architectures", number_of(study.space.size)),
        ("Measured subnets", f"{len(table):,}"),
        ("Supernet", "present" if study.checkpoint_file.exists() else "none"),
        ("Images", "present" if study.images_file.exists() else "none"),
    )
    for place, (label, value) in zip(st.columns(len(parts)), parts, strict=True):
        place.metric(label, value)
    missing = []
    if not len(table):
        missing.append(
            "There are no measurements yet; run 'python -m foxnas_core measure' or 'import'."
        )
    if not study.checkpoint_file.exists():
        missing.append(
            "There is no supernet, so nothing can be measured or exported here; the predictors "
            "work without one."
        )
    elif not study.images_file.exists():
        missing.append("There are no images, which measuring and exporting need.")
    if not table.ordered:
        missing.append(
            "The table does not tell the order of the blocks in a stage: forms with one term a "
            "block slot are not offered, and blocks are shown in one canonical order."
        )
    if table.unknown:
        missing.append(plain(unknown_sentence(table.unknown)))
    for sentence in missing:
        st.info(sentence)
    for finding in given_of(study).findings():
        if finding.grave:
            st.warning(plain(finding.sentence))
    found = reliability_of(table, study.objective)
    if found:
        st.success(f"Reliability: {found.sentence}")


def show_fits(study: Study) -> None:
    """How well every target is fitted, and what keeps one from it."""
    predictors, sentences = cache.fits_of(study)
    if sentences:
        st.warning(plain(sentences[0]))
    if sentences[1:]:
        with st.expander(f"Further targets that are not fitted: {len(sentences) - 1}"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences[1:]))
    if predictors:
        panel(
            "How well each target is fitted",
            "Cross-validated values are of subnets that the fit never saw (10 folds); RMSE is in "
            "the target's unit, tau is Kendall's rank correlation.",
            fit_table(predictors),
            key="fits",
        )


def is_fitted(study: Study, *columns: str) -> bool:
    """Whether these targets can be predicted; where not, `show_fits` says why."""
    with suppress(FoxnasError):
        return bool([cache.predictor_of(study, column) for column in columns])
    return False


with page(
    "Study",
    "FOX-NAS Studio chooses a subnet of a weight-sharing supernet for your task, device and "
    "budget. Some hundred subnets are measured, and a regression on them says, with confidence "
    "intervals, what every choice brings and costs. From it the best subnet follows exactly: see "
    "the reason for every block, try other choices, and take away a file that runs.",
) as study:
    tell_unknown()
    tour.entry()
    table = cache.table_of(study)
    # The answer stands first, but takes longer than the facts.
    answer = st.container()
    show_facts(study, table)
    latency = chosen_cost(study)
    best = study.objective.column
    if latency is None or best not in [target.column for target in table.targets]:
        if len(table):
            st.info(
                f"Searching needs {article(study.objective.word)} and {article(study.cost.word)}, "
                "of which this table lacks one."
            )
    elif len(table):
        with answer, errors_as_cards():
            if said := stand_in_sentence(study.objective):
                st.caption(plain(said))
            show_whose(study, latency)
            if is_fitted(study, best, latency) or given_of(study).whole_table((best, latency)):
                show_answer(study, latency)
    if len(table):
        show_fits(study)
