"""Which pairwise interactions to add to a form, chosen by cross-validation.

Forward selection: in each step the pair whose columns reduce the squared error most, at a price of
twice the residual variance a column (Mallows, "Some comments on Cp", 1973), is added. How many
steps are taken is decided by the error on architectures that the whole selection never saw: the
fewest that are not clearly worse than the best. All is computed from the cross products of the
columns, those of a fold's other rows being the difference of the whole and the fold's.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.regression.features import BASES, Form, Pair, candidate_pairs
from foxnas_core.regression.leastsquares import FoldedRows, clearly_above

MOST_STEPS = 15
ROWS_A_PARAMETER = 3
# A column of which less than this share is new can't be told apart from the others.
_NEW = 1e-3
_RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class Selection:
    """`pairs` as chosen on all rows; `held_out` (rows,) predictions, on the scale of the response,
    by selections of as many steps that never saw the row's fold."""

    pairs: tuple[Pair, ...]
    held_out: np.ndarray


def select_interactions(
    form: Form,
    codes: np.ndarray,
    response: np.ndarray,
    folded: FoldedRows,
    members: np.ndarray | None = None,
) -> Selection:
    """The interactions for `form`, which has none yet, of a name in `BASES`.

    `codes` (rows, decisions) and `response` (rows,) of the rows that were `folded` by that form;
    rows of one of `members` (rows,), numbered from 0, err together.
    """
    assert form.name in BASES and not form.pairs
    candidates = candidate_pairs(form.name, form.space, form.target.column, form.held)
    base = form.matrix(codes)
    whole = codes.astype(np.intp)
    scale = form.scale(codes)[:, np.newaxis]
    blocks = [
        part.columns(whole) * (scale if part.terms[0].scaled else 1.0)
        for part in candidates.values()
    ]
    columns = np.hstack([base, *blocks]) * folded.root[:, np.newaxis]
    response = response * folded.root
    edges = np.cumsum([base.shape[1], *(block.shape[1] for block in blocks)])
    spans = [np.arange(a, b) for a, b in itertools.pairwise(edges)]
    products = _Products.of(columns, response)
    paths = np.empty((len(response), MOST_STEPS + 1))
    for number in np.unique(folded.fold):
        held = np.flatnonzero(folded.fold == number)
        part = products.without(columns[held], response[held])
        paths[held] = _predictions(part, base.shape[1], spans, columns[held])
    paths[folded.alone] = np.nan
    steps = _fewest_steps((response[:, np.newaxis] - paths) ** 2, members)
    chosen = [choice for choice, _ in _forward(products, base.shape[1], spans, steps)]
    pairs = list(candidates)
    return Selection(tuple(pairs[choice] for choice in chosen), paths[:, steps] / folded.root)


@dataclass(frozen=True, eq=False)
class _Products:
    """Cross products of columns (k, k), of columns and response (k,), and of the response."""

    gram: np.ndarray
    moment: np.ndarray
    square: float
    rows: int

    @classmethod
    def of(cls, columns: np.ndarray, response: np.ndarray) -> "_Products":
        return cls(
            columns.T @ columns, columns.T @ response, float(response @ response), len(response)
        )

    def without(self, columns: np.ndarray, response: np.ndarray) -> "_Products":
        other = _Products.of(columns, response)
        return _Products(
            self.gram - other.gram,
            self.moment - other.moment,
            self.square - other.square,
            self.rows - other.rows,
        )


def _forward(
    products: _Products, base: int, spans: Sequence[np.ndarray], steps: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Each step's choice among `spans` and all columns taken so far, until none helps."""
    taken = np.arange(base)
    solved = _solve(
        products.gram[:base, :base], np.column_stack([products.gram[:base], products.moment[:base]])
    )
    # What is left of all columns, and of the response, beside those taken.
    gram = products.gram - products.gram[:, :base] @ solved[:, :-1]
    moment = products.moment - products.gram[:, :base] @ solved[:, -1]
    rss = products.square - float(products.moment[:base] @ solved[:, -1])
    size = np.diag(products.gram)
    sizes = np.array([len(span) for span in spans])
    alike = {n: np.flatnonzero(sizes == n) for n in np.unique(sizes).tolist()}
    stacked = {n: np.array([spans[i] for i in own.tolist()]) for n, own in alike.items()}

    def new(gram: np.ndarray, own: np.ndarray) -> bool:
        """Whether enough of each column is not told by those taken."""
        spread = np.sqrt(size[own])
        return np.linalg.eigvalsh(gram[np.ix_(own, own)] / np.outer(spread, spread))[0] > _NEW

    free = np.ones(len(spans), dtype=bool)
    for _ in range(steps):
        variance = rss / max(products.rows - len(taken), 1)
        gains = np.zeros(len(spans))
        for n, members in alike.items():
            at = stacked[n]
            left = gram[at[:, :, np.newaxis], at[:, np.newaxis, :]]
            solution = _solve(left, moment[at][:, :, np.newaxis])[:, :, 0]
            gains[members] = (moment[at] * solution).sum(axis=1) - 2 * variance * n
        gains[~free | (len(taken) + sizes > products.rows / ROWS_A_PARAMETER)] = 0.0
        found = next(
            (int(i) for i in np.argsort(-gains) if gains[i] <= 0 or new(gram, spans[i])), -1
        )
        if found < 0 or gains[found] <= 0:
            return
        own = spans[found]
        left = np.linalg.solve(gram[np.ix_(own, own)], np.column_stack([gram[own], moment[own]]))
        rss -= float(moment[own] @ left[:, -1])
        moment = moment - gram[:, own] @ left[:, -1]
        gram = gram - gram[:, own] @ left[:, :-1]
        free[found] = False
        taken = np.concatenate([taken, own])
        yield found, taken


def _predictions(
    products: _Products, base: int, spans: Sequence[np.ndarray], columns: np.ndarray
) -> np.ndarray:
    """Predictions (rows, MOST_STEPS + 1) of `columns` (rows, k) after 0, 1, … steps; a path that
    ends early stays where it is."""
    path = []
    taken_after = [np.arange(base), *(t for _, t in _forward(products, base, spans, MOST_STEPS))]
    for taken in taken_after:
        estimates = _solve(products.gram[np.ix_(taken, taken)], products.moment[taken])
        path.append(columns[:, taken] @ estimates)
    path += [path[-1]] * (MOST_STEPS + 1 - len(path))
    return np.stack(path, axis=1)


def _fewest_steps(errors: np.ndarray, members: np.ndarray | None = None) -> int:
    """The least step whose squared errors (rows, steps) are not clearly above the best's."""
    known = np.isfinite(errors).all(axis=1)
    best = errors[:, errors[known].sum(axis=0).argmin()]
    return next(i for i, own in enumerate(errors.T) if not clearly_above(own, best, members))


def _solve(gram: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Solutions for stacked cross products (…, k, k), finite where some can't be told apart."""
    k = gram.shape[-1]
    size = np.trace(gram, axis1=-2, axis2=-1)[..., np.newaxis, np.newaxis]
    return np.linalg.solve(gram + (_RIDGE * size / max(k, 1) + _RIDGE) * np.eye(k), moments)
