"""The cards of what `search` and `counterfactual` answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.cards.standing import in_order, incumbent_sentence
from foxnas_core.commands.printing import exactly_of, told
from foxnas_core.search.guard import kept_text, no_promise, price_text, promise
from foxnas_core.search.result import field_of
from foxnas_core.search.standing import Standing
from foxnas_core.space.in_words import choice_lines
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.machine import Machine
from foxnas_core.table.metrics import Metric, metric_of

if TYPE_CHECKING:
    from foxnas_core.explanation.reach import Reached
    from foxnas_core.explanation.why_not import WhyNot

Document = Mapping[str, Any]


def search_card(
    document: Document, space: SearchSpace, objective: Metric, cost: Metric, beside: Standing
) -> Card:
    """The subnet that a search found, by the document of `search`, beside what was measured; which
    comes first where it is better."""
    best, limits = document["best"], {limit["column"]: limit for limit in document["limits"]}
    measured = document["measured"]
    keys = dict.fromkeys([document["objective"], objective.column, cost.column, *limits])

    def of(found: Document | None, column: str) -> Any:
        if found is None:
            return None
        return found.get(field_of(cost) if column == cost.column else column)

    rows = []
    for column in keys:
        limit = limits.get(column, {})
        side = next((side for side in ("at_most", "at_least") if side in limit), "")
        kept = document["chances"].get(column)
        known = {
            "": metric_of(column).named,
            "expected": of(best["as_searched"], column),
            "predicted": limit.get("best") or of(best, column),
            "limit": f"{side.replace('_', ' ')} {limit['asked']:.6g}" if side else None,
            "searched": f"{limit[side]:.4g}" if side and limit[side] != limit["asked"] else None,
            "kept": None if kept is None else _kept_text(kept, limit),
            "exact optimum": limit.get("exact") or of(document["exact"], column),
            "measured": best["measured"].get(column),
            "best measured": measured and measured.get(column),
        }
        rows.append({name: told(value, column) for name, value in known.items()})
    table, targets = pd.DataFrame(rows), [metric_of(column) for column in keys]
    if document["gap"] == 0:  # it is the best found
        table = table.drop(columns="exact optimum")
    if beside.whole:
        table = table.drop(columns=["measured", "best measured"])
        table = table.rename(columns={"predicted": "measured"})
    filled = [name for name in table if (table[name] != "").any()]
    how = "" if beside.whole else (
        "Predicted values have 95 % intervals; expected is what optima measure that a search has "
        "chosen." if best["as_searched"] else
        "Predicted values have 95 % intervals. A searched subnet tends to measure worse than "
        "predicted."
    )  # fmt: skip
    points = [*filter(None, [how]), incumbent_sentence(beside, targets)]
    told_of = (_promise(document, objective, cost, beside), _whose(document, cost))
    said = in_order(beside, targets, *told_of)
    answer = document["best_measured"] if beside.measured_first else best
    return Card(
        title=f"Subnet {answer['id']}",
        sentence=f"{said} {document['certificate']}",
        table=table[filled],
        points=(*points, *choice_lines(space, space.architecture(answer["architecture"]))),
    )


def _kept_text(chance: float, limit: Document) -> str:
    if limit["best"].get("counted"):
        return "yes" if chance else "no"
    return f"{chance:.0%}".replace("%", " %")


def counterfactual_card(found: "Reached", share: float, price: str, why: "WhyNot | None") -> Card:
    """The edits that reach a goal, the cheapest first, as they are read in a terminal."""
    from foxnas_core.cards.reached import RULE, answers_table, reached_card

    points = [f"{found.cheapest.counted}: {found.cheapest.words}."] if found.cheapest.edits else []
    return replace(
        reached_card(found, share, price),
        title=f"Subnet {found.base.id}",
        table=answers_table(found),
        points=tuple(points + ([why.sentence()] if why else [])),
        notes=("Changes with 95 % intervals of this edit, where both are measured.", RULE),
    )


def _whose(document: Document, cost: Metric) -> str:
    """Which machine the latency is of."""
    if not cost.timed:
        return ""
    name = document["device"] or Machine().name
    return f"{cost.title} is that of {name}."


def _promise(document: Document, objective: Metric, cost: Metric, beside: Standing) -> str:
    """What the best found is to measure, or is known to have measured, and how surely it keeps the
    limits."""
    best = document["best"]
    told = best | best["as_searched"]
    limits, chance = document["limits"], document["best_chance"]
    kept = kept_text([(metric_of(limit["column"]), limit["asked"]) for limit in limits])
    exact = [exactly_of(limit["best"]) for limit in limits]
    exactly = " or ".join(dict.fromkeys(exact)) if all(exact) else ""
    price = ""
    if other := document["unguarded"]:
        price = price_text(other["difference"], metric_of(document["objective"]))
    surely = "." if beside.whole else (
        f". {no_promise(kept, objective, cost)}"
        if chance is None
        else f", and {promise(chance, kept, price, exactly=exactly)}."
    )  # fmt: skip
    name = "The search's own" if beside.measured_first else "It"
    how = "is expected to measure" if best["as_searched"] else "is predicted"
    how = "measured" if beside.whole else how
    return (
        f"{name} {how} {objective.value_text(told[objective.column]['value'])} "
        f"{objective.word} at {cost.value_text(told[field_of(cost)]['value'])}"
        + (" " + cost.word if not cost.unit else "")
        + surely
    )
