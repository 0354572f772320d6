"""A form: the list of terms that a target is regressed on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.regression.features.across import ACROSS, across
from foxnas_core.regression.features.builders import BUILDERS
from foxnas_core.regression.features.interactions import Pair, candidate_products, products
from foxnas_core.regression.features.names import (
    BASES,
    forms_to_ask_for,
    is_of_costs,
    no_such_form,
)
from foxnas_core.regression.features.one_table import FEW, OneTable
from foxnas_core.regression.features.parts import (
    by_slot,
    only,
    scaling_resolution,
    to_first_choices,
)
from foxnas_core.regression.features.physical import PHYSICAL, physical
from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.parts import (
    by_what_they_read,
    contrasts,
    fixed_presence,
    read_groups,
    slots_of,
)
from foxnas_core.space.coding.terms import Part, Product, Term, constant, scaled
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.headings import heading_of
from foxnas_core.table.metrics import Metric, metric_of

# What is counted, not fitted: see `regression.counting`.
COUNTED = "counted"
# The same of costs of blocks that are kept with a table: see `regression.summed`.
SUMMED = "summed"

_INTERCEPT = "intercept"
# Decisions by name, each with the one choice that it is kept at.
Held = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Form:
    """How architectures of a space become rows of a regression on one target.

    `pairs` names the interactions it has, `held` the decisions that it does not read, each with the
    one choice that it holds at. `shrunk` says that it has more terms than rows could tell apart,
    were they not shrunk towards those `alike` (see `shrinking`), `relative` that this is by
    relative errors, else it is by squares.
    """

    name: str
    title: str
    space: SearchSpace
    target: Metric
    terms: tuple[Term, ...]
    note: str
    pairs: tuple[Pair, ...]
    parts: tuple[Part, ...] = field(repr=False, compare=False)
    _resolution: Decision | None = field(repr=False)
    shrunk: bool = False
    held: Held = ()

    @property
    def parameters(self) -> int:
        return len(self.terms)

    @property
    def relative(self) -> bool:
        return self.shrunk and self.name not in {**ACROSS, **PHYSICAL}

    @property
    def wanted_rows(self) -> int:
        """Rows from which on nominal 95 % intervals have their coverage: 3 a parameter, or as many
        as parameters where these are shrunk."""
        return self.parameters if self.shrunk else 3 * self.parameters

    @property
    def order_free(self) -> bool:
        """Whether the order of the blocks within a stage makes no difference."""
        space = self.space
        return self.name in forms_to_ask_for(space, ordered=False)

    @property
    def joint(self) -> bool:
        """Whether some term reads several slots of a stage together."""
        if self.order_free or any(not term.slot for term in self.interactions):
            return True
        by_slot = (self._slots_of(part) for part in self.parts if part.terms[0].group)
        return any(len(slots) > 1 for slots in by_slot)

    def _slots_of(self, part: Part) -> set[tuple[str, str]]:
        """The groups and slots, context aside, that a part reads."""
        read = (self.space.decisions[position] for position in part.positions)
        return {(d.group, d.slot) for d in read if d.slot and d.group not in self.space.context}

    @cached_property
    def couplings(self) -> dict[str, tuple[str, ...]]:
        """The decisions, context aside, that terms across groups read, by the name that those terms
        have as their group."""
        read: dict[str, set[int]] = {}
        for part in self.parts:
            if part.terms[0].group not in ("", *self.space.additive_groups):
                read.setdefault(part.terms[0].group, set()).update(part.positions)
        own = [d for d in self.space.decisions if d.group not in self.space.context]
        positions = {d.name: self.space.decisions.index(d) for d in own}
        return {
            name: tuple(d for d, position in positions.items() if position in at)
            for name, at in read.items()
        }

    @property
    def context_bound(self) -> bool:
        """Whether some term reads a group and the context together."""
        context = {i for i, d in enumerate(self.space.decisions) if d.group in self.space.context}
        return any(self.positions(part) & context for part in self.parts if part.terms[0].group)

    def positions(self, part: Part) -> set[int]:
        """The positions of all decisions that a part's columns depend on, with the one that scales
        them."""
        if part.terms[0].scaled and self._resolution is not None:
            return {*part.positions, self._scaling(self._resolution)[0]}
        return part.positions

    @cached_property
    def interactions(self) -> dict[Term, tuple[Decision, ...]]:
        """The terms that are products, or count what decisions make together, each with the
        decisions that it reads; those of a slot that read several of its decisions beside terms of
        one, too."""
        single = {term.slot for term in self.terms if term.slot and term.decision}
        return {
            term: tuple(self.space.decisions[i] for i in sorted(part.positions))
            for part in self.parts
            for term in part.terms
            if isinstance(part, Product)
            or (
                len(part.positions) > 1
                and (self.name in (COUNTED, SUMMED) or (not term.decision and term.slot in single))
            )
        }

    def matrix(self, codes: np.ndarray, group: str | None = None) -> np.ndarray:
        """Regression rows (architectures, terms), or the columns of one group's terms only.

        The columns of a group are right wherever the codes of that group and of the context are,
        whatever the other codes. Those of a part alone are 0 where the group's own codes are all
        -1. A context of -1 stands for the largest resolution where that scales a column, and for
        the average choice where it is one.
        """
        codes = codes.astype(np.intp, order="F")  # columns are read
        scale = self.scale(codes)[:, np.newaxis]
        if group is None and len(codes) <= FEW:
            rows = self._one_table.rows(codes)
            return np.where(self._is_scaled, rows * scale, rows)
        blocks = [
            part.columns(codes) * scale if part.terms[0].scaled else part.columns(codes)
            for part in self.parts
            if group in (None, part.terms[0].group)
        ]
        return np.hstack([np.empty((len(codes), 0)), *blocks])

    def columns(self, codes: np.ndarray, terms: Sequence[int]) -> np.ndarray:
        """The columns (architectures, terms) of the terms at these positions alone."""
        codes = codes.astype(np.intp)
        scale = self.scale(codes)[:, np.newaxis]
        columns = np.empty((len(codes), len(terms)))
        first = 0
        for part in self.parts:
            own = [(i, t - first) for i, t in enumerate(terms) if 0 <= t - first < len(part.terms)]
            first += len(part.terms)
            if own:
                places, picked = map(list, zip(*own, strict=True))
                found = part.columns(codes)[:, picked]
                columns[:, places] = found * scale if part.terms[0].scaled else found
        return columns

    @cached_property
    def _is_scaled(self) -> np.ndarray:
        return np.array([term.scaled for term in self.terms], dtype=bool)

    @cached_property
    def _one_table(self) -> OneTable:
        return OneTable.of(self.parts, len(self.space.decisions))

    def columns_of(self, group: str) -> np.ndarray:
        """Positions of one group's terms; "" for those of the intercept and the context."""
        return np.array([i for i, term in enumerate(self.terms) if term.group == group], dtype=int)

    def by_part(self, groups: Sequence[str]) -> "Form":
        """The same regression with each part of these groups, and of their couplings, as a coupling
        of what it reads; what reads the context alone under it."""
        parts: list[Part] = []
        for number, part in enumerate(self.parts):
            group, read = part.terms[0].group, read_groups(self.space, part)
            if group in groups or (group in self.couplings and set(read) & set(groups)):
                name = f"{group} #{number}" if read else ""
                part = replace(part, terms=tuple(replace(t, group=name) for t in part.terms))
            parts.append(part)
        terms = tuple(term for part in parts for term in part.terms)
        return replace(self, terms=terms, parts=tuple(parts))

    def only(self, kept: np.ndarray) -> "Form":
        """The regression on those of its terms that `kept` (terms,) marks."""
        parts = only(self.parts, kept)
        terms = tuple(term for part in parts for term in part.terms)
        return replace(self, terms=terms, parts=tuple(parts))

    @cached_property
    def shown(self) -> np.ndarray:
        """The linear map (terms, terms) from fitted coefficients to those of the table."""
        return to_first_choices(self.terms)

    @cached_property
    def apart(self) -> "tuple[Form, np.ndarray]":
        """The same regression with a column of its own for each slot that a term counts over, and
        the position (its terms,) of the term that each column is a part of."""
        parts: list[Part] = []
        origins: list[int] = []
        first = 0
        for part in self.parts:
            split = by_slot(self.space, part)
            parts += split
            origins += list(range(first, first + len(part.terms))) * len(split)
            first += len(part.terms)
        terms = tuple(term for part in parts for term in part.terms)
        return replace(self, terms=terms, parts=tuple(parts)), np.array(origins)

    def scale(self, codes: np.ndarray) -> np.ndarray:
        """What the scaled columns of each architecture (n,) are multiplied by."""
        if self._resolution is None:
            return np.ones(len(codes))
        # The entry that -1 picks is the last one, the reference.
        position, factors = self._scaling(self._resolution)
        return np.append(factors, 1.0)[codes[:, position]]

    def _scaling(self, resolution: Decision) -> tuple[int, np.ndarray]:
        """The position of the decision that scales columns, and the factor of each choice."""
        choices = np.array(resolution.choices, dtype=float)
        return self.space.decisions.index(resolution), (choices / choices.max()) ** 2

    def portable(self) -> dict[str, Any]:
        """The form as JSON values, from which any program computes regression rows.

        `parts` in the order of the columns, each with whether it is `scaled`; `scale` is null or
        the `position` of the decision whose choices multiply the scaled parts by `factors`.
        """
        scale = None
        if self._resolution is not None:
            position, factors = self._scaling(self._resolution)
            scale = {"position": position, "factors": factors.tolist()}
        parts = [{**p.portable(), "scaled": p.terms[0].scaled} for p in self.parts]
        return {"scale": scale, "parts": parts}


def build_form(
    name: str, space: SearchSpace, target: str, pairs: Sequence[Pair] = (), held: Held = ()
) -> Form:
    """The form `name` of `FORMS` for `space` and the target column `target`.

    `pairs` are the interactions of a form that has some, of `candidate_pairs`; decisions that are
    `held` at one choice are not read. Raises
    `InvalidInput` for an unknown form or target, or a form that the space can't have.
    """
    if name not in forms_to_ask_for(space):
        raise InvalidInput(no_such_form(name, space))
    return _build_form(name, space, metric_of(target), tuple(pairs), held)


def averaged_form(space: SearchSpace, *, ordered: bool = True) -> Form:
    """Contrasts of each choice and of each context, which nothing scales: its coefficients are
    averages over subnets drawn at random, of any target. Per layer, or in counts without the
    `ordered` blocks."""
    plain = metric_of("accuracy")
    return _build_form("per_layer" if ordered else "choice_counts", space, plain, ())


@lru_cache(maxsize=64)
def candidate_pairs(
    name: str, space: SearchSpace, target: str, held: Held = ()
) -> dict[Pair, Part]:
    """The interactions that the form `name` may have, each with the part that computes it."""
    resolution, context, groups = _base_parts(BASES[name], space, metric_of(target), held)
    found: dict[Pair, Part] = {}
    for group, own in groups.items():
        beside = [] if resolution else context
        for pair, part in candidate_products(space, group, own, beside).items():
            found[pair] = scaled(part) if resolution else part
    return found


def _base_parts(
    name: str, space: SearchSpace, target: Metric, held: Held
) -> tuple[Decision | None, list[Part], dict[str, list[Part]]]:
    """The decision that scales the target, the parts of the context and those of each group."""
    resolution = scaling_resolution(space, target)
    still = {space.decisions.index(space.by_name[decision]) for decision, _ in held}
    context: list[Part] = []
    if target.column != "parameters":  # the number of weights does not depend on the input
        for group in space.context:
            contexts = [d for d in space.in_group(group) if d != resolution]
            context += [contrasts(space, "", d) for d in contexts if len(d.choices) > 1]
    groups = {}
    for group in space.additive_groups:
        # A decision of one choice makes a part without terms.
        own = [part for part in _group_parts(name, space, group, target) if part.terms]
        own = [part for part in own if not part.positions <= still]
        slots = [*slots_of(space, group), ""]
        groups[group] = [part for slot in slots for part in own if part.terms[0].slot == slot]
    context = [part for part in context if not part.positions <= still]
    if resolution is not None and space.decisions.index(resolution) in still:
        resolution = None  # which scales all alike
    return resolution, context, groups


def _group_parts(name: str, space: SearchSpace, group: str, target: Metric) -> list[Part]:
    if name in BUILDERS:
        return BUILDERS[name](space, group)
    form = family_of(space).forms[name]
    if form.costs and _shrunk(name, space, target):
        return form.costs(space, group)
    return form.parts(space, group, target.quality and np.isfinite(target.bounds[1]))


def _shrunk(name: str, space: SearchSpace, target: Metric) -> bool:
    return is_of_costs(name, space) and target.errs_relatively and target.scales


@lru_cache(maxsize=64)
def _build_form(
    name: str, space: SearchSpace, target: Metric, pairs: tuple[Pair, ...], held: Held = ()
) -> Form:
    base = {**BASES, **ACROSS, **PHYSICAL}.get(name, name)
    resolution, context, groups = _base_parts(base, space, target, held)
    beside: list[Part] = []
    if name in ACROSS:
        if scaling_resolution(space, target) is not None:
            raise InvalidInput(
                f"The form {name!r} is for what a resolution does not scale, such as accuracy, and "
                f"{target.column} grows with the number of pixels; leave its form to 'auto'."
            )
        groups, beside = across(space, context, groups)
    if name in PHYSICAL:
        groups = physical(space, groups)
    parts: list[Part] = [constant(_INTERCEPT, "Intercept")]
    if resolution is not None:
        label = f"Fixed part × (resolution / {max(resolution.choices)})²"
        parts.append(scaled(constant(f"{resolution.name}^2", label, resolution.name)))
    parts += context
    order_free = forms_to_ask_for(space, ordered=False)
    for group, own in groups.items():
        chosen: list[Part] = [*own, *products(space, group, own, context, pairs)]
        if resolution is not None:
            parts += [scaled(part) for part in chosen]
            parts += fixed_presence(space, group, by_slot=name not in order_free)
        else:
            parts += chosen
    parts += beside
    notes = []
    if resolution is not None:
        notes.append(
            f"Coefficients of blocks hold at {max(resolution.choices)} px and scale with the "
            "number of pixels; terms named 'fixed' do not."
        )
    if pairs:
        named = ", ".join(heading_of(f"{left}*{right}") for left, right in pairs)
        notes.append(f"Interactions chosen by cross-validation: {named}.")
    parts = by_what_they_read(space, parts)
    terms = tuple(term for part in parts for term in part.terms)
    assert len({term.name for term in terms}) == len(terms), "term names must differ"
    return Form(
        name,
        forms_to_ask_for(space)[name],
        space,
        target,
        terms,
        " ".join(notes),
        pairs,
        tuple(parts),
        resolution,
        name in {**ACROSS, **PHYSICAL} or _shrunk(name, space, target),
        held=held,
    )
