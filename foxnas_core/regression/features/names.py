"""Which forms there are, by name."""

from collections.abc import Mapping

from foxnas_core.families import families, family_of
from foxnas_core.regression.features.across import ACROSS, cells_of, has_stages
from foxnas_core.regression.features.parts import scaling_resolution
from foxnas_core.regression.features.physical import PHYSICAL, has_blocks
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

# Those that a space of any family can have.
FORMS: Mapping[str, str] = {
    "per_layer": "Per layer",
    "block_state": "Block states",
    "choice_counts": "Choice counts per stage",
    "stage_counts": "Block counts per stage",
    "interactions": "Per layer with interactions",
    "count_interactions": "Choice counts with interactions",
}
# These read only how many blocks of each type a stage has after its first, not their order.
_ORDER_FREE = ("choice_counts", "count_interactions", "stage_counts")
# Of more cells (`across.cells_of`) an optimum takes longer than a slider waits for.
_MOST_CELLS = 500
# Forms whose interactions are chosen from data, and what they add them to.
BASES: Mapping[str, str] = {"interactions": "per_layer", "count_interactions": "choice_counts"}


def forms_of(space: SearchSpace, *, ordered: bool = True) -> dict[str, str]:
    """The titles of the forms that a space can have, by name: the general ones, then its family's.

    Where a table doesn't tell the order of blocks (`ordered` is False), those that need none. Each
    is a sum over groups; see `forms_across` for others.
    """
    own = family_of(space).forms
    titles = {**FORMS, **{name: form.title for name, form in own.items()}}
    free = {*_ORDER_FREE, *(name for name, form in own.items() if form.order_free)}
    return {name: title for name, title in titles.items() if ordered or name in free}


def forms_across(space: SearchSpace, *, ordered: bool = True) -> dict[str, str]:
    """The titles of the forms with terms across stages, by name, where the space has stages of
    several depths."""
    titles = {
        "across_stages": "Per layer and across stages",
        "count_across_stages": "Choice counts and across stages",
    }
    return {n: t for n, t in titles.items() if has_stages(space) and (ordered or "count" in n)}


def forms_to_compare(space: SearchSpace, target: Metric, *, ordered: bool = True) -> dict[str, str]:
    """The titles of the forms of which one is recommended, by name: `forms_of` the space and, of a
    quality, those across stages where an optimum is proven as soon. What is bounded, such as a
    latency, stays a sum over groups."""
    soon = target.quality and cells_of(space) <= _MOST_CELLS
    across = forms_across(space, ordered=ordered) if soon else {}
    return forms_of(space, ordered=ordered) | across


def forms_to_ask_for(space: SearchSpace, *, ordered: bool = True) -> dict[str, str]:
    """The titles of all forms that may be asked for by name, as in `forms_of`: of some spaces also
    those across stages, and counts beside physical sums."""
    physical = {"physical_counts": "Block counts beside physical sums"} if has_blocks(space) else {}
    return forms_of(space, ordered=ordered) | forms_across(space, ordered=ordered) | physical


def form_for(name: str, space: SearchSpace, target: Metric) -> str:
    """A form that was asked for of several targets, or "auto" for one that can't have it: terms
    across stages are of what the resolution does not scale, physical sums of costs."""
    scaled = name in ACROSS and scaling_resolution(space, target) is not None
    return "auto" if scaled or (name in PHYSICAL and target.quality) else name


def no_such_form(name: str, space: SearchSpace) -> str:
    """Why a space can't have a form of this name, in a sentence."""
    owner = next((family.name for family in families() if name in family.forms), None)
    if owner:
        why = (
            f"The form {name!r} belongs to family {owner!r}, and space {space.name!r} is of family "
            f"{space.family!r}"
        )
    elif name in ACROSS:
        why = (
            f"The form {name!r} is of stages that can have several depths, and space "
            f"{space.name!r} has not two of them"
        )
    elif name in PHYSICAL:
        why = (
            f"The form {name!r} is of blocks of a kernel size and an expand ratio, and space "
            f"{space.name!r} has others"
        )
    else:
        why = f"{name!r} is no form"
    return f"{why}; choose {', '.join(forms_to_ask_for(space))}."


def is_of_costs(name: str, space: SearchSpace) -> bool:
    """Whether a form is meant for costs, of which its terms are shrunk."""
    own = family_of(space).forms.get(name)
    return own is not None and own.costs is not None


def known_forms() -> tuple[str, ...]:
    """The names of the forms of any space."""
    return (*FORMS, *ACROSS, *PHYSICAL, *(name for family in families() for name in family.forms))
