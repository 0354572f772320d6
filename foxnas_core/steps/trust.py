"""Training a study's sampled subnets alone, in one process or several, each pair kept when done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.record import RECIPE
from foxnas_core.evidence.trust.alone_networks import (
    ALONE,
    AloneNetwork,
    AloneRecord,
    check_alike,
)
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
    from foxnas_core.training.recipe import Recipe

_Subnet = tuple[Architecture, tuple[int, ...]]  # and the seeds it is trained from scratch by
_Told = tuple[str, float]


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

    What was trained from scratch is kept whatever becomes of the supernet (`ALONE`). Each of
    `workers` processes takes subnets that no other has, also of another call, so a run may be
    begun twice; killed, it goes on from the last saved steps. Where nothing is to be trained,
    neither weights nor images are asked for. Raises `MissingPart` without them, and
    `InvalidInput` where the study's pairs, or networks trained alone, are of another
    checkpoint, other epochs or other images.
    """
    sample, stored = spread_sample(study.space, count, seed=seed), study.record(TRUST)
    wanted = {own: settings.seeds(place, seed) for place, own in enumerate(sample)}
    if stored is not None:
        own = _parents(study) if study.checkpoint_file.exists() else stored.parents
        check_continues(stored, replace(stored, parents=own, settings=settings))
        if all(stored.holds(own, len(seeds)) for own, seeds in wanted.items()):
            return stored
    checkpoint = study.load_checkpoint()
    study.images()
    dataset = images_of(study, checkpoint, data)

    from foxnas_core.evidence.trust.alone import steps_of

    begun = _begun(study, dataset, settings)
    record = stored or begun
    check_continues(record, begun)
    missing = [(a, seeds) for a, seeds in wanted.items() if not record.holds(a, len(seeds))]
    each = max((steps_of(checkpoint, dataset, settings, len(seeds)) for _, seeds in missing))
    tally = Tally(len(missing), each, report, "subnets")

    def told(said: _Told) -> None:
        tally.at(said[0], round(each * said[1]))

    with study.in_use():
        if workers == 1:
            trainer = _Trainer(study, dataset, settings, told)
            for subnet in missing:
                trainer.train(subnet)
        else:
            make = partial(_in_process, study.folder, settings, data)
            processes = Workers[_Subnet, None](make, count=min(workers, len(missing)))
            for _ in processes.done(missing, heard=told):
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


def _begun_alone(study: Study, dataset: Dataset, recipe: "Recipe") -> AloneRecord:
    own = {name: getattr(recipe, name) for name in RECIPE}
    return AloneRecord({"space": study.space.fingerprint}, dataset.name, len(dataset.training), own)


def _parents(study: Study) -> dict[str, str]:
    return {"space": study.space.fingerprint, "checkpoint": file_hash(study.checkpoint_file)}


class _Trainer:
    """Trains subnets that nobody else trains, one after the other; `tell` is told each one's id and
    the share of its steps that is done."""

    def __init__(
        self,
        study: Study,
        dataset: Dataset,
        settings: TrustSettings,
        tell: Callable[[_Told], None],
    ) -> None:
        import torch

        from foxnas_core.evidence.trust.alone import TrustBench, recipe_of

        torch.set_num_threads(1)
        self._study, self._settings, self._tell = study, settings, tell
        self._bench = TrustBench.of(study.load_checkpoint(), dataset, *study.images())
        self._begun = _begun(study, dataset, settings)
        recipe = replace(recipe_of(self._bench.checkpoint), epochs=settings.epochs)
        self._begun_alone = _begun_alone(study, dataset, recipe)
        check_alike(study.record(ALONE) or self._begun_alone, self._begun_alone)

    def train(self, subnet: _Subnet) -> None:
        from foxnas_core.evidence.trust.alone import steps_of, train_pair

        architecture, seeds = subnet
        settings, bench, named = self._settings, self._bench, architecture.id
        steps = steps_of(bench.checkpoint, bench.dataset, settings, len(seeds))
        each = steps_of(bench.checkpoint, bench.dataset, replace(settings, fine_tune_epochs=0))

        def told(before: int, done: int) -> None:
            self._tell((named, (before + done) / steps))

        with claim_trust(self._study, named) as folder:
            record = self._study.record(TRUST) or self._begun
            if folder is None or record.holds(architecture, len(seeds)):
                return
            alone = [
                self._alone(architecture, seed, folder, partial(told, each * place))
                for place, seed in enumerate(seeds)
            ]
            tuning = f"{settings.fine_tune_epochs}-{settings.fine_tune_rate:g}-{seeds[0]}"
            checkpoint = self._begun.parents["checkpoint"]
            state = folder.with_name(f"{named}-{checkpoint}-{tuning}.safetensors")
            before = each * len(seeds)
            pair = train_pair(bench, settings, alone, state=state, report=partial(told, before))
            add_pair(self._study, self._begun, pair)
            state.unlink(missing_ok=True)

    def _alone(
        self,
        architecture: Architecture,
        seed: int,
        folder: Path,
        report: Callable[[int], None],
    ) -> AloneNetwork:
        """One that was trained from scratch, now or before."""
        from foxnas_core.evidence.trust.alone import train_alone

        begun = self._begun_alone
        record = self._study.record(ALONE) or begun
        if (known := record.of(architecture, seed)) is not None:
            return known
        state = folder.with_name(
            f"{architecture.id}-alone-{self._settings.epochs}-{seed}.safetensors"
        )
        network = train_alone(
            self._bench, architecture, self._settings, seed=seed, state=state, report=report
        )

        def with_network(kept: AloneRecord | None) -> AloneRecord:
            check_alike(kept or begun, begun)
            return (kept or begun).with_network(network)

        self._study.change(ALONE, with_network)
        state.unlink(missing_ok=True)
        return network


def _in_process(
    folder: Path, settings: TrustSettings, data: Path | None, tell: Tell
) -> Callable[[_Subnet], None]:
    """What trains in one process of several."""
    study = open_study(folder)
    dataset = images_of(study, study.load_checkpoint(), data)
    return _Trainer(study, dataset, settings, tell).train


def add_pair(study: Study, begun: TrustRecord, pair: TrustPair) -> TrustRecord:
    """Keep a pair beside those there are; returns them all. Safe against other processes.

    Raises `InvalidInput` where those there are differ from `begun` in more than pairs.
    """

    def with_pair(kept: TrustRecord | None) -> TrustRecord:
        record = kept or begun
        check_continues(record, begun)
        return record.repeating(begun.settings.repeated).with_pair(pair)

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
