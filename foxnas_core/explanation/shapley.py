"""Shapley values of a prediction for the blocks of a subnet, exact in the target's unit.

The only user of shap. A coalition's value is the prediction for a subnet with the coalition's
blocks of the explained subnet and all other blocks of a background subnet, averaged over the
whole background. Three kinds of prediction have closed forms:

- A sum of terms: b·(x - x̄) for each column (Lundberg & Lee, NeurIPS 2017, corollary 1). Single
  dummy columns depend on how choices are coded, their sum over a block does not.
- A sum whose blocks a resolution scales: φ_k = (u_k(x) - u_k(z))(ρ(x) + ρ(z))/2 for blocks and
  (ρ(x) - ρ(z))(U(x) + U(z))/2 for the resolution, with U = Σ u_k, each plus its unscaled terms,
  since the blocks' order among themselves makes no difference.
- A sum through a saturating link, which makes a product of one factor a block: see
  `product_shapley`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import apart, blocks_of, contributions
from foxnas_core.regression import Predictor
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture


@dataclass(frozen=True, eq=False)
class BlockShapley:
    """`values` has one row an architecture, indexed by id, and one column a block (see `blocks`),
    in the target's unit. A row adds up to the prediction less `base`, the mean prediction of the
    background.
    """

    values: pd.DataFrame
    base: float

    def importance(self) -> pd.Series:
        """The mean absolute value of each block."""
        return self.values.abs().mean()


def block_shapley(
    predictor: Predictor,
    *,
    architectures: Sequence[Architecture],
    background: Sequence[Architecture],
) -> BlockShapley:
    """Shapley values against all of `background`; raises `InvalidInput` where that is empty."""
    if not background:
        raise InvalidInput("Shapley values need at least one background architecture; give some.")
    blocks = blocks_of(predictor.form)
    predictor = apart(predictor)
    form = predictor.form
    x, z = (form.matrix(predictor.space.encode(a)) for a in (architectures, background))
    everything = np.ones(form.parameters)
    scaled = any(term.scaled for term in form.terms)
    if not predictor.link.is_identity:
        # Only accuracy saturates, and only latency and MACs grow with the number of pixels.
        assert not scaled, "no closed form for scaled terms through a link"
        own, others = (contributions(r, predictor.estimates, blocks, everything) for r in (x, z))
        constant = float((z[0] @ predictor.estimates) - others[0].sum())
        found = product_shapley(own, others, constant, predictor.link)
    elif scaled:
        found = _scaled(predictor, x, z)
    else:
        single = _linear(predictor, x, z)
        found = contributions(single, everything, blocks, everything)
    values = pd.DataFrame(
        found,
        index=pd.Index([architecture.id for architecture in architectures], name="id"),
        columns=[block.name for block in blocks],
    )
    base = float(np.mean(predictor.link.inverse(z @ predictor.estimates)))
    return BlockShapley(values, base)


def product_shapley(
    explained: np.ndarray, background: np.ndarray, constant: float, link: Link
) -> np.ndarray:
    """Shapley values (n, blocks) of `link.inverse(constant + Σ blocks)`, a saturating link.

    `explained` (n, blocks) and `background` (m, blocks) are contributions on the link's scale.
    With a_k, b_k = exp(-rate η_k) of both subnets the prediction is A - C Π, and block k's value
    is -C (a_k - b_k) ∫₀¹ Π_{j≠k} (t a_j + (1 - t) b_j) dt (Owen, "Multilinear extensions of
    games", Management Science 18, 1972): a polynomial of degree blocks - 1, which Gauss-Legendre
    quadrature integrates exactly with half as many nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(max(1, math.ceil(explained.shape[1] / 2)))
    t, weights = (nodes[:, np.newaxis, np.newaxis] + 1) / 2, weights / 2
    # Factors near 1 keep their digits; what is left out of them goes into `scale`.
    middle = background.mean(axis=0)
    scale = float(link.slope(constant + middle.sum()))
    theirs = np.exp(-link.rate * (background - middle)).T
    found = np.empty_like(explained, dtype=float)
    for row, one in zip(found, explained, strict=True):
        ours = np.exp(-link.rate * (one - middle))[:, np.newaxis]
        factors = (1 - t) * theirs + t * ours  # (nodes, blocks, background)
        whole = factors.prod(axis=1) * weights[:, np.newaxis]
        rest = np.einsum("tb,tkb->kb", whole, 1 / factors)
        # (b_k - a_k) / rate without the loss of digits of a small difference
        gain = theirs * -np.expm1(-link.rate * (one - background).T) / link.rate
        row[:] = scale * (gain * rest).mean(axis=1)
    return found


def _linear(predictor: Predictor, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Values (n, terms) of single columns."""
    import shap

    # The default masker would keep 100 random rows of the background.
    masker = shap.maskers.Independent(z, max_samples=len(z))
    explainer = shap.LinearExplainer((predictor.estimates, 0.0), masker)
    return np.asarray(explainer.shap_values(x))


def _scaled(predictor: Predictor, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Values (n, blocks) where a resolution, itself a block, multiplies the others' columns."""
    form, estimates = predictor.form, predictor.estimates
    blocks = blocks_of(form)
    scaled = np.array([term.scaled for term in form.terms], dtype=float)
    # The fixed part that the resolution scales: its column is the factor itself.
    [factor] = [i for i, term in enumerate(form.terms) if term.scaled and not term.group]
    [resolution] = [i for i, block in enumerate(blocks) if factor in block.terms]
    (ours, u), (theirs, v) = (
        (
            rows[:, [factor]],
            contributions(rows, estimates, blocks, scaled) / rows[:, [factor]],
        )
        for rows in (x, z)
    )
    unscaled = [contributions(rows, estimates, blocks, 1 - scaled) for rows in (x, z)]
    # Means over the background of (u - v)(ours + theirs)/2 and (ours - theirs)(U + V)/2.
    values = (u * (ours + theirs.mean()) - v.mean(axis=0) * ours - (v * theirs).mean(axis=0)) / 2
    totals, others = u.sum(axis=1), v.sum(axis=1)
    values[:, resolution] = (
        (totals + others.mean()) * ours[:, 0]
        - totals * theirs.mean()
        - (others * theirs[:, 0]).mean()
    ) / 2
    return values + unscaled[0] - unscaled[1].mean(axis=0)
