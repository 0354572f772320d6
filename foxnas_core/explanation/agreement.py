"""How far several explanations agree on which blocks matter: rank correlations.

Lenses value blocks in different ways and units, so that ranks are compared: Spearman's rho and
Kendall's tau-b (Kendall, "A new measure of rank correlation", Biometrika 30, 1938).
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Agreement:
    """`pairs` has one row a pair of lenses: first, second, kendall, spearman (NaN where a lens
    values all blocks alike). `ranks` (blocks, lenses) counts from 1, the greatest value.
    """

    pairs: pd.DataFrame
    ranks: pd.DataFrame

    @property
    def disputed(self) -> str:
        """The block whose ranks lie farthest apart; "" where all lenses rank all blocks alike."""
        spread = self.ranks.max(axis=1) - self.ranks.min(axis=1)
        return str(spread.idxmax()) if spread.max() > 0 else ""

    def matrix(self, measure: str = "kendall") -> pd.DataFrame:
        """The correlations (lenses, lenses) by `measure`, "kendall" or "spearman"."""
        lenses = list(self.ranks.columns)
        found = pd.DataFrame(np.eye(len(lenses)), index=lenses, columns=lenses)
        for row in self.pairs.to_dict("records"):
            found.loc[row["first"], row["second"]] = row[measure]
            found.loc[row["second"], row["first"]] = row[measure]
        return found

    def sentence(self) -> str:
        """What the correlations say, in one sentence."""
        tau = self.pairs["kendall"].dropna()
        if tau.empty:
            return "The lenses value all blocks alike, so that there is no ranking to compare."
        low, high = float(tau.min()), float(tau.max())
        between = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        if low >= 0.7:
            verdict = "The lenses agree on the ranking of the blocks"
        elif low >= 0.4:
            verdict = "The lenses agree on much of the ranking of the blocks"
        else:
            verdict = "The lenses disagree on the ranking of the blocks"
        if not self.disputed:
            return f"{verdict}: Kendall's tau {between}."
        ranks = self.ranks.loc[self.disputed]
        return (
            f"{verdict}: Kendall's tau {between}. They differ most about {self.disputed}, rank "
            f"{ranks.min():.0f} by {ranks.idxmin()} and {ranks.max():.0f} by {ranks.idxmax()}."
        )


def rank_agreement(lenses: Mapping[str, pd.Series]) -> Agreement:
    """Compare lenses, each a value for each of the same blocks.

    Raises `InvalidInput` where there are fewer than two lenses or two blocks, or where the blocks
    differ.
    """
    from scipy.stats import kendalltau, spearmanr

    if len(lenses) < 2:
        raise InvalidInput("Agreement needs at least two lenses; compute another one.")
    values = pd.DataFrame(dict(lenses))
    if values.isna().any(axis=None):
        raise InvalidInput("The lenses explain different blocks, which can't be compared.")
    if len(values) < 2:
        raise InvalidInput("One block alone has no ranking; the space needs at least two.")
    # Equal values may differ by rounding, which must not break their tie.
    largest = values.abs().max().replace(0.0, 1.0)
    values = (values / largest).round(9)
    pairs = []
    for first, second in itertools.combinations(values.columns, 2):
        constant = (values[[first, second]].nunique() == 1).any()
        rho, tau = np.nan, np.nan
        if not constant:
            rho = float(spearmanr(values[first], values[second]).statistic)
            tau = float(kendalltau(values[first], values[second]).statistic)
        pairs.append((first, second, tau, rho))
    return Agreement(
        pd.DataFrame(pairs, columns=["first", "second", "kendall", "spearman"]),
        values.rank(ascending=False, method="average"),
    )
