"""What is searched for: the best objective within a budget, or the least cost at a floor, under
further limits and with the choices kept."""

import streamlit as st

from foxnas_core.cards.quest import Quest
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.cards import given_of
from pages.shared.cost import bound_word, budget_picker, cost_picker
from pages.shared.limits import chosen_terms, terms_picker
from pages.shared.picked import picked
from pages.shared.text import article


def quest_picker(study: Study) -> Quest:
    """Draw the pickers of the cost, the goal, budget or floor, its guard, limits and choices.

    Raises as `cost_picker` and `Given.front_of`.
    """
    table, cost = cache.table_of(study), cost_picker(study)
    terms = chosen_terms(table, cost)
    least_cost = _goal_picker(study) == "latency"
    allowed = terms.allowed(study.space)
    front = cache.front_of(study, cost, allowed)
    bound = budget_picker(study, front, floor=least_cost)
    terms_picker(study, table, cost, terms)
    return Quest(
        given_of(
            study,
            cost=cost,
            limits=terms.limits,
            allowed=allowed,
            **{"floor" if least_cost else "budget": bound},
        )
    )


def _goal_picker(study: Study) -> str:
    best, cost = study.objective.word, study.cost.word
    goals = {
        "accuracy": f"Best {best} within {article(cost)} budget",
        "latency": f"Least {cost} at {article(best)} {bound_word(study.objective)}",
    }
    return picked(st.radio, "Look for", goals, key="goal", field="goal")
