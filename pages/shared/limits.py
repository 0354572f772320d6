"""Limits beside the latency budget, and the choices that decisions may take: pickers and address.

In the address, limits are `parameters:200000,macs:2e6` and choices `s2.kernel:3+5`, for all
decisions of a group that have the role.
"""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from foxnas_core.errors import InvalidInput
from foxnas_core.figures.search import group_title
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study
from foxnas_core.table.headings import heading_of
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric
from pages.shared import cache, choices
from pages.shared.cost import chosen_cost, in_unit
from pages.shared.picked import picked
from pages.shared.text import plain


@dataclass(frozen=True)
class Terms:
    """What a search keeps beside its budget: the most of further costs and the least of further
    qualities, in their units, and the choices of the decisions of a group and role, where not all
    are allowed."""

    limits: tuple[tuple[str, float], ...] = ()
    kept: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.limits or self.kept)

    def allowed(self, space: SearchSpace) -> tuple[tuple[str, tuple[Value, ...]], ...]:
        """Pairs of a decision and its choices, as a mapping of which `SearchProblem` takes them."""
        kept = dict(self.kept)
        return tuple(
            (d.name, tuple(c for c in d.choices if c in kept[_key(d)]))
            for d in space.decisions
            if _key(d) in kept
        )


def chosen_terms(study: Study, table: MeasurementTable, cost: str) -> Terms:
    """The chosen terms; what an address has wrong is left aside, with a sentence on the page."""
    chosen = choices.current()
    columns = [t.column for t in _limited(study, table, cost)]
    limits: dict[str, float] = {}
    kept: dict[str, tuple[Value, ...]] = {}
    try:
        limits = parse_limits(chosen.limits or "", columns)
        kept = parse_kept(chosen.allowed or "", table.space)
    except InvalidInput as error:
        st.warning(f"A part of the address was left aside. {plain(str(error))}")
    return Terms(tuple(limits.items()), tuple(kept.items()))


def terms_of(study: Study) -> dict[str, Any]:
    """The chosen cost and terms, as fields of `Given`; none where the table has no cost."""
    cost = chosen_cost(study)
    if cost is None:
        return {}
    terms = chosen_terms(study, cache.table_of(study), cost)
    return {"cost": cost, "limits": terms.limits, "allowed": terms.allowed(study.space)}


def parse_limits(text: str, columns: Iterable[str]) -> dict[str, float]:
    """Limits by column, those of other columns left out; raises `InvalidInput` for what is none."""
    found = {}
    for part in filter(None, text.split(",")):
        column, _, number = part.rpartition(":")
        bound = math.nan
        with suppress(ValueError):
            bound = float(number)
        if not (math.isfinite(bound) and column):
            raise InvalidInput(f"{part!r} is no limit; write a column and a number, as macs:2e6.")
        if column in columns:
            found[column] = bound
    return found


def parse_kept(text: str, space: SearchSpace) -> dict[str, tuple[Value, ...]]:
    """Allowed choices by group and role; raises `InvalidInput` for what the space lacks."""
    listed = _roles(space)
    found = {}
    for part in filter(None, text.split(",")):
        key, _, values = part.partition(":")
        if key not in listed:
            raise InvalidInput(f"{key!r} is no decision to restrict; known: {', '.join(listed)}.")
        by_text = {str(choice): choice for choice in listed[key].choices}
        wrong = [value for value in values.split("+") if value not in by_text]
        if wrong:
            raise InvalidInput(
                f"{key} can't be {wrong[0]!r}; its choices are {', '.join(by_text)}."
            )
        found[key] = tuple(c for t, c in by_text.items() if t in values.split("+"))
    return found


def units_of(space: SearchSpace) -> dict[str, tuple[Decision, ...]]:
    """What can be kept as it is, by name: each block with its decisions, and each other decision
    that has a choice."""
    found: dict[str, tuple[Decision, ...]] = {}
    for decision in space.decisions:
        if decision.slot:
            found.setdefault(decision.slot, space.in_slot(decision.slot))
        elif len(decision.choices) > 1:
            found[decision.name] = (decision,)
    return found


def pins_picker(space: SearchSpace, architecture: Architecture) -> list[str]:
    """Draw the choice of blocks and decisions to keep as they are in an architecture; returns the
    names of their decisions. What an address has wrong is left aside, with a sentence."""
    units = units_of(space)
    named = list(filter(None, (choices.current().pinned or "").split(",")))
    kept = [name for name in units if name in named]
    if unknown := [name for name in named if name not in units]:
        st.warning(
            f"A part of the address was left aside. {plain(repr(unknown[0]))} is no block or "
            f"decision of this space."
        )
    picked(
        st.multiselect,
        "Keep as they are",
        {name: _as_it_is(name, units[name], architecture) for name in units},
        key="pinned",
        value=kept,
        act=lambda names: choices.update(
            pinned=",".join(name for name in units if name in names) or None, edits=None
        ),
        placeholder="nothing: all may change",
    )
    return [decision.name for name in kept for decision in units[name]]


def _as_it_is(name: str, decisions: tuple[Decision, ...], architecture: Architecture) -> str:
    active = [d for d in decisions if d.name in architecture]
    if not decisions[0].slot:
        return f"{heading_of(name)} {architecture.get(name, 'off')}"
    return f"{name}: {', '.join(f'{d.role} {architecture[d.name]}' for d in active) or 'off'}"


def limited_targets(table: MeasurementTable, cost: str) -> list[Metric]:
    """What can be limited beside this cost: whatever costs, measured here."""
    return [
        t for t in table.targets
        if t.direction == "min" and t.column != cost and not t.column.startswith("cross_entropy")
    ]  # fmt: skip


def _limited(study: Study, table: MeasurementTable, cost: str) -> list[Metric]:
    """What a search can keep within limits: costs, and qualities other than its objective, such
    as an accuracy in unseen domains."""
    qualities = [t for t in table.targets if t.direction == "max" and t != study.objective]
    return [*limited_targets(table, cost), *qualities]


def terms_picker(
    study: Study, table: MeasurementTable, cost: str, terms: Terms, *, disabled: bool = False
) -> None:
    """Draw the pickers of further limits and of allowed choices."""
    targets = {t.column: t for t in _limited(study, table, cost)}
    with st.expander("More limits, and choices to keep"):
        if disabled:
            st.caption("A search that runs keeps these; stop it to choose others.")
            return
        if targets:
            _limit_pickers(study, targets, terms)
        st.caption("Choices that the search may take; none chosen is any.")
        kept = dict(terms.kept)
        for key, decision in _roles(table.space).items():
            picked(
                st.multiselect,
                f"{group_title(table.space, decision.group)} {decision.role}",
                decision.choices,
                key=f"keep-{key}",
                value=list(kept.get(key, ())),
                act=lambda values, key=key: _write(terms.limits, {**kept, key: tuple(values)}),
                placeholder="any",
            )


def _limit_pickers(study: Study, targets: Mapping[str, Metric], terms: Terms) -> None:
    limits = dict(terms.limits)

    def choose(columns: list[str]) -> None:
        new = {c: limits.get(c, cache.middle_of(study, c)) for c in columns}
        _write(tuple(new.items()), dict(terms.kept))

    labels = {column: target.label for column, target in targets.items()}
    picked(
        st.multiselect, "Also limit", labels, key="limited", value=list(limits), act=choose,
        placeholder="nothing else",
    )  # fmt: skip
    for column, bound in limits.items():
        side = "least" if targets[column].direction == "max" else "most"
        picked(
            st.number_input,
            in_unit(f"{labels[column]} at {side}", targets[column]),
            key=f"most-{column}",
            value=bound,
            act=lambda value, column=column: _write(
                tuple({**limits, column: value}.items()), dict(terms.kept)
            ),
            step=step_of(bound),
            format="%.6g",
        )


def _write(limits: tuple[tuple[str, float], ...], kept: Mapping[str, tuple[Value, ...]]) -> None:
    choices.update(**as_choices(limits, kept))


def as_choices(
    limits: Iterable[tuple[str, float]], kept: Mapping[str, tuple[Value, ...]]
) -> dict[str, str | None]:
    """Limits, and allowed choices by group and role, as the address has them."""
    return {
        "limits": ",".join(f"{column}:{bound:.6g}" for column, bound in limits) or None,
        "allowed": ",".join(f"{k}:{'+'.join(map(str, v))}" for k, v in kept.items() if v) or None,
    }


def kept_of(
    space: SearchSpace, allowed: Mapping[str, tuple[Value, ...]]
) -> dict[str, tuple[Value, ...]]:
    """Allowed choices by group and role, of those by decision."""
    return {_key(d): allowed[d.name] for d in space.decisions if d.name in allowed}


def step_of(number: float) -> float:
    """What a number of this size is stepped by: a fiftieth, in one round digit."""
    return 10.0 ** math.floor(math.log10(abs(number) / 20)) if number else 1.0


def _key(decision: Decision) -> str:
    return f"{decision.group}.{decision.role}"


def _roles(space: SearchSpace) -> dict[str, Decision]:
    """A decision of each group and role, by their key, in the space's order."""
    found: dict[str, Decision] = {}
    for decision in space.decisions:
        found.setdefault(_key(decision), decision)
    return found
