"""Learning a distribution over architectures from samples of it, as many as it is still uncertain
(FP-NAS, Yan et al., arXiv 2011.10949): much is drawn at first, and little once it is decided.

What is drawn is evaluated elsewhere: by a table, a predictor, or a supernet as it trains.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.sampling.distribution import By, Distribution

_LEAST = 2  # one sample has no gradient: its weight is 1, as likely as any
_BETAS, _EPSILON = (0.9, 0.999), 1e-8
_ALIKE = 1e-6
_COLD, _HOT = -5.0, 15.0  # logarithms of tempers, relative to how far samples lie apart


@dataclass(frozen=True)
class SamplingSettings:
    """How a distribution is learnt.

    - `samples_per_nat` (λ): K = max(2, round(λH)) samples a step, H the entropy in nats; where it
      is None, λ such that the first step has `first`.
    - `fixed`: so many samples at each step instead (PARSEC, Casale et al., arXiv 1902.05116).
    - `switch`: the step at which decisions drawn apart are joined to `joint`; None for never.
    - `rate`: of Adam, on logits.
    - `warmup`: steps in which nothing is learnt yet: a supernet that has yet to learn tells of what
      learns soonest.
    - `effective`: the share of the first step's samples that their weights shall be worth, by
      which likelihoods are tempered: untempered, one sample has all the weight.
    - `hottest`: whether the temper rises where later samples lie further apart, as those of a
      supernet do that has yet to learn.
    - `cost_weight` (β): of the cost term against the likelihoods; `tolerance`, the mean excess of
      samples over what they may cost, relative to that, below which the term fades.
    """

    samples_per_nat: float | None = None
    first: int = 16
    fixed: int | None = None
    switch: int | None = None
    joint: By = "slot"
    rate: float = 0.1
    warmup: int = 0
    effective: float = 0.7
    hottest: bool = False
    cost_weight: float = 1.0
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        for name in ("samples_per_nat", "first", "fixed", "rate", "effective", "tolerance"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise InvalidInput(f"{name} is {value}; take a number above 0.")
        if self.effective >= 1:
            raise InvalidInput("Weights can't be worth all samples; take effective below 1.")


@dataclass(frozen=True)
class Step:
    """One step of learning: its number, samples (K), entropy in nats before it, effective sample
    size (1 / Σω²), and whether it was made after the switch."""

    number: int
    k: int
    entropy: float
    ess: float
    joint: bool

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; `ess` is null where nothing was learnt."""
        ess = None if math.isnan(self.ess) else self.ess
        return {"k": self.k, "entropy": self.entropy, "ess": ess}


@dataclass
class AdaptiveSampler:
    """A distribution at work: `draw`, evaluate, `learn`, again.

    Equal seeds, settings and evaluations give equal draws, however often it was stopped and
    resumed by `state` and `recall`.
    """

    distribution: Distribution
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        self.number = 0
        self.temper: float | None = None
        self.joined = False
        self.first_entropy = self.distribution.entropy
        self._set_off()

    def _set_off(self) -> None:
        self._momentum = [np.zeros(len(own)) for own in self.distribution.logits]
        self._squares = [np.zeros(len(own)) for own in self.distribution.logits]
        self._since = 0

    @property
    def undecided(self) -> float:
        """The entropy, as a share of what it was at first."""
        return self.distribution.entropy / self.first_entropy if self.first_entropy else 0.0

    @property
    def samples_per_nat(self) -> float:
        if self.settings.samples_per_nat is not None:
            return self.settings.samples_per_nat
        return self.settings.first / self.first_entropy if self.first_entropy else 0.0

    @property
    def count(self) -> int:
        """How many samples the next step takes (K)."""
        if self.settings.fixed is not None:
            return max(_LEAST, self.settings.fixed)
        return max(_LEAST, round(self.samples_per_nat * self.distribution.entropy))

    def draw(self, count: int | None = None, rng: np.random.Generator | None = None) -> np.ndarray:
        """Codes (K, decisions) for the next step, the same until it is learnt; or so many, by a
        generator of one's own."""
        if self.settings.switch is not None and self.number >= self.settings.switch:
            self._join()
        if rng is None:
            rng = np.random.default_rng([self.seed, self.number])
        return self.distribution.draw(rng, self.count if count is None else count)

    def learn(
        self, codes: np.ndarray, likelihoods: np.ndarray, over: np.ndarray | None = None
    ) -> Step:
        """Make a step by the log-likelihoods (rows,) of architectures of these codes, and by how
        far each is over what it may cost (rows,), 0 within: ∇α = Σ (β C/(ΣC + Kτ) − ω) ∇ log P
        (equations 8 and 9 there, but for the tolerance τ), of both with their mean as a baseline,
        since likelihoods that are all alike, and samples that all cost alike, are no reason to go
        anywhere.

        Left out is what failed (NaN in `likelihoods`), and what the distribution never draws.
        """
        known = np.isfinite(likelihoods + self.distribution.log_probability(codes))
        codes, likelihoods = codes[known], likelihoods[known]
        entropy, k = self.distribution.entropy, len(codes)
        weights, ess = np.zeros(k), float("nan")
        if k >= _LEAST and self.number >= self.settings.warmup:
            if self.temper is None or self.settings.hottest:
                now = tempered(likelihoods, self.settings.effective)
                self.temper = max(self.temper or 0.0, now)
            omega = softmax(likelihoods / self.temper)
            ess = float(1 / (omega @ omega))
            costs = np.zeros(k) if over is None else over[known]
            # By the term's logarithm alone, one sample that is hardly over would push as hard as
            # all likelihoods, and the mode stop far short of what it may cost.
            push = self.settings.cost_weight * costs / (costs.sum() + k * self.settings.tolerance)
            weights = (omega - 1 / k) - (push - push.mean())
            self._ascend(self.distribution.gradient(codes, weights))
        step = Step(self.number, k, entropy, ess, self.joined)
        self.number += 1
        return step

    def _join(self) -> None:
        if not self.joined:
            self.distribution = self.distribution.joined(self.settings.joint)
            self.joined = True
            self._set_off()

    def _ascend(self, gradients: Sequence[np.ndarray]) -> None:
        """A step of Adam (Kingma, Ba, arXiv 1412.6980)."""
        self._since += 1
        first, second = (1 - beta**self._since for beta in _BETAS)
        logits = []
        for i, (own, gradient) in enumerate(zip(self.distribution.logits, gradients, strict=True)):
            self._momentum[i] = _BETAS[0] * self._momentum[i] + (1 - _BETAS[0]) * gradient
            self._squares[i] = _BETAS[1] * self._squares[i] + (1 - _BETAS[1]) * gradient**2
            size = np.sqrt(self._squares[i] / second) + _EPSILON
            logits.append(own + self.settings.rate * self._momentum[i] / first / size)
        self.distribution = replace(self.distribution, logits=tuple(logits))

    # Stopping and going on

    def state(self) -> dict[str, np.ndarray]:
        """What `recall` goes on from."""
        numbers = [self.number, self._since, self.joined, self.temper or np.nan]
        kept = {"numbers": np.array(numbers, dtype=np.float64)}
        for name, arrays in self._arrays().items():
            kept[name] = np.concatenate(arrays)
        return kept

    def recall(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from the state of a sampler of equal space, settings and seed."""
        number, since, joined, temper = state["numbers"].tolist()
        if joined:
            self._join()
        self.number, self._since = int(number), int(since)
        self.temper = None if np.isnan(temper) else temper
        ends = np.cumsum([len(own) for own in self.distribution.logits])[:-1]
        logits, self._momentum, self._squares = (
            np.split(state[name], ends) for name in self._arrays()
        )
        self.distribution = replace(self.distribution, logits=tuple(logits))

    def _arrays(self) -> dict[str, Sequence[np.ndarray]]:
        return {
            "logits": self.distribution.logits,
            "momentum": self._momentum,
            "squares": self._squares,
        }


def tempered(likelihoods: np.ndarray, share: float) -> float:
    """The temper T by which weights softmax(likelihoods / T) of samples (rows,) are worth this
    share of them, by their effective sample size; nearly none where all are alike."""
    spread = float(np.ptp(likelihoods))
    if spread == 0:
        return _ALIKE

    def lacking(log_temper: float) -> float:
        omega = softmax(likelihoods / (spread * np.exp(log_temper)))
        return 1 / float(omega @ omega) - share * len(likelihoods)

    from scipy.optimize import brentq  # which takes longer to import than most commands take

    # With some few at the best alike, they are worth more than the share however cold it is.
    if lacking(_COLD) >= 0:
        return spread * float(np.exp(_COLD))
    return spread * float(np.exp(brentq(lacking, _COLD, _HOT)))


def softmax(values: np.ndarray) -> np.ndarray:
    """The shares (rows,) of exponentials."""
    exponents = np.exp(values - values.max())
    return exponents / exponents.sum()
