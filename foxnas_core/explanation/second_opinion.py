"""A second opinion: boosted trees that add up too, yet know neither form nor coding.

An explainable boosting machine (Lou et al., "Accurate intelligible models with pairwise
interactions", KDD 2013) is a sum of one table a decision and one a chosen pair of decisions,
each learnt freely. Where it ranks blocks as the regression does, the regression's form is not
what makes the ranking. The only user of interpret.
"""

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.regression import CrossValidation, Predictor
from foxnas_core.regression.assessment import agreement
from foxnas_core.regression.leastsquares import deal_folds
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.equals import fold_members
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

INTERACTIONS = 10
FOLDS = 5
BAGS = 8
# Held-out predictions gain nothing from more bags, and take five fits.
_BAGS_HELD_OUT = 4
_LEAST_ROWS = 50
# As accurate on the shipped study as the defaults, which are for finely graded numbers, in a
# third of the time.
_RECIPE = {
    "interactions": INTERACTIONS,
    "learning_rate": 0.04,
    "max_rounds": 1000,
    "smoothing_rounds": 0,
    "interaction_smoothing_rounds": 0,
    "n_jobs": 1,
}


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """A fitted explainable boosting machine.

    - `cv`: agreement with the measured values of subnets it never saw (5 folds that keep the rows
      of one architecture together), in the target's unit.
    - `importance`: one row a block: block, value, low, high, the mean absolute contribution over
      the measured rows on the scale of the predictor's link, and its range over the bags.
    - `terms`: one row a term: term, block, strength; a pair's block names both.
    - `interactions`: one row a pair: first, second, where, additive, strength, the strongest first.
      `where` is "within one block", "within one stage", "with the input" or "across stages";
      `additive` says that a regression which adds up over stages could have a term for it.

    A pair's contribution is shared equally by its two blocks. `strength` is a mean absolute
    contribution as well.
    """

    cv: CrossValidation
    importance: pd.DataFrame
    terms: pd.DataFrame
    interactions: pd.DataFrame
    _space: SearchSpace = field(repr=False)
    _link: Link = field(repr=False)
    _features: tuple[int, ...] = field(repr=False)
    _model: Any = field(repr=False)
    _shares: np.ndarray = field(repr=False)
    _mean: np.ndarray = field(repr=False)

    def contributions(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """What each block adds (architectures, blocks) against the average measured subnet, on
        the scale of the predictor's link."""
        rows = _rows(self._space, self._space.encode(architectures), self._features)
        values = self._model.eval_terms(rows) @ self._shares - self._mean
        return pd.DataFrame(
            values,
            index=pd.Index([architecture.id for architecture in architectures], name="id"),
            columns=self.importance["block"].to_list(),
        )

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Predictions (n,), in the target's unit, of architectures by their codes (n, decisions).

        The sum of the machine's tables, which are gone through by the numbers of choices.
        """
        total = np.full(len(codes), float(self._model.intercept_))
        for positions, table in self._tables:
            total += table[tuple(codes[:, position] for position in positions)]
        return self._link.inverse(total)

    @cached_property
    def _tables(self) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Of each term the decisions' positions, and its numbers by the codes of their choices, the
        last being "off"."""
        found = []
        for number, term in enumerate(self._model.term_features_):
            positions = tuple(self._features[i] for i in term)
            sizes = [len(self._space.decisions[p].choices) + 1 for p in positions]
            states = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
            codes = np.full((len(states), len(self._space.decisions)), -1)
            codes[:, positions] = np.where(states < np.array(sizes) - 1, states, -1)
            rows = _rows(self._space, codes, self._features)
            table = self._model.eval_terms(rows)[:, number].reshape(sizes)
            found.append((positions, table))
        return found


def second_opinion(
    predictor: Predictor, table: MeasurementTable, *, seed: int = 0
) -> SecondOpinion:
    """Fit an explainable boosting machine to what `predictor` was fitted to.

    Each decision of a block is a nominal feature with "off" where it is inactive. Rows
    that the fit did not read are left out. Raises `InvalidInput` where fewer than 50 remain.
    """
    values = table.values(predictor.target.column)
    # A value at or above the ceiling has no place on the link's scale.
    read = np.isfinite(predictor.link.forward(values)) & usable(table, predictor.target.column)
    y, codes = values[read], table.codes[read]
    if len(y) < _LEAST_ROWS:
        raise InvalidInput(
            f"Boosted trees need at least {_LEAST_ROWS} measured subnets, but only {len(y)} have "
            f"{predictor.target.column}; measure more."
        )
    space, blocks = predictor.space, blocks_of(predictor.form)
    features = tuple(sorted(position for block in blocks for position in block.decisions))
    rows = _rows(space, codes, features)
    response = predictor.link.forward(y)
    fold = deal_folds(fold_members(table, predictor.target)[read], seed, FOLDS)
    predicted = np.empty_like(y)
    for number in np.unique(fold):
        held = fold == number
        model = _fitted(rows[~held], response[~held], _BAGS_HELD_OUT, seed)
        predicted[held] = predictor.link.inverse(model.predict(rows[held]))
    model = _fitted(rows, response, BAGS, seed)
    owner = {p: number for number, block in enumerate(blocks) for p in block.decisions}
    members = [[features[i] for i in term] for term in model.term_features_]
    shares = np.zeros((len(members), len(blocks)))
    for share, positions in zip(shares, members, strict=True):
        for position in positions:
            share[owner[position]] += 1 / len(positions)
    scores = model.eval_terms(rows)
    contributions = scores @ shares
    mean = contributions.mean(axis=0)
    bags = np.array([_importance(bag.eval_terms(rows) @ shares) for bag in _bags_of(model)])
    names = [block.name for block in blocks]
    strength = np.abs(scores - scores.mean(axis=0)).mean(axis=0)
    return SecondOpinion(
        cv=agreement(y, predicted),
        importance=pd.DataFrame(
            {
                "block": names,
                "value": _importance(contributions),
                "low": bags.min(axis=0),
                "high": bags.max(axis=0),
            }
        ),
        terms=pd.DataFrame(
            {
                "term": [" × ".join(space.decisions[p].name for p in own) for own in members],
                "block": [
                    " × ".join(dict.fromkeys(names[owner[p]] for p in own)) for own in members
                ],
                "strength": strength,
            }
        ).sort_values("strength", ascending=False, kind="stable", ignore_index=True),
        interactions=_interactions(space, members, strength, owner),
        _space=space,
        _link=predictor.link,
        _features=features,
        _model=model,
        _shares=shares,
        _mean=mean,
    )


def _rows(space: SearchSpace, codes: np.ndarray, features: Sequence[int]) -> np.ndarray:
    """Nominal features (n, features) as text."""
    labels = [np.array([*map(str, space.decisions[f].choices), "off"]) for f in features]
    return np.stack(
        [own[codes[:, f]].astype(object) for own, f in zip(labels, features, strict=True)], axis=1
    )


def _fitted(rows: np.ndarray, response: np.ndarray, bags: int, seed: int) -> Any:
    from interpret.glassbox import ExplainableBoostingRegressor

    model = ExplainableBoostingRegressor(
        feature_types=["nominal"] * rows.shape[1], outer_bags=bags, random_state=seed, **_RECIPE
    )
    with warnings.catch_warnings():
        # Choices that a bag lacks are a matter of course in small tables.
        warnings.simplefilter("ignore", UserWarning)
        return model.fit(rows, response)


def _bags_of(model: Any) -> list[Any]:
    """One model a bag, of the same terms."""
    bags = []
    for bag in range(len(model.bagged_intercept_)):
        single = copy.copy(model)
        single.term_scores_ = [scores[bag] for scores in model.bagged_scores_]
        bags.append(single)
    return bags


def _importance(contributions: np.ndarray) -> np.ndarray:
    return np.abs(contributions - contributions.mean(axis=0)).mean(axis=0)


def _interactions(
    space: SearchSpace, members: list[list[int]], strength: np.ndarray, owner: dict[int, int]
) -> pd.DataFrame:
    found = []
    for positions, value in zip(members, strength, strict=True):
        if len(positions) != 2:
            continue
        first, second = (space.decisions[p] for p in positions)
        groups = {first.group, second.group}
        if owner[positions[0]] == owner[positions[1]]:
            where = "within one block"
        elif len(groups) == 1:
            where = "within one stage"
        elif groups & set(space.context):
            where = "with the input"
        else:
            where = "across stages"
        found.append((first.name, second.name, where, where != "across stages", float(value)))
    table = pd.DataFrame(found, columns=["first", "second", "where", "additive", "strength"])
    return table.sort_values("strength", ascending=False, kind="stable", ignore_index=True)
