"""Fine-tuning one subnet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.progress import Report
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.measure import parts_of
from foxnas_core.study import Study, file_hash
from foxnas_core.tasks import CLASSIFICATION, task_named
from foxnas_core.tasks.dataset import Dataset, ImageSet, check_apart

if TYPE_CHECKING:
    from foxnas_core.export.written import ExportedModel
    from foxnas_core.quantization.finetuning import (
        Effect,
        FineTuned,
        FineTuning,
    )
    from foxnas_core.supernet.checkpoint import Checkpoint


def training_images(study: Study, data: Path | None) -> Dataset:
    """The images at `data`, by default those that the task comes with or the study keeps, as its
    space takes them: as many of the first as its supernet was trained on, where these are they.

    Raises as `Task.load` and, for a space without a supernet of ours, `InvalidInput`.
    """
    from foxnas_core.supernet.adapter import supernet_of

    record = study.training_record()
    kind = task_named(record.get("task", CLASSIFICATION))
    largest = family_of(study.space).reference(study.space)
    if data is None and kind.keeps_training:
        data = study.images_file
    shape = supernet_of(study.space).input_shape(largest)
    dataset = kind.load(data, shape, **record.get("settings", {}))
    count = record.get("images")
    if isinstance(count, int) and 0 < count < len(dataset.training):
        first = replace(dataset, training=dataset.training.take(slice(0, count)))
        if kind.of(first).record().items() <= record.items():
            return first
    return dataset


def fine_tune_subnet(
    study: Study,
    architecture: Architecture,
    dataset: Dataset,
    recipe: "FineTuning",
    *,
    report: Report,
    stop: Callable[[], bool],
) -> "tuple[FineTuned, Effect, ExportedModel]":
    """Fine-tune a subnet on the dataset that its supernet was trained on, and score it before and
    after on the study's held-out images; the study is left as it is.

    `stop` ends the training early. Raises `MissingPart` where the study has no weights or images,
    `InvalidInput` where the supernet is not of ours, the dataset is another one or has held-out
    images among the training ones.
    """
    checkpoint, calibration, held_out = parts_of(study)
    check_can_be_tuned(checkpoint, dataset, held_out)

    from foxnas_core.measurement.campaign import prepare
    from foxnas_core.measurement.score import ScoreMeter
    from foxnas_core.quantization import finetuning

    task = checkpoint.task
    before = prepare(checkpoint, architecture, calibration)
    tuned = finetuning.fine_tune(
        before, checkpoint.task, dataset.training, recipe,
        calibration=calibration, report=report, stop=stop,
    )  # fmt: skip
    meter = ScoreMeter(held_out, calibration, task=task)
    effect = finetuning.effect_of(
        before,
        tuned.prepared,
        meter,
        lambda prepared: prepared.int8(calibration, task),
        task.objective,
    )
    parents = {
        "space": study.space.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "images": file_hash(study.images_file),
    }
    int8 = tuned.prepared.int8(calibration, task)
    files = finetuning.fine_tuned_files(
        tuned, effect, int8, record=checkpoint.record, parents=parents
    )
    return tuned, effect, files


def check_can_be_tuned(checkpoint: "Checkpoint", dataset: Dataset, held_out: ImageSet) -> None:
    """Raises `InvalidInput` as `fine_tune_subnet` says."""
    if checkpoint.supernet.foreign:
        raise InvalidInput(
            "Subnets of a supernet of your own cannot be fine-tuned here, where their layers are "
            "not known; fine-tune them by your own recipe."
        )
    if checkpoint.record.get("dataset") != dataset.name:
        raise InvalidInput(
            f"The supernet was trained on {checkpoint.record.get('dataset')}, not on "
            f"{dataset.name}; name its images with --data."
        )
    check_apart(dataset.training, held_out)
