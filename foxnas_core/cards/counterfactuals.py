"""What would have to change in a subnet: the edits that reach a goal, why a choice is not taken,
and what is best around the choices that are kept.

It is the chosen one, else the best within the budget, else the family's reference; the limits and
allowed choices that are given hold for every answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.answers import kept_best_of, reached_of, why_not_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import expected
from foxnas_core.cards.finds import Limits
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.reached import RULE, answer_card, reached_card
from foxnas_core.explanation.reach import has_shares
from foxnas_core.figures.counterfactual import choices_figure
from foxnas_core.figures.effects import edit_figure, edit_table
from foxnas_core.search.guard import OFF, in_measurements, share_of
from foxnas_core.search.restriction import choices_that_keep, choices_that_take, narrowed
from foxnas_core.space.architecture import Value
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.table.headings import heading_of
from foxnas_core.table.metrics import in_a_sentence, metric_of
from foxnas_core.table.sums import tells

if TYPE_CHECKING:
    from foxnas_core.explanation.reach import Answer, Reached
    from foxnas_core.explanation.why_not import WhyNot
    from foxnas_core.search.exact import Front

RELATIVE, OF_COST = ("save", "gain"), ("save", "latency")
USUAL = 20.0
"""How many percent of the cost one wants to save, unless one says otherwise."""


def untraded(given: Given) -> str | None:
    """Why nothing can be traded; raises what keeps the front from being found."""
    if len(given.main) < 2 or not tells(given.table):
        objective, cost = (metric_of(column).word for column in given.traded)
        return (
            f"This needs a measured {objective} and {cost}, which the study does not have yet; "
            "measure subnets with 'python -m foxnas_core measure' or import a table that has both."
        )
    kept_front(given)
    return None


def kept_front(given: Given) -> "Front":
    """What can be had with the choices that are kept, whatever else is limited."""
    return given.front_of(given.main[1], given.allowed, (), given.main[0], fitted=True)


def keeping(given: Given, decisions: Sequence[str]) -> Given:
    """With these decisions kept as they are in the subnet."""
    pins = choices_that_keep(given.study.space, given.subnet, decisions)
    return replace(given, allowed=tuple(narrowed(dict(given.allowed), pins).items()))


@analysis("Counterfactuals", "base", "The subnet", untraded)
def base(given: Given) -> Card:
    """What is asked about."""
    found = expected(given, given.subnet, given.main)
    told = [each.value_text for each in found]
    return Card(
        sentence=f"This is subnet {given.subnet.id}, {found[0].how} {' and '.join(told)}.",
        stress=(given.subnet.id, *told),
    )


# What is asked


def aims(given: Given) -> dict[str, str]:
    """What one may aim at, in the words of the objective and the cost."""
    best, cost = (metric_of(column) for column in given.traded)
    return {
        "save": f"Save {cost.word}",
        "gain": f"{'Gain' if best.sign > 0 else 'Lower'} {best.word}",
        "latency": f"{cost.title} of at most",
        "accuracy": f"{best.title} of at {'least' if best.sign > 0 else 'most'}",
    }


def _predicted(given: Given, column: str) -> float:
    return float(given.predictor(column).predict([given.subnet])["value"].iloc[0])


def standing(given: Given, aim: str) -> tuple[float, float]:
    """What is predicted of the subnet in what is aimed at, and the best that can be had."""
    front = kept_front(given)
    best = front.costs[0] if aim in OF_COST else front.values[-1]
    return _predicted(given, given.main[aim in OF_COST]), float(best)


def leeway(given: Given, aim: str) -> float:
    """How much there is to save or to gain; 0 for nothing."""
    now, best = standing(given, aim)
    more = metric_of(given.main[aim in OF_COST]).sign * (best - now)
    return more if more > 1e-9 * abs(now) else 0.0


def nothing_to_gain(given: Given, aim: str = "save", **_: Any) -> Card:
    """What is said where there is no leeway."""
    label = in_a_sentence(metric_of(given.main[aim in OF_COST]).label)
    return Card(
        sentence=f"No subnet that keeps what is kept has a better predicted {label} than this one, "
        "so there is nothing to gain.",
        tone="info",
    )


def _limits(given: Given) -> Limits:
    """The budget, by default as `Quest.bound`, and the further limits, as they are searched
    under."""
    return Quest(_within(given)).limits


def _within(given: Given) -> Given:
    """With the choices free, of which some are kept afterwards."""
    return replace(given, allowed=(), floor=None)


# The edits that reach a goal


def usual_goal(given: Given, aim: str) -> tuple[float, bool] | None:
    """The goal that nobody chose, and whether it is in percent: a fifth less of the cost where half
    of that again is there to save, else a quarter of what there is; None for nothing."""
    now, least = standing(given, aim)
    room = leeway(given, aim)
    if aim not in RELATIVE:
        return now + (least - now) / 4, False
    if aim == "save" and has_shares(metric_of(given.main[1])) and room >= 1.5 * USUAL / 100 * now:
        return USUAL, True
    return (room / 4, False) if room else None


def reached(
    given: Given,
    *,
    aim: str = "save",
    amount: float | None = None,
    in_percent: bool = False,
    chosen: int = -1,
) -> "tuple[Reached, Answer] | None":
    """The best answer of every number of edits, and the `chosen` one, by default the cheapest; None
    where there is nothing to gain. Raises as `reach`.

    The `amount` is in the unit of what is aimed at or `in_percent` of what the subnet has, by
    default the `usual_goal`.
    """
    if amount is None:
        usual = usual_goal(given, aim)
        if usual is None:
            return None
        amount, in_percent = usual
    found = _reached_by(given, aim, amount, in_percent, given.guard)
    return found, next((a for a in found.answers if a.edits == chosen), found.cheapest)


def _reached_by(
    given: Given, aim: str, amount: float, in_percent: bool, guard: float | None
) -> "Reached":
    best, cost = given.main
    objective, first = (best, cost) if aim in OF_COST else (cost, best)
    limits, relative = ((first, amount), *given.kept_limits(first)), aim in RELATIVE
    asked = (objective, limits, given.allowed, given.subnet, relative)
    return reached_of(given, *asked, guard, in_percent)


def _aims(given: Given) -> Options:
    return {"aim": aims(given)}


def _columns(given: Given) -> Options:
    return {"column": {column: metric_of(column).label for column in given.main}}


@analysis("Counterfactuals", "reached", "What would have to change", untraded, _aims)
def edits(given: Given, **goal: Any) -> Card:
    """The price of every number of edits that reach a goal, which is as in `reached`."""
    pair = reached(given, **goal)
    if pair is None:
        return nothing_to_gain(given, **goal)
    found, shown = pair
    price = ""
    if found.held:
        asked = (goal.get("aim", "save"), found.goal.amount, found.goal.in_percent)
        price = found.price_of_guard(_reached_by(given, *asked, OFF))
    return reached_card(found, share_of(given.guard), price, shown.edits)


def _each(answer: "Answer", column: str, given: Given, key: str) -> Card:
    """What each edit of an answer changes in one target, by default the objective."""
    if not answer.edits:
        return Card(sentence="No edit is needed.")
    target = metric_of(column or given.main[0])
    table = edit_table(answer.effects[target.column])
    return Card(
        key=f"{key}-edits-{target.column}",
        title=f"What each edit changes: {target.label}",
        sentence="With 95 % intervals of this edit of this subnet (bars), and of the average edit, "
        "one difference at a time.",
        table=table,
        draw=lambda: edit_figure(table, target),
    )


@analysis("Counterfactuals", "answer", "The answer", untraded, _aims)
def answer(given: Given, **goal: Any) -> Card:
    """The chosen answer, by default the cheapest."""
    pair = reached(given, **goal)
    if pair is None:
        return nothing_to_gain(given, **goal)
    found, shown = pair
    kept = "it is reached" if found.goal.relative else "it is kept"
    how = (
        "where both subnets are measured, by this edit's own interval: the uncertainty of the "
        "difference, and how measured differences of such pairs scatter about predicted ones"
        if found.goal.relative
        else "by how measured optima differ from their predictions where enough were measured, "
        "else by the regression's prediction distribution"
    )
    card = answer_card(shown, found.targets, kept)
    return replace(
        card,
        notes=(*card.notes, f"The chance that {kept} is that of a measurement, {how}. {RULE}"),
    )


@analysis("Counterfactuals", "each", "What each edit changes", untraded, _columns)
def each(given: Given, *, column: str = "", **goal: Any) -> Card:
    """What each edit of the chosen answer changes in one target."""
    pair = reached(given, **goal)
    return (
        nothing_to_gain(given, **goal) if pair is None else _each(pair[1], column, given, "answer")
    )


# Why not


def asked_of(given: Given) -> dict[str, list[Value]]:
    """What one may ask about: the choices of each decision that it may take but does not have."""
    space, allowed, now = given.study.space, dict(given.allowed), given.subnet

    def may_take(decision: str, value: Value) -> bool:
        pins = narrowed(allowed, choices_that_take(space, space.by_name[decision], value))
        return now.get(decision) != value and all(pins.values())

    found = {d.name: [c for c in d.choices if may_take(d.name, c)] for d in space.decisions}
    return {name: values for name, values in found.items() if values}


def _nothing_asked(given: Given) -> str | None:
    if lacking := untraded(given):
        return lacking
    if not asked_of(given):
        return "Every decision is kept as it is; let go of one to ask about it."
    return None


def why(given: Given, asked: tuple[str, Value] | None) -> "tuple[WhyNot, pd.DataFrame]":
    """Why the subnet does not have a choice, by default the first one that it may ask about."""
    name, values = next(iter(asked_of(given).items()))
    asked = asked or (name, values[0])
    return why_not_of(given, given.main[0], _limits(given), given.allowed, given.subnet, asked)


@analysis("Counterfactuals", "why-not", "Why not …?", _nothing_asked)
def why_not(given: Given, *, asked: tuple[str, Value] | None = None) -> Card:
    """Why one choice is not taken."""
    found, _ = why(given, asked)
    notes = []
    if found.best is not None and found.best.architecture != given.subnet:
        changed = changes_between(given.study.space, given.subnet, found.best.architecture)
        words = in_words(given.study.space, changed)
        notes = [
            f"The best with {heading_of(found.decision.name)} {found.value} differs in: {words}."
        ]
    quest = Quest(_within(given))
    if quest.searched != quest.bound:
        target = quest.problem.limits[0].predictor.target
        share = in_measurements(share_of(given.guard))
        notes.append(
            f"The budget is {target.value_text(quest.searched)} here, so that "
            f"{target.value_text(quest.bound)} is kept in {share}."
        )
    return Card(sentence=found.sentence(), notes=tuple(notes))


@analysis("Counterfactuals", "choices", "The best subnet with each choice", _nothing_asked)
def choices(given: Given, *, asked: tuple[str, Value] | None = None) -> Card:
    """The best with each choice of a decision."""
    _, every = why(given, asked)
    objective = metric_of(given.main[0])
    return Card(
        sentence=f"The change in {objective.word} against the best within the budget, all else "
        "optimised anew; bars are 95 % intervals of this very difference, measured. Dark: what "
        "this subnet has now; a cross: nothing within the budget has it.",
        table=every,
        draw=lambda: choices_figure(every, objective),
    )


# The best around what is kept


def best_of(given: Given) -> "Answer":
    """The best within the limits that keeps what is kept; raises as `kept_best_of`."""
    quest = Quest(_within(given))
    asked = (given.main[0], quest.limits, given.allowed, given.subnet)
    return kept_best_of(given, *asked, quest.bound)


@analysis("Counterfactuals", "rest", "The best around what is kept", untraded)
def rest(given: Given) -> Card:
    found, cost, bound = best_of(given), given.main[1], Quest(_within(given)).bound
    budget = f"{bound:.6g} {metric_of(cost).unit or metric_of(cost).word}"
    pinned = sum(values == (given.subnet.get(name),) for name, values in given.allowed)
    kept = f"{pinned} decisions kept as they are" if pinned else "nothing kept"
    if found.after == given.subnet:
        return Card(sentence=f"Within {budget}, with {kept}, no subnet is better than this one.")
    targets = tuple(metric_of(column) for column in found.effects)
    card = answer_card(found, targets, "the budget is kept")
    return replace(card, sentence=f"The best within {budget}, with {kept}, is: {card.sentence}")


@analysis("Counterfactuals", "rest-each", "What each of its edits changes", untraded, _columns)
def rest_each(given: Given, *, column: str = "") -> Card:
    return _each(best_of(given), column, given, "rest")
