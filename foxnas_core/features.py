"""Architecture → regression row: the only definition, used by fit, search and explanation alike.

A form is a list of terms. Each term reads the decisions of one additive group (a stage) and of
the context (the input resolution) only, so that for a fixed context every prediction is a sum
over groups. This is asserted where the parts are built, and exact search rests on it.

Contrasts are coded to sum to zero over a decision's choices while the decision is active, and
are 0 while it is not; they are shown as differences to the first choice (`Form.shown`). So the
coefficient of a slot's `on` is the effect of a block of average choices.

Latency and MACs grow with the number of pixels: with the resolution as a decision their block
columns are multiplied by (resolution / largest resolution)², while one unscaled column for each
slot that can be off keeps what a block costs whatever the resolution.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search_space import Decision, SearchSpace
from foxnas_core.target import Target, target_of

FORMS: Mapping[str, str] = {
    "per_layer": "Per layer",
    "block_state": "Block states",
    "stage_counts": "Block counts per stage",
    "foxnas": "FOX-NAS, as published",
}
# These read only how many blocks of each type a stage has after its first, not their order.
ORDER_FREE = ("stage_counts", "foxnas")

_INTERCEPT = "intercept"


@dataclass(frozen=True)
class Term:
    """One column of a form and one row of its coefficient table.

    `group` is the one additive group it reads, "" for the intercept and the context; `slot` and
    `decision` are "" where it stands for more than one. Terms with an equal, non-empty
    `contrast` code one set of choices and sum to zero over it. `scaled` says that the column is
    multiplied by (resolution / largest resolution)².
    """

    name: str
    group: str
    slot: str
    decision: str
    label: str
    contrast: str = ""
    scaled: bool = False


@dataclass(frozen=True)
class Form:
    """How architectures of a space become rows of a regression on one target."""

    name: str
    title: str
    space: SearchSpace
    target: Target
    terms: tuple[Term, ...]
    note: str
    _parts: tuple["_Part", ...] = field(repr=False, compare=False)
    _resolution: Decision | None = field(repr=False)

    @property
    def parameters(self) -> int:
        return len(self.terms)

    @property
    def wanted_rows(self) -> int:
        """Rows from which on nominal 95 % intervals have their coverage: 3 a parameter."""
        return 3 * self.parameters

    @property
    def order_free(self) -> bool:
        """Whether the order of the blocks within a stage makes no difference."""
        return self.name in ORDER_FREE

    def matrix(self, codes: np.ndarray, group: str | None = None) -> np.ndarray:
        """Regression rows (architectures, terms), or the columns of one group's terms only.

        The columns of a group are right wherever the codes of that group and of the context are,
        whatever the other codes. They are 0 where the group's own codes are all -1. A context of
        -1 stands for the largest resolution.
        """
        codes = codes.astype(np.intp)
        scale = self._scale(codes)[:, np.newaxis]
        blocks = [
            part.columns(codes) * scale if part.terms[0].scaled else part.columns(codes)
            for part in self._parts
            if group in (None, part.terms[0].group)
        ]
        return np.hstack([np.empty((len(codes), 0)), *blocks])

    def columns_of(self, group: str) -> np.ndarray:
        """Positions of one group's terms; "" for those of the intercept and the context."""
        return np.array([i for i, term in enumerate(self.terms) if term.group == group], dtype=int)

    @cached_property
    def shown(self) -> np.ndarray:
        """The linear map (terms, terms) from fitted coefficients to those of the table.

        A sum-to-zero set b₁ … bₘ₋₁ leaves -(b₁ + … + bₘ₋₁) to its first choice; its difference
        to choice j is bⱼ + Σ b.
        """
        sets = [(t.contrast, t.scaled) if t.contrast else i for i, t in enumerate(self.terms)]
        same = np.array([[a == b for b in sets] for a in sets], dtype=float)
        plain = np.array([not term.contrast for term in self.terms])
        same[plain] = 0.0
        return np.eye(len(self.terms)) + same

    def _scale(self, codes: np.ndarray) -> np.ndarray:
        if self._resolution is None:
            return np.ones(len(codes))
        choices = np.array(self._resolution.choices, dtype=float)
        column = self.space.decisions.index(self._resolution)
        # The entry that -1 picks is the last one, the reference.
        return np.append((choices / choices.max()) ** 2, 1.0)[codes[:, column]]


def build_form(name: str, space: SearchSpace, target: str) -> Form:
    """The form `name` of `FORMS` for `space` and the target column `target`.

    Raises `InvalidInput` for an unknown form or target, or a form that the space can't have.
    """
    if name not in FORMS:
        raise InvalidInput(f"{name!r} is no form; choose {', '.join(FORMS)}.")
    return _build_form(name, space, target_of(target))


@lru_cache(maxsize=64)
def _build_form(name: str, space: SearchSpace, target: Target) -> Form:
    resolution = _scaling_resolution(space, target)
    parts: list[_Part] = [_constant(_INTERCEPT, "Intercept")]
    if resolution is not None:
        label = f"Fixed part × (resolution / {max(resolution.choices)})²"
        parts.append(_scaled(_constant(f"{resolution.name}^2", label, resolution.name)))
    if target.column != "parameters":  # the number of weights does not depend on the input
        for group in space.context:
            contexts = [d for d in space.in_group(group) if d != resolution]
            parts += [_contrasts(space, "", d) for d in contexts if len(d.choices) > 1]
    for group in space.additive_groups:
        # A decision of one choice makes a part without terms.
        own = [part for part in _BUILDERS[name](space, group, target) if part.terms]
        own = [p for slot in [*_slots(space, group), ""] for p in own if p.terms[0].slot == slot]
        if resolution is not None:
            parts += [_scaled(part) for part in own]
            parts += _fixed_presence(space, group, by_slot=name not in ORDER_FREE)
        else:
            parts += own
    note = ""
    if resolution is not None:
        note = (
            f"Effects of blocks hold at {max(resolution.choices)} px and scale with the number of "
            "pixels; terms named 'fixed' do not."
        )
    terms = tuple(term for part in parts for term in part.terms)
    assert len({term.name for term in terms}) == len(terms), "term names must differ"
    _assert_additive(space, parts)
    return Form(name, FORMS[name], space, target, terms, note, tuple(parts), resolution)


def independent_columns(columns: np.ndarray, tolerance: float = 1e-8) -> np.ndarray:
    """Which columns (k,) are no linear combination of those before them.

    Gram-Schmidt, each column orthogonalised twice ("twice is enough", Giraud et al. 2005);
    `tolerance` is relative to a column's length.
    """
    basis = np.empty((len(columns), 0))
    kept = np.zeros(columns.shape[1], dtype=bool)
    for i, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        kept[i] = length > tolerance * np.linalg.norm(column)
        if kept[i]:
            basis = np.column_stack([basis, rest / length])
    return kept


# Parts: terms that are computed together


@dataclass(frozen=True, eq=False)
class _Lookup:
    """Sums, over `reads`, the row of `table` that the codes at those positions pick.

    Row of codes c₁, c₂, … with sizes m₁, m₂, …: ((c₁ + 1)(m₂ + 1) + c₂ + 1)…; row 0 is "all
    inactive".
    """

    terms: tuple[Term, ...]
    reads: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    table: np.ndarray

    @property
    def positions(self) -> set[int]:
        return {position for read in self.reads for position in read}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        total = np.zeros((len(codes), len(self.terms)))
        for read in self.reads:
            row = np.zeros(len(codes), dtype=np.intp)
            for position, size in zip(read, self.sizes, strict=True):
                row = row * (size + 1) + codes[:, position] + 1
            total += self.table[row]
        return total


@dataclass(frozen=True, eq=False)
class _Aggregates:
    """The aggregates of one stage in FOX-NAS's published formulae (arXiv 2108.08189)."""

    terms: tuple[Term, ...]
    names: tuple[str, ...]
    slots: tuple[tuple[int, int], ...]  # positions of each slot's kernel and expand
    kernels: np.ndarray  # (slots, choices + 1), 0 in the last column, which -1 picks
    expands: np.ndarray

    @property
    def positions(self) -> set[int]:
        return {position for pair in self.slots for position in pair}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        on = np.stack([codes[:, k] >= 0 for k, _ in self.slots], axis=1)
        kernel = np.stack(
            [self.kernels[i, codes[:, k]] for i, (k, _) in enumerate(self.slots)], axis=1
        )
        expand = np.stack(
            [self.expands[i, codes[:, e]] for i, (_, e) in enumerate(self.slots)], axis=1
        )
        depth = on.sum(axis=1).astype(float)
        rest = np.maximum(on[:, 1:].sum(axis=1), 1)
        total_expand = expand[:, 1:].sum(axis=1)
        mean_expand = total_expand / rest
        mean_kernel = kernel[:, 1:].sum(axis=1) / rest
        values = {
            "depth": depth,
            "mean_expand": mean_expand,
            "mean_kernel": mean_kernel,
            "transition_expand": expand[:, 0],
            "transition_kernel": kernel[:, 0],
            "total_expand": total_expand,
            "depth*mean_expand": depth * mean_expand,
            "depth*mean_kernel": depth * mean_kernel,
            "depth*total_expand": depth * total_expand,
        }
        return np.stack([values[name] for name in self.names], axis=1)


_Part = _Lookup | _Aggregates


def _constant(name: str, label: str, decision: str = "") -> _Lookup:
    return _Lookup((Term(name, "", "", decision, label),), ((),), (), np.ones((1, 1)))


def _scaled(part: _Part) -> _Part:
    return replace(part, terms=tuple(replace(term, scaled=True) for term in part.terms))


def _scaling_resolution(space: SearchSpace, target: Target) -> Decision | None:
    """The decision whose square scales the target, where it has more than one choice."""
    if target.unit != "ms" and target.column != "macs":
        return None
    for group in space.context:
        for decision in space.in_group(group):
            numbers = all(isinstance(choice, int) for choice in decision.choices)
            if decision.role == "resolution" and numbers and len(decision.choices) > 1:
                return decision
    return None


def _assert_additive(space: SearchSpace, parts: Sequence[_Part]) -> None:
    for part in parts:
        groups = {space.decisions[position].group for position in part.positions}
        named = {term.group for term in part.terms}
        assert len(named) == 1, f"the terms of one part name several groups: {named}"
        allowed = named if named != {""} else set(space.context)
        assert groups <= allowed, f"{part.terms[0].name} reads {groups}, beyond {allowed}"


# What the forms are made of


def _contrasts(space: SearchSpace, group: str, decision: Decision) -> _Lookup:
    """Sum-to-zero contrasts of one decision, 0 while it is inactive."""
    first, *others = decision.choices
    where = f"{decision.slot}: {decision.role}" if decision.slot else decision.name
    terms = tuple(
        Term(
            f"{decision.name}={choice}",
            group,
            decision.slot,
            decision.name,
            f"{where} {choice} instead of {first}",
            contrast=decision.name,
        )
        for choice in others
    )
    size = len(decision.choices)
    table = _sum_to_zero(size + 1, range(1, size + 1))
    return _Lookup(terms, ((space.decisions.index(decision),),), (size,), table)


def _sum_to_zero(rows: int, states: Sequence[int]) -> np.ndarray:
    """A table that is -1 for the first of `states`, one-hot for the others and else 0."""
    table = np.zeros((rows, len(states) - 1))
    table[states[0]] = -1.0
    table[list(states[1:]), range(len(states) - 1)] = 1.0
    return table


def _presence(space: SearchSpace, group: str) -> list[_Lookup]:
    """What the decisions that open and close slots decide: one `on` a slot that can be off.

    Slots that are always on or off together share the first one's term. What such a decision
    sets beyond its slots' activity gets indicators of its own.
    """
    parts = [
        _on(space, group, [slot], Term(f"{slot}_on", group, slot, "", f"{slot}: present"))
        for slot in _optional_slots(space, group)
    ]
    governing = {c.decision for d in space.in_group(group) for c in d.conditions}
    for decision in space.in_group(group):
        if not decision.slot and decision.name in governing:
            others = range(1, len(decision.choices))
            parts += [_indicator(space, group, decision, code) for code in others]
    return _independent_parts(space, parts)


def _on(space: SearchSpace, group: str, slots: Sequence[str], term: Term) -> _Lookup:
    """How many of `slots` are active."""
    firsts = [space.in_slot(slot)[0] for slot in slots]
    size = max(len(decision.choices) for decision in firsts)
    table = np.ones((size + 1, 1))
    table[0] = 0.0
    reads = tuple((space.decisions.index(decision),) for decision in firsts)
    return _Lookup((term,), reads, (size,), table)


def _indicator(space: SearchSpace, group: str, decision: Decision, code: int) -> _Lookup:
    size = len(decision.choices)
    table = np.zeros((size + 1, 1))
    table[code + 1] = 1.0
    choice = decision.choices[code]
    term = Term(f"{decision.name}={choice}", group, "", decision.name, f"{decision.name} {choice}")
    return _Lookup((term,), ((space.decisions.index(decision),),), (size,), table)


def _independent_parts(space: SearchSpace, parts: Sequence[_Lookup]) -> list[_Lookup]:
    """The parts, of one term each, that are no combination of the intercept and earlier ones."""
    codes = space.random_codes(1000, seed=0).astype(np.intp)
    columns = np.hstack([np.ones((len(codes), 1)), *(part.columns(codes) for part in parts)])
    kept = independent_columns(columns)[1:]
    return [part for part, keep in zip(parts, kept, strict=True) if keep]


def _fixed_presence(space: SearchSpace, group: str, *, by_slot: bool) -> list[_Part]:
    """What a group's optional blocks cost whatever the resolution, by slot or for each block."""
    if by_slot:
        return [
            replace(part, terms=tuple(_fixed(term) for term in part.terms))
            for part in _presence(space, group)
        ]
    optional = _optional_slots(space, group)
    term = Term(f"{group}_depth_fixed", group, "", "", f"{group}: each further block, fixed part")
    return [_on(space, group, optional, term)] if optional else []


def _fixed(term: Term) -> Term:
    return replace(term, name=f"{term.name}_fixed", label=f"{term.label}, fixed part")


def _slots(space: SearchSpace, group: str) -> list[str]:
    return list(dict.fromkeys(d.slot for d in space.in_group(group) if d.slot))


def _optional_slots(space: SearchSpace, group: str) -> list[str]:
    return [slot for slot in _slots(space, group) if space.in_slot(slot)[0].conditions]


def _free_decisions(space: SearchSpace, group: str) -> list[Decision]:
    """The decisions of a group that belong to no slot and open none."""
    governing = {c.decision for d in space.in_group(group) for c in d.conditions}
    return [d for d in space.in_group(group) if not d.slot and d.name not in governing]


# The forms, one function each: the parts of one group


def _per_layer(space: SearchSpace, group: str, target: Target) -> list[_Part]:
    """Each slot's `on` and each decision's contrasts."""
    decisions = [d for d in space.in_group(group) if d.slot] + _free_decisions(space, group)
    return [*_presence(space, group), *(_contrasts(space, group, d) for d in decisions)]


def _block_state(space: SearchSpace, group: str, target: Target) -> list[_Part]:
    """Each slot's `on` and one contrast for each combination of its choices."""
    parts: list[_Part] = [*_presence(space, group)]
    for slot in _slots(space, group):
        states = _slot_states(space, slot)
        parts.append(states.contrasts(group, slot, slot, (states.positions,)))
    return parts + [_contrasts(space, group, d) for d in _free_decisions(space, group)]


def _stage_counts(space: SearchSpace, group: str, target: Target) -> list[_Part]:
    """Contrasts of the first slot's states, and how often each state occurs in the others."""
    slots = _slots(space, group)
    parts: list[_Part] = []
    if slots:
        first = _slot_states(space, slots[0])
        parts.append(first.contrasts(group, slots[0], slots[0], (first.positions,)))
    alike: dict[tuple[str, ...], list[str]] = {}
    for slot in slots[1:]:
        alike.setdefault(_slot_states(space, slot).labels, []).append(slot)
    for number, members in enumerate(alike.values(), start=1):
        states = _slot_states(space, members[0])
        reads = tuple(_slot_states(space, slot).positions for slot in members)
        name = f"{group}_count" if len(alike) == 1 else f"{group}_count{number}"
        if set(members) & set(_optional_slots(space, group)):
            parts.append(states.counts(group, name, reads))
        else:  # as many blocks in every architecture: only exchanges can be told apart
            parts.append(states.contrasts(group, "", name, reads))
    return parts + [_contrasts(space, group, d) for d in _free_decisions(space, group)]


def _foxnas(space: SearchSpace, group: str, target: Target) -> list[_Part]:
    """FOX-NAS's published formula (arXiv 2108.08189), without what a stage can't tell apart.

    Latency: depth, mean expand ratio and mean kernel size after the first block, the first
    (transition) block's expand ratio and kernel size, depth × each mean. Accuracy: the same main
    effects, total expand ratio after the first block, depth × that, depth × mean kernel size.
    """
    slots = _slots(space, group)
    members = [{d.role: d for d in space.in_slot(slot)} for slot in slots]
    roles = {d.role for d in space.in_group(group)} - {"depth"}
    numeric = all(isinstance(c, int) for d in space.in_group(group) for c in d.choices)
    pairs = slots and all(set(member) == {"kernel", "expand"} for member in members)
    if not (pairs and numeric and roles == {"kernel", "expand"}):
        raise InvalidInput(
            f"The form 'foxnas' needs stages of blocks with a kernel size and an expand ratio, "
            f"which group {group!r} of space {space.name!r} is not; choose "
            f"{', '.join(name for name in FORMS if name != 'foxnas')}."
        )
    products: tuple[str, ...] = ("depth*mean_expand", "depth*mean_kernel")
    if target.column == "accuracy":
        products = ("total_expand", "depth*total_expand", "depth*mean_kernel")
    main = ("depth", "mean_expand", "mean_kernel", "transition_expand", "transition_kernel")
    names = main + products
    part = _Aggregates(
        tuple(
            Term(
                f"{group}_{name}",
                group,
                slots[0] if name.startswith("transition") else "",
                "",
                f"{group}: {name.replace('_', ' ').replace('*', ' × ')}",
            )
            for name in names
        ),
        names,
        tuple(
            (space.decisions.index(m["kernel"]), space.decisions.index(m["expand"]))
            for m in members
        ),
        _numbers([m["kernel"] for m in members]),
        _numbers([m["expand"] for m in members]),
    )
    codes = space.random_codes(1000, seed=0).astype(np.intp)
    columns = np.column_stack([np.ones(len(codes)), part.columns(codes)])
    kept = independent_columns(columns)[1:]
    return [
        replace(
            part,
            terms=tuple(itertools.compress(part.terms, kept)),
            names=tuple(itertools.compress(part.names, kept)),
        )
    ]


def _numbers(decisions: Sequence[Decision]) -> np.ndarray:
    """Values (decisions, most choices + 1) by code, 0 in the last column."""
    values = np.zeros((len(decisions), max(len(d.choices) for d in decisions) + 1))
    for row, decision in zip(values, decisions, strict=True):
        row[: len(decision.choices)] = decision.choices
    return values


_BUILDERS: Mapping[str, Callable[[SearchSpace, str, Target], list[_Part]]] = {
    "per_layer": _per_layer,
    "block_state": _block_state,
    "stage_counts": _stage_counts,
    "foxnas": _foxnas,
}


@dataclass(frozen=True)
class _SlotStates:
    """The combinations of choices that an active slot can have, and how to look them up."""

    positions: tuple[int, ...]
    sizes: tuple[int, ...]
    rows: tuple[int, ...]  # of a look-up table, the first state first
    labels: tuple[str, ...]

    def contrasts(
        self, group: str, slot: str, name: str, reads: tuple[tuple[int, ...], ...]
    ) -> _Lookup:
        """Sum-to-zero contrasts of the states, summed over `reads`."""
        table = _sum_to_zero(self._height, self.rows)
        terms = tuple(
            Term(
                f"{name}[{label}]",
                group,
                slot,
                "",
                f"{name.replace('_', ' ')}: {label} instead of {self.labels[0]}",
                contrast=name,
            )
            for label in self.labels[1:]
        )
        return _Lookup(terms, reads, self.sizes, table)

    def counts(self, group: str, name: str, reads: tuple[tuple[int, ...], ...]) -> _Lookup:
        """How many of the slots of `reads` are in each state."""
        table = np.zeros((self._height, len(self.rows)))
        table[list(self.rows), range(len(self.rows))] = 1.0
        terms = tuple(
            Term(f"{name}[{label}]", group, "", "", f"{group}: each further block of {label}")
            for label in self.labels
        )
        return _Lookup(terms, reads, self.sizes, table)

    @property
    def _height(self) -> int:
        return math.prod(size + 1 for size in self.sizes)


@lru_cache(maxsize=1024)
def _slot_states(space: SearchSpace, slot: str) -> _SlotStates:
    members = space.in_slot(slot)
    codes = space.option_codes(members)
    positions = tuple(space.decisions.index(decision) for decision in members)
    sizes = tuple(len(decision.choices) for decision in members)
    found = np.unique(codes[:, positions], axis=0)
    found = found[(found >= 0).any(axis=1)].tolist()
    rows, labels = [], []
    for state in found:
        row = 0
        for code, size in zip(state, sizes, strict=True):
            row = row * (size + 1) + code + 1
        rows.append(row)
        chosen = [(d, code) for d, code in zip(members, state, strict=True) if code >= 0]
        labels.append(",".join(f"{d.role}={d.choices[code]}" for d, code in chosen))
    return _SlotStates(positions, sizes, tuple(rows), tuple(labels))
