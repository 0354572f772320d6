"""Judging selections by training alone: what they select, and other networks, from scratch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.handmade.record import RECIPE
from foxnas_core.evidence.judged import (
    BEST,
    CHOICES_OF_A_SEED,
    JUDGED,
    LARGEST,
    RANDOM,
    JudgedNetwork,
    JudgedRecord,
    check_continues,
)
from foxnas_core.families import family_of
from foxnas_core.progress import Progress, Report, Tally, not_told
from foxnas_core.search.selections import SELECTIONS, SupernetSelection
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.handmade import claimed
from foxnas_core.steps.judge_outside import chosen_outside, columns_of
from foxnas_core.steps.trust import images_of
from foxnas_core.study import Study, file_hash
from foxnas_core.table.metrics import STD_ERROR
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.domain_split import DOMAINS, OOD
from foxnas_core.tasks.task import Score

if TYPE_CHECKING:
    from foxnas_core.networks import Network
    from foxnas_core.supernet.checkpoint import Checkpoint
    from foxnas_core.training.recipe import Recipe


@dataclass(frozen=True)
class JudgingSettings:
    """`epochs` that every network is trained for, from scratch and else by the supernet's own
    recipe, and what selections are trained `beside`: `BEST`, `LARGEST`, `RANDOM`, or landmarks of
    the family."""

    epochs: int = 10
    beside: Sequence[str] = (BEST, LARGEST, RANDOM)


_MOST_CASES = 1000
"""Up to so many, what a network scores on each is kept."""


def judge(
    study: Study,
    settings: JudgingSettings,
    *,
    selected: Sequence[Study] = (),
    truth: Study | None = None,
    data: Path | None = None,
    report: Report = not_told,
) -> JudgedRecord:
    """Train what each seed's selections selected, and beside it other networks, that the study has
    no result of; returns all.

    Selections are the study's and those of `selected`, which it takes over; of a method that is
    used, a seed counts that has one. Those of other data, in a study of another space with the same
    decisions, are trained here too, and stay there. In a study of domains all networks are those of
    `judge_outside.chosen_outside`. A network that several ways choose is trained once a seed.
    `truth` is a study whose table says, of all the same architectures, how good they are: networks
    that are new are ranked by it. Killed, it goes on from the last saved steps. Raises
    `MissingPart` without weights, images, measurements or paired selections, and `InvalidInput`
    where the study's record is of others, or another process is at it.
    """
    in_domains = study.record(DOMAINS) is not None
    wanted = _wanted(study, settings.beside, _take_over(study, selected))
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()
    dataset = images_of(study, checkpoint, data)

    import torch

    from foxnas_core.evidence.trust.alone import recipe_of
    from foxnas_core.measurement.runner import device_name
    from foxnas_core.training.loop import steps_of

    torch.set_num_threads(1)
    recipe = replace(recipe_of(checkpoint), epochs=settings.epochs, alone=None)
    ranking = _Ranking(study, truth)
    objective = checkpoint.task.objective + (f":{OOD}" if in_domains else "")
    begun = JudgedRecord(
        parents=_parents(study),
        objective=objective,
        dataset=dataset.name,
        training_images=len(dataset.training),
        held_out_images=len(held_out),
        recipe={name: getattr(recipe, name) for name in RECIPE},
        device=device_name(),
        torch=torch.__version__,
        truth=ranking.name,
        cells=len(ranking.values),
    )
    with study.in_use(), claimed(study, "judged") as folder:
        record = study.record(JUDGED) or begun
        check_continues(record, begun)
        missing = {key: own for key, own in wanted.items() if not record.has(*key, own)}
        new = {(s, own) for (s, _), own in missing.items() if record.alike(s, own) is None}
        tally = Tally(len(new), steps_of(len(dataset.training), recipe), report, "networks")
        for (seed, choice), architecture in missing.items():
            if (same := record.alike(seed, architecture)) is not None:
                record = record.with_network(replace(same, choice=choice))
                study.save(JUDGED, record)
                continue

            def told(progress: Progress, key: str = f"{choice}-{seed}") -> None:
                tally.at(key, int(progress.done))

            state = folder / f"{architecture.id}-{settings.epochs}-{seed}.safetensors"
            own = replace(recipe, seed=seed)
            network, seconds = _trained(checkpoint, architecture, dataset, own, state, told)
            values, cases = _scored(checkpoint, network, architecture, calibration, held_out)
            told_of = columns_of(study, architecture, values, objective) if in_domains else {}
            written = family_of(study.space).write(study.space, architecture)
            score = Score(values[objective], values[f"{objective}{STD_ERROR}"])
            record = record.with_network(
                JudgedNetwork(
                    seed, choice, architecture, written, score, round(seconds, 1),
                    ranking.of(architecture), cases, told_of,
                )
            )  # fmt: skip
            study.save(JUDGED, record)
            state.unlink(missing_ok=True)
    return record


def _parents(study: Study) -> dict[str, str]:
    return {
        "space": study.space.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
    }


def _take_over(study: Study, selected: Sequence[Study]) -> dict[tuple[int, str], Mapping[str, Any]]:
    """Keep the selections of the study's own space with it; of those on other data, the choices by
    seed and by what they are called here."""
    known = {(own.method, own.seed, own.selected.id) for own in _selections(study)}
    elsewhere: dict[tuple[int, str], Mapping[str, Any]] = {}
    for other in selected:
        if other.space.decisions != study.space.decisions:
            raise InvalidInput(
                f"{other.folder} is of space {other.space.name!r} ({other.space.fingerprint}), "
                f"whose decisions are others than the study's ({study.space.fingerprint}); name "
                "studies of the same cells."
            )
        for found in reversed(_selections(other)):
            if other.space.fingerprint != study.space.fingerprint:
                called = f"{found.method} on {_data_of(other)}"
                elsewhere[found.seed, called] = found.selected.architecture.to_dict()
            elif (found.method, found.seed, found.selected.id) not in known:
                study.keep(SELECTIONS, found)
    return elsewhere


def _data_of(study: Study) -> str:
    """What the supernet that a study selects by was trained on."""
    return str(study.training_record().get("dataset") or study.name)


def _selections(study: Study) -> list[SupernetSelection]:
    """The newest first."""
    return [study.kept(SELECTIONS, name) for name in study.ids(SELECTIONS)]


def _wanted(
    study: Study, beside: Sequence[str], elsewhere: Mapping[tuple[int, str], Mapping[str, Any]]
) -> dict[tuple[int, str], Architecture]:
    """What is to be trained, by seed and choice; raises `MissingPart` where nothing is."""
    if study.record(DOMAINS) is not None:
        return chosen_outside(study, _selections(study))
    found = {key: study.space.architecture(choices) for key, choices in elsewhere.items()}
    for kept in reversed(_selections(study)):
        # Kept with its choices sorted by name.
        choices = kept.selected.architecture.to_dict()
        found[kept.seed, kept.method] = study.space.architecture(choices)
    ways = sorted({way for _, way in found}, key=_by_order)
    seeds = [s for s in sorted({s for s, _ in found}) if all((s, way) in found for way in ways)]
    if not seeds:
        raise MissingPart(
            f"{study.folder} has no seed by which {' and '.join(ways) or 'a supernet'} selected a "
            "network; run 'python -m foxnas_core select' with --method magnitude or perturbation "
            "and a --seed, or name the studies where that was done with --selected."
        )
    others = {way: _other(study, way) for way in beside if way != RANDOM}
    for seed in seeds:
        own = others | {RANDOM: study.space.sample(1, seed=seed)[0]}
        found |= {(seed, way): own[way] for way in beside}
    every = sorted([*ways, *beside], key=_by_order)
    return {(seed, way): found[seed, way] for seed in seeds for way in every}


def _by_order(way: str) -> int:
    """Where a way of choosing stands: those that every study has before others."""
    known = CHOICES_OF_A_SEED
    return known.index(way) if way in known else len(known)


def _other(study: Study, way: str) -> Architecture:
    """The network that is chosen so, whatever the seed."""
    family = family_of(study.space)
    if way == LARGEST:
        return family.reference(study.space)
    if way != BEST:
        known = family.landmarks(study.space)
        if way not in known:
            others = ", ".join(map(repr, dict.fromkeys([BEST, LARGEST, RANDOM, *known])))
            raise InvalidInput(f"{way!r:.80} is no network to train beside others; name {others}.")
        return known[way]
    best = best_measured(study)
    if best is None:
        raise MissingPart(
            f"{study.folder} has no measured {study.objective.word}, by which the best network "
            "would be taken; measure some with 'python -m foxnas_core measure', or say with "
            "--beside what else to train."
        )
    return best


def best_measured(study: Study) -> Architecture | None:
    """The measured network with the best objective; None where it was measured of none."""
    table, objective = study.table(), study.objective
    if not table.known(objective.column):
        return None
    values = table.frame[objective.column].to_numpy()
    place = np.nanargmax(values) if objective.direction == "max" else np.nanargmin(values)
    return table.rows(np.arange(len(values)) == place).architectures()[0]


class _Ranking:
    """How good architectures are by a table of all of them, which may be of another size."""

    def __init__(self, study: Study, truth: Study | None) -> None:
        self.name, self._sign = "", 1.0
        self.values: dict[tuple[Any, ...], float] = {}
        if truth is None:
            return
        objective, table = truth.objective, truth.table()
        if [*truth.space.by_name] != [*study.space.by_name] or len(table) < study.space.size:
            raise InvalidInput(
                f"{truth.folder} has {len(table):,} rows, and ranks are told by a table of all "
                f"{study.space.size:,} architectures of the study's decisions; name another."
            )
        self.name = f"{objective.word} in {truth.name}"
        self._sign = 1.0 if objective.direction == "max" else -1.0
        names = [*study.space.by_name]
        rows = table.frame[[*names, objective.column]].itertuples(index=False, name=None)
        self.values = {tuple(row[:-1]): float(row[-1]) for row in rows}

    def of(self, architecture: Architecture) -> int | None:
        if not self.values:
            return None
        own = self.values[tuple(architecture.to_dict().values())]
        return 1 + sum(self._sign * other > self._sign * own for other in self.values.values())


def _trained(
    checkpoint: "Checkpoint",
    architecture: Architecture,
    dataset: Dataset,
    recipe: "Recipe",
    state: Path,
    report: Report,
) -> "tuple[Network, float]":
    from foxnas_core.supernet.building import build_network
    from foxnas_core.training.networks import train_network

    space = checkpoint.supernet.space
    return train_network(
        lambda: build_network(space, architecture, seed=recipe.seed),
        architecture.id,
        checkpoint.task,
        dataset,
        recipe,
        state_file=state,
        report=report,
    )


def _scored(
    checkpoint: "Checkpoint",
    network: "Network",
    architecture: Architecture,
    calibration: ImageSet,
    held_out: ImageSet,
) -> tuple[dict[str, float], tuple[float, ...]]:
    """What it scores, by column, with norms re-estimated, as all that is measured, and of the
    objective on each case where they are few."""
    from foxnas_core.measurement.meter import Prepared
    from foxnas_core.measurement.score import ScoreMeter
    from foxnas_core.supernet.recalibration import recalibrate

    task = checkpoint.task
    recalibrate(network, task.batches(calibration.images, network.input_shape))
    each: list[float] = []

    def scored(_: Architecture, precision: str, cases: np.ndarray) -> None:
        if len(cases) <= _MOST_CASES:
            each.extend(np.round(cases.astype(float), 5).tolist())

    meter = ScoreMeter(held_out, task=task, scored=scored)
    [values] = meter.measure([Prepared(architecture, network)])
    return values, tuple(each)
