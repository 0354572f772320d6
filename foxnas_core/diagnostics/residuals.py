"""Which rows the fit misses, and which it leans on.

All on the link's scale, which is the target's unit unless accuracy is fitted through a ceiling:
there a residual is in points of accuracy for an average subnet. With residuals e, leverages h,
s² on n - p degrees of freedom (Belsley, Kuh and Welsch, "Regression diagnostics", 1980, ch. 2;
Cook, "Detection of influential observation", Technometrics 19, 1977):

- internally studentised r = e / (s √(1 - h)),
- externally studentised t = r √((n - p - 1) / (n - p - r²)), Student's t on n - p - 1 degrees,
- Cook's distance D = r² h / (p (1 - h)).
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from foxnas_core.diagnostics.fitted import FittedRows

OUTLIER_LEVEL = 0.05
# Of two limits in use, 2p/n and 3p/n, the one that flags few rows of forms with many terms.
LEVERAGE_TIMES = 3
COOK_OVER_ROWS = 4
# A row of leverage 1 settles a term alone: its residual is 0 whatever was measured.
_ALONE = 1 - 1e-9


def residual_table(rows: FittedRows) -> pd.DataFrame:
    """One row a measured row of the target, in the table's order.

    - `row`: its number in the table, from 1; `id`: its subnet's.
    - `measured`, `predicted`, `held_out`: in the target's unit, the last one by the fit of the
      cross-validation that never saw the subnet.
    - `residual`, `standardised` (internally studentised), `studentised` (externally),
      `leverage`, `cook`: on the link's scale; missing where one row settles a term alone.
    - `outlier`: |studentised| beyond `outlier_limit`; `influential`: Cook's distance above 4 / n;
      `high_leverage`: leverage above 3p / n, or 1.
    """
    predictor, n, p = rows.predictor, len(rows), rows.predictor.parameters
    leverage = rows.leverage
    alone = leverage >= _ALONE
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(alone, np.nan, 1 - leverage)
        standardised = rows.residuals / np.sqrt(rows.variance * rest)
        left = (n - p - standardised**2).clip(0)
        studentised = standardised * np.sqrt((n - p - 1) / left) if n - p > 1 else rest * np.nan
        cook = standardised**2 * leverage / (p * rest)
    return pd.DataFrame(
        {
            "row": rows.numbers + 1,
            "id": rows.ids,
            "measured": rows.measured,
            "predicted": predictor.target.within(predictor.link.inverse(rows.fitted)),
            "held_out": predictor.target.within(predictor.held_out),
            "residual": rows.residuals,
            "standardised": standardised,
            "studentised": studentised,
            "leverage": leverage,
            "cook": cook,
            "outlier": np.abs(studentised) > outlier_limit(n, p),
            "influential": cook > cook_limit(n),
            "high_leverage": alone | (leverage > leverage_limit(n, p)),
        }
    )


def offending_rows(residuals: pd.DataFrame) -> pd.DataFrame:
    """The flagged rows of a `residual_table` with `why` in words: outliers first, then by Cook's
    distance."""
    flagged = residuals[residuals[["outlier", "influential", "high_leverage"]].any(axis=1)]
    names = {
        "outlier": "outlier", "influential": "influential", "high_leverage": "high leverage",
    }  # fmt: skip
    why = [
        ", ".join(word for flag, word in names.items() if row[flag])
        for row in flagged[list(names)].to_dict("records")
    ]
    flagged = flagged.assign(why=why)
    return flagged.sort_values(["outlier", "cook"], ascending=False, kind="stable").drop(
        columns=list(names)
    )


def outlier_limit(rows: int, parameters: int) -> float:
    """|studentised residual| that the largest of all rows exceeds with probability at most 5 %
    (Bonferroni); infinite where no degree of freedom is left."""
    if rows - parameters <= 1:
        return float("inf")
    return float(stdtrit(rows - parameters - 1, 1 - OUTLIER_LEVEL / (2 * rows)))


def cook_limit(rows: int) -> float:
    return COOK_OVER_ROWS / rows


def leverage_limit(rows: int, parameters: int) -> float:
    """Three times the mean leverage p / n."""
    return LEVERAGE_TIMES * parameters / rows
