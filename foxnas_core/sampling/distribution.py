"""Distributions over the architectures of a space: independent factors, each of which draws one
decision, or some together (FP-NAS, Yan et al., arXiv 2011.10949, section 3).

A factor is active where the decisions before it say so; its options are the combinations of its
own decisions' choices. With one factor a decision the distribution is the factorised one, with one
factor a block, or a whole group, it is the joint one of its factors' decisions.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import NOTHING_PINNED, Allowed, Condition, Decision
from foxnas_core.space.search_space import SearchSpace

By = Literal["decision", "slot", "group"] | tuple[tuple[str, ...], ...]
"""What is drawn together: nothing, each block, each group, or decisions by name; the rest apart."""
_DECIDED = 0.1
MOST_OPTIONS = 200_000
"""Options of one factor, above which no distribution is kept over them."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Decisions of one group (`columns`, their places in the space) that are drawn together.

    `options` (options, columns) are the codes of their combinations, -1 where a decision is off
    within one.
    """

    name: str
    columns: tuple[int, ...]
    options: np.ndarray

    def places(self, codes: np.ndarray) -> np.ndarray:
        """The options (rows,) that stand in codes (rows, decisions of the space), -1 where what
        stands there is none of them."""
        own = codes[:, self.columns]
        places = self._order[np.searchsorted(self._keys, self._key(own)).clip(max=self._last)]
        return np.where((self.options[places] == own).all(axis=1), places, -1)

    @property
    def _last(self) -> int:
        return len(self.options) - 1

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self._key(self.options), kind="stable")

    @cached_property
    def _keys(self) -> np.ndarray:
        return self._key(self.options)[self._order]

    def _key(self, codes: np.ndarray) -> np.ndarray:
        radix = self.options.max(axis=0).astype(np.int64) + 2
        strides = np.append(np.cumprod(radix[::-1])[::-1][1:], 1)
        return (codes.astype(np.int64) + 1) @ strides


@dataclass(frozen=True, eq=False)
class Distribution:
    """P(A) = Π softmax(logits) over the active factors (equation 2 there, and its joint form).

    `logits` are one array (options,) a factor.
    """

    space: SearchSpace
    factors: tuple[Factor, ...]
    logits: tuple[np.ndarray, ...]

    @classmethod
    def uniform(
        cls, space: SearchSpace, by: By = "decision", allowed: Allowed = NOTHING_PINNED
    ) -> "Distribution":
        """Each option of each factor alike, of those that are allowed.

        Raises `InvalidInput` where a factor would have more than `MOST_OPTIONS`.
        """
        factors = factors_of(space, by, allowed)
        return cls(space, factors, tuple(np.zeros(len(f.options)) for f in factors))

    @cached_property
    def log_probabilities(self) -> tuple[np.ndarray, ...]:
        """One array (options,) a factor, given that the factor is active."""
        return tuple(_log_softmax(own) for own in self.logits)

    @cached_property
    def parameters(self) -> int:
        return sum(len(own) for own in self.logits)

    def active(self, codes: np.ndarray, factor: Factor) -> np.ndarray:
        """Which rows (rows,) of codes activate a factor, by the decisions before it."""
        return self.space.active(codes, self.space.decisions[factor.columns[0]])

    # Entropy

    @cached_property
    def shares_active(self) -> np.ndarray:
        """How probable it is (factors,) that each factor is active."""
        return np.array([self._share_active(factor) for factor in self.factors])

    @cached_property
    def entropies(self) -> np.ndarray:
        """The entropy (factors,) of each factor where it is active, in nats."""
        return np.array([-float(np.exp(own) @ own) for own in self.log_probabilities])

    @property
    def entropy(self) -> float:
        """The entropy of the architectures, exact, in nats: by the chain rule a sum over factors,
        each as often as it is active."""
        return float(self.shares_active @ self.entropies)

    def _share_active(self, factor: Factor) -> float:
        codes, log_p = self._combinations(self._before([factor]))
        return float(np.exp(log_p)[self.active(codes, factor)].sum())

    # Architectures

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Codes (count, decisions) of so many architectures, repeats allowed."""
        codes = np.full((count, len(self.space.decisions)), -1, dtype=np.int16)
        for factor, log_p in zip(self.factors, self.log_probabilities, strict=True):
            drawn = np.searchsorted(np.exp(log_p).cumsum(), rng.random(count), side="right")
            active = self.active(codes, factor)
            # The last place rounds to just below one.
            rows = factor.options[drawn.clip(max=len(factor.options) - 1)]
            codes[np.ix_(active, np.array(factor.columns))] = rows[active]
        return codes

    def log_probability(self, codes: np.ndarray) -> np.ndarray:
        """log P(A) (rows,) of the architectures with these codes; minus infinity of what is never
        drawn, since it is not allowed."""
        total = np.zeros(len(codes))
        for factor, log_p in zip(self.factors, self.log_probabilities, strict=True):
            active = self.active(codes, factor)
            total[active] += np.append(log_p, -np.inf)[factor.places(codes[active])]
        return total

    def gradient(self, codes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
        """Σ weights (rows,) · ∇ log P(A) by the logits, one array (options,) a factor, for
        architectures that can be drawn."""
        gradients = []
        for factor, log_p in zip(self.factors, self.log_probabilities, strict=True):
            active = self.active(codes, factor)
            own = np.bincount(factor.places(codes[active]), weights[active], len(log_p))
            gradients.append(own - weights[active].sum() * np.exp(log_p))
        return tuple(gradients)

    def mode(self) -> Architecture:
        """The most probable architecture, exact; of equals the first as listed."""
        best = np.full((1, len(self.space.decisions)), -1, dtype=np.int16)
        for group in self.space.groups:
            members = [f for f in self.factors if self._group(f) == group]
            codes, log_p = self._combinations(self._governing(members))
            for factor, own in self._with_logs(members):
                missing = self.active(codes, factor) & (codes[:, factor.columns] < 0).all(axis=1)
                codes[np.ix_(missing, np.array(factor.columns))] = factor.options[own.argmax()]
                log_p[missing] += own.max()
            row = codes[log_p.argmax()]
            best[0] = np.where(row >= 0, row, best[0])
        return self.space.decode(best)[0]

    def marginals(self) -> dict[str, np.ndarray]:
        """How probable each choice (choices,) of a decision is where its factor is active; by name
        of the decision."""
        found = {}
        for factor, log_p in zip(self.factors, self.log_probabilities, strict=True):
            for place, column in enumerate(factor.columns):
                decision, codes = self.space.decisions[column], factor.options[:, place]
                on = codes >= 0
                shares = np.bincount(codes[on], np.exp(log_p)[on], len(decision.choices))
                found[decision.name] = shares / shares.sum()
        return found

    # Coarse to fine

    def joined(self, by: By) -> "Distribution":
        """The same distribution with the decisions of a block, or of a group, drawn together: the
        logit of a combination is Σ log P of its parts (section 3.3 there), so that no
        architecture's probability changes.

        Raises `InvalidInput` as `uniform`, and where factors can't be put together so.
        """
        allowed = self._allowed()
        factors = factors_of(self.space, by, allowed)
        return replace(self, factors=factors, logits=tuple(map(self._joint_logits, factors)))

    def _allowed(self) -> Allowed:
        """The choices that the factors leave each decision."""
        return {
            self.space.decisions[column].name: tuple(
                self.space.decisions[column].choices[code]
                for code in np.unique(factor.options[:, place])
                if code >= 0
            )
            for factor in self.factors
            for place, column in enumerate(factor.columns)
        }

    def _joint_logits(self, factor: Factor) -> np.ndarray:
        logits = np.zeros(len(factor.options))
        own = set(factor.columns)
        codes = np.full((len(factor.options), len(self.space.decisions)), -1, dtype=np.int16)
        codes[:, factor.columns] = factor.options
        for part, log_p in zip(self.factors, self.log_probabilities, strict=True):
            if not own & set(part.columns):
                continue
            if not own >= set(part.columns):
                raise InvalidInput(
                    f"{part.name} is drawn together with what lies outside {factor.name}; "
                    "a distribution can be made finer only by joining what it draws apart."
                )
            there = (codes[:, part.columns] >= 0).any(axis=1)
            logits[there] += log_p[part.places(codes[there])]
        return logits

    # What depends on what

    def _group(self, factor: Factor) -> str:
        return self.space.decisions[factor.columns[0]].group

    def _with_logs(self, factors: Sequence[Factor]) -> Iterator[tuple[Factor, np.ndarray]]:
        for factor, own in zip(self.factors, self.log_probabilities, strict=True):
            if factor in factors:
                yield factor, own

    def _governing(self, factors: Sequence[Factor]) -> list[Factor]:
        """Those of these factors that the conditions of others of them name."""
        return [f for f in factors if any(f in self._before([g]) for g in factors if g is not f)]

    def _before(self, factors: Sequence[Factor]) -> list[Factor]:
        """The factors that decide whether these are active, in order."""
        columns = {d.name: i for i, d in enumerate(self.space.decisions)}
        needed: set[int] = set()
        open_ = list(factors)
        while open_:
            for condition in _outer(self.space, open_.pop().columns):
                index = self._factor_at[columns[condition.decision]]
                if index not in needed:
                    needed.add(index)
                    open_.append(self.factors[index])
        return [self.factors[index] for index in sorted(needed)]

    @cached_property
    def _factor_at(self) -> Mapping[int, int]:
        return {column: i for i, f in enumerate(self.factors) for column in f.columns}

    def _combinations(self, factors: Sequence[Factor]) -> tuple[np.ndarray, np.ndarray]:
        """Codes (rows, decisions) of every combination of factors, with log P (rows,)."""
        codes = np.full((1, len(self.space.decisions)), -1, dtype=np.int16)
        log_p = np.zeros(1)
        for factor, own in self._with_logs(factors):
            active = self.active(codes, factor)
            taken = np.repeat(codes[active], len(own), axis=0)
            taken[:, factor.columns] = np.tile(factor.options, (int(active.sum()), 1))
            added = (log_p[active][:, None] + own).ravel()
            codes = np.concatenate([codes[~active], taken])
            log_p = np.concatenate([log_p[~active], added])
        return codes, log_p


def factors_of(space: SearchSpace, by: By, allowed: Allowed = NOTHING_PINNED) -> tuple[Factor, ...]:
    """The factors of a space by decision, by slot (a block), by group, or as `by` names decisions.
    What has no slot or is not named stays apart, and so does what is not active together; what is
    allowed never activates, is left out.

    Raises `InvalidInput` where one would have more than `MOST_OPTIONS`.
    """
    together: dict[tuple[str, ...], list[int]] = {}
    named = {} if isinstance(by, str) else {name: names for names in by for name in names}
    for column, decision in enumerate(space.decisions):
        key = named.get(decision.name, (decision.name,))
        if by == "group" or (by == "slot" and decision.slot):
            key = (decision.group, decision.slot if by == "slot" else "")
        together.setdefault(key, []).append(column)
    parts: list[list[int]] = []
    for columns in together.values():
        parts += [columns] if _together(space, columns) else [[column] for column in columns]
    factors = (_factor(space, columns, allowed) for columns in sorted(parts))
    return tuple(factor for factor in factors if len(factor.options))


def finest(space: SearchSpace) -> By:
    """What decisions that were drawn apart are joined to: blocks, where blocks have more than one
    decision, else groups, where a group has not too many options."""
    if len(factors_of(space, "slot")) < len(space.decisions):
        return "slot"
    sizes = [space.group_size(group) for group in space.groups]
    return "group" if max(sizes) <= MOST_OPTIONS else "decision"


def _factor(space: SearchSpace, columns: Sequence[int], allowed: Allowed) -> Factor:
    decisions = [space.decisions[column] for column in columns]
    name = _name(decisions)
    size = math.prod(len(decision.choices) + 1 for decision in decisions)
    if size > MOST_OPTIONS and len(columns) > 1:
        size = space.group_size(decisions[0].group, allowed)
    if size > MOST_OPTIONS:
        raise InvalidInput(
            f"{name} has {size:,} options, more than the {MOST_OPTIONS:,} that a "
            "distribution can keep; draw its blocks or decisions by themselves."
        )
    codes = space.option_codes(decisions, allowed)[:, columns]
    return Factor(name, tuple(columns), np.unique(codes[(codes >= 0).any(axis=1)], axis=0))


def _name(decisions: Sequence[Decision]) -> str:
    if len(decisions) == 1:
        return decisions[0].name
    slots = {decision.slot for decision in decisions}
    return (slots.pop() if len(slots) == 1 else "") or decisions[0].group


def _together(space: SearchSpace, columns: Sequence[int]) -> bool:
    """Whether decisions are active together, but for what they say of each other."""
    return len({_outer(space, columns[: place + 1], place) for place in range(len(columns))}) == 1


def _outer(
    space: SearchSpace, columns: Sequence[int], place: int | None = None
) -> frozenset[Condition]:
    """The conditions of some decisions, or of one of them and those that it depends on among them,
    on decisions that are not among them."""
    own = {space.decisions[column].name: space.decisions[column] for column in columns}
    found: set[Condition] = set()
    open_ = list(own.values()) if place is None else [space.decisions[columns[place]]]
    while open_:
        for condition in open_.pop().conditions:
            if condition.decision in own:
                open_.append(own[condition.decision])
            else:
                found.add(condition)
    return frozenset(found)


def is_decided(shares: Sequence[float] | np.ndarray) -> bool:
    """Whether the entropy of the choices of a decision (choices,) is at most a tenth of that of
    equal ones."""
    known = np.array([share for share in shares if share > 0])
    return bool(-(known @ np.log(known)) <= _DECIDED * np.log(max(len(shares), 2)))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())
