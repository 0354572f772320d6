"""What is selected for domains that nobody has seen, by made images and without them."""

from collections.abc import Iterator, Mapping

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.kept_selections import SelectedBy
from foxnas_core.figures import outside as figures
from foxnas_core.table.metrics import Metric
from foxnas_core.training.adversary.lamps import RULES

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
        points=tuple(_compared(unseen, by, metric)),
        notes=(
            "All three ways choose among the same candidates of one supernet, whose norms are "
            "re-estimated for each on images it was trained on.",
        ),
    )


def _compared(unseen: Mapping[str, float], by: Mapping[str, str], metric: Metric) -> Iterator[str]:
    """Whether the game pays beside the simpler ways, in a sentence each."""
    for other in ("selection", "iid"):
        if "made" in by and other in by:
            gain = unseen[by["made"]] - unseen[by[other]]
            verdict = "beats" if gain > 0 else "does not beat"
            yield (
                f"The game {verdict} selection by {figures.WAYS[other]}: "
                f"{metric.difference_text(gain, signed=True)} in unseen domains."
            )


@analysis("Select", "lamps", "Whether the game was sane", KEPT.nothing, KEPT.options)
def lamps(given: Given, *, selection: str = "") -> Card:
    """What must hold of made images, at every evaluation."""
    found = KEPT.shown(given, selection)
    if not found.course["epochs"]:
        return Card(sentence=_NO_GAME)
    table = figures.lamps_table(found.course["epochs"])
    last = table[table["epoch"] == table["epoch"].max()]
    told = ", ".join(
        f"{own.lamp} {own.value:.2f} (at least {own.least:g})" for own in last.itertuples()
    )
    out = last.loc[~last["on"], "lamp"].tolist()
    said = f"all {len(RULES)} lamps are on" if not out else f"{', '.join(out)} are out"
    return Card(
        sentence=f"At the last of {table['epoch'].nunique()} evaluations {said}: {told}.",
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
