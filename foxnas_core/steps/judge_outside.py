"""Which networks judge a selection for unseen domains: what is best by each way to select, of any
size and of one."""

from collections.abc import Iterable, Mapping

import numpy as np

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.judged import (
    HELD,
    HELD_AT_SIZE,
    MADE,
    MADE_AT_SIZE,
    RANDOM_AT_SIZE,
    SEEN,
)
from foxnas_core.families import family_of
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.domain_split import DOMAINS, IID, WORST

METHOD = "ood"
_WAYS = {SEEN: "iid", HELD: "selection", MADE: "made"}
_AT_SIZE = {HELD_AT_SIZE: "selection", MADE_AT_SIZE: "made"}
_WITHIN = 0.1
_SIZES = ("parameters", "macs")


def chosen_outside(
    study: Study, selections: Iterable[SupernetSelection]
) -> dict[tuple[int, str], Architecture]:
    """By seed and choice, of the newest selection of each seed by made images: the best candidate
    in seen domains, in the held-out one and on made images; the last two, and a random one, also of
    those whose MACs are within a tenth of the first's, where they can be counted.

    `selections` are the newest first. Raises `MissingPart` where there is none.
    """
    newest = {
        own.seed: own
        for own in reversed([*selections])
        if own.method == METHOD and {*_WAYS.values()} <= {*own.course["by"]}
    }
    if not newest:
        raise MissingPart(
            f"{study.folder} has no selection by made images beside those by a held-out domain and "
            "by seen ones; run 'python -m foxnas_core select --method ood' on it, by one --seed or "
            "more, or name studies where that was done with --selected."
        )
    return {
        (seed, choice): own
        for seed in sorted(newest)
        for choice, own in _of_seed(study, newest[seed]).items()
    }


def _of_seed(study: Study, selection: SupernetSelection) -> dict[str, Architecture]:
    rows, space = selection.course["candidates"], study.space
    candidates = [space.architecture(row["architecture"]) for row in rows]
    ids = [row["id"] for row in rows]
    found = {
        choice: candidates[ids.index(selection.course["by"][way])] for choice, way in _WAYS.items()
    }
    macs = family_of(space).totals(space, space.encode(candidates), "macs")
    if macs is None:
        return found
    size = macs[ids.index(selection.course["by"][_WAYS[SEEN]])]
    near = np.flatnonzero(np.abs(macs / size - 1) <= _WITHIN)
    sign = metric_of(study.objective.head).sign
    for choice, way in _AT_SIZE.items():
        scores = [sign * rows[at]["scores"][way] for at in near]
        found[choice] = candidates[near[int(np.argmax(scores))]]
    drawn = np.random.default_rng([selection.seed, 6]).choice(near)
    return found | {RANDOM_AT_SIZE: candidates[drawn]}


def columns_of(
    study: Study, architecture: Architecture, values: Mapping[str, float], objective: str
) -> dict[str, float]:
    """What is told of a network beside its score: the same in seen domains, in the worst unseen one
    and in every other, and its sizes."""
    head = metric_of(objective).head
    split = study.record(DOMAINS)
    assert split is not None  # `judge` has looked
    names = (IID, WORST, *split.names)
    own = {f"{head}:{name}": round(values[f"{head}:{name}"], 4) for name in names}
    space = study.space
    for column in _SIZES:
        total = family_of(space).totals(space, space.encode([architecture]), column)
        if total is not None:
            own[column] = float(total[0])
    return own
