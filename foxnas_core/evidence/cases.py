"""What two networks make of the same cases, case by case."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy


@dataclass(frozen=True, eq=False)
class CaseScores:
    """A network's objective on each held-out case (cases,), and the classes that it names
    (cases, …)."""

    values: np.ndarray
    named: np.ndarray


@dataclass(frozen=True)
class PairedGain:
    """The mean over cases of one network's objective less another's, with its 95 % interval, and
    the case at which the one loses most against the other."""

    mean: float
    low: float
    high: float
    cases: int
    worst: int

    @property
    def told_apart(self) -> bool:
        return self.low > 0 or self.high < 0


def paired_gain(one: np.ndarray, other: np.ndarray, sign: float = 1.0) -> PairedGain:
    """Of scores on the same cases (cases,), by Student's t of the paired differences; `sign` is 1
    where more is better, else −1."""
    gains = one - other
    mean, count = float(gains.mean()), len(gains)
    aside = np.nan
    if count > 1:
        error = gains.std(ddof=1) / np.sqrt(count)
        aside = float(scipy.special.stdtrit(count - 1, 0.975) * error)
    return PairedGain(mean, mean - aside, mean + aside, count, int((sign * gains).argmin()))


def paired_table(one: CaseScores, other: CaseScores) -> pd.DataFrame:
    """One row a case, the one's greatest loss first: case (from 1), one, other, difference."""
    table = pd.DataFrame(
        {
            "case": np.arange(1, len(one.values) + 1), "one": one.values, "other": other.values,
            "difference": one.values - other.values,
        }
    )  # fmt: skip
    return table.sort_values("difference", kind="stable", ignore_index=True)
