"""FP-NAS at work: a supernet and a distribution over its subnets, trained together from scratch
(arXiv 2011.10949, algorithm 1)."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from foxnas_core.families import family_of
from foxnas_core.methods.method import Method, Question, Selection
from foxnas_core.methods.posing import Limits
from foxnas_core.networks import SupernetAdapter
from foxnas_core.sampling.adaptive import SamplingSettings
from foxnas_core.sampling.distribution import Distribution, finest, is_decided
from foxnas_core.search.selections import (
    SELECTIONS,
    EdgeDecision,
    MaskedOperation,
    SelectedCell,
    SupernetSelection,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.in_words import decision_called
from foxnas_core.steps.fine_tune import training_images
from foxnas_core.study import Study
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks import task_named
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.loop import Training, steps_of
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.fpnas import FPNAS

# Shares of the steps.
_WARMUP, _SWITCH = 1 / 4, 1 / 2
_RATE = 0.1
_CALIBRATION = 500  # training cases that norms of a mode are recalibrated on
_DRAWN = 200  # subnets whose mean cost stands for the distribution's
# What is watched beside decisions, none of which is called so.
_SCORE, _COST = "mode: score", "cost: "


class SampledRun:
    """A training a step at a time, whose state is the training's."""

    def __init__(
        self,
        method: Method,
        study: Study,
        question: Question,
        seed: int,
        state: bytes | None,
        *,
        samples_per_nat: float | None,
        switch_step: int | None,
        epochs: int,
        images: int,
        data: str | None,
        fixed_samples: int | None,
    ) -> None:
        self._method, self._study, self._question, self._seed = method, study, question, seed
        dataset = training_images(study, Path(data) if data else None)
        task = task_named(study.training_record().get("task", "classification")).of(dataset)
        cases = dataset.training.take(slice(0, images))
        usual = Recipe(**FPNAS.usual)
        recipe = Recipe(epochs=epochs, batch=min(usual.batch, len(cases) // FPNAS.parts), seed=seed)
        steps = steps_of(len(cases), recipe, FPNAS.parts)
        if switch_step is None:
            switch_step = round(_SWITCH * steps)
        settings = SamplingSettings(
            samples_per_nat=samples_per_nat, fixed=fixed_samples, switch=switch_step,
            joint=finest(study.space), rate=_RATE, warmup=round(_WARMUP * steps), hottest=True,
        )  # fmt: skip
        torch.manual_seed(seed)
        supernet = supernet_of(study.space)
        supernet.laid_out(supernet.layout)
        uniform = Distribution.uniform(study.space, allowed=dict(question.allowed))
        self._limits = Limits.of(study, question)
        self._judge = _Judge(task, *cases.divided(FPNAS.parts, seed))
        self._update = FPNAS(
            supernet.train(), task, recipe, settings=settings, distribution=uniform,
            over=self._limits.over if self._limits else None, watch=self._watched,
        )  # fmt: skip
        self._folder = TemporaryDirectory(prefix="fpnas-")
        self._file = Path(self._folder.name) / "state.safetensors"
        if state:
            self._file.write_bytes(state)
        self._training = Training(
            self._update, cases, state_file=self._file, resume=bool(state), save_every=10**9
        )
        self.total = self._training.steps

    @property
    def done(self) -> int:
        return self._training.step

    def advance(self, steps: int) -> None:
        for _ in range(min(steps, self.total - self.done)):
            self._training.advance()

    def state(self) -> bytes:
        self._training.save()
        return self._file.read_bytes()

    def so_far(self) -> SupernetSelection:
        distribution, steps = self._update.sampler.distribution, self._update.steps
        chosen = distribution.mode()
        text = family_of(self._study.space).write(self._study.space, chosen)
        decisions = self._decisions(distribution, chosen)
        return SupernetSelection(
            self._method.name,
            self._seed,
            tuple(decision.edge for decision in decisions),
            decisions,
            SelectedCell(chosen.id, chosen, text),
            self._method.identity(self._study) | {"question": self._question.to_dict()},
            {
                "lambda": self._update.sampler.samples_per_nat,
                "steps": [step.to_dict() for step in steps],
                "samples": sum(step.k for step in steps),
                "switch_step": self._update.sampler.settings.switch,
                **self._epochs(),
            },
        )

    def selection(self) -> Selection:
        record = self.so_far()
        document = SELECTIONS.document(record)
        document.pop("format")
        evidence = pd.DataFrame(
            {"decision": own.edge, "kept": own.kept, "choice": one.operation, "share": one.weight}
            for own in record.decisions
            for one in own.candidates
        )
        chosen = record.selected.architecture
        said = self._said(self._update.sampler.distribution, chosen)
        return Selection(chosen, said, evidence, document)

    def _watched(self, distribution: Distribution) -> dict[str, list[float]]:
        """Of the mode its score, and of each limited column its cost and that of what is drawn."""
        mode = distribution.mode()
        found = {_SCORE: [self._judge.score(self._update.model, mode)]}
        if self._limits:
            drawn = distribution.draw(np.random.default_rng(self._seed), _DRAWN)
            both = self._limits.costs([mode]), self._limits.costs(self._study.space.decode(drawn))
            costs = np.stack([own.mean(axis=0) for own in both], axis=1)
            found |= {
                f"{_COST}{column}": own
                for column, own in zip(self._limits.bounds, costs.tolist(), strict=True)
            }
        return found

    def _epochs(self) -> dict[str, Any]:
        """What was watched: the probabilities of choices by epoch, and what the mode was worth on
        so many cases and cost, under limits as tight as measurements keep them."""
        epochs, modes = [], []
        for own in self._training.done().epochs:
            told = dict(sorted(own.items()))
            [value] = told.pop(_SCORE)
            costs = {
                name.removeprefix(_COST): dict(zip(("mode", "drawn"), told.pop(name), strict=True))
                for name in list(told)
                if name.startswith(_COST)
            }
            epochs.append(told)
            modes.append({"epoch": own["epoch"], "value": value, "costs": costs})
        return {
            "epochs": epochs,
            "modes": modes,
            "objective": self._judge.objective,
            "judged_on": self._judge.cases,
            "limits": dict(self._limits.bounds) if self._limits else {},
        }

    def _said(self, distribution: Distribution, chosen: Architecture) -> str:
        steps, sampler = self._update.steps, self._update.sampler
        codes = self._study.space.encode([chosen])
        likely = float(np.exp(distribution.log_probability(codes)[0]))
        shares = distribution.marginals()
        undecided = [name for name, _ in chosen.choices if not is_decided(shares[name])]
        said = (
            f"The most probable of all subnets (probability {likely:.2g}) after "
            f"{sum(step.k for step in steps):,} samples in {len(steps):,} steps, {steps[0].k} at "
            f"first and {steps[-1].k} at last; the entropy went from {sampler.first_entropy:.1f} "
            f"to {distribution.entropy:.1f} nats."
        )
        if undecided:
            names = [decision_called(self._study.space.by_name[name]) for name in undecided]
            said += (
                f" {len(undecided)} of its {len(chosen.choices)} decisions are still "
                f"undecided: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}."
            )
        return said

    def _decisions(
        self, distribution: Distribution, chosen: Architecture
    ) -> tuple[EdgeDecision, ...]:
        """Those that are active in what is chosen, with how probable each choice was."""
        kept, marginals = chosen.to_dict(), distribution.marginals()
        return tuple(
            EdgeDecision(
                name,
                str(kept[name]),
                tuple(
                    MaskedOperation(str(choice), float(share))
                    for choice, share in zip(
                        self._study.space.by_name[name].choices, shares, strict=True
                    )
                ),
            )
            for name, shares in marginals.items()
            if name in kept
        )


class _Judge:
    """Scores subnets on the cases that no weight learns from."""

    def __init__(self, task: Task, training: ImageSet, searching: ImageSet) -> None:
        self._task, self._calibration = task, training.take(slice(0, _CALIBRATION))
        self._searching, self.cases, self.objective = searching, len(searching), task.objective

    @torch.no_grad()
    def score(self, supernet: SupernetAdapter, architecture: Architecture) -> float:
        """The objective by the supernet's present weights, norms recalibrated."""
        subnet = supernet.extract(architecture)
        shape = subnet.input_shape
        recalibrate(subnet, self._task.batches(self._calibration.images, shape))
        batches = self._task.batches(self._searching.images, shape)
        outputs = np.concatenate([subnet(batch).numpy() for batch in batches])
        return float(self._task.cases(outputs, self._searching.labels)[self.objective].mean())
