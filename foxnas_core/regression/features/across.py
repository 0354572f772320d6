"""What the terms of a form are worth at each resolution, and beside what other stages have.

Beside each term of a base form stands its product with the resolution, and of stages as a whole
there are products of their depths, of a depth and the mean of a choice (kernel size, expand ratio),
and of two depths and the resolution. Once the resolution and all depths are settled, each of these
is a sum over stages again, which an exact search rests on (`search.cells`).

These are more terms than rows can tell apart, so that they are pooled (`regression.shrinking`).
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foxnas_core.regression.features.interactions import whole_product
from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.parts import count_of, optional_slots, sample_codes, slots_of
from foxnas_core.space.coding.terms import Lookup, Part, Product, Term, independent_columns
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

# The forms with such products, and the form that each has them beside.
ACROSS: Mapping[str, str] = {
    "across_stages": "per_layer",
    "count_across_stages": "choice_counts",
}
_MOST_STATES = 20_000  # of all blocks of a stage, whose mean is looked up
# Of what the resolution changes, whose variances are its own.
_BY_RESOLUTION = "|by resolution"


@dataclass(frozen=True, eq=False)
class Stage:
    """A group whose blocks one decision opens: its depth, a column of how many are there, and of
    each role that all blocks choose a number for one of the mean over those there (`means`), and
    of the sum over those after the first (`further`)."""

    depth: Lookup
    means: tuple[Lookup, ...]
    further: tuple[Lookup, ...]


def has_stages(space: SearchSpace) -> bool:
    """Whether there are stages across which there could be products."""
    return len(stages_of(space)) > 1


def cells_of(space: SearchSpace) -> int:
    """Of how many choices of the context and of all depths a prediction across stages is a sum
    over stages each."""
    depths = filter(None, (depth_of(space, group) for group in space.additive_groups))
    return len(space.context_options()) * math.prod(len(depth.choices) for depth in depths)


@lru_cache(maxsize=64)
def stages_of(space: SearchSpace) -> tuple[Stage, ...]:
    return tuple(_stage(space, g) for g in space.additive_groups if depth_of(space, g) is not None)


def depth_of(space: SearchSpace, group: str) -> Decision | None:
    """The one decision, of no slot and always there, that says which slots of a group are."""
    conditions = {
        c.decision for slot in optional_slots(space, group) for d in space.in_slot(slot)
        for c in d.conditions
    }  # fmt: skip
    if len(conditions) != 1:
        return None
    depth = space.by_name[conditions.pop()]
    own = depth.group == group and not depth.slot and not depth.conditions
    return depth if own else None


def _stage(space: SearchSpace, group: str) -> Stage:
    slots = slots_of(space, group)
    term = Term(f"{group}_blocks", group, "", "", f"{group}: blocks")
    blocks = count_of(space, group, optional_slots(space, group), term)
    means, further = [], []
    for role, members in _numbers(space, slots):
        numbers = np.append(0.0, np.array(members[0].choices, dtype=float))
        reads = tuple(space.decisions.index(own) for own in members)
        if (height := len(numbers) ** len(reads)) <= _MOST_STATES:
            states = np.stack(np.unravel_index(np.arange(height), (len(numbers),) * len(reads)))
            there = np.maximum((states > 0).sum(axis=0), 1)
            table = (numbers[states].sum(axis=0) / there)[:, np.newaxis]
            term = Term(f"{group}_mean_{role}", group, "", "", f"{group}: mean {role}")
            sizes = (len(numbers) - 1,) * len(reads)
            means.append(Lookup((term,), (reads,), sizes, table))
        term = Term(f"{group}_further_{role}", group, "", "", f"{group}: {role} of further blocks")
        rest = tuple((own,) for own in reads[1:])
        further.append(Lookup((term,), rest, (len(numbers) - 1,), numbers[:, np.newaxis]))
    return Stage(blocks, tuple(means), tuple(further))


def _numbers(space: SearchSpace, slots: Sequence[str]) -> Iterator[tuple[str, list[Decision]]]:
    """The roles for which every slot chooses one of the same numbers, with the decisions."""
    for first in space.in_slot(slots[0]):
        members = [d for slot in slots for d in space.in_slot(slot) if d.role == first.role]
        alike = all(d.choices == first.choices for d in members)
        if alike and len(members) == len(slots) and _are_numbers(first.choices):
            yield first.role, members


def _are_numbers(choices: Sequence[Value]) -> bool:
    return len(choices) > 1 and not any(isinstance(choice, str) for choice in choices)


def _resolutions(space: SearchSpace) -> list[Lookup]:
    """The logarithm of the resolution, standardised over its choices, and its square less 1 where
    there are more than two; nothing where there is one."""
    for group in space.context:
        for decision in space.in_group(group):
            if decision.role == "resolution" and _are_numbers(decision.choices):
                log = np.log(np.array(decision.choices, dtype=float))
                log = (log - log.mean()) / log.std()
                columns = {"log": log, "log^2": log**2 - 1}
                reads = ((space.decisions.index(decision),),)
                return [
                    Lookup(
                        (Term(f"{decision.name}_{name}", "", "", "", f"{decision.name}, {name}"),),
                        reads, (len(log),), np.append(0.0, own)[:, np.newaxis],
                    )
                    for name, own in columns.items()
                    if np.ptp(own) > 0
                ]  # fmt: skip
    return []


def across(
    space: SearchSpace, context: Sequence[Part], groups: Mapping[str, Sequence[Part]]
) -> tuple[dict[str, list[Part]], list[Part]]:
    """The parts of a base form as they are pooled, and the products beside them, without those that
    tell nothing more."""
    pooled = {group: [_pooled(space, part) for part in own] for group, own in groups.items()}
    codes = sample_codes(space)
    every = [*context, *(part for own in pooled.values() for part in own)]
    base = np.hstack([np.ones((len(codes), 1)), *(part.columns(codes) for part in every)])
    found = [*_products(space, pooled, codes)]
    columns = [part.columns(codes) for part in found]
    kept = independent_columns(np.hstack([base, *columns]))[base.shape[1] :]
    parts: list[Part] = []
    for part, own in zip(found, columns, strict=True):
        left, kept = np.flatnonzero(kept[: own.shape[1]]), kept[own.shape[1] :]
        if len(left):
            terms = tuple(part.terms[i] for i in left)
            parts.append(replace(part, terms=terms, kept=tuple(left.tolist())))
    return pooled, parts


def _products(
    space: SearchSpace, groups: Mapping[str, Sequence[Part]], codes: np.ndarray
) -> Iterator[Product]:
    resolutions, stages = _resolutions(space), stages_of(space)
    for resolution in resolutions[:1]:
        for group, own in groups.items():
            for part in own:
                yield _changed(whole_product(resolution, part, group, codes), part)
    for resolution in resolutions[1:]:
        for stage in stages:
            for part in (stage.depth, *stage.means):
                yield _of_kind(whole_product(resolution, part, part.terms[0].group, codes))
    for number, stage in enumerate(stages):
        for other in stages[number + 1 :]:
            depths = whole_product(stage.depth, other.depth, stage.depth.terms[0].group, codes)
            yield _of_kind(depths)
            for resolution in resolutions[:1]:
                product = whole_product(resolution, depths, stage.depth.terms[0].group, codes)
                yield _of_kind(product)
        for other in stages:
            for part in (*other.means, *(other.further if other is stage else ())):
                yield _of_kind(whole_product(stage.depth, part, stage.depth.terms[0].group, codes))


def _of_kind(product: Product) -> Product:
    """A product of whole stages, alike what it is of others."""
    [term] = product.terms
    kind = "*".join(re.sub(r"^[^_]*_", "", name) for name in term.name.split("*"))
    return replace(product, terms=(replace(term, alike=(f"{kind}>|across",)),))


def _changed(product: Product, part: Part) -> Product:
    """What the resolution changes of a part, alike as that is."""
    return replace(
        product,
        terms=tuple(
            replace(
                term,
                slot=own.slot,
                decision=own.decision,
                alike=tuple(kind + _BY_RESOLUTION for kind in own.alike),
            )
            for term, own in zip(product.terms, part.terms, strict=True)
        ),
    )


def _pooled(space: SearchSpace, part: Part) -> Part:
    """A part of a base form, whose terms say which others they are like."""

    def kind(term: Term) -> str:
        if term.decision:
            what = f"{space.by_name[term.decision].role}"
        else:
            what = (term.contrast or "on").removeprefix(term.group)
        return f"{what}>{term.name.partition('=')[2]}"

    return replace(part, terms=tuple(replace(term, alike=(kind(term),)) for term in part.terms))
