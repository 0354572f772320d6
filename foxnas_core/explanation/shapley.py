"""Shapley values of a prediction for the blocks of a subnet, exact in the target's unit.

Players are the blocks of `blocks_of`, each context decision (the resolution) one of them. A
coalition's value is the prediction for a subnet with the coalition's blocks of the explained subnet
and all others of a background subnet, averaged over the whole background (Shapley, "A value for
n-person games", 1953; as interventional values in Lundberg & Lee, NeurIPS 2017). A prediction is a
sum of functions, each of the few blocks that some terms read together:

- Without a link a value is the sum of those of the functions (Shapley values are linear). Those of
  one block each are a linear model, which is shap's: `_of_single`. Each other one is a small game
  whose coalitions are gone through over a table of its blocks' states: `_of_sum`.
- Through a saturating link functions become factors: `_of_product`. Where terms connect so many
  blocks that their coalitions are too many, as those across stages do, orders are drawn:
  `_by_orders`.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import apart, blocks_of, joint_states, read_together
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture

# So many pairs of an explained and a background subnet fit the processor's cache together.
_TOGETHER = 1 << 14
# Through a link, the coalitions of so many blocks that terms connect are gone through.
_MOST_CONNECTED = 8
# So many subnets are explained where each takes long.
_SPREAD = 60
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
    functions, shape = _functions(predictor, x, z), (len(x), len(blocks))
    if link.is_identity:
        found = _of_sum(functions, shape)
    elif is_sampled(predictor):
        found = _by_orders(predictor, x, z, _of_sum(functions, shape))
    else:
        context = [i for i, block in enumerate(blocks) if block.group in space.context]
        found = _of_product(functions, shape, context, link)
    values = pd.DataFrame(
        found,
        index=pd.Index([architecture.id for architecture in architectures], name="id"),
        columns=[block.name for block in blocks],
    )
    base = float(np.mean(link.inverse(_sums(predictor, z))))
    return BlockShapley(values, base)


def is_sampled(predictor: Predictor) -> bool:
    """Whether values are means over random orders, which adds up as exactly, since all coalitions
    are too many."""
    if predictor.link.is_identity:
        return False
    space, blocks = predictor.space, blocks_of(predictor.form)
    context = {i for i, block in enumerate(blocks) if block.group in space.context}
    connected = _connected([*read_together(predictor.form)], context)
    return max((len(players) for players, _ in connected), default=0) > _MOST_CONNECTED


def _connected(reads: Sequence[_Players], fixed: set[int]) -> list[tuple[set[int], list[int]]]:
    """The players that chains of `reads` connect, the `fixed` ones aside, with which reads do."""
    found: list[tuple[set[int], list[int]]] = []
    for number, read in enumerate(reads):
        players, own = {*read} - fixed, [number]
        touched = [one for one in found if players & one[0]]
        for others, numbers in touched:
            players, own = players | others, own + numbers
        found = [one for one in found if one not in touched]
        found.append((players, own))
    return found


def explained(
    predictor: Predictor, architectures: Sequence[Architecture]
) -> Sequence[Architecture]:
    """All architectures, or some spread evenly over them where each takes long."""
    return architectures[:: math.ceil(len(architectures) / _SPREAD) if is_sampled(predictor) else 1]


@dataclass(frozen=True, eq=False)
class _Function:
    """What some terms add to a prediction: a `table` with an axis a player over its states, those
    of the explained architectures `ours` (n, players) and of the background `theirs` (m, players).
    """

    players: _Players
    table: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray

    @cached_property
    def middle(self) -> float:
        """The mean over the background."""
        return float(self.table[tuple(self.theirs.T)].mean())


def _functions(predictor: Predictor, x: np.ndarray, z: np.ndarray) -> list[_Function]:
    """The functions whose sum is a prediction, before the link, of codes like `x` (n, decisions)
    and `z` (m, decisions): one of all terms that read the same one or two players, but of more
    players one of each part, whose states are only what that reads."""
    blocks = blocks_of(predictor.form)
    predictor = apart(predictor)
    form, found = predictor.form, []
    codes = np.vstack([x, z])
    for (players, positions), terms in _read_by_functions(form).items():
        own = [
            replace(blocks[p], decisions=tuple(d for d in blocks[p].decisions if d in positions))
            for p in players
        ]
        numbers, states = joint_states(codes, own) if own else (np.empty((len(codes), 0), int), [])
        shape = tuple(map(len, states))
        picked = np.indices(shape).reshape(len(players), math.prod(shape))
        rows = np.repeat(z[:1], math.prod(shape), axis=0)
        for block, state, at in zip(own, states, picked, strict=True):
            rows[:, list(block.decisions)] = state[at]
        columns = form.columns(rows, terms)
        table = (columns @ predictor.estimates[terms]).reshape(shape)
        found.append(_Function(players, table, numbers[: len(x)], numbers[len(x) :]))
    return found


def _read_by_functions(form: Form) -> dict[tuple[_Players, frozenset[int]], list[int]]:
    """The terms of each function, by its players and the positions of what it reads."""
    part_of = np.repeat(np.arange(len(form.parts)), [len(part.terms) for part in form.parts])
    found: dict[tuple[_Players, frozenset[int]], list[int]] = {}
    for players, terms in read_together(form).items():
        reads = [frozenset(form.positions(form.parts[part_of[term]])) for term in terms]
        every = frozenset().union(*reads)
        for term, read in zip(terms, reads, strict=True):
            found.setdefault((players, read if len(players) > 2 else every), []).append(term)
    return found


def _sums(predictor: Predictor, codes: np.ndarray) -> np.ndarray:
    """Predictions (n,), before the link, of codes (n, decisions)."""
    return predictor.form.matrix(codes) @ predictor.estimates


def _by_orders(
    predictor: Predictor, x: np.ndarray, z: np.ndarray, before_link: np.ndarray
) -> np.ndarray:
    """Values (n, players) as means over orders in which players join, a random one a background
    row (Castro et al., Computers & Operations Research 36, 2009) and its reverse for the next row
    (Mitchell et al., Journal of Machine Learning Research 23, 2022). What players add in one order
    sums up to the difference, so that values do exactly.

    The same orders tell values before the link, whose error is known beside the exact ones
    (n, players): that error, times the link's slope, is taken off (a control variate).
    """
    blocks, link = blocks_of(predictor.form), predictor.link
    owner = np.full(x.shape[1], len(blocks))  # what opens slots is nobody's, and read by no term
    for number, block in enumerate(blocks):
        owner[list(block.decisions)] = number
    drawn = np.tile(np.arange(len(blocks)), (math.ceil(len(z) / 2), 1))
    drawn = np.random.default_rng(0).permuted(drawn, axis=1)
    place = np.stack([drawn, len(blocks) - 1 - drawn], axis=1).reshape(-1, len(blocks))[: len(z)]
    everyone = np.column_stack([place, np.full(len(z), len(blocks))])
    joined = np.stack([everyone[:, owner] < step for step in range(1, len(blocks))])
    first = _sums(predictor, z)
    found = np.zeros((len(x), len(blocks)))
    for row, own, exact in zip(found, x, before_link, strict=True):
        codes = np.where(joined, own, z).reshape(-1, x.shape[1])
        last = np.repeat(_sums(predictor, own[np.newaxis]), len(z))
        worth = np.vstack([first, _sums(predictor, codes).reshape(-1, len(z)), last])
        slope = float(link.slope(worth.mean()))
        for scale, values in ((1.0, link.inverse(worth)), (-slope, worth)):
            gains = np.diff(values, axis=0)  # (steps, m) of who joins
            row += scale * np.take_along_axis(gains, place.T, axis=0).mean(axis=1)
        row += slope * exact
    return found


def _of_single(functions: Sequence[_Function], shape: tuple[int, int]) -> np.ndarray:
    """Values (n, players) of the sum of functions of one player each."""
    values = np.zeros(shape)
    if not functions:
        return values
    import shap

    x = np.column_stack([f.table[f.ours[:, 0]] for f in functions])
    z = np.column_stack([f.table[f.theirs[:, 0]] for f in functions])
    # The default masker would keep 100 random rows of the background.
    masker = shap.maskers.Independent(z, max_samples=len(z))
    explainer = shap.LinearExplainer((np.ones(len(functions)), 0.0), masker)
    values[:, [f.players[0] for f in functions]] = explainer.shap_values(x)
    return values


def _of_sum(functions: Sequence[_Function], shape: tuple[int, int]) -> np.ndarray:
    """Values (n, players) of the sum of functions."""
    values = _of_single([f for f in functions if len(f.players) == 1], shape)
    for function in [f for f in functions if len(f.players) != 1]:
        players, table = function.players, function.table
        share = np.zeros(table.shape)
        np.add.at(share, tuple(function.theirs.T), 1 / len(function.theirs))
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
            values[:, player] += value[tuple(function.ours.T)]
    return values


@dataclass(frozen=True, eq=False)
class _Factor:
    """Players that terms connect, the context aside, and what those terms add."""

    players: _Players
    functions: list[_Function]


def _factors(functions: Sequence[_Function], fixed: set[int]) -> list[_Factor]:
    """What the prediction is a product of once the states of the `fixed` players are settled."""
    connected = _connected([function.players for function in functions], fixed)
    return [
        _Factor(tuple(sorted(players)), [functions[number] for number in numbers])
        for players, numbers in connected
    ]


def _of_product(
    functions: Sequence[_Function], shape: tuple[int, int], context: Sequence[int], link: Link
) -> np.ndarray:
    """Values (n, players) of `link.inverse` of the sum of functions, a saturating link.

    The prediction is A - C Π G, a factor exp(-rate η) for all players that terms connect. In the
    multilinear extension of the game (Owen, "Multilinear extensions of games", Management Science
    18, 1972), where each player is that of the explained subnet with probability t, factors are
    independent, and player i's value is -C ∫₀¹ ∂ᵢG(t) Π G(t) dt over the other factors: a
    polynomial of a degree below the number of players, which Gauss-Legendre quadrature with half as
    many nodes integrates exactly. What reads the context together with blocks would connect them
    all, so that it is settled first whose each of these context decisions is.
    """
    several = [f.players for f in functions if len(f.players) > 1]
    fixed = [p for p in context if any(p in players for players in several)]
    factors = _factors(functions, set(fixed))
    # Factors near 1 keep their digits; what is left out of them goes into `scale`.
    middle = sum(function.middle for function in functions)
    scale = -float(link.slope(middle)) / link.rate
    t, weights = _nodes(shape[1])
    values = np.zeros(shape)
    for rows in _chunks(shape[0], max(1, _TOGETHER // len(functions[0].theirs))):
        for taken in itertools.product((False, True), repeat=len(fixed)):
            settled = dict(zip(fixed, taken, strict=True))
            worths = [_worths(factor, rows, settled, link.rate) for factor in factors]
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


def _worths(factor: _Factor, rows: slice, settled: dict[int, bool], rate: float) -> _Worths:
    found = {}
    for taken in itertools.product((False, True), repeat=len(factor.players)):
        whose = settled | dict(zip(factor.players, taken, strict=True))
        eta = np.zeros((1, 1))
        for function in factor.functions:
            ours = function.ours[rows][:, np.newaxis]  # (rows, 1, …)
            theirs = function.theirs[np.newaxis]  # (1, m, …)
            picked = tuple(
                (ours if whose[p] else theirs)[..., axis] for axis, p in enumerate(function.players)
            )
            eta = eta + (function.table[picked] - function.middle)
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
