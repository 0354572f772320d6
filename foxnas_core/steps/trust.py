"""Training a study's sampled subnets alone, in one process or several, each pair kept when done."""

import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.evidence.trust.pairs import (
    TRUST,
    TrustPair,
    TrustRecord,
    TrustSettings,
    check_continues,
    spread_sample,
)
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.plugins import load_plugins
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.tally import Report, Tally
from foxnas_core.study import Study, file_hash, open_study
from foxnas_core.study.locks import claim, writing
from foxnas_core.tasks.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    from foxnas_core.supernet.checkpoint import Checkpoint

Told = tuple[str, int]  # a subnet's id and the steps that it has done


def measure_trust(
    study: Study,
    settings: TrustSettings,
    *,
    count: int,
    seed: int,
    data: Path | None = None,
    workers: int = 1,
    report: Report = lambda progress: None,
) -> TrustRecord:
    """Train those of the seed's first `count` subnets that the study has no pair of; returns all.

    Each of `workers` processes takes subnets that no other has, also of another call, so a run may
    be begun twice; killed, it goes on from the last saved steps. Raises `MissingPart` without
    weights or images, and `InvalidInput` where the study's pairs are of another checkpoint, other
    epochs or other images.
    """
    checkpoint = study.load_checkpoint()
    study.images()
    dataset = images_of(study, checkpoint, data)

    from foxnas_core.evidence.trust.alone import steps_of

    begun = _begun(study, dataset, settings)
    record = study.record(TRUST) or begun
    check_continues(record, begun)
    missing = [a for a in spread_sample(study.space, count, seed=seed) if a.id not in record.ids]
    if not missing:
        return record
    each = steps_of(checkpoint, dataset, settings)
    tally = Tally([a.id for a in missing], each, "subnets", report)
    with study.in_use():
        if workers == 1:
            _train(study, dataset, settings, missing, seed, begun, tally.add)
        else:
            _in_processes(study, settings, count, seed, data, min(workers, len(missing)), tally)
    return study.record(TRUST) or begun


def images_of(study: Study, checkpoint: "Checkpoint", data: Path | None) -> Dataset:
    """The images that the supernet was trained on."""
    mbconv = settings_of(study.space)
    dataset = load_dataset(data, side=mbconv.resolutions[-1], channels=mbconv.input_channels)
    name, images = checkpoint.record.get("dataset"), checkpoint.record.get("images")
    if (name, images) != (dataset.name, len(dataset.training)):
        raise InvalidInput(
            f"The supernet of {study.folder} was trained on {images} images of {name}, but these "
            f"are {len(dataset.training)} of {dataset.name}; name its own with --data."
        )
    return dataset


def _begun(study: Study, dataset: Dataset, settings: TrustSettings) -> TrustRecord:
    parents = {"space": study.space.fingerprint, "checkpoint": file_hash(study.checkpoint_file)}
    return TrustRecord(parents, dataset.name, len(dataset.training), settings)


def _train(
    study: Study,
    dataset: Dataset,
    settings: TrustSettings,
    missing: list[Architecture],
    seed: int,
    begun: TrustRecord,
    report: Callable[[str, int], None],
) -> None:
    """Train what nobody else trains, one subnet after the other."""
    import torch

    from foxnas_core.evidence.trust.alone import TrustBench, forget_state, train_pair

    torch.set_num_threads(1)
    bench = TrustBench.of(study.load_checkpoint(), dataset, *study.images())
    epochs = f"{settings.epochs}-{settings.fine_tune_epochs}-{settings.fine_tune_rate:g}"
    for architecture in missing:
        with claim_trust(study, architecture.id) as folder:
            if folder is None or architecture.id in (study.record(TRUST) or begun).ids:
                continue
            state = folder.with_name(
                f"{architecture.id}-{begun.parents['checkpoint']}-{epochs}-{seed}"
            )

            def told(steps: int, architecture_id: str = architecture.id) -> None:
                report(architecture_id, steps)

            pair = train_pair(bench, architecture, settings, seed=seed, state=state, report=told)
            add_pair(study, begun, pair)
            forget_state(state)


def add_pair(study: Study, begun: TrustRecord, pair: TrustPair) -> TrustRecord:
    """Keep a pair beside those there are; returns them all. Safe against other processes.

    Raises `InvalidInput` where those there are differ from `begun` in more than pairs.
    """

    def with_pair(kept: TrustRecord | None) -> TrustRecord:
        record = kept or begun
        check_continues(record, begun)
        return record.with_pair(pair)

    return study.change(TRUST, with_pair) or begun


@contextmanager
def claim_trust(study: Study, architecture_id: str) -> Iterator[Path | None]:
    """Where the training of one subnet keeps its state, for as long as this process has it; None
    where another one does. A process that ends, however it ends, gives it back."""
    folder = study.folder / "trust"
    with writing(folder):
        folder.mkdir(exist_ok=True)
    marker = folder / f"{architecture_id}.lock"
    with claim(marker) as ours:
        if not ours:
            yield None
            return
        yield folder / architecture_id
        record = study.record(TRUST)
        if record and architecture_id in record.ids:
            # Removed while it is held: who waited for it finds the pair done.
            marker.unlink(missing_ok=True)


def _in_processes(
    study: Study,
    settings: TrustSettings,
    count: int,
    seed: int,
    data: Path | None,
    workers: int,
    tally: Tally,
) -> None:
    context = get_context("spawn")
    told: Queue[Told | str] = context.Queue()
    arguments = (study.folder, settings, count, seed, data, told)
    processes = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    failed = ""
    while any(p.is_alive() for p in processes) or not told.empty():
        try:
            said = told.get(timeout=0.5)
        except queue.Empty:
            continue
        if isinstance(said, str):
            failed = said
        else:
            tally.add(*said)
    if failed or any(p.exitcode for p in processes):
        raise InvalidInput(
            failed or "A worker ended early; start again, and the others' subnets are kept."
        )


def _work(
    folder: Path,
    settings: TrustSettings,
    count: int,
    seed: int,
    data: Path | None,
    told: "Queue[Told | str]",
) -> None:
    """One process of several; ends when the one that started it does."""
    parent = os.getppid()

    def report(architecture_id: str, steps: int) -> None:
        if os.getppid() != parent:
            os._exit(1)
        told.put((architecture_id, steps))

    try:
        load_plugins()
        study = open_study(folder)
        dataset = images_of(study, study.load_checkpoint(), data)
        begun = _begun(study, dataset, settings)
        done = (study.record(TRUST) or begun).ids
        sample = spread_sample(study.space, count, seed=seed)
        missing = [a for a in sample if a.id not in done]
        _train(study, dataset, settings, missing, seed, begun, report)
    except FoxnasError as error:
        told.put(str(error))
    except KeyboardInterrupt:
        pass  # the process that started this one says so
