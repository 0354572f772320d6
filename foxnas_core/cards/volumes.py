"""Networks for volumes: how far they see across slices, what uniform ones reach, and what two make
of each case."""

from contextlib import suppress

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.operations import by_magnitude, objective_of
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.cases import CaseScores, PairedGain, paired_gain, paired_table
from foxnas_core.families import family_of
from foxnas_core.families.volumetric import Volumetric
from foxnas_core.families.volumetric.reach import reach_of
from foxnas_core.families.volumetric.space import CHOICES, plan_of
from foxnas_core.figures import volumes as figures
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import metric_of

MAGNITUDE, BEST = "by magnitude", "best measured"
# What quality is drawn against, the first that is measured.
_COSTS = ("latency_ms", "memory_kib", "macs", "parameters")


def no_volumes(given: Given) -> str | None:
    """Why there are no slices to look across."""
    if isinstance(family_of(given.study.space), Volumetric):
        return None
    return (
        f"Space {given.study.space.name!r} is of family {given.study.space.family!r}, whose "
        "networks take no volumes; choose a study of family 'volumetric'."
    )


def networks_of(given: Given) -> dict[str, Architecture]:
    """Those that are laid beside each other, by name: uniform ones, what the mixture's parameters
    select, and the best that was measured."""
    space = given.study.space
    found = family_of(space).landmarks(space)
    with suppress(FoxnasError):
        if selection := by_magnitude(given):
            found[MAGNITUDE] = selection.selected.architecture
    best = _best(given)
    return found if best is None else found | {BEST: best}


@shared()
def _best(given: Given) -> Architecture | None:
    """The measured network of the best objective; None where none is measured."""
    from foxnas_core.steps.judge import best_measured

    return best_measured(given.study)


@analysis("Select", "reach", "How far it sees across slices", no_volumes)
def reach(given: Given) -> Card:
    """The receptive field along the third axis, exactly."""
    space = given.study.space
    slices = plan_of(space).shapes[0][0]
    rows = [
        {
            "network": name,
            "slices seen": reach_of(space, own).most,
            "of": slices,
            **own.to_dict(),
        }
        for name, own in networks_of(given).items()
    ]
    table = pd.DataFrame(rows)
    told = ", ".join(f"{row['network']} {row['slices seen']}" for row in rows)
    return Card(
        sentence=f"So many of {slices} slices can change what a network says of one: {told}.",
        table=table,
        notes=(
            "By the kernels, poolings and doublings on all ways from the volume to the masks, cut "
            "off where it ends; a slice that can be seen need not matter.",
        ),
    )


def _not_measured(given: Given) -> str | None:
    if sentence := no_volumes(given):
        return sentence
    if _best(given) is not None:
        return None
    return (
        f"No subnet's {objective_of(given).word} is measured in this study; measure some with "
        f"'python -m foxnas_core measure --study {given.folder}'."
    )


@analysis("Select", "uniform", "Uniform cells as lines to beat", _not_measured)
def lines_to_beat(given: Given) -> Card:
    """What networks of one choice everywhere measure, beside all others."""
    metric, frame = objective_of(given), given.table.frame
    cost = next((own for own in map(metric_of, _COSTS) if own.column in frame), None)
    columns = [metric.column, *([cost.column] if cost else [])]
    means = frame.groupby("id")[columns].mean()
    rows = [
        {"network": name, **means.reindex([own.id]).iloc[0].to_dict()}
        for name, own in networks_of(given).items()
    ]
    table = pd.DataFrame(rows)
    uniforms = table.iloc[: len(CHOICES)]
    values = dict(zip(uniforms["network"], uniforms[metric.column].astype(float), strict=True))
    known = {str(name): value for name, value in values.items() if np.isfinite(value)}
    missing = [str(name) for name in values if name not in known]
    said = "None of the uniform networks is measured, so there is no line to beat yet."
    if known:
        best = max(known, key=lambda name: metric.sign * known[name])
        better = int((metric.sign * means[metric.column] > metric.sign * known[best]).sum())
        said = (
            f"{better:,} of {len(means):,} measured networks have better {metric.word} than "
            f"{best}, {metric.value_text(known[best])}, the best of the uniform ones that are "
            "measured."
        )
    return Card(
        sentence=said,
        table=table,
        draw=lambda: figures.uniform_figure(means.reset_index(), uniforms, metric, cost),
        cautions=(f"Not measured, and so no line here: {', '.join(missing)}.",) if missing else (),
        notes=(
            "With the supernet's weights. The best of many that were measured is better than it "
            "would measure again; what it holds is for Trust to tell.",
        ),
    )


# Case by case


def _no_cases(given: Given) -> str | None:
    if sentence := no_volumes(given):
        return sentence
    if not given.study.checkpoint_file.exists() or not given.study.images_file.exists():
        return (
            "Cases are looked at one by one where a study has its supernet and its held-out "
            "volumes, and this one lacks either; 'python -m foxnas_core train' stores both."
        )
    return None


def _pair_options(given: Given) -> Options:
    names = {name: name for name in networks_of(given)}
    return {"one": names, "other": names}


@shared("supernet.safetensors", "images.npz", table=False, spinner="Running both on each case")
def scored(given: Given, text: str) -> CaseScores:
    """What the network that is written so makes of each held-out case."""
    from foxnas_core.steps.cases import score_cases

    space = given.study.space
    return score_cases(given.study, [family_of(space).read(space, text)])[0]


def _scores(given: Given, name: str) -> CaseScores:
    space, networks = given.study.space, networks_of(given)
    return scored(given, family_of(space).write(space, networks[name]))


def _gain(given: Given, scores: tuple[CaseScores, CaseScores]) -> PairedGain:
    one, other = scores
    return paired_gain(one.values, other.values, objective_of(given).sign)


def pair_of(given: Given, one: str, other: str) -> tuple[str, str]:
    """The names that were chosen, by default what was selected against flat cells."""
    names = list(networks_of(given))
    return one if one in names else names[-1], other if other in names else names[0]


@analysis("Select", "paired", "Case by case", _no_cases, _pair_options)
def paired(given: Given, *, one: str = "", other: str = "") -> Card:
    """The objective of two networks on the same held-out cases."""
    first, second = pair_of(given, one, other)
    scores = _scores(given, first), _scores(given, second)
    metric = objective_of(given)
    gain, table = _gain(given, scores), paired_table(*scores)
    how = "differs from" if gain.told_apart else "can't be told apart from"
    ends = metric.interval_text(gain.low, gain.high, signed=True)
    return Card(
        sentence=f"{first} {how} {second}: {metric.word} "
        f"{metric.difference_text(gain.mean, signed=True)} ({ends}) over {gain.cases} cases; it "
        f"loses most on case {gain.worst + 1}.",
        table=table,
        draw=lambda: figures.paired_figure(table, gain, metric),
        notes=(
            "Both have the supernet's weights and norms of their own. The interval (95 %) is of "
            "the mean paired difference over cases, not of training anew.",
        ),
    )


def slices_of(given: Given) -> range:
    return range(plan_of(given.study.space).shapes[0][0])


@analysis("Select", "slices", "The case that loses most", _no_cases, _pair_options)
def slices(given: Given, *, one: str = "", other: str = "", place: int = -1) -> Card:
    """One slice of that case, with its mask and those of both networks."""
    first, second = pair_of(given, one, other)
    scores = _scores(given, first), _scores(given, second)
    worst = _gain(given, scores).worst
    _, held_out = given.study.images()
    truth = held_out.labels[worst]
    if place not in slices_of(given):
        place = int((truth > 0).sum((1, 2)).argmax())
    masks = {figures.TRUTH: truth, first: scores[0].named[worst], second: scores[1].named[worst]}
    table = figures.slice_table(held_out.images[worst], masks, place)
    classes = given.study.training_record().get("classes", ["background", "structure"])
    wrong = [int((masks[name][place] != truth[place]).sum()) for name in (first, second)]
    return Card(
        sentence=f"Case {worst + 1}, slice {place + 1} of {len(truth)}: {first} names "
        f"{wrong[0]:,} voxels of it wrongly, {second} {wrong[1]:,}.",
        table=table,
        draw=lambda: figures.slice_figure(table, classes),
    )
