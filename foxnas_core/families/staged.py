"""Spaces of networks that are stages of blocks: a stage decides how many it has, and each block
what it is."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.space.search_space import SearchSpace

Choice = tuple[str, str, tuple[Value, ...]]
"""What is decided: how the decision's name ends, its role, its choices."""


class HasDepths(Protocol):
    @property
    def depths(self) -> tuple[int, ...]:
        """How many blocks a stage may have, increasing."""


_Stage = TypeVar("_Stage", bound=HasDepths)


def staged_space(
    family: str,
    name: str,
    settings: Mapping[str, Any],
    resolutions: tuple[int, ...],
    stages: Sequence[_Stage],
    of_block: Callable[[_Stage, int], Iterable[Choice]],
    of_stage: Callable[[_Stage], Iterable[Choice]] = lambda _: (),
) -> SearchSpace:
    """The space whose context is the `resolution`, where there are several, and whose groups are
    stages `s1`, `s2`, … of blocks `s1b1`, `s1b2`, …: a stage decides its depth and what `of_stage`
    gives, a block, counted from 1, what `of_block` gives."""
    decisions: list[Decision] = []
    context: tuple[str, ...] = ()
    if len(resolutions) > 1:
        context = ("input",)
        decisions.append(Decision("resolution", "input", "resolution", resolutions))
    for number, stage in enumerate(stages, start=1):
        group = f"s{number}"
        depth = Decision(f"{group}_depth", group, "depth", stage.depths)
        decisions.append(depth)
        decisions += [
            Decision(f"{group}_{end}", group, role, choices)
            for end, role, choices in of_stage(stage)
        ]
        for block in range(1, stage.depths[-1] + 1):
            slot = f"{group}b{block}"
            enough = tuple(d for d in stage.depths if d >= block)
            # A slot that every depth has needs no condition.
            conditions = () if enough == stage.depths else (Condition(depth.name, enough),)
            decisions += [
                Decision(f"{slot}_{end}", group, role, choices, slot, conditions)
                for end, role, choices in of_block(stage, block)
            ]
    written = json.dumps(dict(settings), sort_keys=True)
    return SearchSpace(name, family, tuple(decisions), context, written)
