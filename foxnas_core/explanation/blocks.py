"""The units that every lens speaks of: blocks, the players of an explanation.

A block is a context decision (the input resolution), a block slot, or a group without slots.
Where a term takes several slots of a group jointly (an interaction) these are one block: blocks
are the smallest units that the form adds up over. A decision that only opens slots (depth)
is in none, since the slots' own states say which of them are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form

# Random subnets by which it is found what a term reads.
_PROBES = 1000


@dataclass(frozen=True)
class Block:
    """`decisions` are the positions of what it decides in the space, `terms` those of its columns
    in `Form.apart`."""

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
    for group in space.additive_groups:
        found += _blocks_of_group(form, group)
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


def _blocks_of_group(form: Form, group: str) -> list[Block]:
    units = _units(form, group)
    columns = form.columns_of(group)
    reads = _reads(form, group, units)
    # Units that one term reads belong together, and so do those that chains of terms connect.
    member = list(range(len(units)))
    for column in reads.T:
        joined = {member[i] for i in np.flatnonzero(column)}
        member = [min(joined) if m in joined else m for m in member]
    blocks = []
    for first in dict.fromkeys(member):
        own = [i for i, m in enumerate(member) if m == first]
        terms = columns[reads[own].any(axis=0)]
        decisions = sorted(position for i in own for position in units[i][1])
        if len(terms) or _varies(form, decisions):
            name = _name([units[i][0] for i in own], group, whole=len(own) == len(units))
            blocks.append(Block(name, group, tuple(decisions), tuple(terms.tolist())))
    return blocks


def _units(form: Form, group: str) -> list[tuple[str, list[int]]]:
    """Names and decisions of what can't be split: slots, other decisions, groups without slots."""
    space = form.space
    positions: dict[str, list[int]] = {}
    slotted = any(d.slot for d in space.in_group(group))
    for decision in space.in_group(group):
        name = (decision.slot or decision.name) if slotted else group
        positions.setdefault(name, []).append(space.decisions.index(decision))
    return list(positions.items())


def _reads(form: Form, group: str, units: list[tuple[str, list[int]]]) -> np.ndarray:
    """Which terms of the group (units, terms) change when one unit alone does."""
    codes = form.space.random_codes(_PROBES, seed=0)
    order = np.random.default_rng(0).permutation(_PROBES)
    before = form.matrix(codes, group)
    reads = np.zeros((len(units), before.shape[1]), dtype=bool)
    for row, (_, positions) in zip(reads, units, strict=True):
        changed = codes.copy()
        changed[:, positions] = codes[order][:, positions]
        row[:] = (form.matrix(changed, group) != before).any(axis=0)
    # A term that these subnets do not move is told by the slot it names, or by the whole group.
    named = [form.terms[i].slot for i in form.columns_of(group)]
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
