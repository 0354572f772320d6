"""Searching for the best predicted architecture within a budget: annealing, and the optimum."""

from foxnas_core.search.annealing import Annealer, limit_price, search, suggest_temperatures
from foxnas_core.search.exact import Front, front, solve_exact
from foxnas_core.search.milp import Solution, solve, solve_milp
from foxnas_core.search.problem import AdditivePredictor, Candidate, Limit, SearchProblem
from foxnas_core.search.result import SearchResult, search_document
from foxnas_core.search.schedule import AnnealingSettings, temperatures

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
