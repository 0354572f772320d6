"""Search strategies that need nothing of predictions but their values, through one interface."""

from foxnas_core.search.strategies.driver import StrategyResult, StrategyRun, run
from foxnas_core.search.strategies.goal import Evaluation, SearchGoal, evaluation_of
from foxnas_core.search.strategies.race import ANNEALER, Race
from foxnas_core.search.strategies.strategy import STRATEGIES, Strategy, strategy_of

__all__ = [
    "ANNEALER",
    "STRATEGIES",
    "Evaluation",
    "Race",
    "SearchGoal",
    "Strategy",
    "StrategyResult",
    "StrategyRun",
    "evaluation_of",
    "run",
    "strategy_of",
]
