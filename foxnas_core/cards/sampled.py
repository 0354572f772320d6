"""What FP-NAS drew as it learnt, and what it decided."""

from contextlib import suppress

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import sampled as figures
from foxnas_core.search.selections import SELECTIONS, SupernetSelection

FPNAS = "fpnas"
FIXED = 16
"""Samples a step that PARSEC draws throughout (arXiv 1902.05116)."""
_MOST = 50


@shared("selections", table=False, entries=8)
def sampled_of(given: Given) -> dict[str, SupernetSelection]:
    """The newest kept selections by FP-NAS by id, those that are damaged or of another space left
    out."""
    found = {}
    for key in given.study.ids(SELECTIONS)[:_MOST]:
        with suppress(FoxnasError, FileNotFoundError):
            own = given.study.kept(SELECTIONS, key)
            known = all(decision.edge in given.study.space.by_name for decision in own.decisions)
            if own.method == FPNAS and known and own.course.get("steps"):
                found[key] = own
    return found


def nothing_sampled(given: Given) -> str | None:
    """Why there is nothing to look at."""
    if sampled_of(given):
        return None
    return (
        "Nothing was selected by FP-NAS in this study yet; run it, here or with 'python -m "
        f"foxnas_core select --study {given.folder} --method {FPNAS}'."
    )


def _options(given: Given) -> Options:
    return {
        "selection": {
            key: f"seed {own.seed}, {own.course['samples']:,} samples: {own.selected.id}"
            for key, own in sampled_of(given).items()
        }
    }


def _shown(given: Given, selection: str) -> SupernetSelection:
    found = sampled_of(given)
    return found.get(selection) or next(iter(found.values()))


@analysis("Select", "sampled", "As many as it is uncertain", nothing_sampled, _options)
def sampled(given: Given, *, selection: str = "") -> Card:
    """Entropy, samples a step, and what they were worth by their weights."""
    found = _shown(given, selection)
    table, switch = figures.steps_table(found), found.course.get("switch_step")
    count = int(table["samples"].sum())
    fewer = 1 - count / (FIXED * len(table))
    return Card(
        sentence=f"{count:,} subnets were drawn in {len(table):,} steps, {fewer:.0%} fewer than "
        f"{FIXED} at every step; the entropy went from {table['entropy'].iloc[0]:.1f} to "
        f"{table['entropy'].iloc[-1]:.1f} nats.",
        table=table,
        draw=lambda: figures.steps_figure(table, switch),
        notes=(
            "A step draws λ subnets for each nat of entropy, at least two. Weights that are worth "
            "few of what was drawn learn from few.",
        ),
    )


@analysis("Select", "decided", "What it decided, and how surely", nothing_sampled, _options)
def decided(given: Given, *, selection: str = "") -> Card:
    """The probability of each choice of each decision of the selected subnet."""
    found = _shown(given, selection)
    table = figures.choices_table(given.study.space, found)
    decisions = table.drop_duplicates("decision")
    open_ = decisions.loc[decisions["undecided"], "decision"].tolist()
    said = f"Subnet {found.selected.id} is the most probable of all; "
    if open_:
        said += (
            f"{len(open_)} of its {len(decisions)} decisions are undecided, {open_[0]} among them: "
            "no choice of theirs is all but certain yet."
        )
    else:
        said += f"all of its {len(decisions)} decisions are decided."
    return Card(sentence=said, table=table, draw=lambda: figures.choices_figure(table))
