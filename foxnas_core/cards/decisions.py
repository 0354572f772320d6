"""A selection by perturbation, decision by decision, and what other orders would have chosen."""

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.operations import (
    mixture_of,
    no_perturbation,
    objective_of,
    other_weights,
    perturbed,
    selection_options,
    shown,
)
from foxnas_core.evidence.operations import comparable, kept_options, orders
from foxnas_core.figures import operations as figures
from foxnas_core.figures.cell_graph import edge_titles, graph_figure
from foxnas_core.search.selections import EdgeDecision


def _options(given: Given) -> Options:
    first = shown(given, "")
    names = {0: "Before the first decision"} | {
        place: f"Decision {place}: {_title(given, own.edge)}"
        for place, own in enumerate(first.decisions, 1)
    }
    return {**selection_options(given), "step": names}


def _title(given: Given, name: str) -> str:
    return edge_titles(given.study.space).get(name, name.replace("_", " "))


@analysis("Select", "replay", "Decision by decision", no_perturbation, _options)
def replay(given: Given, *, selection: str = "", step: int = 0) -> Card:
    """The cell after so many decisions, and what the last of them rests on."""
    found, mixture = shown(given, selection), known(mixture_of(given))
    step = max(0, min(step, len(found.decisions)))
    table = figures.replay_table(given.study.space, mixture, found, step)
    if step and (table["graph"] != "").any():  # of several cells the one that was decided on
        table = table[table["graph"].isin(set(table.loc[table["now"], "graph"]))]
    metric, first = objective_of(given), found.decisions[0].base
    if step:
        said = _said(given, found.decisions[step - 1], step, len(found.decisions))
    else:
        value = "" if first is None else f": its {metric.word} is {metric.value_text(first)}"
        said = f"Every edge mixes all its operations{value}. Order drawn by seed {found.seed}."
    return Card(
        sentence=said,
        table=table.drop(columns=["source", "target", "bend"]),
        draw=None if table.empty else lambda: graph_figure(table),
        cautions=other_weights(given, found),
    )


def _said(given: Given, decision: EdgeDecision, step: int, total: int) -> str:
    metric, mixture = objective_of(given), known(mixture_of(given))
    titles = edge_titles(given.study.space)
    kept = [titles.get(name, name) for name in kept_options(decision, mixture)]
    said = f"Decision {step} of {total}, {_title(given, decision.edge)}, keeps {' and '.join(kept)}"
    lost = {own.operation: own.drop for own in decision.candidates if own.drop is not None}
    errors = {own.operation: own.std_error or 0.0 for own in decision.candidates}
    names, edge = kept_options(decision, mixture), mixture.by_name.get(decision.edge)
    never = (*names, *(edge.mixed_only if edge else ()))
    rest = [name for name in lost if name not in never]
    if all(name in lost for name in names) and rest:
        weakest, following = min(names, key=lost.__getitem__), max(rest, key=lost.__getitem__)
        which = "it" if len(names) == 1 else "the less missed of them"
        said += (
            f"; without {which} the supernet loses {metric.difference_text(lost[weakest])} "
            f"(± {errors[weakest]:.2f}), without {titles.get(following, following)}, the next, "
            f"{metric.difference_text(lost[following])}"
        )
    if decision.margin is not None and decision.margin_error is not None:
        said += f". The margin is {decision.margin:.2f} ± {decision.margin_error:.2f}" + (
            ", under two standard errors: chance decided" if decision.by_chance else ""
        )
    if decision.base is not None and decision.after is not None:
        said += (
            f". Its {metric.word} went from {metric.text(decision.base)} to "
            f"{metric.value_text(decision.after)} once it was fine-tuned"
        )
    return f"{said}."


def _few_orders(given: Given) -> str | None:
    if sentence := no_perturbation(given):
        return sentence
    found = perturbed(given)
    if max(len(comparable(found, own)) for own in found.values()) > 1:
        return None
    other = shown(given, "").seed + 1
    return (
        "Only one order of decisions was tried on this supernet; select with another seed, here or "
        f"with 'python -m foxnas_core select --study {given.folder} --method perturbation --seed "
        f"{other}'."
    )


@analysis("Select", "orders", "What another order selects", _few_orders, selection_options)
def other_orders(given: Given, *, selection: str = "") -> Card:
    """How often selections in other orders keep the same."""
    found = shown(given, selection)
    others = list(comparable(perturbed(given), found).values())
    table = orders(others, found)
    cells = {own.selected.architecture for own in others}
    agree = float(table["agree"].mean())
    named = table.assign(decision=table["decision"].map(lambda name: _title(given, name)))
    different = "the same cell" if len(cells) == 1 else f"{len(cells)} different cells"
    return Card(
        sentence=f"{len(others)} orders of the decisions, by as many seeds, selected {different} "
        f"from the same supernet; a decision of the one shown is made alike by {agree:.0f} % of "
        "them on average."
        if len(others) > 1
        else "No other order was tried with the same settings; select by another seed.",
        table=named.rename(
            columns={
                "agree": "kept by (%)", "chance": "decided by chance in", "kept_by": "orders keep",
            }
        ),
        notes=tuple(f"Seed {own.seed} selected {own.selected.string}." for own in others),
    )  # fmt: skip
