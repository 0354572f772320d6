"""FP-NAS from scratch beside annealing over the regression, under one budget.

    python -m benchmarks.fpnas [--study data/demo] [--budget .07] [--seeds 1] [--epochs 12]
        [--images 6000] [--alone 2] [--allow DECISION=CHOICES …]

Of each seed, FP-NAS selects with as many samples as it is uncertain, and with 16 at every step
(PARSEC); each way from the same weights. What they and the regression's annealer select is trained
alone by the supernet's own recipe for `--alone` epochs, and scored on the held-out images.

Passes are images that go through a subnet: of FP-NAS's half steps, both to learn weights and to
weigh subnets; of the regression, those of the supernet's training and of scoring what was measured.
Minutes are of one processor on this machine; the regression's are those that its study tells of.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.common import DEMO, copied
from foxnas_core.evidence.trust.alone import TrustBench, recipe_of, train_alone
from foxnas_core.evidence.trust.pairs import TrustSettings
from foxnas_core.methods import Question, method_of
from foxnas_core.methods.fpnas import Sampled
from foxnas_core.methods.posing import posed
from foxnas_core.options.kinds import pair
from foxnas_core.search.restriction import allowed_choices
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.trust import images_of
from foxnas_core.study import Study, open_study
from foxnas_core.training.updates.fpnas import FPNAS

BY_ENTROPY, FIXED, ANNEALING = "FP-NAS", "PARSEC, 16 a step", "annealing over the regression"
_SANDWICH = 3  # subnets a step of the supernet's training: largest, smallest and a random one


@dataclass(frozen=True)
class Selected:
    """What one way selected with one seed: `samples` are subnets drawn, `passes` in millions, and
    `inherited` is the score by the weights that it was selected by (NaN where there is none)."""

    way: str
    seed: int
    architecture: Architecture
    samples: int
    passes: float
    minutes: float
    inherited: float = float("nan")


def sampled(study: Study, question: Question, method: Sampled, seed: int) -> Selected:
    """FP-NAS, or PARSEC where its method says so."""
    begun = time.process_time()
    found = method.run(study, question, seed=seed)
    minutes = (time.process_time() - begun) / 60
    course = found.document["course"]
    samples, batch = course["samples"], FPNAS.usual["batch"]
    way = BY_ENTROPY if method.fixed_samples is None else FIXED
    passes = FPNAS.parts * samples * batch / 1e6
    inherited = course["modes"][-1]["value"]
    return Selected(way, seed, found.architecture, samples, passes, minutes, inherited)


def annealed(study: Study, question: Question, seed: int) -> Selected:
    """The regression's annealer, with all that its table took."""
    begun = time.process_time()
    found = method_of("regression").run(study, question, seed=seed)
    own = time.process_time() - begun
    record, rows, (_, held_out) = study.training_record(), study.table().frame, study.images()
    subnets = _SANDWICH * record["steps"]
    passes = (subnets * record["recipe"]["batch"] + len(rows) * len(held_out)) / 1e6
    seconds = own + record["seconds"] + float(rows["measuring_seconds"].sum())
    return Selected(ANNEALING, seed, found.architecture, len(rows), passes, seconds / 60)


def ways(study: Study, question: Question, method: Sampled, seeds: int) -> Iterator[Selected]:
    """Each way with each seed, in turn."""
    for seed in range(seeds):
        yield sampled(study, question, method, seed)
        yield sampled(study, question, replace(method, fixed_samples=16), seed)
        yield annealed(study, question, seed)


def alone(study: Study, architectures: Sequence[Architecture], epochs: int) -> dict[str, float]:
    """By id, what each reaches that is trained alone by the supernet's recipe, in percent."""
    checkpoint = study.load_checkpoint()
    dataset = images_of(study, checkpoint, None)
    bench, found = TrustBench.of(checkpoint, dataset, *study.images()), {}
    settings, seed = TrustSettings(epochs=epochs), recipe_of(checkpoint).seed
    for own in {one.id: one for one in architectures}.values():
        with TemporaryDirectory() as folder:
            state = Path(folder) / "state.safetensors"
            found[own.id] = train_alone(bench, own, settings, seed=seed, state=state).score.value
    return found


def table_of(
    study: Study, question: Question, selected: Sequence[Selected], scores: dict[str, float]
) -> pd.DataFrame:
    """One row a way and seed, with what the study predicts of the cost, and the score alone."""
    [cost] = question.limits
    [predictor] = [one.predictor for one in posed(study, question).problem.limits]
    costs = predictor.predict([one.architecture for one in selected])["value"]
    rows = [vars(one) | {"architecture": one.architecture.id} for one in selected]
    frame = pd.DataFrame(rows)
    return frame.assign(
        **{f"predicted {cost}": costs.to_numpy(), "alone": frame["architecture"].map(scores)}
    )


def main(arguments: Sequence[str] | None = None) -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=DEMO)
    parser.add_argument("--budget", type=float, default=0.07)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=Sampled.epochs)
    parser.add_argument("--images", type=int, default=Sampled.images)
    parser.add_argument("--alone", type=int, default=2)
    parser.add_argument("--allow", action="append", default=[])
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with copied(asked.study) as folder:
        study = open_study(folder / "studies" / "demo")
        question = Question(
            study.objective.column,
            {study.cost.column: asked.budget},
            allowed_choices(
                study.space, [pair(one, "DECISION=CHOICES") for one in asked.allow], []
            ),
        )
        method = Sampled(epochs=asked.epochs, images=asked.images)
        selected = []
        for one in ways(study, question, method, asked.seeds):
            selected.append(one)
            print(one, flush=True)
        scores = alone(study, [one.architecture for one in selected], asked.alone)
        print(table_of(study, question, selected, scores).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
