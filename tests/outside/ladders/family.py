"""The family: how wide a ladder is, how many rungs it has, and how large its kernels are."""

import json
from collections.abc import Mapping
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.family import Family
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

WIDTHS, MOST_RUNGS, KERNELS = (2, 4, 8), 3, (1, 3, 5)


class Ladders(Family):
    name = "ladders"
    notation = "WIDTHxRUNGSxKERNEL, such as 4x2x3"
    supernet = "outside.ladders.supernet:LadderSupernet"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        most = settings.get("most_rungs", MOST_RUNGS)
        if set(settings) - {"most_rungs"} or most not in range(2, MOST_RUNGS + 1):
            raise InvalidInput(f"Space {name!r} needs 'most_rungs' alone, 2 or {MOST_RUNGS}.")
        return SearchSpace(
            name,
            self.name,
            (
                Decision("width", "width", "width", WIDTHS, "width"),
                Decision("rungs", "rungs", "repeats", tuple(range(1, most + 1)), "rungs"),
                Decision("kernel", "kernel", "kernel", KERNELS, "kernel"),
            ),
            settings_json=json.dumps({"most_rungs": most}),
        )

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return "x".join(str(architecture.to_dict()[d.name]) for d in space.decisions)

    def read(self, space: SearchSpace, text: str) -> Architecture:
        numbers = text.strip().split("x")
        if len(numbers) != 3 or not all(n.isdecimal() and len(n) < 4 for n in numbers):
            raise InvalidInput(f"{text[:20]!r} is no ladder; write {self.notation}.")
        names = [d.name for d in space.decisions]
        return space.architecture(dict(zip(names, map(int, numbers), strict=True)))
