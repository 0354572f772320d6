"""Searching for the best predicted architecture within a budget: annealing, and the optimum."""

from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.exact import Front, front, solve_exact
from foxnas_core.search.limits import AdditivePredictor, Limit
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult, search_document
from foxnas_core.search.schedule import AnnealingSettings, temperatures
from foxnas_core.search.solving import Solution, solve, solve_milp
from foxnas_core.search.suggestion import limit_price, suggest_temperatures

__all__ = [
    "AdditivePredictor",
    "Annealer",
    "AnnealingSettings",
    "Candidate",
    "Front",
    "Limit",
    "SearchProblem",
    "SearchResult",
    "Solution",
    "front",
    "limit_price",
    "search",
    "search_document",
    "solve",
    "solve_exact",
    "solve_milp",
    "suggest_temperatures",
    "temperatures",
]
