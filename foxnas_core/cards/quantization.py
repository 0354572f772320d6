"""What int8 costs and wins in this supernet, and in another variant of it."""

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import once
from foxnas_core.figures import quantization as figures
from foxnas_core.quantization.comparison import (
    TIME,
    PrecisionComparison,
    compare_precisions,
    has_both_precisions,
    objective_of,
    runtime_columns,
)
from foxnas_core.table.metrics import metric_of, suffix_words


@once
def _precisions(given: Given) -> PrecisionComparison:
    """This study's subnets, and those of the one beside it, in both precisions."""
    shown = [given, *([given.beside] if given.beside else [])]
    return compare_precisions([(own.study.folder.name, own.table) for own in shown])


def _latency_alone(given: Given) -> str:
    return (
        f"No subnet of this study has its {given.study.objective.word} in int8 yet, only its "
        "latency. Subnets that 'python -m foxnas_core measure' adds from now on are scored in both "
        "precisions."
    )


def one_precision(given: Given) -> str | None:
    """Why there is nothing to compare yet."""
    if len(given.table) and has_both_precisions(given.table):
        return None
    return (
        "This study has nothing measured in both precisions; 'python -m foxnas_core measure' "
        f"measures {given.study.objective.word} and latency in fp32 and int8, or import a table "
        "with latency_ms and latency_ms:int8 (of a further runtime latency_ms:NAME and "
        "latency_ms:NAME-int8)."
    )


@analysis("Quantization", "costs", "What int8 costs and wins", one_precision)
def costs(given: Given) -> Card:
    """What int8 changes, by study and runtime."""
    found = _precisions(given)
    return Card(
        sentence="Means over subnets of what int8 changes in each, with 95 % intervals (bootstrap "
        "over subnets). A negative saving: int8 is slower than fp32.",
        points=(*found.sentences(), *found.difference_sentences()),
        table=found.table,
        draw=lambda: figures.interval_figure(found),
    )


@analysis("Quantization", "variants", "In numbers", one_precision)
def variants(given: Given) -> Card:
    """The means in either precision, a column a study."""
    found = _precisions(given)
    notes: tuple[str, ...] = ()
    if len(found.differences):
        notes = (
            "The difference is over the architectures that both measured."
            if found.differences["paired"].all()
            else "The two share too few architectures to be compared one by one, so the difference "
            "is that of two samples.",
        )
    return Card(
        title="In numbers" if given.beside is None else "Both variants side by side",
        sentence="Means over the measured subnets, and what int8 changes in each with its 95 % "
        "interval; a negative saving is a latency that grows.",
        table=figures.side_by_side(found),
        notes=notes,
    )


def no_accuracy(given: Given) -> str | None:
    """Why accuracies in both precisions can't be drawn."""
    if (lacking := one_precision(given)) is not None:
        return lacking
    return None if _objectives(given) else _latency_alone(given)


def _objectives(given: Given) -> list[str]:
    """The qualities that some study has in both precisions."""
    return [column for own in _both(given) if (column := objective_of(own.table))]


def _both(given: Given) -> list[Given]:
    return [given, *([given.beside] if given.beside else [])]


@analysis("Quantization", "accuracies", "Accuracy of each subnet", no_accuracy)
def accuracies(given: Given) -> Card:
    """Every subnet's objective in both precisions."""
    column = _objectives(given)[0]
    metric, rows = metric_of(column), figures.scatter_table(_precisions(given), column, "")
    side = "Below" if metric.direction == "max" else "Above"
    return Card(
        title=f"{metric.title} of each subnet",
        sentence="A point is a subnet, scored on the same held-out images in both precisions. "
        f"{side} the line, int8 loses {metric.word}.",
        table=rows,
        draw=lambda: figures.scatter_figure(rows, column),
    )


def no_latency(given: Given) -> str | None:
    """Why latencies in both precisions can't be drawn."""
    if (lacking := one_precision(given)) is not None:
        return lacking
    return None if runtimes(given) else (
        "No subnet of this study has a latency in both precisions; measure with 'python -m "
        "foxnas_core measure'."
    )  # fmt: skip


def runtimes(given: Given) -> list[str]:
    """The runtimes that some subnet was timed on in both precisions."""
    return list(dict.fromkeys(r for own in _both(given) for r in runtime_columns(own.table)))


def _runtimes(given: Given) -> Options:
    return {"runtime": {runtime: suffix_words(runtime) for runtime in runtimes(given)}}


@analysis("Quantization", "latencies", "Latency of each subnet", no_latency, _runtimes)
def latencies(given: Given, *, runtime: str = "") -> Card:
    """Every subnet's latency on one runtime in both precisions."""
    runtime = runtime or runtimes(given)[0]
    rows = figures.scatter_table(_precisions(given), TIME, runtime)
    return Card(
        title=f"Latency of each subnet on {suffix_words(runtime)}",
        sentence="A point is a subnet, measured alike in both precisions. Below the line, int8 is "
        "faster.",
        table=rows,
        draw=lambda: figures.scatter_figure(rows, TIME),
    )


def drop_of(given: Given) -> str:
    """The column of what int8 loses of the objective, "" where there is none."""
    objective = objective_of(given.table) or given.study.objective.column
    column = f"{metric_of(objective).head}_drop:int8"
    return column if column in {target.column for target in given.table.targets} else ""


def _no_drop(given: Given) -> str | None:
    return one_precision(given) or (None if drop_of(given) else _latency_alone(given))


@analysis("Quantization", "fragile", "Which blocks make a subnet fragile", _no_drop)
def fragile(given: Given) -> Card:
    """The way to the blocks that lose most by int8."""
    return Card(
        sentence="What int8 loses is a target like any other: its coefficients and explanations "
        "tell which choices of a block make it more.",
        notes=(
            "A subnet that loses too much can be fine-tuned with the rounding in its forward pass: "
            "'python -m foxnas_core fine-tune --study DIR --architecture FILE --out FOLDER "
            "--quantization-aware'.",
        ),
    )
