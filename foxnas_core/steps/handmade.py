"""Networks designed by hand and searched ones, trained alone and measured beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.handmade.record import (
    ALONE,
    HANDMADE,
    INHERITED,
    RECIPE,
    Contender,
    HandmadeRecord,
    check_continues,
)
from foxnas_core.progress import Report, Tally, not_told
from foxnas_core.search.rounds.planning import spread_budgets
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import PRECISIONS
from foxnas_core.steps.search import cost_front
from foxnas_core.steps.trust import images_of
from foxnas_core.study import Study, file_hash
from foxnas_core.study.locks import claim, writing

if TYPE_CHECKING:
    from foxnas_core.evidence.handmade.bench import HandmadeBench
    from foxnas_core.training.recipe import Recipe


@dataclass(frozen=True)
class ComparisonSettings:
    """`epochs` of every network, `widths` of each design as shares of the published one, and how
    many `searched` subnets to take of each latency's front when the record is begun."""

    epochs: int = 10
    widths: Sequence[float] = (0.1, 0.15, 0.2)
    searched: int = 6


def complete(study: Study, asked: Mapping[str, Any], *, seed: int) -> HandmadeRecord | None:
    """The study's record where nothing is left to train by `seed` or to time, and none of the
    settings that were `asked` for, by name, is another than its own; neither weights nor images
    are needed for that."""
    record = study.record(HANDMADE)
    if record is None or not record.timed or set(asked) - {"epochs"}:
        return None
    if asked.get("epochs", record.recipe["epochs"]) != record.recipe["epochs"]:
        return None
    file = study.checkpoint_file
    if file.exists() and file_hash(file) != record.parents["checkpoint"]:
        return None
    trained = not any(c.lacks(ALONE, seed) for c in record.contenders)
    inherited = all(c.of(INHERITED) for c in record.contenders if c.searched)
    return record if trained and inherited else None


def compare_handmade(
    study: Study,
    settings: ComparisonSettings,
    *,
    seed: int,
    data: Path | None = None,
    report: Report = not_told,
) -> HandmadeRecord:
    """Train by `seed` every network that the study's record lacks one of, then time all at once.

    The record is begun with every design at the settings' widths and with subnets of each latency's
    exact front; later calls keep to those and add results of further seeds. Each result is kept as
    it is done; killed, a training goes on from its last saved steps. Latencies are measured once,
    when all are trained. Raises `MissingPart` without weights, images or measurements, and
    `InvalidInput` where the study's record is of another checkpoint, recipe, images or widths, or
    another process is at it.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()
    dataset = images_of(study, checkpoint, data)

    import torch

    from foxnas_core.evidence.handmade.bench import HandmadeBench
    from foxnas_core.evidence.trust.alone import recipe_of
    from foxnas_core.training.loop import steps_of

    torch.set_num_threads(1)
    own = recipe_of(checkpoint)
    recipe = replace(own, epochs=settings.epochs, seed=seed)
    bench = HandmadeBench(checkpoint, dataset, calibration, held_out)
    with study.in_use(), claimed(study, "handmade") as folder:
        record = study.record(HANDMADE)
        begun = _begun(study, bench, recipe, settings.widths)
        checkpoint_hash = begun.parents["checkpoint"]
        if record is None:
            found = bench.searched(searched_subnets(study, settings.searched))
            record = replace(begun, contenders=(*begun.contenders, *found))
            study.save(HANDMADE, record)
        check_continues(record, begun)
        for contender in record.contenders:
            if contender.searched and not contender.of(INHERITED):
                record = record.with_result(contender.name, bench.inherited(contender))
                study.save(HANDMADE, record)
        missing = [c for c in _in_turn(record.contenders) if c.lacks(ALONE, seed)]
        tally = Tally(len(missing), steps_of(len(dataset.training), recipe), report, "networks")
        for contender in missing:
            state = folder / f"{contender.name}-{checkpoint_hash}-{settings.epochs}-{seed}.state"
            weights = _weights_file(folder, contender, seed)
            told = partial(tally.at, contender.name)
            result = bench.train(contender, recipe, state=state, weights=weights, report=told)
            record = record.with_result(contender.name, result)
            study.save(HANDMADE, record)
            state.unlink(missing_ok=True)
        if not record.timed:
            latencies, circumstances = bench.timed(_weights(folder, record), seed=seed)
            record = record.with_latencies(latencies, circumstances)
            study.save(HANDMADE, record)
        for path in folder.glob("*.safetensors"):
            path.unlink()
    return record


def searched_subnets(study: Study, count: int) -> dict[Architecture, str]:
    """Subnets of the exact front of each precision's latency that the study has, `count` of each,
    spread over its range, with how each was chosen.

    They are the best in the study's objective, in int8 too where every row has it. One that both
    fronts hold is there once. Raises as `fit_all`, and `MissingPart` where there are
    not two different ones.
    """
    table, objective = study.table(), study.objective
    found: dict[Architecture, str] = {}
    for latency in PRECISIONS.values():
        if latency not in table.frame or not table.frame[latency].notna().any():
            continue
        column = f"{objective.head}:int8" if latency.endswith(":int8") else objective.column
        if column not in table.frame or table.frame[column].isna().any():
            column = objective.column
        fitted = fit_all(table, targets=(column, latency), kept=kept_fits(study))
        front = cost_front(*fitted.values())
        for budget in spread_budgets(front, count, None):
            best = front.within(budget)
            chosen = f"best predicted {column} within {best.costs[0]:.4g} ms of {latency}"
            before = found.get(best.architecture)
            found[best.architecture] = f"{before}; {chosen}" if before else chosen
    if not found:
        raise MissingPart(
            f"Study {study.name!r} has no measured latency_ms, which searched subnets are chosen "
            "by; measure some with 'python -m foxnas_core measure'."
        )
    if len(found) < 2:  # before anything is trained, which takes hours
        raise MissingPart(
            f"The fronts of study {study.name!r} hold one subnet at all budgets asked for, and a "
            f"comparison needs two different ones; ask for more than {count} budgets with "
            "--searched, or measure more subnets with 'python -m foxnas_core measure'."
        )
    return found


@contextmanager
def claimed(study: Study, name: str) -> Iterator[Path]:
    """The study's folder `name`, which trainings keep their state in, for as long as this process
    has it; raises `InvalidInput` where another one does."""
    folder = study.folder / name
    with writing(folder):
        folder.mkdir(exist_ok=True)
    with claim(folder / ".lock") as ours:
        if not ours:
            raise InvalidInput(
                f"Another process trains the networks of {study.folder} already; wait until it "
                "ends."
            )
        yield folder


def _begun(
    study: Study, bench: "HandmadeBench", recipe: "Recipe", widths: Sequence[float]
) -> HandmadeRecord:
    return HandmadeRecord(
        parents={
            "space": study.space.fingerprint,
            "checkpoint": file_hash(study.checkpoint_file),
            "measurements": study.table().fingerprint,
        },
        dataset=bench.dataset.name,
        training_images=len(bench.dataset.training),
        held_out_images=len(bench.held_out),
        recipe={name: getattr(recipe, name) for name in RECIPE},
        contenders=tuple(bench.handmade(widths)),
        circumstances={},
    )


def _weights_file(folder: Path, contender: Contender, seed: int) -> Path:
    return folder / f"{contender.name}-{seed}.safetensors"


def _weights(folder: Path, record: HandmadeRecord) -> dict[str, tuple[Contender, Path]]:
    """Each network and trained weights of it; raises `MissingPart` where they are gone."""
    found = {}
    for contender in record.contenders:
        paths = [_weights_file(folder, contender, r.seed) for r in contender.of(ALONE)]
        kept = [path for path in paths if path.exists()]
        if not kept:
            raise MissingPart(
                f"The trained weights of {contender.name} are gone from {folder} before its "
                "latency was measured; move handmade.json away to begin anew, or train by another "
                "--seed."
            )
        found[contender.name] = (contender, kept[0])
    return found


def _in_turn(contenders: Sequence[Contender]) -> list[Contender]:
    """One of each family after the other, so that a run under way has some of each."""
    families: dict[str, list[Contender]] = {}
    for contender in contenders:
        families.setdefault(contender.family, []).append(contender)
    longest = max(len(own) for own in families.values())
    return [own[i] for i in range(longest) for own in families.values() if i < len(own)]
