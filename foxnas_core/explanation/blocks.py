"""The units that every lens speaks of: blocks, the players of an explanation.

A block is a context decision (the input resolution), a block slot, or a group without slots.
Where a term takes several units of one group jointly (an interaction within a stage) they are one
block, but in a space of one small group, such as a cell, and in a form across stages, whose terms
read whole stages. A term across units that are blocks of their own, or with the context, is one of
each block that it reads: see `read_together`. A decision that only opens slots (depth) is in none,
since the slots' own states say which of them are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foxnas_core.regression import Predictor
from foxnas_core.regression.features import ACROSS, Form

# Random subnets by which it is found what a term reads.
_PROBES = 1000
# Of so many blocks that terms connect, all coalitions are looked at; of more, those of a group are
# one block.
_MOST_COUPLED = 12


@dataclass(frozen=True)
class Block:
    """`decisions` are the positions of what it decides in the space, `terms` those of the columns
    in `Form.apart` that read it, the context aside; `group` names all of its groups."""

    name: str
    group: str
    decisions: tuple[int, ...]
    terms: tuple[int, ...]


@lru_cache(maxsize=64)
def blocks_of(form: Form) -> tuple[Block, ...]:
    """The blocks of a form: context decisions first, then each group's in the space's order.

    Every term of `form.apart` but the intercept belongs to at least one of them.
    """
    form, _ = form.apart
    space = form.space
    found = []
    for group in space.context:
        for decision in space.in_group(group):
            own = [i for i, t in enumerate(form.terms) if not t.group and t.decision]
            named = tuple(i for i in own if form.terms[i].decision == decision.name)
            if len(decision.choices) > 1:
                position = space.decisions.index(decision)
                found.append(Block(decision.name, group, (position,), named))
    units = _units(form)
    reads = _reads(form, units)
    for members in _joined(units, reads, apart=form.name in ACROSS):
        terms = np.flatnonzero(reads[members].any(axis=0))
        positions = sorted(position for i in members for position in units[i].positions)
        if len(terms) or _varies(form, positions):
            name, group = _named(units, members)
            found.append(Block(name, group, tuple(positions), tuple(terms.tolist())))
    assert len({block.name for block in found}) == len(found), "block names must differ"
    belonging = {term for block in found for term in block.terms}
    others = {i for i, t in enumerate(form.terms) if t.group or t.decision}
    assert belonging == others, "every term but the intercept belongs to a block"
    return tuple(found)


@lru_cache(maxsize=64)
def read_together(form: Form) -> dict[tuple[int, ...], tuple[int, ...]]:
    """By the numbers of the blocks (of `blocks_of`, the context's included) that they read: the
    terms of `form.apart`."""
    blocks, space = blocks_of(form), form.space
    form, _ = form.apart
    found: dict[tuple[int, ...], list[int]] = {}
    first = 0
    for part in form.parts:
        context = {
            number
            for number, block in enumerate(blocks)
            if block.group in space.context and form.positions(part) & {*block.decisions}
        }
        for term in range(first, first + len(part.terms)):
            own = {number for number, block in enumerate(blocks) if term in block.terms}
            found.setdefault(tuple(sorted(own | context)), []).append(term)
        first += len(part.terms)
    return {numbers: tuple(terms) for numbers, terms in found.items()}


def apart(predictor: Predictor) -> Predictor:
    """The same predictor with the terms of `Form.apart`; what counts over slots has one estimate
    in all of them."""
    form, origins = predictor.form.apart
    ceiling = predictor.ceiling
    return replace(
        predictor,
        form=form,
        estimates=predictor.estimates[origins],
        covariance=predictor.covariance[np.ix_(origins, origins)],
        ceiling=ceiling and replace(ceiling, pull=ceiling.pull[origins]),
        penalty=None,
        df=predictor.residual_df,
    )


def belonging(form: Form) -> np.ndarray:
    """What share of each term is a block's (blocks, terms): those of several blocks share it
    equally."""
    blocks = blocks_of(form)
    belongs = np.zeros((len(blocks), form.parameters))
    for row, block in zip(belongs, blocks, strict=True):
        row[list(block.terms)] = 1.0
    return belongs / np.maximum(belongs.sum(axis=0), 1.0)


def joint_states(codes: np.ndarray, blocks: Sequence[Block]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each block's joint state as one number (n, blocks), and per block the codes (states,
    decisions of the block) that the numbers stand for."""
    numbers, states = [], []
    for block in blocks:
        distinct, number = np.unique(codes[:, list(block.decisions)], axis=0, return_inverse=True)
        numbers.append(number.reshape(-1))
        states.append(distinct)
    return np.stack(numbers, axis=1), states


@dataclass(frozen=True)
class _Unit:
    """What can't be split: a slot, another decision, or a group without slots."""

    name: str
    group: str
    positions: tuple[int, ...]


def _units(form: Form) -> list[_Unit]:
    space = form.space
    units = []
    for group in space.additive_groups:
        members = space.in_group(group)
        slotted = any(d.slot for d in members)
        positions: dict[str, list[int]] = {}
        for decision in members:
            name = (decision.slot or decision.name) if slotted else group
            positions.setdefault(name, []).append(space.decisions.index(decision))
        units += [_Unit(name, group, tuple(own)) for name, own in positions.items()]
    return units


def _reads(form: Form, units: Sequence[_Unit]) -> np.ndarray:
    """Which terms (units, terms) change when one unit alone does."""
    codes = form.space.random_codes(_PROBES, seed=0).astype(np.intp)
    order = np.random.default_rng(0).permutation(_PROBES)
    reads = np.zeros((len(units), form.parameters), dtype=bool)
    first = 0
    for part in form.parts:
        columns = slice(first, first + len(part.terms))
        first = columns.stop
        if not part.terms[0].group:
            continue
        before = part.columns(codes)
        possible = [i for i, unit in enumerate(units) if part.positions & {*unit.positions}]
        for i in possible:
            positions = list(units[i].positions)
            changed = codes.copy()
            changed[:, positions] = codes[order][:, positions]
            reads[i, columns] = (part.columns(changed) != before).any(axis=0)
        # A term that these subnets do not move is told by the slot it names, or by all of them.
        for column in range(columns.start, columns.stop):
            if not reads[:, column].any():
                named = [i for i in possible if units[i].name == form.terms[column].slot]
                reads[named or possible, column] = True
    return reads


def _joined(units: Sequence[_Unit], reads: np.ndarray, apart: bool) -> list[list[int]]:
    """The units of each block: those of one group that one term reads, or chains of terms do; each
    alone where they are to stay `apart`."""
    if apart:
        return [[i] for i in range(len(units))]
    member = list(range(len(units)))

    def join(numbers: Sequence[int]) -> None:
        joined = {member[i] for i in numbers}
        member[:] = [min(joined, default=m) if m in joined else m for m in member]

    groups = list(dict.fromkeys(unit.group for unit in units))
    of_group = [[i for i, unit in enumerate(units) if unit.group == group] for group in groups]
    sets = list(dict.fromkeys(tuple(np.flatnonzero(column).tolist()) for column in reads.T))
    # Of a space of one group, one block would be the whole architecture.
    few = len(of_group) == 1 and len(units) <= _MOST_COUPLED
    for numbers in [] if few else sets:
        for own in of_group:
            join([i for i in numbers if i in own])
    for coupled in _connected(sets):
        for wider in (of_group, [list(coupled)]):
            if len({member[i] for i in coupled}) > _MOST_COUPLED:
                for own in wider:
                    join([i for i in own if i in coupled])
    return [[i for i, m in enumerate(member) if m == one] for one in dict.fromkeys(member)]


def _connected(sets: Sequence[tuple[int, ...]]) -> list[set[int]]:
    """The sets of numbers that sets in common connect."""
    found: list[set[int]] = []
    for numbers in filter(None, sets):
        touched = [own for own in found if own & {*numbers}]
        found = [own for own in found if own not in touched] + [{*numbers}.union(*touched)]
    return found


def _varies(form: Form, positions: list[int]) -> bool:
    """Whether decisions that no term reads are a block nevertheless: those that only open slots
    are not, nor those without a choice."""
    decisions = [form.space.decisions[position] for position in positions]
    opening = {c.decision for d in form.space.decisions for c in d.conditions}
    return any(d.name not in opening and (d.conditions or len(d.choices) > 1) for d in decisions)


def _named(units: Sequence[_Unit], members: Sequence[int]) -> tuple[str, str]:
    """The name and the group of a block of these units."""
    parts = []
    groups = list(dict.fromkeys(units[i].group for i in members))
    for group in groups:
        names = [units[i].name for i in members if units[i].group == group]
        whole = len(names) == sum(unit.group == group for unit in units)
        joint = group if whole else f"{names[0]}–{names[-1]}"
        parts.append(joint if len(names) > 1 else names[0])
    return " + ".join(parts), " + ".join(groups)
