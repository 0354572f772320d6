"""How many evaluations FP-NAS takes until it has decided, on a table that holds every cell.

    python -m benchmarks.sampling TABLE [--seeds 20] [--noise 0]

TABLE is Parquet with the columns `arch` and `test_acc_cifar10` of all 15,625 cells of
NAS-Bench-201. A distribution has decided where its entropy is at most a tenth of the first. Beside
it the share of seeds whose mode is then of the best 1 %, what random search takes until it has seen
such a cell, and how often the cell that it evaluated best is one, of as many evaluations as a rule
took. With noise, each evaluation errs by so many points (one standard deviation). The numbers are
of the seeds alone, not of the machine.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from foxnas_core.families import family_of, load_shipped
from foxnas_core.sampling.adaptive import AdaptiveSampler, SamplingSettings
from foxnas_core.sampling.distribution import By, Distribution

DECIDED, MOST_STEPS, BEST = 0.1, 600, 0.01
SPACE = load_shipped("nasbench201")
NODES = (("edge_0_2", "edge_1_2"), ("edge_0_3", "edge_1_3", "edge_2_3"))


@dataclass(frozen=True)
class Rule:
    """How many are drawn a step, and whether decisions are drawn apart at first."""

    settings: SamplingSettings
    by: By = "decision"


RULES = {
    "fixed, 16 a step": Rule(SamplingSettings(fixed=16)),
    "fixed, 8 a step": Rule(SamplingSettings(fixed=8)),
    "by entropy, from 16": Rule(SamplingSettings()),
    "by entropy, nodes from step 80": Rule(SamplingSettings(switch=80, joint=NODES)),
    "by entropy, cells from step 80": Rule(SamplingSettings(switch=80, joint="group")),
    "by entropy, nodes throughout": Rule(SamplingSettings(), NODES),
    "by entropy, cells throughout": Rule(SamplingSettings(), "group"),
}


class Oracle:
    """The accuracies of all cells, in percent, by their codes; some noise on each evaluation."""

    def __init__(self, path: Path, noise: float) -> None:
        rows, family = pd.read_parquet(path), family_of(SPACE)
        codes = SPACE.encode([family.read(SPACE, cell) for cell in rows["arch"]])
        self._places = np.array([len(d.choices) for d in SPACE.decisions]).cumprod()
        self._places = np.append(1, self._places[:-1])
        self._values = np.zeros(SPACE.size)
        self._values[codes.astype(int) @ self._places] = rows["test_acc_cifar10"]
        self.noise, self.good = noise, float(np.quantile(self._values, 1 - BEST))

    def true(self, codes: np.ndarray) -> np.ndarray:
        return self._values[codes.astype(int) @ self._places]

    def evaluated(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.true(codes) + rng.normal(0, self.noise, len(codes))


def decided(rule: Rule, oracle: Oracle, seed: int) -> tuple[int, bool]:
    """Samples until decided (or the last step), and whether the mode is of the best then."""
    sampler = AdaptiveSampler(Distribution.uniform(SPACE, rule.by), rule.settings, seed)
    rng, samples = np.random.default_rng([seed, 1]), 0
    while sampler.undecided > DECIDED and sampler.number < MOST_STEPS:
        codes = sampler.draw()
        samples += sampler.learn(codes, oracle.evaluated(codes, rng)).k
    mode = SPACE.encode([sampler.distribution.mode()])
    return samples, bool(oracle.true(mode)[0] >= oracle.good)


def met(oracle: Oracle, seed: int) -> int:
    """Evaluations until random search has seen a cell of the best."""
    codes = SPACE.random_codes(5000, seed=seed)
    return int((oracle.true(codes) >= oracle.good).argmax()) + 1


def found(oracle: Oracle, seed: int, evaluations: int) -> bool:
    """Whether the cell that random search evaluated best is of the best."""
    codes = SPACE.random_codes(evaluations, seed=seed)
    values = oracle.evaluated(codes, np.random.default_rng([seed, 2]))
    return bool(oracle.true(codes)[values.argmax()] >= oracle.good)


def compared(oracle: Oracle, seeds: int, say: Callable[[str], None] = print) -> pd.DataFrame:
    """One row a rule: median samples and those of each seed, the share that chose well, that of
    random search with as many samples, and how many fewer than with 16 a step. Edges into a node,
    or a whole cell, may be drawn together."""
    rows = []
    for name, rule in RULES.items():
        runs = [decided(rule, oracle, seed) for seed in range(seeds)]
        samples = [count for count, _ in runs]
        well = np.mean([good for _, good in runs])
        drawn = [found(oracle, seed, count) for seed, count in enumerate(samples)]
        rows.append((name, float(np.median(samples)), well, np.mean(drawn), samples))
        say(f"{name}: {' '.join(map(str, samples))}")
    frame = pd.DataFrame(rows, columns=["rule", "samples", "well", "random well", "all"])
    frame["fewer"] = 1 - frame["samples"] / frame["samples"][0]
    return frame


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.0)
    asked = parser.parse_args(arguments)
    oracle = Oracle(asked.table, asked.noise)
    frame = compared(oracle, asked.seeds)
    print(frame.drop(columns="all").round(2).to_string(index=False))
    seen = np.median([met(oracle, seed) for seed in range(asked.seeds)])
    print(f"random search has seen one of the best 1 % after {seen:.0f} evaluations (median)")


if __name__ == "__main__":
    main()
