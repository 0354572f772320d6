"""What forms ask of parts, and of the space that they read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foxnas_core.space.coding.terms import Lookup, Part, Product, Term
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric


def by_slot(space: SearchSpace, part: Part) -> list[Part]:
    """A part that counts over slots, split into one a slot; a product of counts into one for each
    slot of both, which share what is taken off the counts."""
    if isinstance(part, Lookup) and len(part.reads) > 1:
        return [
            replace(part, reads=(read,), terms=_told_apart(part, space.decisions[read[0]].slot))
            for read in part.reads
        ]
    if isinstance(part, Product):
        lefts, rights = by_slot(space, part.left), by_slot(space, part.right)
        if len(lefts) * len(rights) > 1:
            return [
                Product(
                    _told_apart(part, left.terms[0].slot, right.terms[0].slot),
                    left,
                    right,
                    part.kept,
                    part.left_center / len(lefts),
                    part.right_center / len(rights),
                )
                for left in lefts
                for right in rights
            ]
    return [part]


def _told_apart(part: Part, *slots: str) -> tuple[Term, ...]:
    """The terms of a part's share that reads these slots alone."""
    slot = slots[0] if len(set(slots)) == 1 else ""
    named = "@".join(("", *slots))
    return tuple(replace(t, name=f"{t.name}{named}", slot=slot) for t in part.terms)


def scaling_resolution(space: SearchSpace, target: Metric) -> Decision | None:
    """The decision whose square scales the target, where it has more than one choice."""
    if not target.scales:
        return None
    for group in space.context:
        for decision in space.in_group(group):
            numbers = not any(isinstance(choice, str) for choice in decision.choices)
            if decision.role == "resolution" and numbers and len(decision.choices) > 1:
                return decision
    return None


def only(parts: Sequence[Part], kept: np.ndarray) -> list[Part]:
    """The parts with those of their terms that `kept` (terms,) marks."""
    found: list[Part] = []
    first = 0
    for part in parts:
        own = np.flatnonzero(kept[first : first + len(part.terms)])
        first += len(part.terms)
        if not len(own):
            continue
        terms = tuple(part.terms[i] for i in own.tolist())
        if isinstance(part, Product):
            columns = tuple(part.kept[i] for i in own.tolist())
            found.append(replace(part, terms=terms, kept=columns))
        else:
            assert isinstance(part, Lookup), "what else has columns that can be left out?"
            found.append(replace(part, terms=terms, table=part.table[:, own]))
    return found


def to_first_choices(terms: Sequence[Term]) -> np.ndarray:
    """The linear map (terms, terms) from coefficients of sets that sum to zero to differences to
    each set's first choice.

    A set b₁ … bₘ₋₁ leaves -(b₁ + … + bₘ₋₁) to its first choice; its difference to choice j is
    bⱼ + Σ b.
    """
    sets = [(t.contrast, t.scaled) if t.contrast else i for i, t in enumerate(terms)]
    same = np.array([[a == b for b in sets] for a in sets], dtype=float)
    plain = np.array([not term.contrast for term in terms])
    same[plain] = 0.0
    return np.eye(len(terms)) + same
