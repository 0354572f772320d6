"""Shapley values of a prediction, summed over the blocks that its terms belong to.

The only user of shap. For a linear model and a background sample with mean x̄, the value of a
column is b·(x - x̄) (Lundberg & Lee, NeurIPS 2017, corollary 1). Single dummy columns depend on
how choices are coded, their sum over a block does not: blocks are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.architecture import Architecture
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor


@dataclass(frozen=True, eq=False)
class BlockShapley:
    """`values` has one row an architecture, indexed by id, and one column a block slot, a group
    (terms of a whole stage) or a context decision, in the target's unit. A row adds up to the
    prediction less `base`, the mean prediction of the background.
    """

    values: pd.DataFrame
    base: float


def block_shapley(
    predictor: Predictor,
    *,
    architectures: Sequence[Architecture],
    background: Sequence[Architecture],
) -> BlockShapley:
    """Shapley values against every row of `background`; raises `InvalidInput` where that is empty.

    A latency's block columns are scaled by the resolution, so that their values hold the
    resolution's share of the block too.
    """
    if not background:
        raise InvalidInput("Shapley values need at least one background architecture; give some.")
    import shap

    form = predictor.form
    rows = form.matrix(predictor.space.encode(background))
    # The default masker would keep 100 random rows of the background.
    masker = shap.maskers.Independent(rows, max_samples=len(rows))
    explainer = shap.LinearExplainer((predictor.estimates, 0.0), masker)
    single = explainer.shap_values(form.matrix(predictor.space.encode(architectures)))
    units = [term.slot or term.group or term.decision for term in form.terms]
    names = [name for name in dict.fromkeys(units) if name]  # "" is the intercept, worth 0
    belongs = np.array([[unit == name for name in names] for unit in units], dtype=float)
    values = pd.DataFrame(
        np.asarray(single) @ belongs,
        index=pd.Index([architecture.id for architecture in architectures], name="id"),
        columns=names,
    )
    return BlockShapley(values, float(np.mean(rows @ predictor.estimates)))
