"""Which decisions matter among the good subnets near a budget.

What matters over a whole space, where subnets differ most in their size, need not matter among
those that one chooses from. So subnets are drawn at random, those kept that are predicted to cost
about the budget, of these the better half, and of each decision it is told what share of the spread
of the predicted objective its choices explain: epsilon squared, the share between choices less what
chance would give (Kelley, "An unbiased correlation ratio measure", PNAS 21, 1935). A decision that
is off is a choice too. Shares of decisions that hang together overlap, so they need not add up.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor

REPEATS, WITHIN = 10, 0.1
_DRAWS = 4000
_LEAST = 100  # subnets of one repeat


@dataclass(frozen=True, eq=False)
class NearBudget:
    """`table` has one row a decision, those that matter most first: decision, share, low, high
    (mean and range of all repeats), everywhere (the mean over the whole space); `repeats` has one
    row a repeat and decision: repeat, decision, share, everywhere. `count` subnets were kept of
    each draw on average."""

    table: pd.DataFrame
    repeats: pd.DataFrame
    count: int


def importance_near(
    objective: Predictor,
    cost: Predictor,
    *,
    budget: float,
    within: float = WITHIN,
    repeats: int = REPEATS,
    seed: int = 0,
) -> NearBudget:
    """The shares among subnets predicted `within` this share of a budget, in the cost's unit.

    Raises `InvalidInput` where too few that are drawn lie there.
    """
    space, rows, counts = objective.space, [], []
    for repeat in range(repeats):
        codes = space.random_codes(_DRAWS, seed=seed + repeat, by="balanced")
        values = objective.target.sign * objective.predicted(codes)["value"]
        near = np.abs(cost.predicted(codes)["value"] - budget) <= within * budget
        if near.sum() < 2 * _LEAST:
            raise InvalidInput(
                f"Of {_DRAWS:,} subnets drawn at random {int(near.sum())} are predicted within "
                f"{100 * within:g} % of {cost.target.value_text(budget)}, too few to tell what "
                "matters there; choose a budget nearer to the middle."
            )
        good = near & (values >= np.median(values[near]))
        counts.append(int(good.sum()))
        for name, own in zip(space.by_name, codes.T, strict=True):
            shares = _share(own[good], values[good]), _share(own, values)
            rows.append((repeat + 1, name, *shares))
    found = pd.DataFrame(rows, columns=["repeat", "decision", "share", "everywhere"])
    each = found.groupby("decision", sort=False)
    table = each["share"].agg(share="mean", low="min", high="max")
    table = table.assign(everywhere=each["everywhere"].mean()).reset_index()
    table = table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
    return NearBudget(table, found, round(float(np.mean(counts))))


def _share(choice: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance of values (n,) that lies between choices (n,), chance left out."""
    _, place = np.unique(choice, return_inverse=True)
    count = np.bincount(place)
    total = float(((values - values.mean()) ** 2).sum())
    if len(count) < 2 or total <= 0 or len(values) <= len(count):
        return 0.0
    means = np.bincount(place, values) / count
    between = float((count * (means - values.mean()) ** 2).sum())
    chance = (len(count) - 1) * (total - between) / (len(values) - len(count))
    return max(0.0, (between - chance) / total)
