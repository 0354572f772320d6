"""How much of a budget FP-NAS spends, by the tolerance of its cost term.

    python -m benchmarks.cost_term [--study data/demo] [--budget .07] [--seeds 3] [--noise .03]
        [--steps 552]

In place of a supernet that trains, the losses are those that the study's regression predicts, with
noise (one standard deviation, in nats) on each evaluation, which leaves nothing to blame but the
term. Steps, and the shares of them for warm-up and switch, are those of `select --method fpnas`.
One row a tolerance: what the regressions predict of each seed's mode. The numbers are of the seeds
alone, not of the machine.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foxnas_core.methods import Question
from foxnas_core.methods.posing import posed
from foxnas_core.sampling.adaptive import AdaptiveSampler, SamplingSettings
from foxnas_core.sampling.distribution import Distribution, finest
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import open_study

STEPS, WARMUP, SWITCH = 552, 1 / 4, 1 / 2
LOG, TOLERANCES = 1e-9, (1e-9, 0.05, 0.2, 1.0)


def mode_of(
    problem: SearchProblem, tolerance: float, noise: float, seed: int, steps: int
) -> Architecture:
    """What is most probable at the end, of a problem whose objective is a loss."""
    goal, evaluate = SearchGoal.of(problem), evaluation_of(problem)
    space = goal.space
    settings = SamplingSettings(
        switch=round(SWITCH * steps),
        joint=finest(space),
        warmup=round(WARMUP * steps),
        hottest=True,
        tolerance=tolerance,
    )
    sampler = AdaptiveSampler(Distribution.uniform(space), settings, seed)
    rng = np.random.default_rng([seed, 7])
    for _ in range(steps):
        own, places = np.unique(sampler.draw(), axis=0, return_inverse=True)
        losses, costs = evaluate(space.decode(own))
        found, over = -losses + rng.normal(0, noise, len(own)), goal.excess(costs)
        places = places.reshape(-1)
        sampler.learn(own[places], found[places], over[places])
    return sampler.distribution.mode()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("data/demo"))
    parser.add_argument("--budget", type=float, default=0.07)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--noise", type=float, default=0.03)
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args(arguments)
    study = open_study(asked.study)
    limits = {study.cost.column: asked.budget}
    losses, scores = (
        posed(study, Question(column, limits)).problem
        for column in ("cross_entropy", study.objective.column)
    )
    evaluate = evaluation_of(scores)
    print(f"searched under {scores.limits[0].bound:.4f}")
    for tolerance in TOLERANCES:
        modes = [
            mode_of(losses, tolerance, asked.noise, seed, asked.steps)
            for seed in range(asked.seeds)
        ]
        values, costs = evaluate(modes)
        told = (f"{v:.2f} at {c:.4f}" for v, c in zip(values, costs[:, 0], strict=True))
        name = "none" if tolerance == LOG else f"{tolerance:g}"
        print(f"tolerance {name}: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
