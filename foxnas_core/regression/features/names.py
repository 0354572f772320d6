"""Which forms there are, by name."""

from collections.abc import Mapping

from foxnas_core.families import families, family_of
from foxnas_core.regression.features.across import ACROSS, has_stages
from foxnas_core.regression.features.parts import scaling_resolution
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
    several depths. They are fitted where they are asked for by name."""
    titles = {
        "across_stages": "Per layer and across stages",
        "count_across_stages": "Choice counts and across stages",
    }
    return {n: t for n, t in titles.items() if has_stages(space) and (ordered or "count" in n)}


def forms_to_ask_for(space: SearchSpace, *, ordered: bool = True) -> dict[str, str]:
    """The titles of all forms that may be asked for by name, as in `forms_of`."""
    return forms_of(space, ordered=ordered) | forms_across(space, ordered=ordered)


def form_for(name: str, space: SearchSpace, target: Metric) -> str:
    """A form that was asked for of several targets, or "auto" for one that can't have it: terms
    across stages are of what the resolution does not scale."""
    return "auto" if name in ACROSS and scaling_resolution(space, target) is not None else name


def is_of_costs(name: str, space: SearchSpace) -> bool:
    """Whether a form is meant for costs, of which its terms are shrunk."""
    own = family_of(space).forms.get(name)
    return own is not None and own.costs is not None


def known_forms() -> tuple[str, ...]:
    """The names of the forms of any space."""
    return (*FORMS, *ACROSS, *(name for family in families() for name in family.forms))
