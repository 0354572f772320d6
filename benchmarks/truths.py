"""Simulated truths that no sum over stages holds, measured as real devices are.

Accuracy has products across stages (of depths, of depth and resolution, of kernel sizes and the
depth of other stages) and saturates or not. Latency is a product over stages, of the work done in
each, with a cliff where a block outgrows a cache; it is measured with heavy tails, and 2 % of its
rows are outliers. Everything follows from a seed.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

_OUTLIERS = 0.02
_STRUCK = (1.2, 1.6)  # times a latency that an outlier takes
_TAILS = 4  # degrees of freedom of the measurements' Student distribution


@dataclass(frozen=True, eq=False)
class Truth:
    """Accuracy (%) and latency (ms) of a space whose slots have a kernel and an expand choice.

    `blocks` (slots, 2): positions of each slot's kernel and expand; `stage` (slots,) numbers its
    stage. `ceiling` is infinite where accuracy does not saturate; `hard` scales whatever is no sum
    over stages. `noise` are standard deviations of one measurement: points, share of the latency.
    """

    space: SearchSpace
    blocks: np.ndarray
    stage: np.ndarray
    ceiling: float
    hard: float
    gains: np.ndarray  # (slots, 3): of presence, of kernel size, of expand ratio
    works: np.ndarray  # (slots, 3): the same of latency
    depths: np.ndarray  # (stages, stages): of depths together, for accuracy
    sharpens: np.ndarray  # (stages, stages): of a stage's kernels by another's depth
    slows: np.ndarray  # (stages,): share by which a full stage slows all others
    cache: float  # expand × pixels beyond which a block is slower by `cliff`
    cliff: float
    noise: tuple[float, float] = (0.3, 0.01)

    @classmethod
    def of(
        cls, space: SearchSpace, seed: int, *, saturates: bool = True, hard: bool = True
    ) -> "Truth":
        rng = np.random.default_rng(seed)
        blocks = np.array(
            [
                [next(space.decisions.index(d) for d in space.in_slot(slot) if d.role == role)
                 for role in ("kernel", "expand")]
                for slot in space.slots
            ]
        )  # fmt: skip
        groups = [space.in_slot(slot)[0].group for slot in space.slots]
        stages, stage = np.unique(groups, return_inverse=True)
        slots, strength = len(stage), 1.0 if hard else 0.4
        return cls(
            space,
            blocks,
            stage,
            100.0 if saturates else np.inf,
            strength,
            rng.gamma(3, 1 / 3, (slots, 3)) * [0.5, 0.4, 0.6],
            rng.gamma(4, 1 / 4, (slots, 3)) * [0.2, 0.6, 1.0],
            strength * rng.normal(0, 0.25, (len(stages), len(stages))),
            strength * rng.gamma(2, 0.15, (len(stages), len(stages))),
            strength * rng.uniform(0.1, 0.4, len(stages)),
            float(rng.uniform(0.35, 0.6)),
            strength * float(rng.uniform(0.25, 0.5)),
        )

    @classmethod
    def kinds(cls, space: SearchSpace, seed: int) -> "dict[str, Truth]":
        """Mild and hard ones, with and without a ceiling, by what they are called."""
        return {
            f"{'hard' if hard else 'mild'}, {'saturating' if saturates else 'unbounded'}": cls.of(
                space, seed, saturates=saturates, hard=hard
            )
            for hard in (False, True)
            for saturates in (True, False)
        }

    def values(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy and latency (n,) each."""
        on = (codes[:, self.blocks[:, 0]] >= 0).astype(float)
        kernel, expand = (self._shares(codes, own) for own in (0, 1))
        pixels = self._pixels(codes)
        return (
            self._accuracy(on, kernel, expand, np.sqrt(pixels)),
            self._latency(on, kernel, expand, pixels),
        )

    def means(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What measurements of them average to, outliers included."""
        accuracy, latency = self.values(codes)
        return accuracy, latency * (1 + _OUTLIERS * (sum(_STRUCK) / 2 - 1))

    def measure(self, codes: np.ndarray, seed: int, *, clean: bool = False) -> MeasurementTable:
        """A table of these rows; without outliers where `clean`, as of rows measured with care."""
        rng = np.random.default_rng(seed)
        accuracy, latency = self.values(codes)
        accuracy = accuracy + rng.normal(0, self.noise[0], len(codes))
        tails = rng.standard_t(_TAILS, len(codes)) / np.sqrt(_TAILS / (_TAILS - 2))
        latency = latency * np.exp(self.noise[1] * tails)
        struck = (rng.uniform(size=len(codes)) < _OUTLIERS) & (not clean)
        latency = np.where(struck, latency * rng.uniform(*_STRUCK, len(codes)), latency)
        frame = pd.DataFrame(
            [a.to_dict() for a in self.space.decode(codes)], columns=list(self.space.by_name)
        )
        return table_from_frame(
            self.space, frame.assign(accuracy=accuracy.clip(0, 100), latency_ms=latency)
        )

    def _accuracy(
        self, on: np.ndarray, kernel: np.ndarray, expand: np.ndarray, side: np.ndarray
    ) -> np.ndarray:
        parts = np.stack([on, kernel, expand**0.7], axis=2)
        gain = (parts * self.gains).sum(axis=(1, 2)) + 4 * side
        depth, kernels = self._by_stage(on), self._by_stage(kernel)
        gain += np.einsum("ni,ij,nj->n", depth - 2, self.depths, depth - 2)
        gain += np.einsum("ni,ij,nj->n", kernels, self.sharpens, depth - 2)
        gain += self.hard * 0.4 * side * (depth - 2).sum(axis=1)
        if np.isinf(self.ceiling):
            return 70 + gain
        return self.ceiling - 25 * np.exp(-gain / 10)

    def _latency(
        self, on: np.ndarray, kernel: np.ndarray, expand: np.ndarray, pixels: np.ndarray
    ) -> np.ndarray:
        parts = np.stack([on, expand * kernel**2, expand], axis=2)
        work = (parts * self.works).sum(axis=2)
        spills = expand * pixels[:, np.newaxis] > self.cache
        work = work * (1 + self.cliff * spills)
        share = self._by_stage(work) / self._by_stage(self.works.sum(axis=1)[np.newaxis])
        together = np.prod(1 + self.slows * share, axis=1)
        return 0.01 * ((1.6 + 0.1 * on.sum(axis=1)) + work.sum(axis=1) * pixels * together)

    def _by_stage(self, of_slots: np.ndarray) -> np.ndarray:
        return of_slots @ (self.stage[:, np.newaxis] == np.unique(self.stage)).astype(float)

    def _shares(self, codes: np.ndarray, which: int) -> np.ndarray:
        """Choices (n, slots) as shares of the largest, 0 while off."""
        tables = [np.array([*self.space.decisions[b].choices, 0.0]) for b in self.blocks[:, which]]
        return np.stack(
            [t[codes[:, b]] / t.max() for t, b in zip(tables, self.blocks[:, which], strict=True)],
            axis=1,
        )

    def _pixels(self, codes: np.ndarray) -> np.ndarray:
        [context] = [d for d in self.space.decisions if d.role == "resolution"]
        sides = np.array(context.choices, dtype=float)
        return (sides[codes[:, self.space.decisions.index(context)]] / sides.max()) ** 2
