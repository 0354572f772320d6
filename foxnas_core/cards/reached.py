"""The edits that reach a goal as cards, of a study or of what a command has found."""

from collections.abc import Sequence

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.explanation.rates import rates
from foxnas_core.explanation.reach import Answer, Reached
from foxnas_core.figures.counterfactual import gain_and_cost, reached_figure, reached_table
from foxnas_core.figures.theme import difference_axis
from foxnas_core.search.guard import in_measurements
from foxnas_core.search.limits import difference_noun
from foxnas_core.table.metrics import Metric, rate_unit

RULE = (
    "An edit is one decision that takes another choice, as a person counts: a depth that removes "
    "or adds blocks is one edit with all of them, a kernel and an expand of one block are two."
)


def reached_card(found: Reached, share: float, price: str = "", chosen: int = -1) -> Card:
    """The price of every number of edits, the cheapest first, of which the `chosen` one is drawn
    filled. Measurements were to keep the goal with a probability of `share`, at the `price`."""
    target, fewest, cheapest = found.targets[0], found.fewest, found.cheapest
    table = reached_table(found)

    def cost(answer: Answer) -> str:
        change = target.text(answer.effects[target.column].total, signed=True)
        return f"{change} {difference_noun(target)}"

    stress = [found.asked]
    if not cheapest.edits:
        told = "no edit is needed, and none would make it cheaper."
    elif not fewest.edits:
        stress += [cheapest.counted]
        told = f"no edit is needed; with {cheapest.counted} it has {cost(cheapest)}."
    elif not found.is_kept:
        stress += [cheapest.counted]
        told = f"the surest answer takes {cheapest.counted}, for {cost(cheapest)}."
    elif fewest is cheapest:
        stress += [fewest.counted]
        told = f"{fewest.counted} {'is' if fewest.edits == 1 else 'are'} both the fewest and the "
        told += f"cheapest answer, for {cost(fewest)}."
    else:
        stress += [cheapest.counted, fewest.counted]
        told = f"the cheapest answer takes {cheapest.counted}, for {cost(cheapest)}; that of the "
        told += f"fewest takes {fewest.counted}, for {cost(fewest)}."
    return Card(
        sentence=f"For {found.asked}, {told}{_exactly(found, share, price)}",
        stress=tuple(stress),
        table=table,
        draw=lambda: reached_figure(table, target, chosen),
        notes=(
            f"The price is what each changes in {target.word}: of all subnets predicted to keep "
            "the goal so surely with so many edits the best, with 95 % intervals of this edit of "
            "this subnet, where both are measured.",
        ),
        cautions=()
        if found.is_kept
        else (
            f"Nothing keeps that in {in_measurements(share)}; the surest does with a chance of "
            f"{cheapest.sure}. Ask for less, or for less sure an answer.",
        ),
    )


def _exactly(found: Reached, share: float, price: str) -> str:
    """How surely the goal is kept, and what is proven."""
    if not found.cheapest.edits or not found.is_kept:
        return ""
    if not found.held:
        return " No subnet does better with as many edits: this is exact."
    return (
        f" Predictions are held to {found.held}, so that it is kept in {in_measurements(share)}"
        f"{f'; {price}' if price else ''}. No subnet that is predicted to reach that does better "
        "with as many edits: this is exact."
    )


def answer_card(answer: Answer, targets: Sequence[Metric], kept: str) -> Card:
    """An answer in words, with its price and how sure it is that what is asked is `kept`."""
    sure = f"with a chance of {answer.sure}."
    if not answer.edits:
        return Card(
            sentence=f"No edit is needed: this subnet keeps it, {sure}", stress=(answer.sure,)
        )
    prices = [answer.price(target) for target in dict.fromkeys(targets)]
    counted = f"{answer.counted}:"
    return Card(
        sentence=f"{counted} {answer.words}. {', '.join(prices)}. When measured, {kept} {sure}",
        stress=(counted, *prices, answer.sure),
        notes=() if answer.exact else ("The best that was found in time; better ones may exist.",),
    )


def answers_table(found: Reached) -> pd.DataFrame:
    """The answers for a terminal, the cheapest first: edits, what changes, the change of each
    target with its interval, the chance, what a unit of cost is worth, id."""
    gain, cost = gain_and_cost(found.targets)
    rows = []
    for answer in reversed(found.answers):
        row: dict[str, object] = {"edits": answer.edits, "what changes": answer.words}
        for target in dict.fromkeys(found.targets):
            own = answer.effects[target.column]
            total = target.text(own.total, signed=True)
            ends = target.in_brackets(own.low, own.high, signed=True)
            row[difference_axis(target)] = f"{total} {ends}"
        won, paid = answer.effects[gain.column], answer.effects[cost.column]
        [rate] = rates(
            [won.total], [paid.total], [paid.average_low], [paid.average_high], gain, cost
        )
        row |= {"kept": answer.sure, rate_unit(gain, cost): rate, "id": answer.after.id}
        rows.append(row)
    return pd.DataFrame(rows)
