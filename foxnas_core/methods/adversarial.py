"""Selection for domains that nobody has seen, at work: a supernet and a generator are trained
together, then candidates are scored on real and on made images (arXiv 2109.02038)."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from foxnas_core.errors import Collapsed, InvalidInput
from foxnas_core.families import family_of
from foxnas_core.methods.method import Question, Selection
from foxnas_core.methods.playing import Playing
from foxnas_core.methods.posing import Limits
from foxnas_core.networks import Network
from foxnas_core.records import document_of
from foxnas_core.sampling.distribution import Distribution
from foxnas_core.search.selections import (
    SELECTIONS,
    EdgeDecision,
    MaskedOperation,
    SelectedCell,
    SupernetSelection,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fine_tune import training_images
from foxnas_core.study import Study
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks import DOMAINS, task_named
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.domain_split import DomainSplit
from foxnas_core.tasks.task import Task, mean_of
from foxnas_core.training.adversary.counterfactuals import paired, towards
from foxnas_core.training.adversary.lamps import collapse, lamps_of
from foxnas_core.training.loop import Training, steps_of
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.minimax import BEFORE, WATCHED, GameSettings, Minimax

MADE, HELD, SEEN = "made", "selection", "iid"
"""What a candidate is selected by: made images, a domain that is held out for selection, unseen
things of the domains that were trained on."""
_CALIBRATION, _DRAWN = 1000, 50
_PICTURES = 3  # of each domain


@dataclass(frozen=True)
class Split:
    """Held-out images by what they are for; `test` by the names of domains."""

    seen: ImageSet
    held: ImageSet | None
    test: Mapping[str, ImageSet]

    @classmethod
    def of(cls, dataset: Dataset) -> "Split":
        assert dataset.split is not None, "lacks says so"
        split, images = dataset.split, dataset.held_out

        def own(*names: str) -> ImageSet:
            rows = np.isin(images.domains, split.numbers_of(names))  # type: ignore[arg-type]
            return images.take(np.flatnonzero(rows))

        held = own(*split.selection) if split.selection else None
        return cls(own(*split.training), held, {name: own(name) for name in split.test})


class OutsideRun:
    """Steps are those of a training, then one a candidate; its state is the training's and the
    scores so far. Raises `Collapsed` at an evaluation where a lamp has been out for half of the
    game, or is out at the end."""

    def __init__(
        self, method: Playing, study: Study, question: Question, seed: int, state: bytes | None
    ) -> None:
        self._method, self._study, self._question, self._seed = method, study, question, seed
        dataset = training_images(study, Path(method.data) if method.data else None)
        if dataset.split is None:
            raise InvalidInput(f"The images of {dataset.name} are of no domains; name others.")
        self._domains: DomainSplit = dataset.split
        self.task = _task_of(study, dataset)
        self._held_out = dataset.held_out
        self._cases, self._split = dataset.training.take(slice(0, method.images)), Split.of(dataset)
        kept = json.loads(state) if state else {"scores": []}
        self._training = self._begun(kept.get("training"))
        self._candidates = self._drawn()
        self._scores: list[dict[str, float]] = kept["scores"]
        self.total = self._training.steps + len(self._candidates)

    def _begun(self, state: str | None) -> Training:
        """The training from its start, or from a state of it."""
        method, seed = self._method, self._seed
        batch = min(Minimax.usual["batch"], len(self._cases))
        recipe = Recipe(epochs=method.epochs, batch=batch, seed=seed)
        steps = steps_of(len(self._cases), recipe)
        settings = GameSettings(
            len(self._domains.training), round(BEFORE * steps) if method.plays else None,
            method.cycle, method.transport, method.meaning, on_made=method.on_made == "on",
        )  # fmt: skip
        torch.manual_seed(seed)
        supernet = supernet_of(self._study.space)
        supernet.laid_out(supernet.layout)
        self._uniform = Distribution.uniform(
            self._study.space, allowed=dict(self._question.allowed)
        )
        self.update = Minimax(
            supernet.train(), self.task, recipe, settings=settings,
            distribution=self._uniform, watch=self._split.seen.take(slice(0, WATCHED)),
        )  # fmt: skip
        self._folder = TemporaryDirectory(prefix="ood-")
        self._file = Path(self._folder.name) / "state.safetensors"
        if state:
            self._file.write_bytes(base64.b64decode(state))
        return Training(
            self.update, self._cases, state_file=self._file, resume=bool(state), save_every=10**9
        )

    def _drawn(self) -> list[Architecture]:
        """Distinct architectures within the limits, as many as are asked for if there are."""
        rng, most = np.random.default_rng([self._seed, 5]), self._method.candidates
        codes = np.unique(self._uniform.draw(rng, _DRAWN * most), axis=0)
        if (limits := Limits.of(self._study, self._question)) is not None:
            codes = codes[limits.over(codes) <= 0]
        if not len(codes):
            raise InvalidInput(
                f"None of {_DRAWN * most:,} subnets that were drawn keeps the limits; give looser "
                "ones, or take the method 'regression'."
            )
        return self._study.space.decode(codes[rng.permutation(len(codes))[:most]])

    @property
    def done(self) -> int:
        return self._training.step + len(self._scores)

    def advance(self, steps: int) -> None:
        for _ in range(min(steps, self.total - self.done)):
            if self._training.step < self._training.steps:
                self._training.advance()
                self._look()
            else:
                self._scores.append(self._scored(self._candidates[len(self._scores)]))

    def _look(self) -> None:
        """Stop a game that has collapsed."""
        seen = [lamps_of(epoch) for epoch in self.epochs]
        ended = self._training.step == self._training.steps
        enough = max(2, round((1 - BEFORE) * self._method.epochs / 2))
        if not seen or (len(seen) < enough and not ended):
            return
        latest = list(zip(*seen[-1 if ended else -enough :], strict=True))
        out = [lamps[-1] for lamps in latest if not any(lamp.is_on for lamp in lamps)]
        if sentence := collapse(out):
            raise Collapsed(sentence)

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """What was watched after each epoch of the game."""
        return [dict(sorted(epoch.items())) for epoch in self._training.done().epochs]

    def state(self) -> bytes:
        self._training.save()
        training = base64.b64encode(self._file.read_bytes()).decode()
        return json.dumps({"training": training, "scores": self._scores}).encode()

    def _scored(self, architecture: Architecture) -> dict[str, float]:
        """Of the objective: by each of what candidates are selected by, with its standard error,
        and in each unseen domain, which none is selected by."""
        found: dict[str, float] = {}
        for name, cases in self._cases_of(architecture).items():
            score = mean_of(cases)
            found |= {name: round(score.value, 4), f"{name} error": round(score.std_error, 4)}
        return found

    @torch.no_grad()
    def _cases_of(self, architecture: Architecture) -> dict[str, np.ndarray]:
        """The objective case by case, of each set of images."""
        subnet, split = self.update.model.extract(architecture), self._split
        shape = subnet.input_shape
        calibration = self._cases.images[:_CALIBRATION]
        recalibrate(subnet, self.task.batches(calibration, shape))
        sets = {SEEN: split.seen, HELD: split.held, **split.test}
        inputs = {
            name: (self.task.batch(cases.images, shape), cases)
            for name, cases in sets.items()
            if cases is not None
        }
        if self._method.plays:
            _, made = self.update.made(split.seen, architecture)
            pixels = self.update.pixels(split.seen, architecture)
            inputs[MADE] = pixels.back(made), split.seen
        return {name: self._objective(subnet, x, cases) for name, (x, cases) in inputs.items()}

    def _objective(self, subnet: Network, x: Tensor, cases: ImageSet) -> np.ndarray:
        return self.task.cases(subnet(x).numpy(), cases.labels)[self.task.objective]

    # What is selected

    def selection(self) -> Selection:
        ways = [way for way in (MADE, HELD, SEEN) if way in self._scores[0]]
        best = {way: self._best(way) for way in ways}
        chosen = self._candidates[best[ways[0]]]
        record = SupernetSelection(
            self._method.name,
            self._seed,
            tuple(name for name, _ in chosen.choices),
            self._decisions(chosen, ways[0]),
            self._cell(chosen),
            self._method.identity(self._study) | {"question": self._question.to_dict()},
            {
                "generator": self._method.generator,
                "lamps": [one.to_dict() for one in lamps_of(self.epochs[-1])]
                if self.epochs
                else [],
                "epochs": self.epochs,
                "domains": {
                    "training": list(self._domains.training),
                    "selection": list(self._domains.selection),
                    "test": list(self._domains.test),
                },
                "by": {way: self._candidates[place].id for way, place in best.items()},
                "compared": self._compared(best),
                "candidates": [
                    {"id": own.id, "architecture": own.to_dict(), "scores": scores}
                    for own, scores in zip(self._candidates, self._scores, strict=True)
                ],
                "pictures": self._pictures(chosen) if self._method.plays else [],
                "counterfactuals": self._counterfactuals(chosen) if self._method.plays else [],
            },
        )
        document = SELECTIONS.document(record)
        document.pop("format")
        evidence = pd.DataFrame(
            {"subnet": own.id, **scores}
            for own, scores in zip(self._candidates, self._scores, strict=True)
        ).sort_values(ways[0], ascending=self._sign < 0, kind="stable")
        return Selection(chosen, self._said(best), evidence.reset_index(drop=True), document)

    @property
    def _sign(self) -> float:
        return metric_of(self.task.objective).sign

    def _best(self, way: str) -> int:
        return int(np.argmax([self._sign * own[way] for own in self._scores]))

    def _cell(self, architecture: Architecture) -> SelectedCell:
        text = family_of(self._study.space).write(self._study.space, architecture)
        return SelectedCell(architecture.id, architecture, text)

    def _decisions(self, chosen: Architecture, way: str) -> tuple[EdgeDecision, ...]:
        """Each choice with its share of the candidates and their mean score."""
        decisions = []
        for name, kept in chosen.choices:
            candidates = []
            for choice in self._study.space.by_name[name].choices:
                own = [
                    scores[way]
                    for one, scores in zip(self._candidates, self._scores, strict=True)
                    if one.get(name, None) == choice
                ]
                mean = float(np.mean(own)) if own else None
                share = len(own) / len(self._scores)
                candidates.append(MaskedOperation(str(choice), share, mean))
            decisions.append(EdgeDecision(name, str(kept), tuple(candidates)))
        return tuple(decisions)

    def _said(self, best: Mapping[str, int]) -> str:
        metric = metric_of(self.task.objective)
        names = {
            MADE: "on images that the generator made",
            HELD: f"in the held-out domain {' and '.join(self._domains.selection)}",
            SEEN: "on unseen things of the domains that were trained on",
        }
        test = list(self._split.test)
        told = []
        for way, place in best.items():
            scores = self._scores[place]
            outside = float(np.mean([scores[name] for name in test]))
            told.append(
                f"{self._candidates[place].id} does best {names[way]} "
                f"({metric.value_text(scores[way])}), and has {metric.value_text(outside)} in "
                f"unseen ones ({', '.join(test)})"
            )
        return f"Of {len(self._candidates)} subnets, {'; '.join(told)}."

    def _compared(self, best: Mapping[str, int]) -> list[dict[str, Any]]:
        """By how much more what made images select has of the objective in unseen domains than
        what the other ways do, the mean of these, with the standard error over images."""
        rows = []
        for other in (HELD, SEEN):
            if MADE in best and other in best:
                one, two = (self._cases_of(self._candidates[best[way]]) for way in (MADE, other))
                gains = [mean_of(one[name] - two[name]) for name in self._split.test]
                gain = float(np.mean([own.value for own in gains]))
                error = float(np.sqrt(np.sum([own.std_error**2 for own in gains]))) / len(gains)
                rows.append({"other": other, "gain": round(gain, 4), "error": round(error, 4)})
        return rows

    def _pictures(self, architecture: Architecture) -> list[dict[str, Any]]:
        """Some real pictures of each domain, and what was made of them, as PNGs in data URIs."""
        found = []
        for number, domain in enumerate(self._domains.training):
            seen = self._split.seen
            own = seen.take(np.flatnonzero(seen.domains == number)[:_PICTURES])
            drawn = self._drawn_elsewhere(own, domain)
            for at, (real, made) in enumerate(
                zip(*self.update.made(own, architecture), strict=True)
            ):
                change = round(float((made - real).abs().mean()), 4)
                found.append(
                    {"domain": domain, "label": int(own.labels[at]), "change": change,
                     "real": png(real), "made": png(made),
                     **({"drawn": drawn[at]} if drawn else {})}
                )  # fmt: skip
        return found

    def _others(self, domain: str) -> dict[str, ImageSet]:
        """The held-out images of every other domain."""
        assert self._held_out.domains is not None
        return {
            name: self._held_out.take(np.flatnonzero(self._held_out.domains == number))
            for number, name in enumerate(self._domains.names)
            if name != domain
        }

    def _drawn_elsewhere(self, own: ImageSet, domain: str) -> list[dict[str, str]]:
        """Of each of some images, what other domains drew of its thing, as `png`."""
        found: list[dict[str, str]] = [{} for _ in range(len(own))]
        for name, others in self._others(domain).items():
            for row, other in zip(*paired(own, others), strict=True):
                image = torch.from_numpy(others.images[other] / 255)
                found[row][name] = png(image.permute(2, 0, 1) if image.ndim == 3 else image[None])
        return found if any(found) else []

    def _counterfactuals(self, architecture: Architecture) -> list[dict[str, Any]]:
        """How far made images of each domain went the way that others drew the same things."""
        seen, rows = self._split.seen, []
        for number, domain in enumerate(self._domains.training):
            own = seen.take(np.flatnonzero(seen.domains == number))
            real, made = self.update.made(own, architecture)
            pixels = self.update.pixels(own, architecture)
            for name, others in self._others(domain).items():
                at, there = paired(own, others)
                if len(at) > 1:
                    batch = self.task.batch(others.images[there], real.shape[1:])
                    told = towards(real[at], made[at], pixels.of(batch))
                    rows.append({"domain": domain, "drawn by": name, **document_of(told)})
        return rows


def _task_of(study: Study, dataset: Dataset) -> Task:
    return task_named(study.training_record().get("task", DOMAINS)).of(dataset)


def png(pixels: Tensor) -> str:
    """Pixels (C, H, W) in 0…1 as a data URI."""
    values = (pixels * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
