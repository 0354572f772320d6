"""The units that every lens speaks of: blocks, the players of an explanation.

A block is a context decision (the input resolution), a block slot, or a group without slots.
Where a term takes several of these jointly (an interaction, within a group or across groups) they
are one block: blocks are the smallest units that the form adds up over. A decision that only opens
slots (depth) is in none, since the slots' own states say which of them are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.search.coupling import blocks_of as merged_groups
from foxnas_core.search.coupling import names_in
from foxnas_core.space.decisions import Decision

# Random subnets by which it is found what a term reads.
_PROBES = 1000


@dataclass(frozen=True)
class Block:
    """`decisions` are the positions of what it decides in the space, `terms` those of its columns
    in `Form.apart`; `group` names all of its groups where they are coupled."""

    name: str
    group: str
    decisions: tuple[int, ...]
    terms: tuple[int, ...]


@lru_cache(maxsize=64)
def blocks_of(form: Form) -> tuple[Block, ...]:
    """The blocks of a form: context decisions first, then each group's in the space's order.

    Every term of `form.apart` but the intercept belongs to exactly one of them.
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
    coupled = merged_groups(space, form.couplings)
    for group in coupled.additive_groups:
        members = [space.by_name[decision.name] for decision in coupled.in_group(group)]
        found += _blocks_of_group(form, group, members)
    assert len({block.name for block in found}) == len(found), "block names must differ"
    belonging = sorted(term for block in found for term in block.terms)
    others = [i for i, t in enumerate(form.terms) if t.group or t.decision]
    assert belonging == others, "every term but the intercept belongs to one block"
    return tuple(found)


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
        df=predictor.residual_df,
    )


def contributions(
    rows: np.ndarray, estimates: np.ndarray, blocks: Sequence[Block], columns: np.ndarray
) -> np.ndarray:
    """What each block adds (n, blocks) to predictions, over those of its terms that `columns`
    (terms,) marks; `rows` (n, terms) are regression rows."""
    belongs = np.zeros((len(estimates), len(blocks)))
    for number, block in enumerate(blocks):
        belongs[list(block.terms), number] = 1.0
    return rows @ (belongs * (estimates * columns)[:, np.newaxis])


def joint_states(codes: np.ndarray, blocks: Sequence[Block]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each block's joint state as one number (n, blocks), and per block the codes (states,
    decisions of the block) that the numbers stand for."""
    numbers, states = [], []
    for block in blocks:
        distinct, number = np.unique(codes[:, list(block.decisions)], axis=0, return_inverse=True)
        numbers.append(number.reshape(-1))
        states.append(distinct)
    return np.stack(numbers, axis=1), states


def _blocks_of_group(form: Form, group: str, decisions: Sequence[Decision]) -> list[Block]:
    units = _units(form, decisions)
    names = names_in(form, [decision.name for decision in decisions])
    columns = np.concatenate([form.columns_of(name) for name in names])
    reads = _reads(form, names, columns, units)
    # Units that one term reads belong together, and so do those that chains of terms connect.
    member = list(range(len(units)))
    for column in reads.T:
        joined = {member[i] for i in np.flatnonzero(column)}
        member = [min(joined) if m in joined else m for m in member]
    blocks = []
    for first in dict.fromkeys(member):
        own = [i for i, m in enumerate(member) if m == first]
        terms = columns[reads[own].any(axis=0)]
        positions = sorted(position for i in own for position in units[i][1])
        if len(terms) or _varies(form, positions):
            named = [units[i][0] for i in own]
            if len({form.space.decisions[position].group for position in positions}) > 1:
                name = " + ".join(named)
            else:
                name = _name(named, group, whole=len(own) == len(units))
            blocks.append(Block(name, group, tuple(positions), tuple(np.sort(terms).tolist())))
    return blocks


def _units(form: Form, decisions: Sequence[Decision]) -> list[tuple[str, list[int]]]:
    """Names and positions of what can't be split: slots, other decisions, groups without slots."""
    positions: dict[str, list[int]] = {}
    slotted = {d.group for d in decisions if d.slot}
    for decision in decisions:
        alone = decision.slot or decision.name
        name = alone if decision.group in slotted else decision.group
        positions.setdefault(name, []).append(form.space.decisions.index(decision))
    return list(positions.items())


def _reads(
    form: Form, names: Sequence[str], columns: np.ndarray, units: list[tuple[str, list[int]]]
) -> np.ndarray:
    """Which terms of the groups and couplings (units, terms) change when one unit alone does."""
    codes = form.space.random_codes(_PROBES, seed=0)
    order = np.random.default_rng(0).permutation(_PROBES)

    def rows(codes: np.ndarray) -> np.ndarray:
        return np.hstack([form.matrix(codes, name) for name in names])

    before = rows(codes)
    reads = np.zeros((len(units), before.shape[1]), dtype=bool)
    for row, (_, positions) in zip(reads, units, strict=True):
        changed = codes.copy()
        changed[:, positions] = codes[order][:, positions]
        row[:] = (rows(changed) != before).any(axis=0)
    # A term that these subnets do not move is told by the slot it names, or by the whole group.
    named = [form.terms[i].slot for i in columns]
    for column in np.flatnonzero(~reads.any(axis=0)):
        own = [name == named[column] for name, _ in units]
        reads[:, column] = own if any(own) else True
    return reads


def _varies(form: Form, positions: list[int]) -> bool:
    """Whether decisions that no term reads are a block nevertheless: those that only open slots
    are not, nor those without a choice."""
    decisions = [form.space.decisions[position] for position in positions]
    opening = {c.decision for d in form.space.decisions for c in d.conditions}
    return any(d.name not in opening and (d.conditions or len(d.choices) > 1) for d in decisions)


def _name(names: list[str], group: str, *, whole: bool) -> str:
    if len(names) == 1:
        return names[0]
    return group if whole else f"{names[0]}–{names[-1]}"
