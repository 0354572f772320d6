"""What the usual guard costs over many budgets of a study, and what it keeps.

    python -m benchmarks.guard [--study data/demo] [--budgets 60]

Budgets lie evenly over each latency of which optima were measured. Told are the mean difference of
the objective to the unguarded optimum, as both are expected to measure, and the chance with which
each answer keeps its budget; beside them, of the measured optima themselves, the share that keeps
what the others let one promise.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from foxnas_core.cards.expected import chances_of, price_of
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.errors import FoxnasError
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.guard import GUARD
from foxnas_core.study import open_study
from foxnas_core.table.metrics import metric_of


def priced(given: Given, budgets: int) -> pd.DataFrame:
    """One row a budget of the given cost: `price`, the guarded answer's objective less the
    unguarded one's, in its unit, and the chances that each keeps the budget."""
    costs = given.front(given.traded[1]).costs
    rows = []
    # Neither end: there nothing is to be chosen.
    for budget in np.linspace(costs[0], costs[-1], budgets + 2)[1:-1]:
        quest = Quest(replace(given, budget=float(budget)))
        best, other = (each.solution().candidate for each in (quest, quest.unguarded))
        rows.append(
            {
                "budget": budget,
                "price": price_of(quest, best),
                "kept": chances_of(quest, best)[0],
                "kept unguarded": chances_of(quest, other)[0],
            }
        )
    return pd.DataFrame(rows)


def kept_of_measured(found: SearchCalibration, share: float = GUARD) -> float:
    """The share of measured optima that keep the bound which all others let one promise of their
    prediction."""
    kept = []
    for i, row in enumerate(found.table.to_dict("records")):
        others = replace(found, residuals=np.delete(found.residuals, i))
        kept.append(row["measured"] <= others.kept_by(row["predicted"], share))
    return float(np.mean(kept))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("data/demo"))
    parser.add_argument("--budgets", type=int, default=60)
    options = parser.parse_args(arguments)
    study = open_study(options.study)
    unit = study.objective.difference_unit
    for column in (t.column for t in study.table().targets if t.head == study.cost.head):
        given = Given(study, cost=column)
        try:
            known = given.calibrations_of(column)[column]
        except FoxnasError:
            continue  # no optima under its budgets
        told = priced(given, options.budgets)
        print(
            f"{metric_of(column).label}, {len(told)} budgets: the guard of {GUARD:g} costs "
            f"{-told['price'].mean():.3f} {unit} (at most {-told['price'].min():.3f}); budgets are "
            f"kept with a chance of {told['kept'].mean():.3f} (least {told['kept'].min():.3f}), "
            f"unguarded {told['kept unguarded'].mean():.3f}; of {known.count} measured optima "
            f"{kept_of_measured(known):.3f} keep what the others promise, and predictions err "
            f"by {100 * np.median(np.abs(known.residuals)):.2f} % in the median."
        )


if __name__ == "__main__":
    main()
