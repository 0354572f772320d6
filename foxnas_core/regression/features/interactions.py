"""Pairwise interactions within a stage, and of a stage's depth with the input resolution.

Products of the columns of two parts of one group, or of a group's presence with the context, so
that every term still names one stage and predictions stay sums over stages.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foxnas_core.space.coding.parts import presence_names, sample_codes
from foxnas_core.space.coding.terms import Part, Product, Term, independent_columns, name_of
from foxnas_core.space.search_space import SearchSpace

# Names of two parts.
Pair = tuple[str, str]


def candidate_products(
    space: SearchSpace, group: str, own: Sequence[Part], context: Sequence[Part]
) -> dict[Pair, Product]:
    """Every product within a group that tells something its parts `own` do not.

    Counts are squared too: what each further block adds may fall. `context` are the parts of the
    context, for products with the presence of blocks.
    """
    codes = sample_codes(space)
    base = np.hstack([np.ones((len(codes), 1)), *(p.columns(codes) for p in [*context, *own])])
    present = presence_names(space, group)
    pairs = list(itertools.combinations(own, 2))
    pairs += [(part, part) for part in own if name_of(part) in present]
    pairs += [(c, part) for c in context for part in own if name_of(part) in present]
    found = {}
    for left, right in pairs:
        part = product_of(left, right, group, codes, base)
        if part is not None:
            found[name_of(left), name_of(right)] = part
    return found


def product_of(
    left: Part, right: Part, group: str, codes: np.ndarray, base: np.ndarray
) -> Product | None:
    """The product of two parts less what `base` (rows, columns) tells at `codes`; None where
    nothing is left."""
    whole = whole_product(left, right, group, codes)
    columns = whole.columns(codes)
    kept = tuple(
        np.flatnonzero(independent_columns(np.hstack([base, columns]))[base.shape[1] :]).tolist()
    )
    if not kept:
        return None
    return replace(whole, terms=tuple(whole.terms[i] for i in kept), kept=kept)


def whole_product(left: Part, right: Part, group: str, codes: np.ndarray) -> Product:
    """The product of two parts, whatever it tells at `codes` (rows, decisions), where it is
    centred."""
    terms = tuple(
        Term(
            f"{a.name}*{b.name}",
            group,
            a.slot if a.slot == b.slot else "",
            "",
            f"{_short(a)} × {_short(b)}",
        )
        for a in left.terms
        for b in right.terms
    )
    everything = tuple(range(len(terms)))
    return Product(terms, left, right, everything, _center(left, codes), _center(right, codes))


def products(
    space: SearchSpace,
    group: str,
    own: Sequence[Part],
    context: Sequence[Part],
    pairs: Sequence[Pair],
) -> list[Product]:
    """The products of one group for `pairs`, each told apart from those before it."""
    codes = sample_codes(space)
    by_name: Mapping[str, Part] = {name_of(part): part for part in [*context, *own]}
    inside = {name_of(part) for part in own}
    base = np.hstack([np.ones((len(codes), 1)), *(p.columns(codes) for p in [*context, *own])])
    found = []
    for left, right in pairs:
        if {left, right} <= set(by_name) and inside & {left, right}:
            part = product_of(by_name[left], by_name[right], group, codes, base)
            if part is not None:
                found.append(part)
                base = np.hstack([base, part.columns(codes)])
    return found


def _center(part: Part, codes: np.ndarray) -> np.ndarray:
    """Contrasts are centred as they are; counts and presences are not."""
    columns = part.columns(codes)
    return np.zeros(columns.shape[1]) if part.terms[0].contrast else columns.mean(axis=0)


def _short(term: Term) -> str:
    return term.label.split(" instead of ")[0]
