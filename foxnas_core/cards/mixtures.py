"""How architecture parameters go astray, and what each way selects from the same supernet."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card, Tone
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.operations import (
    by_magnitude,
    mixture_of,
    objective_of,
    perturbed,
    tables,
)
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.operations import (
    NONE,
    SKIP,
    by_edge,
    course,
    decided,
    taken_over,
    weights_words,
)
from foxnas_core.figures import operations as figures
from foxnas_core.figures.cell_graph import edge_titles
from foxnas_core.methods.on_supernet import mixture_record
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.space.architecture import Architecture
from foxnas_core.study.parts import MIXTURE

# So many are told in words.
_FEW_EDGES = 24


def _no_mixture(given: Given) -> str | None:
    if mixture_of(given) is not None:
        return None
    return (
        f"Space {given.study.space.name!r} is of family {given.study.space.family!r}, whose "
        "supernet mixes no operations; choose a study of cells."
    )


@shared("supernet.safetensors", MIXTURE, table=False)
def record_of(given: Given) -> dict[str, Any]:
    """What the mixture's checkpoint says of its training; empty without one."""
    return mixture_record(given.study)


@shared("supernet.safetensors", MIXTURE, table=False)
def course_of(given: Given) -> pd.DataFrame | None:
    """`evidence.operations.course` of the study's training; None where none was kept."""
    mixture, epochs = mixture_of(given), record_of(given).get("epochs")
    if mixture is None or not epochs:
        return None
    with suppress(KeyError, TypeError, ValueError):  # somebody else's record
        return course(epochs, mixture)
    return None


def _no_course(given: Given) -> str | None:
    if (sentence := _no_mixture(given)) or course_of(given) is not None:
        return sentence
    if record_of(given).get("update") == "fixed-alpha":
        return (
            "The architecture parameters of this supernet were not trained: they are fixed, so "
            "that nothing can take over. Select by perturbation."
        )
    return (
        "The weights of operations on the way of a training are not kept in this study; train "
        f"with 'python -m foxnas_core train --study {given.folder} --update darts', which keeps "
        "them after every epoch."
    )


@analysis("Select", "course", "What took over while the parameters were trained", _no_course)
def parameters(given: Given) -> Card:
    """The share of edges on which each operation leads, epoch by epoch."""
    table, mixture = known(course_of(given)), known(mixture_of(given))
    last = int(table["epoch"].max())
    end = table[table["epoch"] == last]
    edges = dict(zip(end["operation"], end["edges"].astype(float), strict=True))
    weights = dict(zip(end["operation"], end["weight"].astype(float), strict=True))
    count = len(mixture.edges)
    said, tone = [], "plain"
    # Without operations that may take over for having no weights, all are told.
    told = [name for name in (SKIP, NONE) if name in edges] or list(edges)
    for name in told:
        leads = f"{round(edges[name] * count / 100)} of {count} edges"
        since = taken_over(table, name)
        if since is not None and name in (SKIP, NONE):
            said.append(f"{name} took over: it leads on {leads}, on most from epoch {since} on")
            tone = "warning"
        else:
            said.append(f"{name} leads on {leads}")
    mean = ", ".join(f"{name} {weights[name]:.1f} %" for name in told)
    tones: dict[str, Tone] = {"warning": "warning", "plain": "plain"}
    return Card(
        sentence=f"After {last} epochs {'; '.join(said)}. Mean weight over edges: {mean}, where "
        f"equal shares were {100 / len(mixture.edges[0].operations):.1f} %.",
        tone=tones[tone],
        table=table,
        draw=lambda: figures.course_figure(table),
        notes=(
            "Known of long trainings (Zela et al., arXiv 1909.09656; Wang et al., arXiv "
            "2108.04392): operations without weights win because they let the others learn, not "
            "because the network needs them.",
        ),
    )


@analysis("Select", "by-edge", "Each edge on the way", _no_course)
def by_each_edge(given: Given) -> Card:
    """The weights of every edge's operations, epoch by epoch, and whether they decide anything."""
    mixture = known(mixture_of(given))
    table = by_edge(record_of(given)["epochs"], mixture)
    end = table[table["epoch"] == table["epoch"].max()]
    titles = edge_titles(given.study.space)
    last = {
        str(edge): dict(zip(own["operation"], own["weight"], strict=True))
        for edge, own in end.groupby("edge", sort=False)
    }
    words = {edge: f"{titles.get(edge, edge)}, {weights_words(own)}" for edge, own in last.items()}
    settled = sum(decided(own) is not None for own in last.values())
    return Card(
        sentence=f"{settled} of {len(last)} edges are decided: on them one operation weighs more "
        "than all others together. On the others the selection takes the largest weight all the "
        "same, and another seed may choose differently.",
        tone="plain" if settled == len(last) else "warning",
        table=table,
        draw=lambda: figures.edges_figure(table, words),
        points=tuple(f"{own}." for own in words.values()) if len(words) <= _FEW_EDGES else (),
    )


# What each way selects


def _ways(given: Given) -> Iterator[tuple[Given, SupernetSelection]]:
    """By magnitude and by perturbation, of this study and those beside it."""
    for other in tables(given):
        with suppress(FoxnasError):
            if found := by_magnitude(other):
                yield other, found
        for own in perturbed(other).values():
            yield other, own


def _no_way(given: Given) -> str | None:
    if sentence := _no_mixture(given):
        return sentence
    if next(_ways(given), None) is not None:
        return None
    return (
        "Nothing can be selected by this supernet's parameters, and nothing was by perturbation; "
        f"train with 'python -m foxnas_core train --study {given.folder} --update darts', or "
        f"select with 'python -m foxnas_core select --study {given.folder} --method perturbation'."
    )


@analysis("Select", "selected", "What each way selects", _no_way)
def selected(given: Given) -> Card:
    """Selections of the same supernet by magnitude and by perturbation, those of supernets beside
    it, with how many skips each has and what tables know of it."""
    rows, judges = [], [own for own in map(_judge, tables(given)) if own is not None]
    operations = dict.fromkeys(op for e in known(mixture_of(given)).edges for op in e.operations)
    counted = [name for name in (SKIP, NONE) if name in operations] or list(operations)
    for other, own in _ways(given):
        chosen = list(own.selected.architecture.to_dict().values())
        row: dict[str, Any] = {
            "study": other.study.name, "update": record_of(other).get("update", ""),
            "method": own.method, "seed": own.seed, "cell": own.selected.string,
            **{name: chosen.count(name) for name in counted},
        }  # fmt: skip
        for judge in judges:
            row |= judge.of(own.selected.architecture)
        rows.append(row)
    table = pd.DataFrame(rows)
    told = [judge.sentence(record_of(given).get("dataset")) for judge in judges]
    [first, *_] = counted
    means = table.groupby("method")[first].mean()
    counts = " and ".join(f"{mean:.1f} by {method}" for method, mean in means.items())
    what = "that skip" if first == SKIP else f"of {first}"
    return Card(
        sentence=f"{len(table)} selection{'s' * (len(table) != 1)}; edges {what}, on average: "
        f"{counts}. Every selection that is kept is shown, none picked.",
        table=table,
        notes=tuple(told),
    )


class _Judge:
    """What one table knows of cells: the mean objective, and the rank where it has them all."""

    def __init__(self, given: Given) -> None:
        self._given, self._metric = given, objective_of(given)
        self._name = f"{self._metric.word} in {given.study.name}"
        whole = given.whole_table((self._metric.column,))
        self._order = None
        if whole is not None:
            values = whole.means.values[self._metric.column][whole.known]
            self._order = np.sort(self._metric.sign * values)
        frame = given.table.frame
        self._known = frame.groupby("id")[self._metric.column].mean().dropna()

    def sentence(self, images: str | None) -> str:
        """Whose numbers these are, beside a supernet that was trained on `images`."""
        own = self._given.study.trained_on()
        rank = f", ranked among {len(self._order):,}" if self._order is not None else ""
        other = "" if own == images else f"; this supernet was trained on {images}"
        return f"{self._name} is told of {own or 'the images of that table'}{rank}{other}."

    def of(self, architecture: Architecture) -> dict[str, Any]:
        own = self._given.study.space.architecture(architecture.to_dict())
        value = self._known.get(own.id, np.nan)
        told: dict[str, Any] = {self._name: value}
        if self._order is not None:
            better = len(self._order) - np.searchsorted(
                self._order, self._metric.sign * value, side="right"
            )
            told[f"rank in {self._given.study.name}"] = (
                int(better) + 1 if np.isfinite(value) else None
            )
        return told


def _judge(given: Given) -> _Judge | None:
    """None where the table knows no cell's objective."""
    with suppress(FoxnasError, KeyError):
        judge = _Judge(given)
        return judge if len(judge._known) else None
    return None
