"""Permutation importance and partial dependence of a fitted predictor. The only user of sklearn.

The predictor becomes a scikit-learn regressor of one integer column a block, its joint state, or
a decision. Permuting a block's states may make combinations that the space itself excludes (a
third block after a closed second one); a sum over blocks values them all the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import Block, blocks_of, joint_states
from foxnas_core.explanation.delta import mean_prediction
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.parts import canonical
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

REPEATS = 30
_Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class PermutationImportance:
    """How much worse predictions of the measured values become when a block is shuffled.

    - `table` has one row a block: block, value, low, high, the mean increase of the RMSE over
      all repeats, in the target's unit, and the range of the middle 95 % of them.
    - `repeats` (repeats, blocks) are the single increases; `rmse` is that without shuffling.
    """

    table: pd.DataFrame
    rmse: float
    repeats: pd.DataFrame = field(repr=False)


def permutation_lens(
    predictor: Predictor, table: MeasurementTable, *, repeats: int = REPEATS, seed: int = 0
) -> PermutationImportance:
    """Permutation importance of each block (Breiman, "Random forests", Machine Learning 45, 2001).

    Rows without the target are left out. The fit has seen the rows, so that `rmse` is that of
    the fit, not of new subnets.
    """
    from sklearn.inspection import permutation_importance

    values = table.values(predictor.target.column)
    measured = usable(table, predictor.target.column)
    y, blocks = values[measured], blocks_of(predictor.form)
    numbers, states = joint_states(table.codes[measured], blocks)

    def predict(x: np.ndarray) -> np.ndarray:
        return _value(predictor, _codes_of(predictor.space, blocks, x, states))

    found = permutation_importance(
        _regressor(predict),
        numbers,
        y,
        scoring="neg_root_mean_squared_error",
        n_repeats=repeats,
        random_state=seed,
    )
    names = [block.name for block in blocks]
    single = found.importances
    low, high = np.quantile(single, [0.025, 0.975], axis=1)
    return PermutationImportance(
        pd.DataFrame({"block": names, "value": single.mean(axis=1), "low": low, "high": high}),
        float(np.sqrt(np.mean((y - predict(numbers)) ** 2))),
        pd.DataFrame(single.T, columns=names),
    )


def block_dependence(
    predictor: Predictor,
    *,
    architecture: Architecture,
    background: Sequence[Architecture],
    level: float = 0.95,
) -> pd.DataFrame:
    """One row a block: block, value, low, high, the block's partial dependence at one subnet.

    The mean prediction of the background when all of it takes over the subnet's block, less its
    mean prediction, in the target's unit. Raises `InvalidInput` where `background` is empty.
    """
    form, space, blocks = predictor.form, predictor.space, blocks_of(predictor.form)
    codes = _background(space, background)
    own = space.encode([architecture])
    numbers, states = joint_states(np.vstack([codes, own]), blocks)

    before = mean_prediction(predictor, form.matrix(codes))
    rows = []
    for column, block in enumerate(blocks):
        changed = numbers[:-1].copy()
        changed[:, column] = numbers[-1, column]
        after = mean_prediction(predictor, form.matrix(_codes_of(space, blocks, changed, states)))
        rows.append((block.name, after[0] - before[0], _error(predictor, after, before)))
    table = pd.DataFrame(rows, columns=["block", "value", "std_error"])
    half = predictor.quantile(level) * table.pop("std_error")
    return table.assign(low=table["value"] - half, high=table["value"] + half)


def partial_dependences(
    predictor: Predictor,
    *,
    background: Sequence[Architecture],
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a choice: group, decision, role, choice, value, low, high, rows.

    `value` is the mean prediction, in the target's unit, of the `rows` background subnets in which
    the decision is active when all of them take the choice (Friedman, "Greedy function
    approximation", Annals of Statistics 29, 2001); `low` and `high` bound its confidence interval.
    A block that a greater depth opens has the choices of a random background subnet that has it.
    Raises `InvalidInput` where `background` is empty.
    """
    space = predictor.space
    codes = _background(space, background)
    completed = _completed(space, codes, seed)

    rows: list[tuple[object, ...]] = []
    for column, decision in enumerate(space.decisions):
        active = completed[codes[:, column] >= 0]
        if len(decision.choices) < 2 or not len(active):
            continue
        for code, choice in enumerate(decision.choices):
            changed = active.copy()
            changed[:, column] = code
            here = mean_prediction(predictor, predictor.form.matrix(canonical(space, changed)))
            half = predictor.quantile(level) * _error(predictor, here)
            named = (decision.group, decision.name, decision.role, choice)
            rows.append((*named, here[0], here[0] - half, here[0] + half, len(active)))
    return pd.DataFrame(
        rows, columns=["group", "decision", "role", "choice", "value", "low", "high", "rows"]
    )


def _value(predictor: Predictor, codes: np.ndarray) -> np.ndarray:
    return predictor.link.inverse(predictor.form.matrix(codes) @ predictor.estimates)


_Mean = tuple[float, np.ndarray, float]


def _error(predictor: Predictor, mean: _Mean, less: _Mean | None = None) -> float:
    """The standard error of a mean prediction, or of the difference of two."""
    by_estimates, by_rate = mean[1], mean[2]
    if less is not None:
        by_estimates, by_rate = by_estimates - less[1], by_rate - less[2]
    return float(predictor.std_error(by_estimates[np.newaxis], np.array([by_rate]))[0])


def _background(space: SearchSpace, background: Sequence[Architecture]) -> np.ndarray:
    if not background:
        raise InvalidInput("Partial dependence needs at least one background architecture.")
    return space.encode(background)


def _codes_of(
    space: SearchSpace, blocks: Sequence[Block], numbers: np.ndarray, states: list[np.ndarray]
) -> np.ndarray:
    """Codes (n, decisions) of the blocks' joint states; what only opens slots stays -1."""
    codes = np.full((len(numbers), len(space.decisions)), -1, dtype=np.int16)
    for column, (block, own) in enumerate(zip(blocks, states, strict=True)):
        codes[:, list(block.decisions)] = own[numbers[:, column]]
    return codes


def _completed(space: SearchSpace, codes: np.ndarray, seed: int) -> np.ndarray:
    """Codes without -1: what is inactive is taken over, a slot at a time, from a random row
    that has it; a decision that no row has takes its first choice."""
    rng = np.random.default_rng(seed)
    completed = codes.copy()
    units: dict[str, list[int]] = {}
    for column, decision in enumerate(space.decisions):
        units.setdefault(decision.slot or decision.name, []).append(column)
    for columns in units.values():
        own = codes[:, columns]
        missing = (own < 0).any(axis=1)
        donors = own[~missing]
        if missing.any():
            if not len(donors):
                donors = np.zeros((1, len(columns)), dtype=codes.dtype)
            drawn = donors[rng.integers(len(donors), size=int(missing.sum()))]
            completed[np.flatnonzero(missing)[:, np.newaxis], columns] = drawn
    return completed


def _regressor(predict: _Predict) -> Any:
    """`predict` as scikit-learn wants a fitted regressor to be."""
    from sklearn.base import BaseEstimator, RegressorMixin

    class Fitted(RegressorMixin, BaseEstimator):
        def fit(self, x: np.ndarray, y: np.ndarray) -> "Fitted":
            return self

        def predict(self, x: np.ndarray) -> np.ndarray:
            return predict(np.asarray(x).astype(np.intp))

        def __sklearn_is_fitted__(self) -> bool:
            return True

    return Fitted()
