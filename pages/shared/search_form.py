"""What is searched for: the best accuracy within a latency budget, or the least latency at an
accuracy floor, under further limits and with the choices kept."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.cost import (
    bound_word,
    budget_slider,
    cost_picker,
    floor_slider,
    guard_picker,
    searched_budget,
    searched_floor,
)
from pages.shared.limits import Terms, chosen_terms, terms_picker
from pages.shared.text import article

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.solving import Solution


@dataclass(frozen=True)
class Quest:
    """A search as it was chosen.

    `least_latency` is that at a floor; `bound` the chosen budget (ms) or floor (%), `searched` the
    one to search under, so that it is kept when measured; `front` is that of accuracy and latency
    without the further limits.
    """

    study: Study
    latency: str
    least_latency: bool
    bound: float
    searched: float
    terms: Terms
    front: "Front"

    @property
    def objective(self) -> str:
        return self.latency if self.least_latency else self.study.objective.column

    @property
    def limited(self) -> str:
        """The column that the bound is on."""
        return self.study.objective.column if self.least_latency else self.latency

    @property
    def limits(self) -> tuple[tuple[str, float], ...]:
        """Every limit as it is searched under."""
        return (self.limited, self.searched), *self.terms.limits

    @property
    def asked(self) -> tuple[tuple[str, float], ...]:
        """Every limit as it was chosen."""
        return (self.limited, self.bound), *self.terms.limits

    @cached_property
    def problem(self) -> "SearchProblem":
        """The search; raises as `cache.problem_of`."""
        allowed = self.terms.allowed(self.study.space)
        return cache.problem_of(self.study, self.objective, self.limits, allowed)

    @property
    def reachable(self) -> "SearchProblem":
        """The search, or the nearest to it whose first limit can be kept."""
        if self.least_latency:
            best = float(self.front.values[-1])
            keep = min if self.study.objective.sign > 0 else max
            return self.problem.within(keep(self.searched, best))
        return self.problem.within(max(self.searched, float(self.front.costs[0])))

    def solution(self) -> "Solution":
        """The optimum; raises as `cache.solution_of`."""
        allowed = self.terms.allowed(self.study.space)
        return cache.solution_of(self.study, self.objective, self.limits, allowed)


def quest_picker(study: Study, table: MeasurementTable, *, guarded: bool = True) -> Quest:
    """Draw the pickers of latency, goal, budget or floor, its guard, limits and choices.

    Raises as `cost_picker` and `cache.front_of`.
    """
    latency = cost_picker(study)
    terms = chosen_terms(table, latency)
    least_latency = _goal_picker(study) == "latency"
    front = cache.front_of(study, latency, terms.allowed(study.space))
    bound = floor_slider(front) if least_latency else budget_slider(front)
    searched = bound
    if guarded:
        guard_picker(study, front, floor=least_latency)
        searched = (searched_floor if least_latency else searched_budget)(study, front)
    terms_picker(study, table, latency, terms)
    return Quest(study, latency, least_latency, bound, searched, terms, front)


def _goal_picker(study: Study) -> str:
    best, cost = study.objective.word, study.cost.word
    goals = {
        "accuracy": f"Best {best} within {article(cost)} budget",
        "latency": f"Least {cost} at {article(best)} {bound_word(study.objective)}",
    }
    choices.show("goal", choices.current().goal)
    return st.radio(
        "Look for",
        list(goals),
        format_func=goals.get,
        key="goal",
        on_change=choices.on_change("goal", lambda goal: choices.update(goal=goal)),
    )
