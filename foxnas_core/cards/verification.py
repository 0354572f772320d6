"""What the regressions claim before anything is measured, and how much of it held."""

from dataclasses import replace

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import searched_for
from foxnas_core.cards.given import Given
from foxnas_core.cards.machine import can_measure
from foxnas_core.evidence.verification.claims import (
    AVERAGE_EDIT,
    THIS_EDIT,
    Claim,
    Kind,
    Trial,
)
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.evidence.verification.scoreboard import scoreboard, trials_table
from foxnas_core.families import family_of
from foxnas_core.figures import verification as figures
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_each
from foxnas_core.steps.trials import tested
from foxnas_core.steps.verify import LEVEL
from foxnas_core.table.metrics import metric_of

RANDOM = 10


def _fits(given: Given) -> tuple[list[Predictor], list[str]]:
    """The predictors of what is measured here, and what can't be fitted."""
    columns = tested(given.table, given.study.objective.head)
    # By the forms that claims are made by when they are measured, whichever one is looked at.
    found, said = fit_each(
        [metric_of(column) for column in columns],
        lambda column: given.predictor(column, "auto", "auto"),
    )
    return list(found.values()), said


def nothing_to_claim(given: Given) -> str | None:
    """Why nothing is claimed yet."""
    predictors, said = _fits(given)
    if predictors:
        return None
    return " ".join(said) or (
        f"This study's table has neither {given.study.objective.bare.word} nor a "
        "latency that is measured here; measure subnets with 'python -m foxnas_core measure'."
    )


@analysis("Verify", "claims", "What is claimed", nothing_to_claim)
def claims(given: Given, *, subnets: tuple[Architecture, ...] = ()) -> Card:
    """What is claimed of a subnet, or of the second of two and what changes to it."""
    predictors, said = _fits(given)
    space = given.study.space
    subnets = subnets or (given.architecture or family_of(space).reference(space),)
    names: dict[Kind, str] = {"value": "this subnet"}
    if len(subnets) == 2:
        names = {"difference": "the edit changes", **names}
    rows, known = [], searched_for(replace(given, start=subnets[0]), subnets[-1])
    for predictor in predictors:
        made = claims_on(predictor, subnets, level=LEVEL, known=known)
        stated = {claim.kind: claim for claim in made}
        told = {name: _text(stated[kind]) for kind, name in names.items()}
        if "difference" in stated:
            told["the average edit"] = _text(stated["difference"], average=True)
        rows.append({"claimed": predictor.target.label} | told)
    there = int(given.table.frame["id"].isin([a.id for a in subnets]).sum())
    if there:
        said.append(
            f"The table has {there} row{'s' if there > 1 else ''} of this already. The claim that "
            "is tested comes from a fit without, so it may differ a little from these."
        )
    return Card(
        key="claimed",
        sentence=f"With 95 % intervals: of {THIS_EDIT} for what the edit changes, of one new "
        f"measurement for the edited subnet {subnets[-1].id}; beside it that of {AVERAGE_EDIT}, "
        "the mean over all such subnets, which one edit need not keep."
        if len(subnets) == 2
        else f"Of subnet {subnets[-1].id}, with 95 % {'' if known else 'prediction '}intervals.",
        table=pd.DataFrame(rows),
        notes=tuple(said),
    )


def _text(claim: Claim, *, average: bool = False) -> str:
    target, signed = metric_of(claim.target), claim.kind == "difference"
    value, *ends = (claim.value, claim.low, claim.high) if average else claim.headline
    unit = target.difference_unit if signed else target.unit
    number = f"{target.text(value, signed=signed)} {unit}".strip()
    told = f"{number} {target.in_brackets(*ends, signed=signed)}"
    if claim.expected is None:
        return told
    plain = target.in_brackets(claim.low, claim.high)
    return f"expected to measure {told}; predicted {target.text(claim.value)} {plain}"


@analysis("Verify", "more", "Test some", nothing_to_claim)
def more(given: Given) -> Card:
    """The command that tests random claims."""
    missing = can_measure(given)
    return Card(
        sentence=f"{missing} On a machine that has both, this command does the same:"
        if missing
        else "Random edits of random subnets, so that the scoreboard is not made of claims that "
        "looked good.",
        tone="info",
        command=f"verify --study {given.folder} --random {RANDOM}",
    )


def done(given: Given) -> dict[str, Trial]:
    """The measured trials by id, the last one first."""
    return {trial.id: trial for trial in reversed(given.trials()) if trial.done}


def not_measured(given: Given) -> str | None:
    """Why there is no verdict yet."""
    if done(given):
        return None
    return (
        "Nothing was measured yet; 'python -m foxnas_core verify' measures what is claimed of a "
        "subnet or an edit, as a button on the page Trust does."
    )


def _trials(given: Given) -> Options:
    return {"trial": {name: f"{t.title} ({t.chosen})" for name, t in done(given).items()}}


@analysis("Verify", "verdict", "What was measured", not_measured, _trials)
def verdict(given: Given, *, trial: str = "") -> Card:
    """One measured trial, by default the last."""
    found = done(given)
    shown = found.get(trial) or next(iter(found.values()))
    table = figures.verdict_table(shown)
    counted = [judged for judged in shown.judged if not judged[1].reason]
    held = sum(shown.holds(*judged) for judged in counted)
    return Card(
        sentence=f"Of {shown.title}, {held} of {len(counted)} counted claims held.",
        points=tuple(shown.sentences()),
        table=table,
        draw=lambda: figures.verdict_figure(table),
        notes=(
            "Above what was claimed: thick the stated interval (of this subnet, or of "
            f"{THIS_EDIT}), thin the one that the measurement is held against. Below what was "
            "measured, with its own interval; a red cross lies outside.",
            _circumstances(shown),
        ),
    )


def _circumstances(trial: Trial) -> str:
    how = trial.circumstances
    assert how is not None
    read = ", ".join(
        f"{metric_of(claim.target).label} {claim.fit.rows} rows"
        for claim in {claim.target: claim for claim in trial.claims}.values()
    )
    joined = (
        f"{how.rows} row{'s' if how.rows > 1 else ''} joined the table."
        if how.rows
        else "No row joined the table, as not all images were scored."
    )
    return (
        f"Stated {_at(trial.made)} by fits that read: {read}, and {trial.left_out} rows of these "
        f"subnets left out. Measured {_at(how.measured)} on {how.images:,} of {how.held_out:,} "
        f"held-out images, on {how.device}. {joined}"
    )


def _at(moment: str) -> str:
    """A moment as one reads it, to the minute."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def nothing_stated(given: Given) -> str | None:
    """Why there is nothing to keep the score of."""
    if given.trials():
        return None
    return (
        "No claim was tested yet; 'python -m foxnas_core verify --random 10' tests some that "
        "nobody picked."
    )


@analysis("Verify", "board", "Scoreboard", nothing_stated)
def board(given: Given) -> Card:
    """How many claims were tested and how many held."""
    found = scoreboard(given.trials())
    table = figures.board_table(found)
    first, *further = found.sentences()
    drawn = (
        "The figure shows the share of claims that held, with its 95 % interval (Wilson). Where "
        "the dashed line crosses it, claims hold as often as stated.",
    )
    return Card(
        sentence=first,
        points=tuple(further),
        table=table,
        draw=(lambda: figures.board_figure(table)) if found.tested else None,
        notes=(
            *(drawn if found.tested else ()),
            "A subnet's value is held against its prediction interval or, where it was searched "
            "for, against what measured optima tell to expect. What an edit changes is held "
            f"against the interval of {THIS_EDIT}, by how measured differences of the table "
            f"scatter. Held on average counts those that {AVERAGE_EDIT}'s interval holds too, "
            "widened by no more than the error of measuring both subnets: a strict test, which "
            "fails where the effect depends on what else is chosen. Latencies "
            "of another device than the table's, and those that failed a check, are not counted. "
            "Subnets picked by hand are kept apart: one that a search found is likely overrated.",
        ),
    )


@analysis("Verify", "every", "Every claim", nothing_stated)
def every(given: Given) -> Card:
    table = trials_table(list(reversed(given.trials())))
    return Card(key="claims", sentence=f"{len(table):,} claims, the last first.", table=table)
