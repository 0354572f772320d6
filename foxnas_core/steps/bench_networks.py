"""Which whole networks a benchmark measures."""

import numpy as np

from foxnas_core.families import family_of
from foxnas_core.regression.features import build_form
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study
from foxnas_core.table.additive import block_space

NETWORKS = 40
"""Whole networks that sums of blocks are judged by."""
ROWS_A_TERM = 12
"""Networks that a regression gets for each of its terms, where nothing is added up."""


def planned_networks(study: Study, count: int | None, seed: int) -> list[Architecture]:
    """The networks that a benchmark measures whole.

    Beside blocks they lead from the smallest architecture to the largest, so that a slope can be
    told from a constant: of each a share of the decisions is as in the nearer one of these, less
    of them towards the middle, and the others are drawn. Else they are those of the study's table,
    and then the seed's sample.
    """
    space = study.space
    extremes = family_of(space).extremes(space)
    if block_space(space) is None or not extremes:
        # Not a D-optimal batch, which is best for one form, where it is the rows that tell which
        # form fits. Of 100 cells held out R2, the mean of three seeds: on raspi4 .88 by drawn ones
        # and .87 by a batch, on pixel3 .88 and .85, on three other devices alike to .002.
        wanted = min(space.size, count or sample_size(space))
        known = study.table().architectures() if study.table_file.exists() else []
        return list(dict.fromkeys([*known, *space.sample(wanted, seed=seed)]))[:wanted]
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(extremes.values())
    smallest, largest = extremes["smallest"].to_dict(), extremes["largest"].to_dict()
    for place in np.linspace(-1, 1, min(space.size, count or NETWORKS))[1:-1]:
        near, before = largest if place > 0 else smallest, len(found)
        while len(found) == before:
            chosen = {
                d.name: near[d.name]
                if d.name in near and rng.random() < abs(place)
                else d.choices[rng.integers(len(d.choices))]
                for d in space.decisions
            }
            found.setdefault(space.architecture(chosen))
            place *= 0.99  # what is there already is drawn anew, farther from the end
    return list(found)


def sample_size(space: SearchSpace) -> int:
    """How many networks a regression of a space needs: `ROWS_A_TERM` for each term of the form
    that reads each slot by itself."""
    return ROWS_A_TERM * len(build_form("per_layer", space, "latency_ms").terms)
