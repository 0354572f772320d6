"""How far the terms overlap, so that the data can't tell whose an effect is.

With the columns but the intercept centred and scaled to length 1 and Z = UΣV' (Belsley, Kuh and
Welsch, "Regression diagnostics", 1980, ch. 3): VIFⱼ = Σₖ Vⱼₖ² / σₖ², which is 1 / (1 - R²ⱼ) of
term j on the others; the condition number is σ₁ / σₘ; and the share of VIFⱼ that comes from the
smallest singular value says which terms overlap there.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.diagnostics.fitted import FittedRows
from foxnas_core.regression.fitting import LARGEST_CONDITION

LARGEST_VIF = 10.0
# Belsley's: a term overlaps there if more than half of its variance comes from there.
_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Collinearity:
    """`table` has one row a term but the intercept, largest first: term, label, group, vif.

    `condition` is 1 for a form of one term or none; `behind` are the names of the terms that
    overlap most.
    """

    table: pd.DataFrame
    condition: float
    behind: tuple[str, ...]

    @property
    def inflated(self) -> pd.DataFrame:
        """The terms above the limit."""
        return self.table[self.table["vif"] > LARGEST_VIF]

    @property
    def named(self) -> str:
        """The terms behind the condition number, in words."""
        more = len(self.behind) - 4
        return ", ".join(self.behind[:4]) + (f" and {more} more" if more > 0 else "")

    @property
    def sentence(self) -> str:
        if self.table.empty:
            return "The form has no term but the intercept, so nothing can overlap."
        largest = self.table["vif"].iloc[0]
        return (
            f"The largest variance inflation factor is {largest:.3g} (limit {LARGEST_VIF:g}) and "
            f"the condition number {self.condition:.3g} (limit {LARGEST_CONDITION:g}); the terms "
            f"that overlap most are {self.named}. A factor of 4 makes an interval twice as wide "
            "as if its term overlapped with none."
        )


def collinearity(rows: FittedRows) -> Collinearity:
    """How far the terms of a fit overlap."""
    terms = rows.predictor.form.terms[1:]
    own = rows.x[:, 1:] / rows.scale[:, np.newaxis]
    centred = own - own.mean(axis=0)
    scaled = centred / np.linalg.norm(centred, axis=0)
    named = {
        "term": [term.name for term in terms],
        "label": [term.label for term in terms],
        "group": [term.group for term in terms],
    }
    if not terms:
        return Collinearity(pd.DataFrame(named).assign(vif=0.0), 1.0, ())
    # The singular values of the small triangle are those of the tall matrix.
    _, singular, v = np.linalg.svd(np.linalg.qr(scaled, mode="r"))
    shares = (v / singular[:, np.newaxis]) ** 2
    vif = shares.sum(axis=0)
    last = shares[-1] / vif
    order = np.argsort(-last, kind="stable")
    behind = [j for j in order if last[j] > _SHARE]
    if len(behind) < 2:  # it takes two to overlap
        behind = list(order[:2])
    table = pd.DataFrame(named).assign(vif=vif)
    return Collinearity(
        table.sort_values("vif", ascending=False, kind="stable", ignore_index=True),
        float(singular[0] / singular[-1]),
        tuple(terms[j].name for j in behind),
    )
