"""The forms, one function each: the parts of one group."""

from collections.abc import Callable, Mapping

from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.parts import (
    contrasts,
    count_of,
    free_decisions,
    independent_parts,
    optional_slots,
    presence,
    slot_states,
    slots_of,
)
from foxnas_core.space.coding.terms import (
    Lookup,
    Part,
    Term,
    sum_to_zero,
)
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


def _per_layer(space: SearchSpace, group: str) -> list[Part]:
    """Each slot's `on` and each decision's contrasts."""
    decisions = [d for d in space.in_group(group) if d.slot] + free_decisions(space, group)
    return [*presence(space, group), *(contrasts(space, group, d) for d in decisions)]


def _block_state(space: SearchSpace, group: str) -> list[Part]:
    """Each slot's `on` and one contrast for each combination of its choices."""
    parts: list[Part] = [*presence(space, group)]
    for slot in slots_of(space, group):
        states = slot_states(space, slot)
        parts.append(states.contrasts(group, slot, slot, (states.positions,)))
    return parts + [contrasts(space, group, d) for d in free_decisions(space, group)]


def _stage_counts(space: SearchSpace, group: str) -> list[Part]:
    """Contrasts of the first slot's states, and how often each state occurs in the others."""
    slots = slots_of(space, group)
    parts: list[Part] = []
    if slots:
        first = slot_states(space, slots[0])
        parts.append(first.contrasts(group, slots[0], slots[0], (first.positions,)))
    alike: dict[tuple[str, ...], list[str]] = {}
    for slot in slots[1:]:
        alike.setdefault(slot_states(space, slot).labels, []).append(slot)
    for number, members in enumerate(alike.values(), start=1):
        states = slot_states(space, members[0])
        reads = tuple(slot_states(space, slot).positions for slot in members)
        name = f"{group}_count" if len(alike) == 1 else f"{group}_count{number}"
        if set(members) & set(optional_slots(space, group)):
            parts.append(states.counts(group, name, reads))
        else:  # as many blocks in every architecture: only exchanges can be told apart
            parts.append(states.contrasts(group, "", name, reads))
    return parts + [contrasts(space, group, d) for d in free_decisions(space, group)]


def _choice_counts(space: SearchSpace, group: str) -> list[Part]:
    """Contrasts of the first slot, the number of further blocks, and how many of these make each
    choice: the per-layer form where the order of blocks is unknown."""
    slots = slots_of(space, group)
    parts: list[Part] = []
    if slots:
        parts += [contrasts(space, group, d) for d in space.in_slot(slots[0])]
    optional = optional_slots(space, group)
    if optional:
        term = Term(f"{group}_count", group, "", "", f"{group}: each further block")
        # None where as many are on in every architecture.
        parts += independent_parts(space, [count_of(space, group, optional, term)])
    alike: dict[tuple[str, tuple[Value, ...]], list[Decision]] = {}
    for slot in slots[1:]:
        for decision in space.in_slot(slot):
            alike.setdefault((decision.role, decision.choices), []).append(decision)
    for number, ((role, choices), members) in enumerate(alike.items(), start=1):
        distinct = len({r for r, _ in alike}) == len(alike)
        name = f"{group}_{role}s" if distinct else f"{group}_{role}s{number}"
        terms = tuple(
            Term(
                f"{name}={choice}", group, "", "",
                f"{group}: each further block with {role} {choice} instead of {choices[0]}",
                contrast=name,
            )
            for choice in choices[1:]
        )  # fmt: skip
        reads = tuple((space.decisions.index(d),) for d in members)
        table = sum_to_zero(len(choices) + 1, range(1, len(choices) + 1))
        parts.append(Lookup(terms, reads, (len(choices),), table))
    return parts + [contrasts(space, group, d) for d in free_decisions(space, group)]


BUILDERS: Mapping[str, Callable[[SearchSpace, str], list[Part]]] = {
    "per_layer": _per_layer,
    "block_state": _block_state,
    "choice_counts": _choice_counts,
    "stage_counts": _stage_counts,
}
