"""Optuna's samplers."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import is_active

_LIMITS = "limits"


class OptunaStrategy:
    """A sampler of Optuna (Akiba et al., KDD 2019): "tpe", the tree-structured Parzen estimator
    (Bergstra et al., NeurIPS 2011), "nsga2", or "random".

    Only active decisions are suggested; those whose choices are increasing numbers as whole
    numbers, the others as categories. Limits are Optuna's constraints, failed evaluations its
    failed trials. Everything stays in memory. A sampler that keeps to what it has asked for
    before, as "tpe" soon does in a small space, is given an architecture drawn at random.
    """

    batch = 1

    def __init__(
        self, goal: SearchGoal, seed: int, *, sampler: Literal["tpe", "nsga2", "random"] = "tpe"
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        made = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        }
        self._goal, self._encoding = goal, Encoding(goal)
        self._rng = np.random.default_rng(seed)
        with _quiet():
            self._study = optuna.create_study(
                sampler=made[sampler](),
                direction="maximize" if goal.direction == "max" else "minimize",
            )
        self._trials: dict[Architecture, list[Any]] = {}
        self._choices: dict[str, tuple[Value, ...]] = {
            decision.name: tuple(decision.choices[code] for code in codes.tolist())
            for decision, codes in zip(goal.space.decisions, self._encoding.choices, strict=True)
        }

    def ask(self, count: int) -> list[Architecture]:
        with _quiet():
            return [self._ask() for _ in range(count)]

    def _ask(self) -> Architecture:
        trial = self._study.ask()
        architecture = self._suggested(trial)
        if architecture in self._trials:
            self._end(trial, math.nan, None)
            codes = self._encoding.codes(self._encoding.draw(self._rng, 1))
            [architecture] = self._goal.space.decode(codes)
            trial = self._asked_for(architecture)
        self._trials.setdefault(architecture, []).append(trial)
        return architecture

    def _asked_for(self, architecture: Architecture) -> Any:
        """A trial of this very architecture."""
        self._study.enqueue_trial(
            {name: self._choices[name].index(choice) for name, choice in architecture.choices}
        )
        trial = self._study.ask()
        self._suggested(trial)
        return trial

    def _suggested(self, trial: Any) -> Architecture:
        chosen: dict[str, Value] = {}
        for decision in self._goal.space.decisions:
            if is_active(decision, chosen):
                name, choices = decision.name, self._choices[decision.name]
                if _ordered(choices):
                    position = trial.suggest_int(name, 0, len(choices) - 1)
                else:
                    position = trial.suggest_categorical(name, range(len(choices)))
                chosen[name] = choices[position]
        return Architecture.from_mapping(chosen)

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        standings = self._goal.standings(values, costs)
        with _quiet():
            for architecture, value, standing in zip(
                architectures, np.asarray(values, float).tolist(), standings, strict=True
            ):
                excess = None if standing is None else -standing[0]
                trials = self._trials.get(architecture)
                if trials:
                    self._end(trials.pop(0), value, excess)
                elif excess is not None and self._may_be(architecture):
                    self._end(self._asked_for(architecture), value, excess)
                self._trials.setdefault(architecture, [])

    def _end(self, trial: Any, value: float, excess: float | None) -> None:
        from optuna.trial import TrialState

        if excess is None:
            self._study.tell(trial, state=TrialState.FAIL)
            return
        if self._goal.bounds:
            trial.set_constraint(_LIMITS, excess)
        self._study.tell(trial, value)

    def _may_be(self, architecture: Architecture) -> bool:
        """Whether all of it is allowed; of what is not, the sampler knows nothing."""
        return all(choice in self._choices[name] for name, choice in architecture.choices)


def _ordered(choices: tuple[Value, ...]) -> bool:
    numbers = [choice for choice in choices if not isinstance(choice, str)]
    return len(numbers) == len(choices) and numbers == sorted(numbers)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's warnings that some of its parts may change."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="optuna")
        yield
