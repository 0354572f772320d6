"""How often intervals hold at the searched optimum, on simulated truths.

    python -m benchmarks.optimum [--runs 100] [--rows 300 600]

A truth has effects of every choice and interactions within and across stages that no additive
form can hold; subnets sampled from FOX-NAS's CPU space are "measured" with noise, both targets are
fitted, optima are searched, and their true values compared with what was promised: by the plain
prediction interval, and by the one calibrated on 20 other measured optima; with and without the
guard on the budget.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.search.calibration import ADVISED, calibrate, random_optima
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

LEVEL = 0.90
GUARD = 0.95


@dataclass(frozen=True, eq=False)
class Truth:
    """Accuracy (%) and latency (ms) that are no sums over stages, and the noise of measuring.

    `slots` are the codes' columns of each block's kernel size and expand ratio.
    """

    space: SearchSpace
    slots: tuple[tuple[int, int], ...]
    gains: np.ndarray  # (slots, 3): of presence, of kernel size, of expand ratio
    costs: np.ndarray  # (slots, 3), the same
    pairs: np.ndarray  # (slots, slots): of two blocks' sizes together, for accuracy
    delays: np.ndarray  # (slots, slots): the same for latency
    noise: tuple[float, float] = (0.15, 0.005)  # points; share of the latency

    @classmethod
    def of(cls, space: SearchSpace, seed: int) -> "Truth":
        rng = np.random.default_rng(seed)
        slots = tuple(
            tuple(space.decisions.index(d) for d in space.in_slot(slot)) for slot in space.slots
        )
        n = len(slots)
        return cls(
            space,
            slots,
            rng.gamma(3, 1 / 3, (n, 3)) * [0.5, 0.25, 0.6],
            rng.gamma(4, 1 / 4, (n, 3)) * [0.5, 1.0, 4.0],
            np.triu(rng.normal(0, 0.12, (n, n)), 1),
            np.triu(rng.normal(0, 0.12, (n, n)), 1),
        )

    def values(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy and latency (n,) each."""
        chosen = [decision.choices for decision in self.space.decisions]
        on = np.stack([codes[:, k] >= 0 for k, _ in self.slots], axis=1).astype(float)
        share = [
            np.stack(
                [
                    (np.array([*chosen[pair[which]], 0])[codes[:, pair[which]]]
                     / max(chosen[pair[which]]))
                    for pair in self.slots
                ],
                axis=1,
            )
            for which in (0, 1)
        ]  # fmt: skip
        kernel, expand = share
        pixels = self._pixels(codes)
        size = np.where(on > 0, kernel + expand - 1, 0.0)
        together = [np.einsum("ni,ij,nj->n", size, w, size) for w in (self.pairs, self.delays)]
        parts = np.stack([on, on * kernel**2, expand**0.7], axis=2)
        gain = (parts * self.gains).sum(axis=(1, 2)) + together[0] + 4 * np.sqrt(pixels)
        parts = np.stack([on, expand * kernel**2, expand], axis=2)
        cost = (parts * self.costs).sum(axis=(1, 2)) + together[1]
        return 79 - 40 * np.exp(-gain / 7), 5 + 0.4 * on.sum(axis=1) + cost * pixels

    def measure(self, codes: np.ndarray, seed: int) -> MeasurementTable:
        rng = np.random.default_rng(seed)
        accuracy, latency = self.values(codes)
        accuracy = accuracy + rng.normal(0, self.noise[0], len(codes))
        latency = latency * (1 + rng.normal(0, self.noise[1], len(codes)))
        frame = pd.DataFrame(
            [a.to_dict() for a in self.space.decode(codes)], columns=list(self.space.by_name)
        )
        return table_from_frame(self.space, frame.assign(accuracy=accuracy, latency_ms=latency))

    def _pixels(self, codes: np.ndarray) -> np.ndarray:
        [context] = [d for d in self.space.decisions if d.role == "resolution"]
        sides = np.array(context.choices, dtype=float)
        return (sides[codes[:, self.space.decisions.index(context)]] / sides.max()) ** 2


def promises(
    space: SearchSpace, *, rows: int, seed: int, form: str = "per_layer", searches: int = 10
) -> pd.DataFrame:
    """One row a search under a random budget: whether each promise was kept."""
    truth = Truth.of(space, seed)
    table = truth.measure(space.random_codes(rows, seed=seed), seed + 1)
    accuracy, latency = (fit(table, t, form) for t in ("accuracy", "latency_ms"))
    whole = front(SearchProblem(accuracy, (Limit(latency, 0.0),)))
    optima = random_optima(whole, ADVISED, seed=seed + 2)
    codes = space.encode([c.architecture for c in optima])
    measured = truth.measure(codes, seed + 3)
    by_accuracy, by_latency = (calibrate(p, measured, table) for p in (accuracy, latency))
    rng = np.random.default_rng(seed + 4)
    kept = []
    budgets = rng.uniform(*np.quantile(whole.costs, [0.05, 0.95]), searches)
    for budget in budgets:
        found = whole.within(budget)
        code = space.encode([found.architecture])
        true_accuracy, true_latency = (float(v[0]) for v in truth.values(code))
        plain = accuracy.predict_codes(code, LEVEL).iloc[0]
        _, low, high = by_accuracy.interval(found.value, LEVEL)
        guarded = by_latency.guarded(budget, GUARD)
        careful = whole.within(max(guarded, float(whole.costs[0])))
        careful_latency = float(truth.values(space.encode([careful.architecture]))[1][0])
        kept.append(
            {
                "plain": plain["prediction_low"] <= true_accuracy <= plain["prediction_high"],
                "calibrated": low <= true_accuracy <= high,
                "within budget": true_latency <= budget,
                "within budget, guarded": careful_latency <= budget,
                "accuracy given up by the guard": true_accuracy
                - float(truth.values(space.encode([careful.architecture]))[0][0]),
            }
        )
    return pd.DataFrame(kept)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 600, 1000])
    options = parser.parse_args(arguments)
    space = load_shipped("foxnas-cpu")
    for rows in options.rows:
        for form in ("per_layer", "auto"):
            kept = pd.concat(
                promises(space, rows=rows, seed=100 * run, form=form) for run in range(options.runs)
            )
            shares = kept.astype(float).mean()
            print(
                f"{rows} rows, form {form}:", ", ".join(f"{n} {v:.3f}" for n, v in shares.items())
            )


if __name__ == "__main__":
    main()
