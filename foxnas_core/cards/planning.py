"""Which subnets to measure next, what they are expected to tell, and what rounds came to."""

from contextlib import suppress
from typing import Any

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import design as figures
from foxnas_core.figures import rounds as round_figures
from foxnas_core.planning.gain import ExpectedGain
from foxnas_core.planning.plan import MeasurementPlan, plan_next, seconds_a_row
from foxnas_core.regression.counting import counted_predictor
from foxnas_core.search.rounds.outcome import rounds_table
from foxnas_core.search.rounds.record import (
    IMPROVEMENT,
    OPTIMUM,
    ROUNDS,
    WAYS,
    RoundsRecord,
    front_error,
)
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import choice_costs

SIZES, USUAL = (6, 12, 24, 48, 96), 24
_ASSUMED_SECONDS = 3.0


def columns_of(given: Given) -> dict[str, str]:
    """What effects may be learnt on, each with what it is called: not what is counted of networks,
    or is a sum of what their choices cost."""
    table = given.table
    return {
        target.column: target.label
        for target in table.targets or [given.study.objective]
        if counted_predictor(table, target.column) is None
        and choice_costs(table, target.column) is None
    }


def recorded_seconds(given: Given) -> tuple[float, bool]:
    """What measuring a subnet took in this study, or is taken to, and whether that is known."""
    recorded = seconds_a_row(given.table)
    return recorded or _ASSUMED_SECONDS, recorded is not None


def nothing(given: Given) -> str | None:
    """Why there is nothing to plan."""
    if not columns_of(given):
        return (
            "All that the table has is counted of each network, or is the sum of what its choices "
            "cost, so measuring more networks tells nothing new."
        )
    if len(given.table) or given.study.checkpoint_file.exists():
        return None
    return (
        "This study has neither measurements nor a supernet to measure; import a table, or train "
        "with 'python -m foxnas_core train'."
    )


@shared("optima.parquet", entries=32, spinner="Planning the batch, which takes some seconds …")
def _planned(given: Given, column: str, count: int) -> MeasurementPlan:
    predictor = None
    with suppress(FoxnasError):  # too few rows for a fit, which the plan then says
        predictor = given.predictor(column)
    taken = given.optima().codes
    return plan_next(given.table, column, count, predictor=predictor, taken=taken)


def _plan(given: Given, count: int) -> MeasurementPlan:
    return _planned(given, given.target or given.study.objective.column, count)


def _unfitted(given: Given) -> str | None:
    """Why intervals are not known that could become narrower."""
    lacking = nothing(given)
    if lacking is None and (plan := _plan(given, USUAL)).gain is None:
        return (
            "The batch is planned without a fit, so there are no intervals to become narrower yet. "
            f"{plan.why}"
        )
    return lacking


def _gain(given: Given, count: int) -> ExpectedGain:
    return known(_plan(given, count).gain)


def _sizes(given: Given) -> Options:
    # Larger batches take long; the page and 'measure --next' plan them.
    return {"count": {size: f"{size} subnets" for size in SIZES if size <= USUAL}}


@analysis("Measure next", "gain", "What measuring is expected to tell", _unfitted, _sizes)
def gain(given: Given, *, count: int = USUAL, seconds: float = 0.0) -> Card:
    """How much narrower the intervals become, where a subnet takes so many seconds."""
    found, taken = _gain(given, count), seconds or recorded_seconds(given)[0]
    own, random = found.per_minute(taken)
    table = figures.gain_table(found, taken)
    equal = f"over {found.followed}" if found.equal_rows is None else f"{found.equal_rows}"
    return Card(
        sentence="By how much the 95 % intervals of the effects become narrower on average, as the "
        "batch is measured in its order, beside random batches as 'measure --count' draws them "
        "(mean and 90 % range of 20). It rests on the design alone and takes the scatter about the "
        f"fit as it is. D-efficiency of random batches: {found.efficiency:.3f}; in a minute they "
        f"narrow by {100 * random:.2f} %.",
        facts={
            "Intervals narrower by": f"{100 * found.narrower:.1f} %",
            "By as many random ones": f"{100 * found.narrower_by_random:.1f} %",
            "In a minute of measuring": f"{100 * own:.2f} %",
            "Random ones for the same": equal,
        },
        table=table,
        draw=lambda: figures.gain_figure(table),
    )


@analysis("Measure next", "blocks", "Which effects gain", _unfitted, _sizes)
def blocks(given: Given, *, count: int = USUAL) -> Card:
    table = figures.block_gain_table(_gain(given, count))
    return Card(
        sentence="The mean over a block's effects, and the range from the one that gains least to "
        "the one that gains most.",
        table=table,
        draw=lambda: figures.block_gain_figure(table),
    )


@analysis("Measure next", "effects", "Standard errors of every effect", _unfitted, _sizes)
def effects(given: Given, *, count: int = USUAL) -> Card:
    return Card(sentence="Now, and with the batch.", table=_gain(given, count).effects)


@analysis("Measure next", "coefficients", "Standard errors of every term", _unfitted, _sizes)
def coefficients(given: Given, *, count: int = USUAL) -> Card:
    return Card(sentence="Now, and with the batch.", table=_gain(given, count).coefficients)


@analysis("Measure next", "batch", "The batch", nothing, _sizes)
def batch(given: Given, *, count: int = USUAL) -> Card:
    """The subnets that tell most, to be measured here or elsewhere."""
    plan = _plan(given, count)
    wanted, main = plan.table(), given.study.objective.column
    target = "" if plan.target == main else f" --target {plan.target}"
    return Card(
        sentence=f"{len(wanted)} subnets that were not measured yet, the one that tells most "
        "first. On this machine the command below plans the same batch, measures it and appends "
        "its rows. To measure it elsewhere, fill in the last column and bring the file back on the "
        "page Studies, or with 'python -m foxnas_core import FILE'.",
        table=wanted.assign(**{plan.target: ""}),
        command=f"measure --study {given.folder} --next {count}{target}",
    )


# Rounds of search and measurement


@shared("rounds.json", table=False)
def _recorded(given: Given) -> RoundsRecord | None:
    return given.study.record(ROUNDS)


def no_rounds(given: Given) -> str | None:
    """Why there is no course to show yet."""
    record = _recorded(given)
    if record is not None and record.done:
        return None
    begun = record is not None and record.rounds
    return (
        "The first round was planned and is not measured yet; 'python -m foxnas_core search "
        "--rounds' goes on."
        if begun
        else "No rounds were run in this study, so there is no course to show yet; 'python -m "
        "foxnas_core search --rounds' runs some."
    ) + (
        " A round searches the front at some budgets, measures what it finds on this machine with "
        "the study's weights and images, appends the rows and fits anew. Ctrl-C and a kill lose no "
        "more than the batch under way."
    )


@analysis("Measure next", "rounds", "Rounds of search and measurement", no_rounds)
def rounds(given: Given) -> Card:
    """What the rounds came to."""
    record = known(_recorded(given))
    objective, cost = map(metric_of, record.columns)
    finds = [find for r in record.rounds if r.done for find in r.finds]
    planned = f"Round {len(record.rounds)} is planned and not measured to its end yet."
    improving = record.by == IMPROVEMENT
    how = ", each expected to improve most on the best measured within a budget" * improving
    return Card(
        sentence=f"{record.done} rounds measured {len(finds)} subnets "
        f"{'near' if improving else 'on'} the front of predicted "
        f"{objective.word} over {cost.word}{how}. Their rows are in the table, marked by their "
        "campaign, and fits use them: they sharpen predictions where searches look, and lean "
        "coefficients towards there.",
        notes=() if record.rounds[-1].done else (planned,),
    )


def error_columns(given: Given) -> dict[str, str]:
    """What was predicted and measured, each with what it is called."""
    return {column: metric_of(column).label for column in known(_recorded(given)).columns}


def _columns(given: Given) -> Options:
    return {"column": error_columns(given)}


@analysis("Measure next", "error", "Error at the front", no_rounds, _columns)
def error(given: Given, *, column: str = "") -> Card:
    """How far predictions were off where the search looked."""
    record = known(_recorded(given))
    column = column or record.objective
    target, table = metric_of(column), round_figures.find_table(record)
    finds = [find for r in record.rounds if r.done for find in r.finds]
    plain, told = (front_error(finds, column, expected=own) for own in (False, True))
    said = ""
    if off := told or plain:
        said = (
            f" Over all rounds {target.text(off.bias, signed=True)} {target.difference_unit} on "
            f"average, RMSE {target.text(off.rmse)} {target.difference_unit}, "
            f"{100 * off.inside:.0f} % inside "
        )
        said += "its 95 % interval" if told else "the 95 % prediction interval"
    if told and plain:
        said += (
            f"; less the plain prediction {target.text(plain.bias, signed=True)} on average, "
            f"{100 * plain.inside:.0f} % inside the prediction interval"
        )
    said += ", which does not reckon with a search picking what is overrated." if off else ""
    return Card(
        key=f"error-{target.head}",
        title=f"{target.label}: error at the front",
        sentence="Measured less what "
        + ("optima told to expect" if told else "was predicted")
        + f" before.{said}",
        table=table,
        draw=lambda: round_figures.error_figure(table, column),
    )


@analysis("Measure next", "best", "Best measured subnet", no_rounds)
def best(given: Given) -> Card:
    record = known(_recorded(given))
    table = round_figures.best_table(record)
    objective, cost = map(metric_of, record.columns)
    added = f" ({objective.difference_unit})" if objective.difference_unit else ""
    return Card(
        sentence=f"The measured {objective.word} of the best subnet whose measured {cost.word} "
        "keeps a budget, before the first round and after each, and in parentheses what the rounds "
        f"have added{added}.",
        table=table,
        draw=lambda: round_figures.best_figure(table, record.columns),
    )


@analysis("Measure next", "fits", "The fits, round by round", no_rounds)
def fits(given: Given) -> Card:
    return Card(
        sentence="Errors at the front and cross-validation after each round. moved: how far the "
        "round moved the predictions of random subnets, beside what chance alone does; well above "
        "1 its rows disagree with those before them.",
        table=rounds_table(known(_recorded(given))),
    )


def _no_more(given: Given) -> str | None:
    """Why none can be run; raises what keeps those that were from being read."""
    _recorded(given)
    return nothing(given)


def _ways(given: Given) -> Options:
    """What finds are is chosen before the first round, and stays."""
    return {} if _recorded(given) else {"by": WAYS}


@analysis("Measure next", "more", "More rounds", _no_more, _ways)
def more(given: Given, *, by: str = OPTIMUM) -> Card:
    """The command that runs rounds, their finds chosen `by`, or goes on."""
    record, study = _recorded(given), given.study
    command = f"search --study {given.folder} --rounds "
    if record is None:
        way = "" if by == OPTIMUM else f" --find-by {by}"
        return Card(
            title="Run some",
            sentence=no_rounds(given) or "",
            tone="info",
            command=f"{command}3{way}",
        )
    seed = f" --seed {record.seed}" if record.seed else ""
    own = {"--objective": study.objective.column, "--cost": study.cost.column}
    named = zip(own.items(), record.columns, strict=True)
    other = "".join(f" {option} {column}" for (option, main), column in named if column != main)
    told: dict[str, Any] = {"sentence": "More rounds go on from here:"}
    if not record.done:
        told = {"title": "Run some", "sentence": no_rounds(given) or "", "tone": "info"}
    return Card(**told, command=f"{command}{record.done + 1}{seed}{other}")
