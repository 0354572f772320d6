"""Training a study's sampled subnets alone, in one process or several, each pair kept when done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.pairs import (
    TRUST,
    TrustPair,
    TrustRecord,
    TrustSettings,
    check_continues,
    spread_sample,
)
from foxnas_core.progress import Report, Tally, not_told
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fine_tune import training_images
from foxnas_core.study import Study, file_hash, open_study
from foxnas_core.study.locks import claim, writing
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.workers import Tell, Workers

if TYPE_CHECKING:
    from foxnas_core.supernet.checkpoint import Checkpoint


def measure_trust(
    study: Study,
    settings: TrustSettings,
    *,
    count: int,
    seed: int,
    data: Path | None = None,
    workers: int = 1,
    report: Report = not_told,
) -> TrustRecord:
    """Train those of the seed's first `count` subnets that the study has no pair of; returns all.

    Each of `workers` processes takes subnets that no other has, also of another call, so a run may
    be begun twice; killed, it goes on from the last saved steps. Where nothing is to be trained,
    neither weights nor images are asked for. Raises `MissingPart` without them, and `InvalidInput`
    where the study's pairs are of another checkpoint, other epochs or other images.
    """
    sample, stored = spread_sample(study.space, count, seed=seed), study.record(TRUST)
    if stored is not None:
        own = _parents(study) if study.checkpoint_file.exists() else stored.parents
        check_continues(stored, replace(stored, parents=own, settings=settings))
        if all(a.id in stored.ids for a in sample):
            return stored
    checkpoint = study.load_checkpoint()
    study.images()
    dataset = images_of(study, checkpoint, data)

    from foxnas_core.evidence.trust.alone import steps_of

    begun = _begun(study, dataset, settings)
    record = stored or begun
    check_continues(record, begun)
    missing = [a for a in sample if a.id not in record.ids]
    each = steps_of(checkpoint, dataset, settings)
    tally = Tally(len(missing), each, report, "subnets")
    with study.in_use():
        if workers == 1:
            trainer = _Trainer(study, dataset, settings, seed, lambda told: tally.at(*told))
            for architecture in missing:
                trainer.train(architecture)
        else:
            make = partial(_in_process, study.folder, settings, seed, data)
            processes = Workers[Architecture, None](make, count=min(workers, len(missing)))
            for _ in processes.done(missing, heard=lambda told: tally.at(*told)):
                pass
    return study.record(TRUST) or begun


def images_of(study: Study, checkpoint: "Checkpoint", data: Path | None) -> Dataset:
    """The images that the supernet was trained on."""
    dataset = training_images(study, data)
    name, images = checkpoint.record.get("dataset"), checkpoint.record.get("images")
    if (name, images) != (dataset.name, len(dataset.training)):
        raise InvalidInput(
            f"The supernet of {study.folder} was trained on {images} images of {name}, but these "
            f"are {len(dataset.training)} of {dataset.name}; name its own with --data."
        )
    return dataset


def _begun(study: Study, dataset: Dataset, settings: TrustSettings) -> TrustRecord:
    return TrustRecord(_parents(study), dataset.name, len(dataset.training), settings)


def _parents(study: Study) -> dict[str, str]:
    return {"space": study.space.fingerprint, "checkpoint": file_hash(study.checkpoint_file)}


class _Trainer:
    """Trains subnets that nobody else trains, one after the other; `tell` is told each one's id and
    the steps that it has done."""

    def __init__(
        self,
        study: Study,
        dataset: Dataset,
        settings: TrustSettings,
        seed: int,
        tell: Callable[[tuple[str, int]], None],
    ) -> None:
        import torch

        from foxnas_core.evidence.trust.alone import TrustBench

        torch.set_num_threads(1)
        self._study, self._settings, self._seed, self._tell = study, settings, seed, tell
        self._bench = TrustBench.of(study.load_checkpoint(), dataset, *study.images())
        self._begun = _begun(study, dataset, settings)

    def train(self, architecture: Architecture) -> None:
        from foxnas_core.evidence.trust.alone import forget_state, train_pair

        study, settings, seed, named = self._study, self._settings, self._seed, architecture.id
        epochs = f"{settings.epochs}-{settings.fine_tune_epochs}-{settings.fine_tune_rate:g}"
        with claim_trust(study, named) as folder:
            if folder is None or named in (study.record(TRUST) or self._begun).ids:
                return
            state = folder.with_name(f"{named}-{self._begun.parents['checkpoint']}-{epochs}-{seed}")
            pair = train_pair(
                self._bench, architecture, settings, seed=seed, state=state,
                report=lambda steps: self._tell((named, steps)),
            )  # fmt: skip
            add_pair(study, self._begun, pair)
            forget_state(state)


def _in_process(
    folder: Path, settings: TrustSettings, seed: int, data: Path | None, tell: Tell
) -> Callable[[Architecture], None]:
    """What trains in one process of several."""
    study = open_study(folder)
    dataset = images_of(study, study.load_checkpoint(), data)
    return _Trainer(study, dataset, settings, seed, tell).train


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
