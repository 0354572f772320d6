"""What several commands do alike."""

import argparse
import math
import os
import signal
import sys
import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.families import (
    architecture_from_text,
    family_of,
    load_shipped,
    shipped_spaces,
)
from foxnas_core.progress import Progress, Report
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study, open_study, read_architecture, read_space
from foxnas_core.study.goals import Goals
from foxnas_core.table.metrics import STD_ERROR, Metric, is_metric, metric_of


def check_bound(name: str, bound: float | None) -> None:
    """Raises `InvalidInput` for what no column can be limited to, before anything is fitted."""
    if bound is None:
        return
    least = sys.float_info.min if is_metric(name) and metric_of(name).errs_relatively else None
    if not math.isfinite(bound) or (least is not None and bound < least):
        allowed = metric_of(name).allowed() if is_metric(name) else "a finite number"
        raise InvalidInput(f"{name} can't be limited to {bound:g}; it must be {allowed}.")


def say(message: str) -> None:
    """Print it to stderr, above a bar that stands there."""
    tqdm.write(message, file=sys.stderr)


@contextmanager
def bar(unit: str = "", *, shown: bool = True) -> Iterator[Report]:
    """What draws a bar of progress on stderr, of what is counted in `unit`s; none where it is not
    `shown`."""
    counted = f"{{n_fmt}}/{{total_fmt}} {unit}s, " if unit else ""
    form = f"{{percentage:.0f}} % |{{bar}}| {counted}{{elapsed}}{{postfix}}"
    with tqdm(delay=1, file=sys.stderr, bar_format=form, disable=not shown) as drawn:

        def tell(progress: Progress) -> None:
            drawn.total = progress.total
            drawn.set_postfix_str(progress.sentence(), refresh=False)
            drawn.update(progress.done - drawn.n)

        yield tell


def cards_of(study: Study, *keys: str, **options: Hashable) -> tuple[Card, ...]:
    """What these analyses, each with these options, find in a study: those that can be asked of
    it."""
    asked, found = Given(study), map(analysis_of, keys)
    return tuple(one.compute(asked, **options) for one in found if not one.needs(asked))


def opened(options: argparse.Namespace) -> Study:
    """The study, with the code that builds its supernet where the options name some."""
    study = open_study(options.study)
    if not options.supernet:
        return study
    from foxnas_core.supernet.adapter import load_factory

    return replace(study, build=load_factory(options.supernet))


def asked_goals(study: Study, options: argparse.Namespace) -> tuple[Metric, Metric]:
    """The objective and the cost that the options name, else the study's.

    Raises `InvalidInput` for a column that is no metric, and where both are one.
    """
    asked = Goals(options.objective or study.objective.column, options.cost or study.cost.column)
    return metric_of(str(asked.objective)), metric_of(str(asked.cost))


def named_architecture(study: Study, named: str) -> Architecture:
    """An architecture from a JSON file, a measured or selected one by its id, a measured one by its
    number in a column `index` that came with the table, or one that is written out."""
    if os.path.exists(named):
        return read_architecture(Path(named), study.space)
    for table in (study.table(), study.optima()):
        rows = (table.frame["id"] == named).to_numpy()
        if rows.any():
            return table.rows(rows).architectures()[0]
    for key in study.ids(SELECTIONS):
        with suppress(FoxnasError):  # one that is damaged is not the one that was named
            if (selected := study.kept(SELECTIONS, key).selected).id == named:
                return selected.architecture
    if named.isascii() and named.isdigit() and "index" in (frame := study.table().frame):
        rows = (frame["index"].astype(str) == str(int(named))).to_numpy()
        if rows.any():
            return study.table().rows(rows).architectures()[0]
    written = ""
    if named.lstrip().startswith("{") or family_of(study.space).notation:
        try:
            return architecture_from_text(study.space, named)
        except InvalidInput as error:
            written = f" If it was meant as an architecture: {error}"
    raise MissingPart(
        f"{named!r} is neither a file nor the id of a subnet that {study.folder} has measured or "
        "selected; "
        "what a search found is named by a file of what it prints with --json."
        f"{written}"
    )


def given(options: argparse.Namespace, settings: type) -> dict[str, Any]:
    """The options that were given, of those that a settings class has; it knows the defaults."""
    names = [field.name for field in fields(settings)]
    return {n: getattr(options, n) for n in names if getattr(options, n, None) is not None}


def space_to_train(folder: Path, named: str | None) -> SearchSpace:
    if not (folder / "space.json").exists():
        return named_space(named or "foxnas-mini")
    study = open_study(folder)
    if named and named_space(named).fingerprint != study.space.fingerprint:
        raise InvalidInput(
            f"{folder} is of space {study.space.name!r}, not {named!r}; name a new folder."
        )
    return study.space


def named_space(name: str) -> SearchSpace:
    """A shipped space by name, or one from a JSON file."""
    if name in shipped_spaces():
        return load_shipped(name)
    if Path(name).exists():
        return read_space(Path(name))
    raise InvalidInput(
        f"{name!r} is neither a shipped space ({', '.join(shipped_spaces())}) nor a file."
    )


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual."""
    asked = threading.Event()
    usual = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, usual)


def measured_document(architecture: Architecture, values: Mapping[str, Any]) -> dict[str, Any]:
    """A measured subnet with its metrics, each with a 95 % interval where that is known: normal,
    from its standard error; a latency's is the range of its rounds."""
    document: dict[str, Any] = {"id": architecture.id, "architecture": architecture.to_dict()}
    for column in filter(is_metric, values):
        value, error = values[column], values.get(f"{column}{STD_ERROR}")
        low, high = (None, None) if error is None else (value - 1.96 * error, value + 1.96 * error)
        document[column] = {"value": value, "low": low, "high": high}
    return document | latencies_document(values)


def latencies_document(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        column: {"value": value}
        | {side: values.get(f"{side}_{column}") for side in ("low", "high")}
        for column, value in values.items()
        if is_metric(column) and metric_of(column).timed
    }
