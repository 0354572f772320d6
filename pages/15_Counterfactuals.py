"""What would have to change: the edits that reach a goal, why a choice is not taken, what is best
around choices that are kept."""

import math

import streamlit as st

from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.explanation.reach import Answer, Reached
from foxnas_core.figures.counterfactual import choices_figure, reached_figure, reached_table
from foxnas_core.figures.effects import edit_figure, edit_table
from foxnas_core.search.exact import Front
from foxnas_core.search.limits import noun_of
from foxnas_core.search.restriction import choices_that_keep, choices_that_take, narrowed
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from pages.shared import cache, choices
from pages.shared.cost import (
    amounts_up_to,
    budgets_of,
    cost_picker,
    floors_of,
    searched_budget,
    slider,
)
from pages.shared.editor import architecture_picker
from pages.shared.frame import errors_as_cards, page
from pages.shared.limits import Terms, chosen_terms, pins_picker, terms_picker
from pages.shared.panel import panel
from pages.shared.text import plain


def aims_of(front: Front) -> dict[str, str]:
    """What one may aim at, in the words of the objective and the cost."""
    best, cost = front.problem.objective.target, front.problem.limits[0].predictor.target
    return {
        "save": f"Save {cost.word}",
        "gain": f"{'Gain' if best.sign > 0 else 'Lower'} {best.word}",
        "latency": f"{cost.title} of at most",
        "accuracy": f"{best.title} of at {'least' if best.sign > 0 else 'most'}",
    }


# More numbers of edits than this stand on a slider instead of side by side.
MOST_SIDE_BY_SIDE = 12


def goal_picker(front: Front, base: Architecture) -> tuple[str, float] | None:
    """Draw what to aim at and how much of it; returns the aim and its amount in the target's unit,
    or None, with a sentence, where the subnet leaves nothing to aim at, or less than is asked."""
    aim, aims = choices.current().aim, aims_of(front)
    choices.show("aim", aim)
    aim = st.segmented_control(
        "Goal",
        list(aims),
        format_func=aims.get,
        key="aim",
        required=True,
        on_change=choices.on_change(
            "aim", lambda value: choices.update(aim=value, amount=None, edits=None)
        ),
    )
    latency, accuracy = front.problem.limits[0].predictor, front.problem.objective
    of_latency = aim in ("save", "latency")
    target = latency.target if of_latency else accuracy.target
    now = float((latency if of_latency else accuracy).predict([base])["value"].iloc[0])
    if aim in ("save", "gain"):
        reached = float(front.costs[0] if of_latency else front.values[-1])
        most = target.sign * (reached - now)
        if most <= 1e-9 * abs(now):
            st.info(
                f"No subnet that keeps what is kept has a better predicted {target.label.lower()} "
                "than this one, so there is nothing to gain."
            )
            return None
        low, high, step = amounts_up_to(most)
        value = choices.current().amount or max(low, round(round(high / step / 4) * step, 12))
        label = "Save at least" if target.sign < 0 else "Gain at least"
        unit = target.difference_unit
        reach = most
    else:
        low, high, step = budgets_of(front) if of_latency else floors_of(front)
        # A little better than now, as one would ask.
        asked = now + ((high if target.sign > 0 else low) - now) / 4
        value = choices.current().amount or round(step * round(min(asked, high) / step), 12)
        label, unit = aims[aim], target.unit
        reach = math.inf
    amount = slider(
        "amount",
        f"{label} ({unit})" if unit else label,
        value,
        (low, high, step),
        key=f"amount-{aim}",
        and_then=lambda: choices.update(edits=None),
    )
    if amount > reach * (1 + 1e-9):
        verb = "save" if target.sign < 0 else "gain"
        st.warning(
            plain(
                f"From this subnet one can {verb} about {target.text(high)} {unit}, not "
                f"{target.text(amount)} {unit}; ask for less, keep less, or start from another one."
            )
        )
        return None
    return aim, amount


def show_answer(answer: Answer, targets: tuple[Metric, ...], *, asked: str, key: str) -> None:
    """An answer in words, with price and certainty, and what to do with it."""
    if not answer.edits:
        st.write(f"No edit is needed: this subnet keeps it, with a chance of **{answer.sure}**.")
        return
    prices = [f"**{plain(answer.price(target))}**" for target in dict.fromkeys(targets)]
    with st.container(key=f"{key}-words"):
        st.write(f"**{answer.counted}:** {plain(answer.words)}.")
        st.write(f"{', '.join(prices)}. When measured, {asked} with a chance of **{answer.sure}**.")
        if not answer.exact:
            st.caption("This is the best that was found in time; a better one may exist.")
    row = st.container(horizontal=True)
    row.button("Apply", key=f"{key}-apply", type="primary", on_click=apply, args=(answer,))
    if row.button("Apply, and open in What-if", key=f"{key}-what-if"):
        apply(answer)
        st.switch_page("pages/2_What_if.py")


def show_edits(answer: Answer, targets: tuple[Metric, ...], key: str) -> None:
    """What each edit of an answer changes in the objective and in the first limit."""
    if not answer.edits:
        return
    shown = list(dict.fromkeys(targets))[:2]
    for target, place in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        with place:
            table = edit_table(answer.effects[target.column])
            panel(
                f"What each edit changes: {target.label}",
                "With 95 % confidence intervals, one difference at a time.",
                table,
                edit_figure(table, target),
                key=f"{key}-edits-{target.column}",
            )


def apply(answer: Answer) -> None:
    """Choose the answer; edits are held against the subnet that it answers for."""
    relative = choices.current().aim in ("save", "gain")
    choices.update(
        architecture=choices.as_text(answer.after),
        start=choices.as_text(answer.before),
        edits=None,
        **({"amount": None} if relative else {}),
    )


def edits_picker(reached: Reached) -> Answer:
    """Draw the choice between the numbers of edits and return its answer."""
    numbers = {answer.edits: answer for answer in reached.answers}
    chosen = choices.current().edits
    value = int(chosen) if chosen in numbers else reached.fewest.edits

    def label(edits: int) -> str:
        ends = {reached.cheapest.edits: "cheapest", reached.fewest.edits: "fewest"}
        return f"{edits}: {ends[edits]}" if edits in ends else str(edits)

    choices.show("edits", value)
    draw = st.segmented_control if len(numbers) <= MOST_SIDE_BY_SIDE else st.select_slider
    more = {"required": True} if draw is st.segmented_control else {}
    if len(numbers) > 1:
        value = draw(
            "Edits",
            list(numbers),
            format_func=label,
            key="edits",
            on_change=choices.on_change("edits", lambda k: choices.update(edits=float(k) or None)),
            **more,
        )
    return numbers[value]


def reached_words(reached: Reached) -> str:
    """The fewest and the cheapest in a sentence."""
    target, fewest, cheapest = reached.targets[0], reached.fewest, reached.cheapest

    def price(answer: Answer) -> str:
        change = target.text(answer.effects[target.column].total, signed=True)
        return f"{change} {target.difference_unit} of {plain(noun_of(target))}"

    goal = f"**{plain(reached.asked)}**"
    if not cheapest.edits:
        return f"For {goal} no edit is needed, and none would make it cheaper."
    if not fewest.edits:
        text = f"For {goal} no edit is needed; with **{cheapest.counted}** it has {price(cheapest)}"
    elif fewest is cheapest:
        verb = "is" if fewest.edits == 1 else "are"
        text = f"For {goal}, **{fewest.counted}** {verb} both the fewest and the cheapest answer"
        text += f", for {price(fewest)}"
    else:
        text = f"For {goal}, the fewest are **{fewest.counted}**, for {price(fewest)}"
        text += f"; the cheapest answer takes **{cheapest.counted}**, for {price(cheapest)}"
    return f"{text}. No subnet does better with as many edits: this is exact."


def show_reached(
    study: Study, front: Front, base: Architecture, latency: str, terms: Terms, kept: Allowed
) -> None:
    """The goal, the best answer of every number of edits, and the chosen one."""
    st.header("What would have to change")
    picked = goal_picker(front, base)
    if picked is None:
        return
    aim, amount = picked
    of_latency, best = aim in ("save", "latency"), study.objective.column
    objective, first = (best, latency) if of_latency else (latency, best)
    limits = ((first, amount), *terms.limits)
    reached = cache.reached_of(study, objective, limits, kept, base, aim in ("save", "gain"))
    target = reached.targets[0]
    table = reached_table(reached)
    with st.container(key="reached-words"):
        st.write(reached_words(reached))
    word = "it is reached" if aim in ("save", "gain") else "it is kept"
    answer = edits_picker(reached)
    left, right = st.columns([1.2, 1], gap="large")
    with right:
        st.header("The answer")
        show_answer(answer, reached.targets, asked=word, key="answer")
    with left:
        panel(
            f"The price of every number of edits: {target.label}",
            "Each point is the best of all subnets that keep the goal with so many edits; bars are "
            "95 % confidence intervals of the difference.",
            table,
            reached_figure(table, target, answer.edits),
            key="reached",
        )
    show_edits(answer, reached.targets, "answer")
    how = (
        "where both subnets are measured, by the regression's error and the uncertainty of the "
        "difference"
        if aim in ("save", "gain")
        else "by how measured optima differ from their predictions where enough were measured, "
        "else by the regression's prediction distribution"
    )
    st.caption(
        f"The chance that {word} is that of a measurement, {how}. An answer that is "
        "predicted to reach its goal by a hair does so in about half of the cases or fewer: ask "
        "for more to be surer. "
        "An edit is one decision that takes another choice: a lesser depth may remove several "
        "blocks at once; a block that a greater depth opens comes with its first choices, and each "
        "other choice in it is an edit more."
    )


def show_why_not(
    study: Study, front: Front, base: Architecture, limits: Limits, kept: Allowed
) -> None:
    """Why one choice is not taken, in a sentence, and the best with each choice."""
    st.header("Why not …?")
    space, allowed = study.space, dict(kept)

    def may_take(decision: Decision, value: Value) -> bool:
        pins = narrowed(allowed, choices_that_take(space, decision, value))
        return base.get(decision.name) != value and all(pins.values())

    others = {d.name: [c for c in d.choices if may_take(d, c)] for d in space.decisions}
    others = {name: values for name, values in others.items() if values}
    if not others:
        st.info("Every decision is kept as it is; let go of one to ask about it.")
        return
    decision, value = asked_picker(others, base)
    found, every = cache.why_not_of(
        study, study.objective.column, limits, kept, base, (decision, value)
    )
    with st.container(key="why-not"):
        st.write(plain(found.sentence()))
    objective = front.problem.objective.target
    panel(
        "The best subnet with each choice",
        f"The change in {objective.label.lower()} against the best within the budget, all else "
        "optimised anew; bars are 95 % confidence intervals. Dark: what this subnet has now; a "
        "cross: nothing within the budget has it.",
        every,
        choices_figure(every, objective),
        key="choices",
    )
    if found.best is not None and found.best.architecture != base:
        words = in_words(study.space, changes_between(study.space, base, found.best.architecture))
        st.caption(f"The best with {plain(f'{decision} {value}')} differs in: {plain(words)}.")
        st.button(
            "Apply the best with it",
            key="why-not-apply",
            on_click=lambda best: choices.update(
                architecture=choices.as_text(best), start=choices.as_text(base)
            ),
            args=(found.best.architecture,),
        )


def asked_picker(others: dict[str, list[Value]], base: Architecture) -> tuple[str, Value]:
    """Draw the choice that is asked for: a decision and one of its `others`, those it may take but
    does not have."""
    name, _, text = (choices.current().asked or "").partition(":")
    first = next((n for n in others if n in base and "kernel" in n), next(iter(others)))
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    choices.show("asked-decision", name if name in others else first)
    name = left.selectbox(
        "Decision",
        list(others),
        format_func=lambda n: f"{n} (now {base.get(n, 'off')})",
        key="asked-decision",
        on_change=choices.on_change("asked-decision", lambda n: choices.update(asked=f"{n}:")),
    )
    by_text = {str(choice): choice for choice in others[name]}
    value = by_text.get(text, others[name][-1])
    key = f"asked-{name}"
    choices.show(key, value)
    value = right.segmented_control(
        "Why not",
        others[name],
        key=key,
        required=True,
        on_change=choices.on_change(key, lambda v: choices.update(asked=f"{name}:{v}")),
    )
    return name, value


with page(
    "Counterfactuals",
    "What would have to change in a subnet to reach a goal, by the fewest edits and by the "
    "cheapest; why a choice is not taken; and what is best around the choices that you keep.",
) as study:
    table = cache.table_of(study)
    latency = cost_picker(study)
    base = architecture_picker(study, latency)
    terms = chosen_terms(table, latency)
    pinned = pins_picker(study.space, base)
    terms_picker(study, table, latency, terms)
    pins = choices_that_keep(study.space, base, pinned)
    kept: Allowed = tuple(narrowed(dict(terms.allowed(study.space)), pins).items())
    front = cache.front_of(study, latency, kept)
    values = [
        (p.target, float(p.predict([base])["value"].iloc[0]))
        for p in (front.problem.objective, front.problem.limits[0].predictor)
    ]
    with st.container(key="base"):
        st.write(
            f"This is subnet **{base.id}**, predicted at "
            + " and ".join(f"**{target.value_text(value)}**" for target, value in values)
            + "."
        )
    with errors_as_cards():
        show_reached(study, front, base, latency, terms, kept)
    budget = searched_budget(study, cache.front_of(study, latency))
    limits = ((latency, budget), *terms.limits)
    with errors_as_cards():
        show_why_not(study, front, base, limits, kept)
    with errors_as_cards():
        st.header("The best around what is kept")
        best = cache.kept_best_of(study, study.objective.column, limits, kept, base)
        targets = tuple(metric_of(column) for column in best.effects)
        within = f"{budget:.6g} {metric_of(latency).unit or metric_of(latency).word}"
        what = f"with {len(pinned)} decisions kept as they are" if pinned else "with nothing kept"
        if best.after == base:
            st.write(f"Within {within}, {what}, no subnet is better than this one.")
        else:
            st.write(f"The best within {within}, {what}, is:")
            show_answer(best, targets, asked="the budget is kept", key="rest")
            show_edits(best, targets, "rest")
