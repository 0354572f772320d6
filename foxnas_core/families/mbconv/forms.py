"""FOX-NAS's published regression formula, which reads the blocks of a stage."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foxnas_core.space.coding.parts import sample_codes, slots_of
from foxnas_core.space.coding.terms import Part, Term, independent_columns, plain_numbers
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True, eq=False)
class Aggregates(Part):
    """The aggregates of one stage in FOX-NAS's published formulae (arXiv 2108.08189)."""

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

    def portable(self) -> dict[str, Any]:
        return {
            "kind": "aggregates",
            "names": list(self.names),
            "slots": [list(pair) for pair in self.slots],
            "kernels": plain_numbers(self.kernels),
            "expands": plain_numbers(self.expands),
        }


def published_parts(space: SearchSpace, group: str, quality: bool) -> list[Part]:
    """FOX-NAS's published formula (arXiv 2108.08189), without what a stage can't tell apart.

    Latency: depth, mean expand ratio and mean kernel size after the first block, the first
    (transition) block's expand ratio and kernel size, depth × each mean. Accuracy: the same main
    effects, total expand ratio after the first block, depth × that, depth × mean kernel size.
    """
    slots = slots_of(space, group)
    members = [{d.role: d for d in space.in_slot(slot)} for slot in slots]
    products: tuple[str, ...] = ("depth*mean_expand", "depth*mean_kernel")
    if quality:
        products = ("total_expand", "depth*total_expand", "depth*mean_kernel")
    main = ("depth", "mean_expand", "mean_kernel", "transition_expand", "transition_kernel")
    names = main + products
    part = Aggregates(
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
    codes = sample_codes(space)
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
