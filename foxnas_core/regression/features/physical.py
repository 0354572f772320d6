"""Costs of blocks as physics has them, and how far they are from that.

What a convolution costs grows with pixels times channels: of a block of kernel size k and expand
ratio e with a part of its own, one with e, with k, with e·k and with e·k² (the operations of the
depthwise convolution). Sums of these over the first block of a stage and over the others are
fitted as they stand; the counts of each combination beside them tell what a runtime does
otherwise, and are shrunk towards none as far as the rows say (`regression.shrinking`), stage by
stage, as runtimes are slow at some sizes and not at others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foxnas_core.space.coding.parts import independent_parts, slots_of
from foxnas_core.space.coding.terms import FREE, Lookup, Part, Term
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

# The form with such sums, and the form of which it has the counts.
PHYSICAL: Mapping[str, str] = {"physical_counts": "stage_counts"}
# By name, the powers of the kernel size and of the expand ratio.
_SUMS = {"blocks": (0, 0), "expand": (0, 1), "kernel": (1, 0), "kernel · expand": (1, 1),
         "kernel² · expand": (2, 1)}  # fmt: skip


def has_blocks(space: SearchSpace) -> bool:
    """Whether every slot of a space has a block of a kernel size and an expand ratio."""
    return bool(space.slots) and all(_members(space, slot) is not None for slot in space.slots)


def physical(space: SearchSpace, groups: Mapping[str, Sequence[Part]]) -> dict[str, list[Part]]:
    """The parts of each group: the sums, and the counts (those of the base form) beside them."""
    return {group: [*_sums(space, group), *map(_shrunk, own)] for group, own in groups.items()}


def _members(space: SearchSpace, slot: str) -> tuple[Decision, Decision] | None:
    found = {d.role: d for d in space.in_slot(slot)}
    members = tuple(found[role] for role in ("kernel", "expand") if role in found)
    numbers = not any(isinstance(choice, str) for d in members for choice in d.choices)
    return (members[0], members[1]) if len(members) == len(found) == 2 and numbers else None


def _sums(space: SearchSpace, group: str) -> list[Part]:
    slots, parts = slots_of(space, group), list[Lookup]()
    for where, members in (("first block", slots[:1]), ("further blocks", slots[1:])):
        alike: dict[tuple[object, ...], list[tuple[Decision, Decision]]] = {}
        for slot in members:
            pair = _members(space, slot)
            assert pair is not None, "every slot has a block, or there is no such form"
            alike.setdefault((pair[0].choices, pair[1].choices), []).append(pair)
        for number, pairs in enumerate(alike.values()):
            kernel, expand = pairs[0]
            reads = tuple((space.decisions.index(k), space.decisions.index(e)) for k, e in pairs)
            sizes = len(kernel.choices), len(expand.choices)
            k, e = np.array(kernel.choices, dtype=float), np.array(expand.choices, dtype=float)
            for name, (of_kernel, of_expand) in _SUMS.items():
                table = np.zeros((sizes[0] + 1, sizes[1] + 1))
                table[1:, 1:] = np.outer(k**of_kernel, e**of_expand)
                table /= table.max()  # so that an estimate is what the largest block costs
                what = f"{group}_{where.split()[0]}{number or ''}_{name}".replace(" · ", "*")
                term = Term(what, group, "", "", f"{group}, {where}: {name}", alike=FREE)
                parts.append(Lookup((term,), reads, sizes, table.reshape(-1, 1)))
    return [*independent_parts(space, parts)]


def _shrunk(part: Part) -> Part:
    """Counts of a base form, alike those of the same combination in their stage."""
    return replace(
        part,
        terms=tuple(
            replace(term, alike=(f"{term.group}>{term.name.partition('[')[2]}",))
            for term in part.terms
        ),
    )
