"""Architectures as once-for-all's code writes them: `ks` and `e`, a kernel and an expand ratio a
block, `d`, a depth a stage, and `r`, the resolution (Cai et al., arXiv 1908.09791)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.space.search_space import SearchSpace

# By name, whether every architecture has it; `wid`, a width multiplier, is not ours to choose.
LISTS = MappingProxyType({"ks": True, "e": True, "d": True, "r": False, "wid": False})


def choices_of(space: SearchSpace, lists: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that the lists hold, of blocks that the depths leave out too.

    `ks` and `e` have a place for every block that a stage may have, whatever its depth, or one for
    each that there is. Raises `InvalidInput` for lists of another length, and for a resolution
    that is not the space's only one.
    """
    settings = settings_of(space)
    depths = _list(lists["d"], "d")
    if len(depths) != len(settings.stages):
        raise InvalidInput(
            f"'d' has {len(depths)} depths; the space {space.name!r} has {len(settings.stages)} "
            "stages, so give one depth for each."
        )
    most = [max(stage.depths) for stage in settings.stages]
    there = [depth if isinstance(depth, int | float) else 0 for depth in depths]
    choices: dict[str, Any] = {}
    for name, role in (("ks", "kernel"), ("e", "expand")):
        values = _list(lists[name], name)
        if len(values) not in (sum(most), sum(there)):
            raise InvalidInput(
                f"{name!r} has {len(values)} entries; give {sum(most)}, one for each block that "
                f"space {space.name!r} may have, or {sum(there):g}, one for each that there is."
            )
        places = iter(values)
        for stage, blocks in enumerate(most if len(values) == sum(most) else there, 1):
            for block in range(1, int(blocks) + 1):
                choices[f"s{stage}b{block}_{role}"] = next(places)
    choices |= {f"s{stage}_depth": depth for stage, depth in enumerate(depths, 1)}
    given = lists.get("r")
    resolutions = given if isinstance(given, list | tuple) else [given]
    if len(resolutions) != 1:
        raise InvalidInput(f"'r' is {given!r:.80}; give one resolution.")
    if "resolution" in space.by_name:
        choices["resolution"] = resolutions[0]
    elif str(resolutions[0]) not in ("None", str(settings.resolutions[-1])):
        raise InvalidInput(
            f"'r' is {resolutions[0]!r:.40}; space {space.name!r} has the resolution "
            f"{settings.resolutions[-1]} alone."
        )
    return choices


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{name!r} is {value!r:.80}; give a list, such as [3, 5, 7].")
    return list(value)
