"""What is selected for domains that nobody has seen, by made images and without them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.kept_selections import SelectedBy
from foxnas_core.figures import outside as figures
from foxnas_core.table.metrics import Metric
from foxnas_core.training.adversary.lamps import RULES, lamps_of, said_of

OOD = "ood"
_NO_GAME = (
    "No generator made images in this selection; select with --generator on to have architectures "
    "scored on such."
)


KEPT = SelectedBy(
    OOD, "candidates", "for unseen domains",
    lambda own: f"seed {own.seed}, generator {own.course['generator']}",
)  # fmt: skip


@analysis("Select", "outside", "Three ways to select", KEPT.nothing, KEPT.options)
def outside(given: Given, *, selection: str = "") -> Card:
    """What is best on made images, in a held-out seen domain and in the domains trained on, and
    what each of these has in domains that none was selected by."""
    found = KEPT.shown(given, selection)
    table, metric = figures.candidates_table(found), given.study.objective
    by: dict[str, str] = found.course["by"]
    unseen = dict(zip(table["subnet"], table["unseen"].astype(float), strict=True))
    told = [
        f"by {figures.WAYS[way]} {metric.value_text(unseen[own])} (subnet {own})"
        for way, own in by.items()
    ]
    best = table["unseen"].max()
    return Card(
        sentence=f"What is selected has in unseen domains, which no way looks at: "
        f"{', '.join(told)}; the best of {len(table)} candidates has {metric.value_text(best)}.",
        table=table,
        draw=lambda: figures.candidates_figure(table, by, metric),
        points=tuple(_compared(found.course.get("compared", []), by, metric)),
        notes=(
            "All three ways choose among the same candidates of one supernet, whose norms are "
            "re-estimated for each on images it was trained on.",
        ),
    )


def _compared(
    rows: Iterable[Mapping[str, Any]], by: Mapping[str, str], metric: Metric
) -> Iterator[str]:
    """Whether the game pays beside the simpler ways, in a sentence each."""
    for row in rows:
        other, gain = figures.WAYS[row["other"]], metric.sign * row["gain"]
        if by["made"] == by[row["other"]]:
            yield f"The game and {other} select the same subnet."
            continue
        wide = 2 * row["error"]
        verdict = "beats" if gain > wide else "does worse than"
        if abs(gain) <= wide:
            verdict = "is not told apart from"
        told = metric.difference_text(row["gain"], signed=True)
        between = metric.interval_text(row["gain"] - wide, row["gain"] + wide, signed=True)
        yield (
            f"The game {verdict} selection by {other}: {told} in unseen domains (95 % interval "
            f"over images {between})."
        )


@analysis("Select", "lamps", "Whether the game was sane", KEPT.nothing, KEPT.options)
def lamps(given: Given, *, selection: str = "") -> Card:
    """What must hold of made images, at every evaluation."""
    found = KEPT.shown(given, selection)
    if not found.course["epochs"]:
        return Card(sentence=_NO_GAME)
    table = figures.lamps_table(found.course["epochs"])
    last = lamps_of(found.course["epochs"][-1])
    return Card(
        sentence=f"At the last of {table['epoch'].nunique()} evaluations {said_of(last)}.",
        table=table,
        draw=lambda: figures.lamps_figure(table),
        notes=tuple(f"{name}: {rule.title.lower()}." for name, rule in RULES.items()),
    )


@analysis("Select", "pictures", "What the generator made", KEPT.nothing, KEPT.options)
def pictures(given: Given, *, selection: str = "") -> Card:
    """Real images of each domain above what was made of them."""
    found = KEPT.shown(given, selection)
    if not found.course["pictures"]:
        return Card(sentence=_NO_GAME)
    table = figures.pictures_table(found)
    changes = table.groupby("domain", sort=False)["mean change"].mean()
    told = ", ".join(f"{domain} by {change:.2f}" for domain, change in changes.items())
    return Card(
        sentence=f"Pictures of {len(changes)} domains and what was made of them; a pixel was "
        f"changed, of a range of 1, on average: {told}.",
        table=table,
        draw=lambda: figures.pictures_figure(found),
    )


@analysis("Select", "counterfactuals", "Beside what others drew", KEPT.nothing, KEPT.options)
def counterfactuals(given: Given, *, selection: str = "") -> Card:
    """Whether made images went the way that other domains drew the same things."""
    found = KEPT.shown(given, selection)
    if not found.course["pictures"]:
        return Card(sentence=_NO_GAME)
    if not found.course.get("counterfactuals"):
        return Card(
            sentence="No two domains of these images are known to show the same things, so that "
            "nothing tells what a made image should look like; 'data/emoji' has such."
        )
    table = figures.counterfactuals_table(found)
    clear = int((table["gain"] > 2 * table["error"]).sum())
    return Card(
        sentence=f"In {clear} of {len(table)} pairs of domains made images went surely further the "
        "way that the other domain drew the same thing than the way it drew another; "
        f"{100 * table['nearer'].mean():.0f} % came nearer to it.",
        table=table,
        draw=lambda: figures.counterfactuals_figure(table),
        notes=(
            "Cosine: of the angle between what was changed and what would have been, 1 the same "
            "way and 0 none of it; by chance: the same towards another thing of that domain, which "
            "what makes a picture plainer has too. Bars are two standard errors of the gain over "
            "things.",
        ),
    )
