"""Cards of the documents of `fit` and `search`."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.commands.printing import told
from foxnas_core.search.result import field_of
from foxnas_core.space.in_words import choice_lines
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric, metric_of

Document = Mapping[str, Any]


def fit_cards(targets: Mapping[str, Document], chosen: str | None) -> Iterator[Card]:
    """What each target's fit is worth and, where one was chosen, its coefficients; `targets` as in
    the document of `fit`."""
    rows = [
        {
            "target": metric_of(column).named,
            "form": fit["form"],
            "link": "saturating" if fit["ceiling"] else "none",
            "rows": fit["rows"],
            "R²": f"{fit['r2']:.3f}",
            "RMSE": metric_of(column).text(fit["cv"]["rmse"]),
            "tau": f"{fit['cv']['tau']:.3f}",
        }
        for column, fit in targets.items()
    ]
    yield Card(
        sentence=f"{len(rows)} {'target is' if len(rows) == 1 else 'targets are'} fitted. R² is "
        "that of the rows fitted; RMSE and Kendall's tau are of subnets that no fit saw "
        "(cross-validation).",
        table=pd.DataFrame(rows),
    )
    if chosen is None:
        return
    metric, fit = metric_of(chosen), targets[chosen]
    unit = f", in {metric.difference_unit}" if metric.difference_unit else ""
    ceiling = fit["ceiling"]
    yield Card(
        title=f"Coefficients of {metric.word}",
        sentence=f"What each choice adds beside its decision's first one{unit}, with 95 % "
        "intervals.",
        points=(f"It nears a ceiling of {told(_interval(ceiling), chosen)}.",) if ceiling else (),
        table=pd.DataFrame(
            {
                "term": row["term"],
                f"{chosen} difference": _estimate(row, "estimate"),
                "p": f"{row['p']:.2g}",
            }
            for row in fit["coefficients"]
        ),
    )


def search_card(document: Document, space: SearchSpace, objective: Metric, cost: Metric) -> Card:
    """The subnet that a search found, by the document of `search`."""
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
            "predicted": limit.get("best") or of(best, column),
            "expected": of(best["as_searched"], column),
            "limit": f"{side.replace('_', ' ')} {limit[side]:.6g}" if side else None,
            "kept": None if kept is None else f"{kept:.0%}".replace("%", " %"),
            "exact optimum": limit.get("exact") or of(document["exact"], column),
            "best measured": measured and measured.get(column),
        }
        rows.append({name: told(value, column) for name, value in known.items()})
    table = pd.DataFrame(rows)
    if document["gap"] == 0:  # it is the best found
        table = table.drop(columns="exact optimum")
    filled = [name for name in table if (table[name] != "").any()]
    points = [
        "Predicted values have 95 % intervals"
        + ("; expected is what optima measure that a search has chosen." if best["as_searched"]
           else ". A searched subnet tends to measure worse than predicted: 'python -m foxnas_core "
           "calibrate' tells by how much."),
        f"The best measured is {measured['id']}." if measured
        else "No measured subnet keeps the limits.",
    ]  # fmt: skip
    return Card(
        title=f"Subnet {best['id']}",
        sentence=f"{_promise(document, objective, cost)} {document['certificate']}",
        table=table[filled],
        points=(*points, *choice_lines(space, space.architecture(best["architecture"]))),
    )


def _promise(document: Document, objective: Metric, cost: Metric) -> str:
    """What is predicted of the best found, and what the budget asks."""
    best, budget = document["best"], document["budget"]
    said = (
        f"It is predicted {objective.value_text(best[objective.column]['value'])} "
        f"{objective.word} at {cost.value_text(best[field_of(cost)]['value'])}"
        + (" " + cost.word if not cost.unit else "")
    )
    if budget is None:
        return f"{said}."
    asked = f"{said}, within the budget of {budget['asked']:.6g} {cost.unit}".rstrip()
    if budget["searched"] != budget["asked"]:
        asked += f", searched under {budget['searched']:.4g}"
    chance = f"{document['chances'][cost.column]:.0%}".replace("%", " %")
    return f"{asked}, which it keeps with a chance of {chance} when measured."


def _interval(found: Document) -> dict[str, Any]:
    return {side: found[side] for side in ("value", "low", "high")}


def _estimate(row: Document, value: str) -> dict[str, Any]:
    return {"value": row[value], "low": row["low"], "high": row["high"]}
