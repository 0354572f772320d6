"""Quality in domains that were trained on beside that in unseen ones: how far both order subnets
alike, and which choices hold outside."""

from typing import TYPE_CHECKING

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.ranks import rank_correlation
from foxnas_core.devices.reversals import RankReversals, rank_reversals
from foxnas_core.explanation.paired import DIFFERENCE, PairedEffects, paired_effects
from foxnas_core.figures import domains as figures
from foxnas_core.figures.coefficients import interval_figure
from foxnas_core.figures.devices import map_figure
from foxnas_core.table.metrics import Metric
from foxnas_core.tasks.domain_split import DOMAINS, IID, OOD, WORST

if TYPE_CHECKING:
    import pandas as pd

AS_DRAWN, EQUAL_SIZE = "as drawn", "equal size"
_SIZES = {AS_DRAWN: "As drawn, size included", EQUAL_SIZE: "At equal MACs"}
_NAMED = 3


def ends_of(given: Given) -> tuple[Metric, Metric] | None:
    """The columns of seen and of unseen domains, where the table has both."""
    found = {target.column: target for target in given.table.targets if target.quality}
    for column, seen in found.items():
        head, _, rest = column.partition(":")
        if rest == IID and (unseen := found.get(f"{head}:{OOD}")):
            return seen, unseen
    return None


def no_domains(given: Given) -> str | None:
    """Why there are no two ends to compare."""
    if ends_of(given):
        return None
    word = given.study.objective.bare.word
    head = given.study.objective.head
    return (
        f"This compares {word} in domains that were trained on with that in unseen ones, which "
        f"this table does not have; train with --task domains and measure, or import columns "
        f"{head}:{IID} and {head}:{OOD}."
    )


def _ends(given: Given) -> tuple[Metric, Metric]:
    found = ends_of(given)
    assert found is not None  # `no_domains` was asked
    return found


def domains_of(given: Given) -> dict[str, str]:
    """The columns of single domains, each with what the domain is for as far as that is told: the
    unseen ones last."""
    head = _ends(given)[0].head
    left = (IID, OOD, WORST, "int8", "")
    found = [
        target.column.partition(":")[2]
        for target in given.table.targets
        if target.head == head and target.quality
    ]
    split = given.study.record(DOMAINS)
    names = [name for name in found if name not in left]
    if split is None:
        return {f"{head}:{name}": "" for name in names}
    known = [name for name in split.names if name in names]
    return {f"{head}:{name}": split.role_of(name) for name in known}


@shared(spinner="Comparing every pair of subnets …")
def _reversals(given: Given, first: str, second: str) -> RankReversals:
    return rank_reversals(given.table, first, second)


def _swapped(given: Given) -> RankReversals:
    seen, unseen = _ends(given)
    return _reversals(given, seen.column, unseen.column)


@analysis("Select", "seen-unseen", "Seen against unseen domains", no_domains)
def seen_unseen(given: Given) -> Card:
    """Every measured subnet in both, and what is best in either at its cost."""
    seen, unseen = _ends(given)
    cost = given.study.cost
    table = figures.ends_table(given.table, seen, unseen, cost)
    one, two = (table[end].to_numpy(float) for end in figures.FRONTS)
    found, tau = _swapped(given), rank_correlation(one, two)
    best, other = (table.nlargest(1, end).to_dict("records")[0] for end in figures.FRONTS)
    said = (
        f"Over {len(table)} measured subnets the order in seen domains tells that in unseen ones "
        f"with Kendall's τ {tau.tau:.2f} (95 % interval {tau.low:.2f} to {tau.high:.2f}); "
        f"{100 * found.swapped:.0f} % of pairs swap."
    )
    lost = other["unseen"] - best["unseen"]
    won = (
        f"The best in seen domains, {best['id']}, has {unseen.value_text(best['unseen'])} in "
        f"unseen ones, {unseen.difference_text(lost)} less than the best there, {other['id']}."
    )
    sure = () if found.certain is None else (
        f"{100 * found.certain:.1f} % of pairs swap by more than two standard errors of either "
        "difference; these count images as independent.",
    )  # fmt: skip
    both = int((table["front"] == figures.BOTH).sum())
    fronts = {end: int(table["front"].isin([end, figures.BOTH]).sum()) for end in figures.FRONTS}
    return Card(
        sentence=f"{said} {won}",
        table=table,
        draw=lambda: figures.ends_figure(table, seen, unseen, cost),
        notes=(
            f"A front: measured subnets that no other of at most their {cost.word} surpasses. "
            f"{both} of the {fronts[figures.SEEN]} on the front of seen domains are on that of "
            f"unseen ones too, which has {fronts[figures.UNSEEN]}.",
            *sure,
        ),
    )


def _one_by_one(given: Given) -> str | None:
    if sentence := no_domains(given):
        return sentence
    if domains_of(given):
        return None
    head = _ends(given)[0].head
    return (
        f"This table does not tell single domains apart; measure a study of the task 'domains', or "
        f"import columns {head}:DOMAIN."
    )


@analysis("Select", "each-domain", "Every domain beside the seen ones", _one_by_one)
def each_domain(given: Given) -> Card:
    """How far the seen domains order subnets as each single domain does."""
    seen, _ = _ends(given)
    roles = domains_of(given)
    table = figures.domain_table(given.table, seen, roles)
    told = figures.rank_table(table)
    rows = told[told["role"] != "training"] if (told["role"] != "training").any() else told
    least = rows.nsmallest(1, "tau").to_dict("records")[0]
    return Card(
        sentence=f"The order in seen domains says least of {least['domain']}: Kendall's τ "
        f"{least['tau']:.2f} (95 % interval {least['low']:.2f} to {least['high']:.2f}).",
        table=told,
        draw=lambda: figures.domain_figure(table, told, seen),
        notes=("A standard error is the mean one of a subnet's measurement, over images.",),
    )


@analysis("Select", "order", "Where the order turns round", no_domains)
def order(given: Given) -> Card:
    """Which pairs of subnets swap between seen and unseen domains."""
    found = _swapped(given)
    pairs = figures.pair_table(found)
    said = "No pair swaps by more than the noise of measurement."
    if len(pairs):
        first = pairs.iloc[0]
        said = (
            f"Clearest of all, {first['better unseen']} is better than {first['better seen']} in "
            f"unseen domains and worse in seen ones: {first['differs']}."
        )
    return Card(sentence=said, table=pairs, draw=lambda: map_figure(found))


# What choices do


@shared(spinner="Telling effects in seen and unseen domains apart …")
def _effects(given: Given, size: str) -> PairedEffects:
    seen, unseen = _ends(given)
    return paired_effects(given.table, seen.column, unseen.column, equal_size=size == EQUAL_SIZE)


def _told_apart(given: Given) -> str | None:
    if sentence := no_domains(given):
        return sentence
    _effects(given, AS_DRAWN)
    return None


def _sizes(given: Given) -> Options:
    return {"size": _SIZES if given.table.known("macs") else {AS_DRAWN: _SIZES[AS_DRAWN]}}


@analysis("Coefficients", "domains", "Which choices hold outside", _told_apart, _sizes)
def effects(given: Given, *, size: str = AS_DRAWN) -> Card:
    """What each choice adds in seen and in unseen domains, and the difference."""
    found = _effects(given, size)
    return _effect_card(given, found, found.choices, size, "taken in all its places at once")


@analysis("Coefficients", "domain-places", "The same, place by place", _told_apart, _sizes)
def places(given: Given, *, size: str = AS_DRAWN) -> Card:
    """What each choice at its place adds in seen and in unseen domains, and the difference."""
    found = _effects(given, size)
    return _effect_card(given, found, found.places, size, "at its place")


def _effect_card(
    given: Given, found: PairedEffects, own: "pd.DataFrame", size: str, where: str
) -> Card:
    table = figures.effect_table(own, found)
    targets = figures.effect_targets(found)
    clear = own[(own[f"{DIFFERENCE}_low"] > 0) | (own[f"{DIFFERENCE}_high"] < 0)]
    order = clear[DIFFERENCE].abs().sort_values(ascending=False).index[:_NAMED]
    points = tuple(figures.effect_sentence(own.loc[at], found) for at in order)
    swapped = own[figures.turns_round(own, found)]
    said = (
        f"Of {len(own)} choices, each {where}, {len(clear)} surely add more in the ones than in "
        f"the others of seen and unseen domains; {len(swapped)} help in the ones and harm in the "
        "others."
    )
    notes = [f"Averages over {found.rows} subnets drawn at random, with 95 % intervals."]
    if size == EQUAL_SIZE:
        slopes = ", ".join(
            f"{target.difference_text(found.slopes[target.column], signed=True)} in "
            f"{name}" for target, name in ((found.first, "seen"), (found.second, "unseen"))
        )  # fmt: skip
        notes.append(
            f"Less what the MACs of a choice bring on average: a doubling of them {slopes} domains."
        )
    elif given.table.known("macs"):
        notes.append("A choice that makes a network larger is worth its size too; see equal MACs.")
    return Card(
        sentence=said,
        points=points,
        table=table,
        draw=lambda: interval_figure(table, targets),
        notes=tuple(notes),
    )
