"""The command that makes a benchmark of one's own."""

import argparse
from dataclasses import asdict
from typing import Any

import pandas as pd

from foxnas_core.cards.benchmark import judged_card
from foxnas_core.cards.card import Card
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import bar, named_space, say, space_to_train
from foxnas_core.devices.blocks import judged_blocks
from foxnas_core.errors import MissingPart
from foxnas_core.files import typed
from foxnas_core.steps.bench import Timing
from foxnas_core.steps.bench import bench as run_bench
from foxnas_core.study import Study, open_study
from foxnas_core.study.create import create_study
from foxnas_core.table.additive import block_space
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.refusals import REFUSED, told_refusals


def bench(options: argparse.Namespace) -> Answer:
    """Measure blocks and whole networks on devices, and judge sums of blocks."""
    from foxnas_core.measurement.kept_models import FOLDER

    study = _study(options)
    with bar("model") as report:
        devices = run_bench(
            study,
            options.device or ["onnxruntime"],
            name=options.device_name,
            python=options.device_python,
            program=options.device_program,
            count=options.count,
            timing=Timing(options.rounds, options.seconds),
            seed=options.seed,
            report=report,
            workers=options.workers,
            energy=options.energy,
            memory=options.memory,
            models=options.models,
            models_only=options.models_only,
            again=options.again,
        )
    table, blocks = study.table(), study.blocks()
    for quantity, asked in (("energy", options.energy), ("memory", options.memory)):
        if asked:
            _say_untold(study, quantity)
    if options.models_only:
        where = options.models or study.folder / FOLDER
        say(f"What was converted is kept in {typed(where)}; without --models-only it is timed.")
    for sentence in (*told_refusals(blocks, "blocks"), *told_refusals(table)):
        say(sentence)
    columns = [column for device in devices for column in device.columns]
    judged = {} if block_space(study.space) is None else judged_blocks(table, blocks)
    document: dict[str, Any] = {
        "study": str(study.folder),
        "rows": len(table),
        "blocks": len(blocks),
        "columns": columns,
        "refused": {
            name: own.record.get(REFUSED, {}) for name, own in (("blocks", blocks), ("rows", table))
        },
        "sums": {
            column: asdict(own)
            | {"verdict": own.verdict}
            | {n: getattr(own, n)._asdict() for n in ("ratio", "constant", "factor")}
            for column, own in judged.items()
        },
    }
    if judged:
        return Answer(document, (judged_card(list(judged.values()), blocks),))
    known = [(metric_of(c).named, table.known(c)) for c in columns]
    sentence = f"{study.folder} has {len(table):,} networks; 'fit' tells what their choices cost."
    return Answer(
        document, (Card(sentence=sentence, table=pd.DataFrame(known, columns=["column", "rows"])),)
    )


def _study(options: argparse.Namespace) -> Study:
    if (options.study / "space.json").exists():
        space_to_train(options.study, options.space)
        return open_study(options.study)
    if not options.space:
        raise MissingPart(f"{options.study} is a new study; name its space (--space FILE).")
    return create_study(options.study, named_space(options.space), name=options.study.name)


def _say_untold(study: Study, quantity: str) -> None:
    """Say where a device did not tell what was asked for."""
    campaigns = study.table().record.get("campaigns", {})
    said = {str(own.get(quantity, "")) for own in campaigns.values()} - {""}
    untold = [one for one in said if one.startswith("not available")]
    for one in untold or ([] if said else ["told by ONNX Runtime on this machine alone"]):
        say(f"{quantity.capitalize()} is {one}.")
