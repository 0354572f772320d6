"""What the exact front says: prices, steps, and how sure its optimum and its budget are."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures import front as figures
from foxnas_core.figures.front import CostUnit
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front
from foxnas_core.search.prices import front_prices
from foxnas_core.search.stability import DRAWS, Stability
from foxnas_core.search.ties import tied_set
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from pages.shared import cache, choices
from pages.shared.cost import budget_slider, cost_picker, guard_picker, searched_budget
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.front_prices import show_prices, show_steps
from pages.shared.limits import Terms, chosen_terms, in_words, terms_picker
from pages.shared.panel import panel
from pages.shared.resamples import Resampling

LATENCY = "latency"
LEAST_CERTAIN = 5


def against_picker(study: Study, table: MeasurementTable) -> str:
    """Draw the choice of what the objective is traded against; returns a column, or `LATENCY` for
    the study's own cost, on whatever device."""
    objective, cost = study.objective, metric_of(study.cost.head)
    columns = [target.column for target in table.targets]
    own = any(target.head == cost.column for target in table.targets)
    names = {LATENCY: cost.label} if own else {}
    names |= {c: metric_of(c).label for c in ("parameters", "macs")
              if c in columns and c != cost.column}  # fmt: skip
    options = list(names)
    if objective.column not in columns or not options or not len(table):
        raise MissingPart(
            f"A front needs a measured {objective.word} and a cost ({cost.word}, parameters or "
            "MACs), which this study does not have yet; measure subnets with 'python -m "
            "foxnas_core measure' or import a table that has both."
        )
    chosen = choices.current().cost
    choices.show("front-cost", chosen if chosen in options else options[0])
    return st.segmented_control(
        f"{objective.title} against",
        options,
        format_func=names.get,
        key="front-cost",
        required=True,
        # Another cost has another range and other units.
        on_change=choices.on_change(
            "front-cost", lambda value: choices.update(cost=value, unit=None, count=None)
        ),
    )


def front_under(study: Study, table: MeasurementTable, column: str, terms: Terms) -> Front:
    """The front under further limits and with the choices kept.

    Raises as `cache.limited_front_of`, with the pickers drawn, so that limits can be taken off.
    """
    allowed = terms.allowed(study.space)
    if not terms.limits:
        return cache.front_of(study, column, allowed)
    try:
        return cache.limited_front_of(study, column, terms.limits, allowed)
    except FoxnasError:
        terms_picker(study, table, column, terms)
        raise


def count_slider(front: Front, unit: CostUnit) -> float:
    """The budget of a count, in the table's unit."""
    key = f"front-budget-{front.problem.limits[0].predictor.target.column}"
    low, high = (float(front.costs[end]) * unit.factor for end in (0, -1))
    step = 10.0 ** np.floor(np.log10((high - low or high) / 100))
    low, high = (
        np.ceil(low / step) * step,
        max(np.ceil(high / step), np.ceil(low / step) + 1) * step,
    )
    kept = choices.current().count
    value = (low + high) / 2 if kept is None else kept * unit.factor
    widget = f"{key}-{unit.symbol}"
    choices.show(widget, float(np.clip(np.round(value / step) * step, low, high)))
    found = st.slider(
        f"Budget ({unit.symbol})", float(low), float(high), step=float(step), key=widget,
        on_change=choices.on_change(widget, lambda v: choices.update(count=v / unit.factor)),
    )  # fmt: skip
    return found / unit.factor


def unit_picker(front: Front) -> CostUnit:
    """The unit that costs are read in, where there is a choice."""
    target = front.problem.limits[0].predictor.target
    units = {unit.label: unit for unit in figures.cost_units(target)}
    if len(units) == 1:
        return next(iter(units.values()))
    key = f"front-unit-{target.column}"
    chosen = choices.current().unit
    choices.show(key, chosen if chosen in units else figures.fitting_unit(front).label)
    label = st.selectbox(
        "Read costs in", list(units), key=key,
        on_change=choices.on_change(key, lambda value: choices.update(unit=value)),
    )  # fmt: skip
    return units[label]


def of_both(front: Front) -> str:
    """The objective and the cost, as what is said of their coefficients names them."""
    first, second = front.problem.objective.target, front.problem.limits[0].predictor.target
    return f"{first.word} and {second.word}"


def show_stability(study: Study, front: Front, stability: Stability, draws: int) -> None:
    """How often each choice of the optimum is optimal for resampled coefficients."""
    space = study.space
    st.header("How sure each choice is")
    fits = "" if not stability.infeasible else (
        f" In {stability.infeasible} of them no subnet keeps the budget; shares are of the rest."
    )  # fmt: skip
    with st.container(key="stability"):
        st.write(
            f"The coefficients of {of_both(front)} were drawn {draws} times from what the "
            "measurements leave open about them, and each time the optimum was solved anew. This "
            f"very subnet is the optimum in **{100 * stability.share:.0f} %** of resamples; "
            f"{stability.distinct} different ones are in some.{fits}"
        )
    left, right = st.columns([1.25, 1], gap="large")
    grid = figures.certainty_table(space, stability)
    with left:
        panel(
            "Block by block",
            "The optimum's choices, and the share of resamples whose optimum has just these.",
            grid,
            figures.certainty_figure(grid),
            key="certainty",
        )
    with right:
        st.header("The least certain")
        for sentence in figures.certainty_sentences(stability, space.context)[:LEAST_CERTAIN]:
            st.write(plain(sentence))
        st.caption(
            f"Parametric draws from the coefficients' multivariate t distribution, seed 0, the "
            f"ceiling's uncertainty included; {of_both(front)} apart. A share is itself known to "
            f"± {100 * 1.96 * 0.5 / np.sqrt(draws):.0f} points at most."
        )
    if not cache.table_of(study).ordered:
        st.caption(
            "The table does not tell the order of blocks within a stage: of subnets that differ in "
            "nothing else the first stands for all, and so do its blocks here."
        )
    with st.expander("Every choice"):
        panel("", "", stability.decisions, key="choices")


def show_certainty(study: Study, front: Front, budget: float) -> Sequence[Architecture]:
    """How sure each choice is, once the coefficients are resampled; returns the optima of the
    resamples, none before."""
    if len(front.problem.limits) > 1:
        st.header("How sure each choice is")
        st.info(
            "How often each choice is optimal when the coefficients are drawn anew is told of a "
            "front without further limits, since each draw has a front of its own to be solved; "
            "take the further limits off to see it."
        )
        return ()
    run = cache.resamplings().of(str(study.folder), front)
    if run is not None and run.result is not None:
        stability = run.result.at(budget)
        show_stability(study, front, stability, run.result.draws)
        return stability.architectures
    st.header("How sure each choice is")
    show_resampling(study, front, run)
    return ()


def show_resampling(study: Study, front: Front, run: Resampling | None) -> None:
    """The button that starts to resample, or how far it is: drawn again while it runs."""

    def start() -> None:
        with errors_as_cards():
            cache.resamplings().start(str(study.folder), front)

    if run is None or run.ended:
        st.write(
            f"The coefficients of {of_both(front)} can be drawn anew {DRAWS} times from what the "
            "measurements leave open about them, and each time the whole front solved again: a few "
            "seconds in a small space, minutes in a large one. It goes on when you leave this page."
        )
        if run is not None and run.failed:
            st.error(plain(run.note))
        elif run is not None:
            st.caption(f"Stopped after {run.done} of {run.draws} draws, of which nothing is kept.")
        st.button("Draw the coefficients anew", key="resample", type="primary", on_click=start)
        return

    @st.fragment(run_every=0.5)
    @errors_as_cards()
    def draw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.resamplings().get(run.id, run.study)
        left = run.seconds_left
        rest = "" if math.isnan(left) else f", about {max(1, round(left)):,} s to go"
        st.progress(run.done / run.draws, f"{run.done} of {run.draws} draws solved{rest}")
        if run.ended:
            st.rerun()

    with st.container(key="resampling"):
        draw()
        st.button("Stop", key="resample-stop", on_click=run.stop)


def show_ties(
    study: Study, front: Front, others: Sequence[Architecture], unit: CostUnit, budget: float
) -> None:
    """The subnets within the budget that cannot be told from the optimum."""
    problem = front.problem
    objective, cost = problem.objective.target, problem.limits[0].predictor.target
    tied = tied_set(front, budget, others=others)
    measured = [cache.table_of(study).frame]
    try:
        measured.append(study.optima().frame)
    except FoxnasError as error:
        st.caption(plain(str(error)))
    columns = ["id", objective.column]
    known = pd.concat([f[columns] for f in measured if set(columns) <= set(f)])
    table = figures.tied_table(tied, known, objective, cost, unit)
    saved = table["saves (%)"].max()
    st.header("Subnets that are as good, as far as can be told")
    words = f"**{len(tied) - 1:,}** of {tied.examined - 1:,} other subnets within the budget"
    with st.container(key="ties"):
        st.write(
            f"{words} that were examined cannot be told from the optimum: the "
            f"{100 * tied.level:.0f} % interval of the difference in {objective.word} contains 0. "
            f"Measured already: {table['measured'].notna().sum()}."
        )
        if saved >= 1:
            row = table.loc[table["saves (%)"].idxmax()]
            st.write(
                f"The cheapest of them, **{row['id']}**, costs {row[unit.title]:.4g} "
                f"{unit.symbol}, **{saved:.0f} %** less than the optimum, for "
                f"{objective.text(row['difference'], signed=True)} {objective.difference_unit} "
                f"[{objective.text(row['low'], signed=True)}, "
                f"{objective.text(row['high'], signed=True)}]."
            )
    panel(
        "",
        f"Difference to the optimum in predicted {front.problem.objective.target.word}, by cost.",
        table,
        figures.tied_figure(table, objective, unit),
        key="tied",
    )
    resampled = ", all of the front, and the optima of the resamples" if others else (
        " and all of the front"
    )  # fmt: skip
    rest = (
        "No other subnet within the budget can be tied."
        if tied.complete
        else "Others further below may be tied as well."
    )
    st.caption(
        f"Examined are all subnets within the budget predicted at most {tied.depth:.2g} "
        f"{objective.difference_unit or objective.word} worse than the optimum{resampled}. {rest} "
        "The interval is one difference at a time (t), not simultaneous: a set that holds for all "
        "at once would be larger. The optimum is the best of many predictions, so its lead is "
        "flattered."
    )
    ids = table["id"].tolist()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    start = tied.cheapest
    chosen = row.selectbox(
        "One of them", range(len(ids)), index=start, format_func=ids.__getitem__, key="tied-one",
        width=260,
    )  # fmt: skip
    if row.button("Open in What-if beside the optimum", key="tied-what-if"):
        one, other = tied.architectures[chosen], tied.optimum.architecture
        choices.update(architecture=choices.as_text(one), start=choices.as_text(other))
        st.switch_page("pages/2_What_if.py")


def show_chances(
    front: Front,
    unit: CostUnit,
    budget: float,
    searched: float,
    calibration: SearchCalibration | None,
    why: str,
) -> None:
    """Whether a budget holds when a subnet of the front is measured, and above all the optimum
    that was searched under it or, to be surer, under less."""
    st.header("Whether the budget holds")
    table = figures.chance_table(front, budget, unit, calibration)
    if table["chance"].isin([0.0, 100.0]).all():
        st.write("The regression predicts this cost exactly, so the budget holds.")
        return
    objective = front.problem.objective.target
    optimum = int(np.searchsorted(front.costs, searched, side="right")) - 1
    sure = table[table["chance"] >= 95]
    text = (
        f"The optimum keeps {unit.text(budget)} when measured with a chance of "
        f"**{table['chance'].iloc[optimum]:.0f} %**."
    )
    if len(sure) and sure.index[-1] < optimum:
        row = sure.iloc[-1]
        loss = abs(table["value"].iloc[optimum] - row["value"])
        text += (
            f" To be 95 % sure, take the front's subnet of {row['cost']:.4g} {unit.symbol}: it "
            f"gives up {objective.text(loss)} {objective.difference_unit}."
        )
    with st.container(key="chance"):
        st.write(text)
    if calibration is not None:
        st.caption(f"By how {calibration.count} measured optima differ from their predictions.")
    else:
        st.caption(
            "By the regression's prediction distribution, which holds for a subnet chosen without "
            f"looking and is too hopeful of a searched one. {plain(why)}"
        )
    left, right = st.columns(2, gap="large")
    with left:
        panel(
            "Along the front",
            "The chance that each subnet of the front measures within the chosen budget.",
            table,
            figures.chance_figure(table, unit, budget),
            key="chances",
        )
    with right:
        every = figures.budget_table(front, unit, calibration)
        panel(
            "At every budget",
            "The chance that the optimum of each budget measures within that budget.",
            every,
            figures.budget_figure(every, unit, budget),
            key="budgets",
        )


with page(
    "Front",
    "The best predicted subnet of every budget, solved exactly: what a better one costs along the "
    "way, which block changes where, and how sure one may be of the choice.",
) as study:
    table = cache.table_of(study)
    calibration, why = None, ""
    with st.sidebar:
        kind = against_picker(study, table)
        column = cost_picker(study) if kind == LATENCY else kind
        terms = chosen_terms(table, column)
        front = front_under(study, table, column, terms)
        unit = unit_picker(front)
        if kind == LATENCY:
            chosen = budget_slider(front)
            guard_picker(study, front)
            budget = searched_budget(study, front)
            try:
                calibration = cache.calibrations_of(study, column)[column]
            except FoxnasError as error:
                why = str(error)
        else:
            budget = chosen = count_slider(front, unit)
        terms_picker(study, table, column, terms)
    cost = front.problem.limits[0].predictor
    if cost.df is not None:  # calibrated from another device
        st.warning(plain(cost.warnings[0]))
    optimum = front.within(budget)
    objective = front.problem.objective.target
    guarded = "" if chosen == budget else f" (searched under {unit.text(budget)})"
    limits = [(x.predictor.target, x.bound, x.side) for x in front.problem.limits[1:]]
    asked = ", ".join([unit.text(chosen), *in_words(limits)])
    kept_choices = ", with the choices kept" if terms.kept else ""
    with st.container(key="optimum"):
        st.write(
            f"Optimum under {asked}{guarded}{kept_choices}: subnet "
            f"**{optimum.architecture.id}**, predicted at "
            f"**{objective.text(optimum.value)} {objective.unit}** and "
            f"**{unit.text(optimum.costs[0])}**."
        )
    prices = front_prices(front)
    with errors_as_cards():
        show_prices(prices, unit, budget)
    with errors_as_cards():
        show_steps(prices, unit, budget)
    with errors_as_cards():
        show_chances(front, unit, chosen, budget, calibration, why)
    with errors_as_cards():
        others = show_certainty(study, front, budget)
        show_ties(study, front, others, unit, budget)
