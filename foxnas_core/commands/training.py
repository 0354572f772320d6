"""The commands that train: a supernet, and a chosen subnet on."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnas_core.commands.shared import (
    bar,
    given,
    named_architecture,
    say,
    space_to_train,
    stoppable,
)
from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.methods.on_supernet import mixed
from foxnas_core.steps.fine_tune import fine_tune_subnet, training_images
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.parts import MIXTURE
from foxnas_core.tasks import task_named
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.domain_split import DOMAINS
from foxnas_core.tasks.task import Task, read_settings

if TYPE_CHECKING:
    from foxnas_core.training.recipe import Recipe
    from foxnas_core.training.update import Update


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train a supernet on a study's space and store its weights and images with the study."""
    space = space_to_train(options.study, options.space)  # before what takes seconds to import
    import torch
    from torch import distributed

    from foxnas_core.supernet.adapter import supernet_of
    from foxnas_core.supernet.checkpoint import save_checkpoint
    from foxnas_core.training.distributed import is_first
    from foxnas_core.training.recipe import Recipe
    from foxnas_core.training.supernets import check_trainable, score_of
    from foxnas_core.training.supernets import train as run
    from foxnas_core.training.updates import update_named

    torch.set_num_threads(options.threads)
    family, supernet = family_of(space), supernet_of(space)
    kind = task_named(options.task or family.task)
    shape = supernet.input_shape(family.reference(space))
    dataset = _loaded(kind, options, shape)
    if options.images:
        first = dataset.training.take(slice(0, options.images))
        dataset = replace(dataset, training=first)
    task = kind.of(dataset)
    update = update_named(options.update)
    recipe = Recipe(**{**update.usual, **given(options, Recipe)})
    if options.teacher:
        dataset, recipe = _taught(dataset, recipe, task, update, options.teacher)
    # Before there is a study, which would else be left behind.
    check_trainable(supernet, task, dataset, recipe, options.update)
    if is_first() and not (options.study / "space.json").exists():
        create_study(options.study, space, name=options.study.resolve().name)
    study = Study(options.study, options.study.name, "", space)
    marked = study.in_use() if is_first() else nullcontext()
    with marked, bar("step", shown=is_first()) as report:
        trained = run(
            study.space,
            task,
            dataset,
            recipe,
            update=options.update,
            state_file=study.training_state_file,
            resume=options.resume,
            report=report,
        )
    if not is_first():
        return {}
    objective, final = task.objective, {}
    for which, architecture in family.landmarks(study.space).items():
        scores = score_of(trained.supernet, architecture, task, dataset)
        final[which] = scores[objective].value
    record = trained.record | {objective: final}
    # Subnets that were measured keep the weights that they inherit.
    own = study.training_record()
    beside = bool(own) and mixed(record) and not mixed(own)
    file = study.folder / MIXTURE if beside else study.checkpoint_file
    with study.writing():
        save_checkpoint(file, trained.supernet, record)
    kept = None if task.keeps_training else task.kept
    study.save_images(dataset.training.take(slice(0, kept)), dataset.held_out)
    if dataset.split:
        study.save(DOMAINS, dataset.split)
    study.training_state_file.unlink(missing_ok=True)
    if distributed.is_initialized():
        distributed.destroy_process_group()
    say(f"Saved {file}.")
    said, told = update.told(trained.record.get("epochs", []))
    if said:
        say(said)
    steps = trained.record["steps"]
    return {"study": str(study.folder), "steps": steps, objective: final, **told}


def _taught(
    dataset: Dataset, recipe: "Recipe", task: Task, update: "type[Update]", teacher: Path
) -> "tuple[Dataset, Recipe]":
    """The dataset and the recipe with a teacher; raises `InvalidInput` as `taught_by`, or where
    the update imitates nobody."""
    from foxnas_core.training.supernets import weights_fingerprint
    from foxnas_core.training.teaching import taught_by

    if not update.imitates:
        raise InvalidInput(f"The update {update.name!r} imitates no teacher; leave --teacher out.")
    supernet = open_study(teacher).load_checkpoint().supernet
    return (
        taught_by(supernet, task, dataset),
        replace(recipe, taught_by=weights_fingerprint(supernet)),
    )


def _loaded(kind: type[Task], options: argparse.Namespace, shape: Sequence[int]) -> Dataset:
    """The cases to train on; raises `InvalidInput` where domains are named of a task that has
    none, and as `read_settings` and `Task.load`."""
    settings = read_settings(kind, options.task_setting)
    if not options.domain:
        return kind.load(options.data, shape, **settings)

    from foxnas_core.tasks.domains import Domains

    if not issubclass(kind, Domains):
        raise InvalidInput(
            f"The task {kind.name!r} knows no domains; leave --domain out, or take --task domains."
        )
    return kind.load(options.data, shape, roles=dict(options.domain), **settings)


def fine_tune(options: argparse.Namespace) -> dict[str, Any]:
    """Fine-tune one architecture's subnet, and write it to a new folder."""
    from foxnas_core.export.written import check_new, write_export
    from foxnas_core.quantization.finetuning import FineTuning

    study = open_study(options.study)
    architecture = named_architecture(study, options.architecture)
    check_new(options.out)
    dataset = training_images(study, options.data)
    with stoppable() as stop, bar("step") as report:
        tuned, effect, files = fine_tune_subnet(
            study,
            architecture,
            dataset,
            FineTuning(**given(options, FineTuning)),
            report=report,
            stop=stop.is_set,
        )
    write_export(files, options.out)
    if tuned.steps < tuned.planned:
        say(f"Stopped after {tuned.steps} of {tuned.planned} steps; what was learnt is kept.")
    say(effect.sentence())
    return {
        "id": architecture.id,
        "out": str(options.out),
        "files": sorted(files.files),
        "steps": tuned.steps,
        "planned_steps": tuned.planned,
        **asdict(effect),
    }
