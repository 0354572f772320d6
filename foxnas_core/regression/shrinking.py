"""Many terms on few rows: each is shrunk towards what others like it have in common.

A term is the sum of a part of its own and of parts that it shares with those of its slot, of its
group and of all groups that are of one kind. The parts of each such level are normal about 0 with
one variance, and the variances are those of the largest evidence, by MacKay's iteration ("Bayesian
interpolation", Neural Computation 4, 1992, section 4): so rows tell by themselves how far blocks
are alike. What the context alone decides is not shrunk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foxnas_core.regression.features import Form
from foxnas_core.regression.weighing import Products, weigh
from foxnas_core.space.coding.terms import FREE, Term

_FIRST, _AGAIN = 12, 2  # steps for the first products, and for those of later weights
_ALONE = 60  # where there are no later ones
_START, _LEAST, _MOST = 0.05, 1e-3, 30.0  # the ridge, in shares of a column's square sum
_MOST_POOLED = 0.3
_SETTLED = 0.1  # of its logarithm
_LEAST_FREEDOM = 0.1  # in shares of the rows
_DOUBT = 20.0  # the variance of the logarithm of a ridge of which rows tell nothing


def shrink(form: Form, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weights (n,) of rows `x` (n, terms) with values `y` (n,) above 0, as `weighing.weigh`,
    and the penalty (terms, terms) that is added to their X'WX."""
    first = Products.of(x, y, 1 / y**2)
    prior = _Prior.of(form, first)
    ridge: np.ndarray | None = None

    def solve(products: Products) -> tuple[np.ndarray, float]:
        nonlocal ridge
        seen = _Seen.of(products, prior)
        ridge = seen.ridge(ridge)
        return seen.solve(ridge)

    weights = weigh(x, y, solve)
    return weights, prior.penalty(_Seen.of(Products.of(x, y, weights), prior).ridge(ridge))


def _levels(terms: list[Term]) -> list[np.ndarray]:
    """Of each level, which terms have a part in common: (terms, parts) of 0 and 1."""
    found: dict[str, dict[str, list[int]]] = {}
    for number, term in enumerate(terms):
        for level, part in _parts(term):
            found.setdefault(level, {}).setdefault(part, []).append(number)
    levels = []
    for parts in found.values():
        members = np.zeros((len(terms), len(parts)))
        for column, rows in enumerate(parts.values()):
            members[rows, column] = 1.0
        levels.append(members)
    return levels


def _parts(term: Term) -> Iterator[tuple[str, str]]:
    """The parts that a term is the sum of, each with the level that it is of; what a kind has
    behind a bar keeps its levels apart from those of others."""
    first, _, beside = "".join(term.alike[:1]).partition("|")
    yield f"own {first.partition('>')[0]} {beside}", term.name
    for number, kind in enumerate(term.alike):
        if number < len(term.alike) - 1:
            yield f"slot {beside}", f"{term.slot} {kind}"
        yield f"group {number} {beside}", f"{term.group} {kind}"
        yield f"all {number} {beside}", kind


@dataclass(frozen=True, eq=False)
class _Prior:
    """The terms (all,) that are `free`, the `size` (terms,) of the columns of the others, and the
    `covariances` (levels, terms · terms) that each level's parts give these, in units of the
    columns' and of the parts' own sizes."""

    free: np.ndarray
    size: np.ndarray
    covariances: np.ndarray

    @classmethod
    def of(cls, form: Form, products: Products) -> "_Prior":
        free = np.array([not term.group or term.alike == FREE for term in form.terms])
        gram = products.gram[np.ix_(~free, ~free)]
        size = _root(np.diag(gram))
        covariances = []
        shrunk = [term for term, is_free in zip(form.terms, free, strict=True) if not is_free]
        for level in _levels(shrunk):
            parts = level * size[:, np.newaxis] / _root(np.diag(level.T @ gram @ level))
            covariances.append((parts @ parts.T).ravel())
        return cls(free, size, np.array(covariances))

    def covariance(self, ridge: np.ndarray) -> np.ndarray:
        """That (terms, terms) of all parts, over s²."""
        return ((1 / ridge) @ self.covariances).reshape(len(self.size), -1)

    def penalty(self, ridge: np.ndarray) -> np.ndarray:
        """What the ridge (levels,) adds to X'WX (all, all)."""
        found = np.zeros((len(self.free), len(self.free)))
        own = np.linalg.inv(self.covariance(ridge) / np.outer(self.size, self.size))
        found[np.ix_(~self.free, ~self.free)] = own
        return found


@dataclass(frozen=True, eq=False)
class _Seen:
    """What rows tell under a prior: the products of its terms beside what the free ones explain,
    and `beside` (free, terms + 1), the coefficients by which these explain columns and response."""

    prior: _Prior
    gram: np.ndarray
    moment: np.ndarray
    square: float
    rows: float
    beside: np.ndarray

    @classmethod
    def of(cls, products: Products, prior: _Prior) -> "_Seen":
        free, size = prior.free, prior.size
        cross = np.column_stack([products.gram[np.ix_(free, ~free)] / size, products.moment[free]])
        beside = np.linalg.solve(products.gram[np.ix_(free, free)], cross)
        explained = cross.T @ beside
        return cls(
            prior,
            products.gram[np.ix_(~free, ~free)] / np.outer(size, size) - explained[:-1, :-1],
            products.moment[~free] / size - explained[:-1, -1],
            products.square - explained[-1, -1],
            products.rows - len(beside),
            beside,
        )

    def ridge(self, start: np.ndarray | None, first: int = _FIRST) -> np.ndarray:
        """The ridge (levels,) of the largest evidence: each level's is s² over its variance."""
        ridge = np.full(len(self.prior.covariances), _START) if start is None else start
        for _ in range(first if start is None else _AGAIN):
            before, ridge = ridge, self._step(ridge)
            if np.abs(np.log(ridge / before)).max() < _SETTLED:
                break
        return ridge

    def _step(self, ridge: np.ndarray) -> np.ndarray:
        covariance = self.prior.covariance(ridge)
        told, weight = self.told(covariance)
        estimates = covariance @ weight
        effective = self.prior.covariances @ told.ravel() / ridge
        squares = self.prior.covariances @ np.outer(weight, weight).ravel() / ridge**2
        rest = self.square - 2 * estimates @ self.moment + estimates @ self.gram @ estimates
        freedom = max(self.rows - effective.sum(), _LEAST_FREEDOM * self.rows)
        tiny = np.finfo(float).tiny
        found = np.maximum(effective, tiny) * rest / freedom / np.maximum(squares, tiny)
        return found.clip(_LEAST, _MOST)

    def told(self, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(I + GC)⁻¹G (terms, terms) and (I + GC)⁻¹m (terms,) of the products G and m, and the
        prior's covariance C over s²."""
        right = np.column_stack([self.gram, self.moment])
        solved = np.linalg.solve(np.eye(len(self.gram)) + self.gram @ covariance, right)
        return solved[:, :-1], solved[:, -1]

    def solve(self, ridge: np.ndarray) -> tuple[np.ndarray, float]:
        """Estimates (all,) and how many parameters they amount to."""
        covariance = self.prior.covariance(ridge)
        told, weight = self.told(covariance)
        own = covariance @ weight
        estimates = np.empty(len(self.prior.free))
        estimates[~self.prior.free] = own / self.prior.size
        estimates[self.prior.free] = self.beside[:, -1] - self.beside[:, :-1] @ own
        return estimates, len(self.beside) + float((covariance * told).sum())


@dataclass(frozen=True, eq=False)
class Pooling:
    """How far terms are pooled for least squares: the `ridge` (levels,) of each level."""

    prior: _Prior
    ridge: np.ndarray

    @cached_property
    def penalty(self) -> np.ndarray:
        """What is added to X'X, (terms, terms)."""
        return self.prior.penalty(self.ridge)

    def doubt(self, x: np.ndarray, response: np.ndarray) -> np.ndarray:
        """What not knowing the ridge adds to the covariance (terms, terms) of estimates, of rows
        `x` (n, terms) and their responses (n,).

        D'I⁻¹D, with D how estimates move with the logarithms of the ridge, and I the expected
        information of the evidence on these (Kass and Steffey, "Approximate Bayesian inference in
        conditionally independent hierarchical models", JASA 84, 1989), beside that of a normal
        prior of variance `_DOUBT`.
        """
        seen = _Seen.of(Products.of(x, response, np.ones(len(response))), self.prior)
        covariance = self.prior.covariance(self.ridge)
        told, weight = seen.told(covariance)
        size = len(covariance)
        shares = (self.prior.covariances / self.ridge[:, np.newaxis]).reshape(-1, size, size)
        moved = np.linalg.solve(np.eye(size) + covariance @ seen.gram, (shares @ weight).T)
        parts = told @ shares
        flat, turned = (own.reshape(len(parts), -1) for own in (parts, parts.transpose(0, 2, 1)))
        information = flat @ turned.T / 2 + np.eye(len(parts)) / _DOUBT
        free = self.prior.free
        by_ridge = np.empty((len(free), len(parts)))
        by_ridge[~free] = moved / self.prior.size[:, np.newaxis]
        by_ridge[free] = -seen.beside[:, :-1] @ moved
        return by_ridge @ np.linalg.solve(information, by_ridge.T)


def pool(form: Form, x: np.ndarray, y: np.ndarray) -> Pooling:
    """How far the terms of rows `x` (n, terms) with values `y` (n,) are to be pooled.

    No level has more than a ridge of `_MOST_POOLED`: of few terms the evidence may find none at
    all, and intervals would take that for known.
    """
    products = Products.of(x, y, np.ones(len(y)))
    prior = _Prior.of(form, products)
    ridge = _Seen.of(products, prior).ridge(None, _ALONE)
    return Pooling(prior, np.minimum(ridge, _MOST_POOLED))


def _root(squares: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(squares > 0, squares, 1.0))
