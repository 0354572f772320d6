"""Shapley values of a prediction for the blocks of a subnet, exact in the target's unit.

The only user of shap. A coalition's value is the prediction for a subnet with the coalition's
blocks of the explained subnet and all other blocks of a background subnet, averaged over the
whole background. Three kinds of prediction have closed forms:

- A sum of terms: b·(x - x̄) for each column (Lundberg & Lee, NeurIPS 2017, corollary 1). Single
  dummy columns depend on how choices are coded, their sum over a block does not.
- A sum through a saturating link, which makes a product of one factor a block: see
  `product_shapley`.
- Either of these for each context, where what blocks bring depends on it (a resolution scales them,
  or a term is a product of both): see `_by_context`.
"""

import itertools
import math
from collections.abc import Callable, Sequence
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
    codes = [predictor.space.encode(a) for a in (architectures, background)]
    x, z = map(form.matrix, codes)
    everything = np.ones(form.parameters)
    if form.context_bound:
        found = _by_context(predictor, *codes)
    elif not predictor.link.is_identity:
        own, others = (contributions(r, predictor.estimates, blocks, everything) for r in (x, z))
        constant = float((z[0] @ predictor.estimates) - others[0].sum())
        found = product_shapley(own, others, constant, predictor.link)
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
    explained: np.ndarray,
    background: np.ndarray,
    constant: float,
    link: Link,
    shares: Callable[[np.ndarray], np.ndarray] = np.ones_like,
    degree: int = 0,
) -> np.ndarray:
    """Shapley values (n, blocks) of `link.inverse(constant + Σ blocks)`, a saturating link.

    `explained` (n, blocks) and `background` (m, blocks) are contributions on the link's scale.
    With a_k, b_k = exp(-rate η_k) of both subnets the prediction is A - C Π, and block k's value
    is -C (a_k - b_k) ∫₀¹ Π_{j≠k} (t a_j + (1 - t) b_j) dt (Owen, "Multilinear extensions of
    games", Management Science 18, 1972): a polynomial of degree blocks - 1, which Gauss-Legendre
    quadrature integrates exactly with half as many nodes. `shares`, of a `degree`, weigh each t.
    """
    t, weights = _nodes(explained.shape[1] + degree)
    weights = weights * shares(t)
    t = t[:, np.newaxis, np.newaxis]
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


def _nodes(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights that integrate polynomials below this degree over 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(max(1, math.ceil(degree / 2)))
    return (nodes + 1) / 2, weights / 2


def _linear(predictor: Predictor, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Values (n, terms) of single columns."""
    import shap

    # The default masker would keep 100 random rows of the background.
    masker = shap.maskers.Independent(z, max_samples=len(z))
    explainer = shap.LinearExplainer((predictor.estimates, 0.0), masker)
    return np.asarray(explainer.shap_values(x))


def _by_context(predictor: Predictor, codes: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Values (n, blocks) where blocks are read together with the context.

    In the multilinear extension of the game (Owen) each context decision, a player as well, is
    that of the explained subnet with probability t: once it is settled whose each of them is, what
    is left is a sum or a product over the other blocks, whose extension has a closed form.
    """
    form, link, space = predictor.form, predictor.link, predictor.space
    blocks = blocks_of(form)
    players = [i for i, block in enumerate(blocks) if block.group in space.context]
    others = [i for i in range(len(blocks)) if i not in players]
    own = [list(blocks[i].decisions) for i in players]
    among = [position for positions in own for position in positions]
    t, weights = _nodes(len(blocks) + 1)
    values = np.zeros((len(codes), len(blocks)))

    def split(rows: np.ndarray, context: np.ndarray) -> tuple[float, np.ndarray]:
        """The constant of a context, and what each block of these subnets adds there."""
        rows = rows.copy()
        rows[:, among] = context
        x = form.matrix(rows)
        parts = contributions(x, predictor.estimates, blocks, np.ones(form.parameters))[:, others]
        return float(x[0] @ predictor.estimates - parts[0].sum()), parts

    contexts, ours = np.unique(codes[:, among], axis=0, return_inverse=True)
    other_contexts, theirs = np.unique(background[:, among], axis=0, return_inverse=True)
    for i, j in np.ndindex(len(contexts), len(other_contexts)):
        one, many = np.flatnonzero(ours.ravel() == i), np.flatnonzero(theirs.ravel() == j)
        share = len(many) / len(background)
        for taken in itertools.product((False, True), repeat=len(players)):
            here, count = sum(taken), len(players)
            mask = np.repeat(taken, [len(positions) for positions in own])
            context = np.where(mask, contexts[i], other_contexts[j])
            constant, u = split(codes[one], context)
            _, v = split(background[many], context)

            def of_coalition(t: np.ndarray, k: int = here, n: int = count) -> np.ndarray:
                return t**k * (1 - t) ** (n - k)

            if link.is_identity:
                gain = float(weights @ of_coalition(t)) * (u - v.mean(axis=0))
                mixed = constant + t * u.sum(axis=1)[:, np.newaxis] + (1 - t) * v.sum(axis=1).mean()
            else:
                gain = product_shapley(u, v, constant, link, of_coalition, count)
                mixed = np.array([_mixed(link, constant, row, v, t) for row in u])
            values[one[:, np.newaxis], others] += share * gain
            for player, is_taken in zip(players, taken, strict=True):
                # It joins the others' coalition, or has joined it.
                rest = of_coalition(t, here - is_taken, count - 1) * weights
                values[one, player] += share * (1 if is_taken else -1) * (mixed @ rest)
    return values


def _mixed(
    link: Link, constant: float, ours: np.ndarray, theirs: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """The mean prediction (nodes,) where each block is `ours` (blocks,) with probability t, else as
    in one of `theirs` (m, blocks)."""
    t = t[:, np.newaxis, np.newaxis]
    factors = t * np.exp(-link.rate * ours) + (1 - t) * np.exp(-link.rate * theirs)
    eta = constant - np.log(factors).sum(axis=2) / link.rate
    return link.inverse(eta).mean(axis=1)
