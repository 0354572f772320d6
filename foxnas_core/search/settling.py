"""What is to be settled, the context and depths of stages, so that predictions with terms across
stages become sums over groups; see `cells`."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from foxnas_core.regression.features import Form
from foxnas_core.regression.features.across import depth_of
from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.space.coding.parts import read_groups
from foxnas_core.space.coding.terms import Part, Product
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

# More cells than these are no longer bounded in a moment.
MOST_CELLS = 20_000


def settling(space: SearchSpace, predictors: Sequence[AdditivePredictor]) -> dict[str, Decision]:
    """By group, the depths that make a sum over groups of every prediction once they are settled;
    none where there is no need, or no such sum."""
    found: dict[str, Decision] = {}
    for predictor in predictors:
        if predictor.couplings:
            form = getattr(predictor, "form", None)
            own = _settling(form) if isinstance(form, Form) else None
            if own is None:
                return {}
            found |= own
    depths = math.prod(len(depth.choices) for depth in found.values())
    return found if depths * len(space.context_options()) <= MOST_CELLS else {}


@lru_cache(maxsize=64)
def _settling(form: Form) -> dict[str, Decision] | None:
    space, found = form.space, dict[str, Decision]()
    for part in _coupled(form):
        free: set[str] = set()
        for leaf in _leaves(part):
            groups = read_groups(space, leaf)
            if len(groups) > 1:
                return None
            for group in groups:
                depth = depth_of(space, group)
                if depth is not None and _is_settled(space, leaf, depth):
                    found[group] = depth
                else:
                    free.add(group)
        if len(free) > 1:
            return None
    return found


def _coupled(form: Form) -> list[Part]:
    return [part for part in form.parts if part.terms[0].group in form.couplings]


def _leaves(part: Part) -> list[Part]:
    return _leaves(part.left) + _leaves(part.right) if isinstance(part, Product) else [part]


def _is_settled(space: SearchSpace, leaf: Part, depth: Decision) -> bool:
    """Whether a depth alone decides the columns of what reads its group."""
    codes = space.option_codes([space.decisions[i] for i in sorted(leaf.positions)])
    columns = leaf.columns(codes.astype(np.intp))
    own = codes[:, space.decisions.index(depth)]
    return all(np.ptp(columns[own == code], axis=0).max() == 0 for code in np.unique(own))


def free_leaves(predictors: Sequence[AdditivePredictor], group: str) -> Iterator[Part]:
    """What terms across groups read of a group beside its depth."""
    for predictor in predictors:
        form = getattr(predictor, "form", None)
        if form is not None and predictor.couplings:
            yield from _free_leaves(form, group)


@lru_cache(maxsize=256)
def _free_leaves(form: Form, group: str) -> tuple[Part, ...]:
    depth = depth_of(form.space, group)
    return tuple(
        leaf
        for part in _coupled(form)
        for leaf in _leaves(part)
        if read_groups(form.space, leaf) == (group,)
        and not (depth is not None and _is_settled(form.space, leaf, depth))
    )
