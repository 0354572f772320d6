"""Forms of steps: what a block adds from each kernel size and expand ratio on.

Of a cost they are more than rows could tell apart, but blocks are much alike: each step is shrunk
towards what the same one costs in others (see `regression.shrinking`).
"""

import numpy as np

from foxnas_core.space.coding.parts import presence, slots_of
from foxnas_core.space.coding.terms import Lookup, Part, Term
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


def step_parts(space: SearchSpace, group: str, quality: bool) -> list[Part]:
    """Of each slot [e ≥ v], [k ≥ w] and [k ≥ w]·e for its kernel k and expand ratio e."""
    parts: list[Part] = [*presence(space, group)]
    for slot in slots_of(space, group):
        kernel, expand = _members(space, slot)
        parts += [_steps(space, expand), _steps(space, kernel), _products(space, kernel, expand)]
    return [part for part in parts if part.terms]


def cost_step_parts(space: SearchSpace, group: str) -> list[Part]:
    """The same with [e ≥ v] apart for each resolution, as a wide block outgrows a cache at some,
    and with [k ≥ w]·[e ≥ v]."""
    resolutions = [d for g in space.context for d in space.in_group(g) if d.role == "resolution"]
    parts: list[Part] = [*presence(space, group)]
    for slot in slots_of(space, group):
        kernel, expand = _members(space, slot)
        parts += [_steps_at(space, expand, r, size) for r in resolutions for size in r.choices]
        parts += [_steps(space, kernel), _both(space, kernel, expand)]
    return [part for part in parts if part.terms]


def _steps(space: SearchSpace, decision: Decision) -> Lookup:
    terms = tuple(
        Term(
            f"{decision.name}>={choice}", decision.group, decision.slot, decision.name,
            f"{decision.slot}: {decision.role} {choice} or more",
            alike=(f"{decision.role}>={choice}",),
        )
        for choice in decision.choices[1:]
    )  # fmt: skip
    reads = ((space.decisions.index(decision),),)
    return Lookup(terms, reads, (len(decision.choices),), _reached(decision))


def _steps_at(space: SearchSpace, decision: Decision, resolution: Decision, size: object) -> Lookup:
    terms = tuple(
        Term(
            f"{decision.name}>={choice}@{size}", decision.group, decision.slot, decision.name,
            f"{decision.slot}: {decision.role} {choice} or more at {size} px",
            alike=(f"{decision.role}>={choice}", f"{decision.role}>={choice}@{size}"),
        )
        for choice in decision.choices[1:]
    )  # fmt: skip
    reached = _reached(decision)
    table = np.zeros((len(resolution.choices) + 1, *reached.shape))
    table[resolution.choices.index(size) + 1] = reached
    if size == resolution.choices[-1]:
        table[0] = reached  # without a resolution, that of the largest stands
    positions = space.decisions.index(resolution), space.decisions.index(decision)
    sizes = len(resolution.choices), len(decision.choices)
    return Lookup(terms, (positions,), sizes, table.reshape(-1, len(terms)))


def _products(space: SearchSpace, kernel: Decision, expand: Decision) -> Lookup:
    terms = tuple(
        Term(
            f"{kernel.name}>={choice}*{expand.role}", kernel.group, kernel.slot, "",
            f"{kernel.slot}: {kernel.role} {choice} or more, for each {expand.role}",
        )
        for choice in kernel.choices[1:]
        if len(expand.choices) > 1
    )  # fmt: skip
    ratios = np.array([0.0, *expand.choices])
    table = _reached(kernel)[:, np.newaxis, :] * ratios[np.newaxis, :, np.newaxis]
    positions = space.decisions.index(kernel), space.decisions.index(expand)
    sizes = len(kernel.choices), len(expand.choices)
    return Lookup(terms, (positions,), sizes, table.reshape(-1, table.shape[2])[:, : len(terms)])


def _both(space: SearchSpace, kernel: Decision, expand: Decision) -> Lookup:
    both = f"{expand.role}*{kernel.role}"
    terms = tuple(
        Term(
            f"{kernel.name}>={size}*{expand.role}>={ratio}", kernel.group, kernel.slot, "",
            f"{kernel.slot}: {kernel.role} {size} or more, with {expand.role} {ratio} or more",
            alike=(f"{both}>={size}", f"{both}>={size},{ratio}"),
        )
        for size in kernel.choices[1:]
        for ratio in expand.choices[1:]
    )  # fmt: skip
    table = np.kron(_reached(kernel), _reached(expand))
    positions = space.decisions.index(kernel), space.decisions.index(expand)
    sizes = len(kernel.choices), len(expand.choices)
    return Lookup(terms, (positions,), sizes, table)


def _reached(decision: Decision) -> np.ndarray:
    """Which choices but the first (columns) the code of a row, from -1 on, reaches."""
    return np.tri(len(decision.choices) + 1, k=-1)[:, 1:-1]


def _members(space: SearchSpace, slot: str) -> tuple[Decision, Decision]:
    roles = {d.role: d for d in space.in_slot(slot)}
    return roles["kernel"], roles["expand"]
