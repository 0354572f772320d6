"""What FP-NAS drew as it learnt, what it decided when, and what it has not decided.

Each card is of a kept selection, or of one that is under way (`PARTS`).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

import pandas as pd

from foxnas_core.cards.analysis import Analysis, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.kept_selections import SelectedBy
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import sampled as figures
from foxnas_core.figures.theme import difference_axis
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.space.editing.bulk import set_choices
from foxnas_core.space.in_words import decision_called
from foxnas_core.table.metrics import metric_of

FPNAS = "fpnas"
_MOST_TOLD = 8
"""Undecided decisions that are told in words; the table has all."""


KEPT = SelectedBy(
    FPNAS, "steps", "by FP-NAS", lambda own: f"seed {own.seed}, {own.course['samples']:,} samples"
)

Make = Callable[[Given, SupernetSelection], Card]
PARTS: dict[Make, Analysis] = {}
"""The cards of one selection, kept or under way, each with its analysis, which is of a kept one."""


def _part(name: str, title: str) -> Callable[[Make], Make]:
    """Have a card of one selection be an analysis of those that are kept."""

    def made(make: Make) -> Make:
        def of_kept(given: Given, *, selection: str = "") -> Card:
            return make(given, KEPT.shown(given, selection))

        of_kept.__doc__, of_kept.__module__ = make.__doc__, make.__module__
        declared = analysis("Select", name, title, KEPT.nothing, KEPT.options)
        PARTS[make] = declared(of_kept)
        return make

    return made


@_part("sampled", "As many as it is uncertain")
def steps_card(given: Given, found: SupernetSelection) -> Card:
    """Entropy, samples a step, and what they were worth by their weights."""
    table, switch = figures.steps_table(found), found.course.get("switch_step")
    return Card(
        sentence=f"By step {len(table):,} the entropy has gone from {table['entropy'].iloc[0]:.1f} "
        f"to {table['entropy'].iloc[-1]:.1f} nats, and the samples of a step from "
        f"{table['samples'].iloc[0]} to {table['samples'].iloc[-1]}.",
        table=table,
        draw=lambda: figures.steps_figure(table, switch),
        notes=(
            "Entropy is how undecided the distribution is: 0 where one subnet is certain. A step "
            "draws λ subnets for each nat of it, at least two. “Worth by their weights” is how "
            "many of them count: 16 of which one has all the weight are worth 1.",
        ),
    )


@_part("spent", "What it spent")
def spent_card(given: Given, found: SupernetSelection) -> Card:
    """The samples that were drawn, beside those of a fixed number a step."""
    table = figures.spent_table(found)
    count, fixed = int(table["samples so far"].iloc[-1]), int(table[figures.PARSEC].iloc[-1])
    return Card(
        sentence=f"{count:,} subnets were drawn in {len(table):,} steps, {_compared(count, fixed)} "
        f"the {fixed:,} of {figures.FIXED} at every step, as PARSEC draws.",
        table=table,
        draw=lambda: figures.spent_figure(table),
    )


def _compared(count: int, other: int) -> str:
    """How many more or fewer than others, within a sentence."""
    if count == other:
        return "as many as"
    share = abs(1 - count / other)
    return f"{share:.0%} {'fewer' if count < other else 'more'} than"


@_part("courses", "Who decided when")
def courses_card(given: Given, found: SupernetSelection) -> Card:
    """The leading choice of each decision after each epoch, and how probable it was."""
    table = figures.courses_table(given.study.space, found)
    if table.empty:
        return Card(sentence="No epoch has ended yet; after each one there is a column to show.")
    ends = figures.choices_table(given.study.space, found).drop_duplicates("decision")
    when = ends.set_index("decision")["decided after epoch"].dropna().sort_values(kind="stable")
    said = "No decision is decided yet."
    if len(when):
        said = f"First decided was {when.index[0]}, after epoch {when.iloc[0]:.0f}"
        others = f", last {when.index[-1]}, after epoch {when.iloc[-1]:.0f}"
        said += f"{others if len(when) > 1 else ''}: {len(when)} of {len(ends)} are."
    return Card(
        sentence=said,
        table=table,
        draw=lambda: figures.courses_figure(table),
        notes=("Each cell names the choice that leads, in bold where it is decided: where the "
               "entropy of its choices is at most a tenth of that of equal ones.",),
    )  # fmt: skip


@_part("modes", "What the most probable subnet was worth")
def modes_card(given: Given, found: SupernetSelection) -> Card:
    """Its score by the weights of each epoch, and its predicted cost against the limits."""
    table, course = figures.modes_table(found), found.course
    if table.empty:
        return Card(sentence="No epoch has ended yet; the mode is scored after each one.")
    last, metric = course["modes"][-1], metric_of(course["objective"])
    costs = [
        f"{target.word} of {target.value_text(last['costs'][column]['mode'])} of at most "
        f"{target.value_text(most)} (what is drawn: "
        f"{target.text(last['costs'][column]['drawn'])} on average)"
        for column, most in course["limits"].items()
        for target in [metric_of(column)]
    ]
    limited = f", with a predicted {'; '.join(costs)}" if costs else "; no cost was limited"
    return Card(
        sentence=f"After epoch {last['epoch']} the mode scores {metric.value_text(last['value'])} "
        f"of {metric.word}{limited}.",
        table=table,
        draw=lambda: figures.modes_figure(table),
        notes=(
            "The mode is the most probable subnet. It is scored by weights that are shared and "
            f"still being trained, on the {course['judged_on']:,} training images that the "
            "distribution learns from and no weight does; a subnet of this shape trained alone "
            "scores otherwise. A limit is told as it is searched under, as much tighter than asked "
            "as the guard says, so that measurements keep what was asked.",
        ),
    )


@_part("decided", "What it decided, and how surely")
def choices_card(given: Given, found: SupernetSelection) -> Card:
    """The probability of each choice of each decision of the selected subnet, and by what the
    choices of undecided ones differ."""
    table = figures.choices_table(given.study.space, found)
    decisions = table.drop_duplicates("decision")
    open_ = decisions.loc[decisions["undecided"], "decision"].tolist()
    said = f"Subnet {found.selected.id} is the most probable of all; "
    if open_:
        said += f"{len(open_)} of its {len(decisions)} decisions are undecided: no choice of "
        said += "theirs is all but certain."
    else:
        said += f"all of its {len(decisions)} decisions are decided."
    table, columns = _with_effects(given, found, table)
    told = [_undecided_told(table[table["decision"] == name], columns) for name in open_]
    if more := told[_MOST_TOLD:]:
        told = [*told[:_MOST_TOLD], f"{len(more)} more are in the table."]
    return Card(
        sentence=said,
        points=tuple(told),
        table=table,
        draw=lambda: figures.choices_figure(table),
        notes=(
            "Effects of choices are those of the study's regressions on the selected subnet, all "
            "else as it is; blocks that a choice opens take their first choices.",
        )
        if open_ and columns
        else (),
    )


def _with_effects(
    given: Given, found: SupernetSelection, table: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """The table with what each choice of an undecided decision changes in the objective and the
    cost, by each regression that there is; and the columns that were added to."""
    space, kept = given.study.space, found.selected.architecture
    named = {decision_called(space.by_name[own.edge]): own.edge for own in found.decisions}
    undecided = table["undecided"].to_numpy()
    ends = [
        set_choices(space, kept, [decision], value).architecture
        for name in table.loc[undecided, "decision"].drop_duplicates()
        for decision in [space.by_name[named[name]]]
        for value in decision.choices
    ]
    added = []
    for column in _fitted(given) if ends else ():
        values = given.predictor(column).predict([kept, *ends])["value"].to_numpy()
        name = difference_axis(metric_of(column))
        table.loc[undecided, name] = values[1:] - values[0]
        added.append(column)
    return table, added


def _fitted(given: Given) -> list[str]:
    """The columns of the objective and the cost that have a regression."""
    found = []
    with suppress(FoxnasError):
        for column in given.main:
            with suppress(FoxnasError):
                given.predictor(column)
                found.append(column)
    return found


def _undecided_told(own: pd.DataFrame, columns: Iterable[str]) -> str:
    """The choices of one undecided decision that are in question, the likeliest first, and what
    they change."""
    rows = own.sort_values("probability", ascending=False, kind="stable")
    rows = rows[rows["probability"] >= min(5.0, rows["probability"].iloc[1])]
    said = []
    for _, row in rows.iterrows():
        effects = [
            metric_of(column).difference_text(row[difference_axis(metric_of(column))], signed=True)
            for column in columns
        ]
        changes = f" ({', '.join(effects)})" if effects and not row["kept"] else ""
        said.append(f"{row['choice']} at {row['probability']:.0f} %{changes}")
    return f"{rows['decision'].iloc[0]}: {', '.join(said)}."
