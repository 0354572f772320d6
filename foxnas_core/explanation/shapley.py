"""Shapley values of a prediction for the blocks of a subnet, exact in the target's unit.

Players are the blocks of `blocks_of`, each context decision (the resolution) one of them. A
coalition's value is the prediction for a subnet with the coalition's blocks of the explained subnet
and all others of a background subnet, averaged over the whole background (Shapley, "A value for
n-person games", 1953; as interventional values in Lundberg & Lee, NeurIPS 2017). A prediction is a
sum of functions, each of the few blocks that some terms read together:

- Without a link a value is the sum of those of the functions (Shapley values are linear). Those of
  one block each are a linear model, which is shap's: `_of_single`. Each other one is a small game
  whose coalitions are gone through over a table of its blocks' states: `_of_sum`.
- Through a saturating link functions become factors: `_of_product`.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import apart, blocks_of, joint_states, read_together
from foxnas_core.regression import Predictor
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture

# So many pairs of an explained and a background subnet fit the processor's cache together.
_TOGETHER = 1 << 14
_Players = tuple[int, ...]


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
    space, link, blocks = predictor.space, predictor.link, blocks_of(predictor.form)
    x, z = space.encode(architectures), space.encode(background)
    numbers, states = joint_states(np.vstack([x, z]), blocks)
    ours, theirs = numbers[: len(x)], numbers[len(x) :]
    tables = _tables(predictor, states, z[0])
    if link.is_identity:
        single = {(read[0],): table for read, table in tables.items() if len(read) == 1}
        several = {read: table for read, table in tables.items() if len(read) != 1}
        found = _of_single(single, ours, theirs) + _of_sum(several, ours, theirs)
    else:
        context = [i for i, block in enumerate(blocks) if block.group in space.context]
        found = _of_product(tables, ours, theirs, context, link)
    values = pd.DataFrame(
        found,
        index=pd.Index([architecture.id for architecture in architectures], name="id"),
        columns=[block.name for block in blocks],
    )
    base = float(np.mean(link.inverse(predictor.form.matrix(z) @ predictor.estimates)))
    return BlockShapley(values, base)


def _tables(
    predictor: Predictor, states: Sequence[np.ndarray], others: np.ndarray
) -> dict[_Players, np.ndarray]:
    """By the players that they read, what terms add to a prediction, an axis a player over its
    `states` (states, decisions of the block); all other decisions are those of the codes `others`
    (decisions,)."""
    blocks, sets = blocks_of(predictor.form), read_together(predictor.form)
    predictor = apart(predictor)
    form = predictor.form
    tables = {}
    for players, terms in sets.items():
        shape = tuple(len(states[player]) for player in players)
        picked = np.indices(shape).reshape(len(players), math.prod(shape))
        codes = np.repeat(others[np.newaxis], math.prod(shape), axis=0)
        for player, state in zip(players, picked, strict=True):
            codes[:, list(blocks[player].decisions)] = states[player][state]
        columns = form.columns(codes, terms)
        tables[players] = (columns @ predictor.estimates[list(terms)]).reshape(shape)
    return tables


def _of_single(
    tables: dict[tuple[int], np.ndarray], ours: np.ndarray, theirs: np.ndarray
) -> np.ndarray:
    """Values (n, players) of the sum of tables of one player each, arguments as of `_of_sum`."""
    values = np.zeros(ours.shape)
    if not tables:
        return values
    import shap

    x, z = (
        np.column_stack([table[states[:, player]] for (player,), table in tables.items()])
        for states in (ours, theirs)
    )
    # The default masker would keep 100 random rows of the background.
    masker = shap.maskers.Independent(z, max_samples=len(z))
    explainer = shap.LinearExplainer((np.ones(len(tables)), 0.0), masker)
    values[:, [player for (player,) in tables]] = explainer.shap_values(x)
    return values


def _of_sum(tables: dict[_Players, np.ndarray], ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Values (n, players) of the sum of `tables`; `ours` (n, players) and `theirs` (m, players) are
    the players' states."""
    values = np.zeros(ours.shape)
    for players, table in tables.items():
        picked = [tuple(states[:, list(players)].T) for states in (ours, theirs)]
        share = np.zeros(table.shape)
        np.add.at(share, picked[1], 1 / len(theirs))
        everyone = range(len(players))
        # What each coalition, an ascending tuple of axes, is worth by the states of its players.
        worth = {
            own: (table * share.sum(axis=own, keepdims=True)).sum(
                axis=tuple(axis for axis in everyone if axis not in own), keepdims=True
            )
            for size in range(len(players) + 1)
            for own in itertools.combinations(everyone, size)
        }
        for axis, player in enumerate(players):
            value = np.zeros(table.shape)
            for own in worth:
                if axis not in own:
                    weight = len(players) * math.comb(len(players) - 1, len(own))
                    value += (worth[tuple(sorted({*own, axis}))] - worth[own]) / weight
            values[:, player] += value[picked[0]]
    return values


@dataclass(frozen=True, eq=False)
class _Factor:
    """Players that terms connect, the context aside, and the tables of those terms."""

    players: _Players
    tables: dict[_Players, np.ndarray]


def _factors(tables: dict[_Players, np.ndarray], fixed: set[int]) -> list[_Factor]:
    """What the prediction is a product of once the states of the `fixed` players are settled."""
    found: list[_Factor] = []
    for read, table in tables.items():
        players = {*read} - fixed
        touched = [factor for factor in found if players & {*factor.players}]
        own = {read: table}
        for factor in touched:
            players, own = players.union(factor.players), own | factor.tables
        found = [factor for factor in found if factor not in touched]
        found.append(_Factor(tuple(sorted(players)), own))
    return found


def _of_product(
    tables: dict[_Players, np.ndarray],
    ours: np.ndarray,
    theirs: np.ndarray,
    context: Sequence[int],
    link: Link,
) -> np.ndarray:
    """Values (n, players) of `link.inverse` of the sum of `tables`, a saturating link.

    The prediction is A - C Π G, a factor exp(-rate η) for all players that terms connect. In the
    multilinear extension of the game (Owen, "Multilinear extensions of games", Management Science
    18, 1972), where each player is that of the explained subnet with probability t, factors are
    independent, and player i's value is -C ∫₀¹ ∂ᵢG(t) Π G(t) dt over the other factors: a
    polynomial of a degree below the number of players, which Gauss-Legendre quadrature with half as
    many nodes integrates exactly. What reads the context together with blocks would connect them
    all, so that it is settled first whose each of these context decisions is.
    """
    fixed = [p for p in context if any(p in read and len(read) > 1 for read in tables)]
    factors = _factors(tables, set(fixed))
    # Factors near 1 keep their digits; what is left out of them goes into `scale`.
    middle = {
        read: float(table[tuple(theirs[:, list(read)].T)].mean()) for read, table in tables.items()
    }
    scale = -float(link.slope(sum(middle.values()))) / link.rate
    t, weights = _nodes(ours.shape[1])
    values = np.zeros(ours.shape)
    for rows in _chunks(len(ours), max(1, _TOGETHER // len(theirs))):
        states = ours[rows][:, np.newaxis], theirs[np.newaxis]  # (rows, 1, …) and (1, m, …)
        for taken in itertools.product((False, True), repeat=len(fixed)):
            settled = dict(zip(fixed, taken, strict=True))
            worths = [_worths(factor, states, settled, middle, link.rate) for factor in factors]
            here, count = sum(taken), len(fixed)
            for node, weight in zip(t, weights, strict=True):
                lifted = [_lifted(worth, node) for worth in worths]
                whole = np.zeros((1, 1))  # the product of all factors less 1
                for less_one in lifted:
                    whole = whole + less_one + whole * less_one
                share = weight * node**here * (1 - node) ** (count - here)
                for factor, worth, less_one in zip(factors, worths, lifted, strict=True):
                    rest = share * (1 + whole) / (1 + less_one)
                    for axis, player in enumerate(factor.players):
                        gain = _gain(worth, axis, node) * rest
                        values[rows, player] += gain.mean(axis=1)
                for player, is_taken in settled.items():
                    # It joins the others' coalition, or has joined it.
                    others = here - is_taken
                    share = weight * node**others * (1 - node) ** (count - 1 - others)
                    values[rows, player] += (1 if is_taken else -1) * share * whole.mean(axis=1)
    return scale * values


# Of a factor, by whether each of its players is that of the explained subnet: the factor less 1.
_Worths = dict[tuple[bool, ...], np.ndarray]


def _worths(
    factor: _Factor,
    states: tuple[np.ndarray, np.ndarray],
    settled: dict[int, bool],
    middle: dict[_Players, float],
    rate: float,
) -> _Worths:
    found = {}
    for taken in itertools.product((False, True), repeat=len(factor.players)):
        whose = settled | dict(zip(factor.players, taken, strict=True))
        eta = np.zeros((1, 1))
        for read, table in factor.tables.items():
            picked = tuple(states[0 if whose[p] else 1][..., p] for p in read)
            eta = eta + (table[picked] - middle[read])
        found[taken] = np.expm1(-rate * eta)
    return found


def _lifted(worths: _Worths, t: float) -> np.ndarray:
    """The mean of a factor, less 1, where each of its players is taken with probability t."""
    return sum(
        (_chance(taken, t) * worth for taken, worth in worths.items()), start=np.zeros((1, 1))
    )


def _gain(worths: _Worths, axis: int, t: float) -> np.ndarray:
    """What one player adds to the mean of its factor, the others taken with probability t."""
    total = np.zeros((1, 1))
    for taken, worth in worths.items():
        others = taken[:axis] + taken[axis + 1 :]
        if not taken[axis]:
            joined = (*taken[:axis], True, *taken[axis + 1 :])
            total = total + _chance(others, t) * (worths[joined] - worth)
    return total


def _chance(taken: Sequence[bool], t: float) -> float:
    return t ** sum(taken) * (1 - t) ** (len(taken) - sum(taken))


def _nodes(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights that integrate polynomials below this degree over 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(max(1, math.ceil(degree / 2)))
    return (nodes + 1) / 2, weights / 2


def _chunks(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))
