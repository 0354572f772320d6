"""FOX-NAS's outer loop: search, measure what was found, fit anew, and search again.

A round takes one find for each of some budgets, fixed over the rounds so that these can be
compared: the predicted optimum, which is exact, or, where that was measured already, the best
predicted subnet near the front that was not. What the predictors said before a find was measured
is kept with what it measured, since a later fit has seen it.
"""

from foxnas_core.search.rounds.outcome import (
    best_measured,
    best_row,
    measured_finds,
    movement,
    rounds_document,
    rounds_table,
)
from foxnas_core.search.rounds.planning import best_not_taken, plan_finds, spread_budgets
from foxnas_core.search.rounds.record import (
    ORIGIN,
    PER_ROUND,
    ROUNDS,
    BestMeasured,
    Find,
    FindEstimate,
    FitQuality,
    FrontError,
    Round,
    RoundsRecord,
    check_continues,
    front_error,
)

__all__ = [
    "ORIGIN",
    "PER_ROUND",
    "ROUNDS",
    "BestMeasured",
    "Find",
    "FindEstimate",
    "FitQuality",
    "FrontError",
    "Round",
    "RoundsRecord",
    "best_measured",
    "best_not_taken",
    "best_row",
    "check_continues",
    "front_error",
    "measured_finds",
    "movement",
    "plan_finds",
    "rounds_document",
    "rounds_table",
    "spread_budgets",
]
