"""What is searched for: the best objective within a budget, or the least cost at a floor, under
further limits and with the choices kept."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.cards.quest import Quest
from foxnas_core.study import Study
from foxnas_core.study.goals import stand_in_sentence
from pages.shared import annealing, cache, choices
from pages.shared import search_runs as runs
from pages.shared.cards import given_of
from pages.shared.cost import bound_word, budget_picker, cost_picker
from pages.shared.fit_picker import form_picker
from pages.shared.jobs import Job
from pages.shared.limits import chosen_terms, terms_picker
from pages.shared.picked import picked
from pages.shared.text import article, plain


def quest_picker(
    study: Study, job: Job | None = None, *, first: DeltaGenerator | None = None
) -> Quest:
    """Draw the pickers of the budget or floor and its guard, which stand in `first` where that is
    given, of the cost, the goal, limits and choices; those that can't act on the `job` under way
    are held.

    Raises as `cost_picker` and `Given.front_of`.
    """
    active = runs.under_way(job)
    if said := stand_in_sentence(study.objective):
        st.caption(plain(said))
    first, then = first or st.container(), st.expander("What is looked for")
    with then:
        if active:
            st.caption("A search that runs keeps these; stop it to choose others.")
        cost = cost_picker(study, disabled=active)
        least_cost = _goal_picker(study, disabled=active) == "latency"
        table = cache.table_of(study)
        form_picker(table, disabled=active)
    terms = chosen_terms(study, table, cost)
    allowed = terms.allowed(study.space)
    front = cache.front_of(study, cost, allowed)
    with first:
        bound = budget_picker(
            study, front, floor=least_cost, and_then=lambda: runs.touch(bound=True),
            disabled=bool(active and job is not None and job.replays),
        )  # fmt: skip
    terms_picker(study, table, cost, terms, disabled=active)
    return Quest(
        given_of(
            study,
            cost=cost,
            limits=terms.limits,
            allowed=allowed,
            **{"floor" if least_cost else "budget": bound},
        )
    )


def _goal_picker(study: Study, *, disabled: bool) -> str:
    best, cost = study.objective.word, study.cost.word
    goals = {
        "accuracy": f"Best {best} within {article(cost)} budget",
        "latency": f"Least {cost} at {article(best)} {bound_word(study.objective)}",
    }

    def choose(goal: str) -> None:
        choices.update(goal=goal)
        # Temperatures are in the unit of what is looked for.
        annealing.change(start_temperature=None, end_temperature=None)

    return picked(
        st.radio, "Look for", goals, key="goal", field="goal", act=choose, disabled=disabled
    )
