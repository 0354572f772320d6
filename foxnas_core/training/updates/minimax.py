"""Training a supernet beside a generator that makes images its subnets fail on (NAS-OoD, Bai et
al., arXiv 2109.02038, equations 3 to 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from foxnas_core.networks import SupernetAdapter
from foxnas_core.sampling.distribution import Distribution
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.adversary.generator import Generator, Pixels, reversed_gradient
from foxnas_core.training.adversary.lamps import RULES, collapse, lamps_of, said_of
from foxnas_core.training.adversary.readers import Reader, disturbed
from foxnas_core.training.adversary.transport import transport
from foxnas_core.training.loop import steps_of
from foxnas_core.training.update import Observed, Plan, Update
from foxnas_core.training.updates.single import laid_out

# Subnets by whose mean it is told how much harder made images are.
_JUDGES = 3
# How much faster than the generator readers learn.
_READING = 3
# By what factor a witness must beat a guess.
_READS = 1.5
WATCHED = 500
"""Images that lamps are told on."""
BEFORE = 1 / 3
"""The share of the steps in which readers learn and nothing is made."""


@dataclass(frozen=True)
class GameSettings:
    """How the game is played.

    - `domains` is the number of those that training images are of; the generator moves images to
      as many others.
    - Until step `begin` the readers learn, and then stay as they are while the generator plays;
      with None neither does, and subnets learn what they learn beside them.
    - `cycle`, `transport` and `meaning` are λcyc, λot and λce; the paper's are 10, .01 and .01.
    - `rate` is the generator's own; readers learn three times as fast. With `on_made` weights
      train on made images too.
    """

    domains: int = 1
    begin: int | None = 200
    cycle: float = 1.0
    transport: float = 0.01
    meaning: float = 20.0
    rate: float = 2e-3
    on_made: bool = False


class Game(SupernetAdapter):
    """A supernet, the generator, and three readers: one of all there is, whose features tell how
    far images were moved, and two of what may not change, of which one guides the generator and the
    other judges it."""

    def __init__(self, supernet: SupernetAdapter, domains: int) -> None:
        super().__init__()
        self.space, self.supernet, self.layout = supernet.space, supernet, supernet.layout  # type: ignore[misc]
        example = supernet.space.draw(np.random.default_rng(0), "decisions")
        network = supernet.extract(example)
        channels = network.input_shape[0]
        with torch.no_grad():
            classes = network(network.example()).shape[1]
        self.generator = Generator(channels, 2 * domains)
        self.reader, self.guide, self.witness = (Reader(channels, classes) for _ in range(3))

    @property
    def readers(self) -> tuple[Reader, ...]:
        return self.reader, self.guide, self.witness

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return self.supernet.input_shape(architecture)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        return self.supernet(x, architecture)

    def extract(self, architecture: Architecture) -> Any:
        return self.supernet.extract(architecture)


class Minimax(Update):
    """One subnet a step, drawn uniformly, on real images; and a generator that its loss on made
    images is made great by.

    The generator makes small λcyc‖x̂ − x‖₁ − λot·OT(φ(x̃), φ(x)) + λce·CE(g(x̃), y) less the subnet's
    loss on x̃, x̂ being x̃ moved back, φ the reader's features and g the guide; the subnet's weights
    are there by `reversed_gradient`, and learn by it only where settings say so. Columns: the loss
    on real and on made images, and how much a pixel changed. `watched` tells what lamps need, on
    `watch`, where that is given and the game has begun.
    """

    name: ClassVar[str] = "minimax"
    takes = SupernetAdapter
    columns: ClassVar[tuple[str, ...]] = ("loss", "made_loss", "change")
    usual: ClassVar[Mapping[str, Any]] = {"epochs": 20, "batch": 64}
    model: Game

    def __init__(
        self,
        model: SupernetAdapter,
        task: Task,
        recipe: Plan,
        *,
        settings: GameSettings | None = None,
        distribution: Distribution | None = None,
        watch: ImageSet | None = None,
    ) -> None:
        self.settings = settings or GameSettings()
        super().__init__(Game(model, self.settings.domains).train(), task, recipe)
        self._drawn_from = distribution or Distribution.uniform(model.space)
        self._watch, self._played = watch, False

    @classmethod
    def on(cls, model: Any, task: Task, recipe: Plan, dataset: Dataset) -> Self:
        """Between as many domains as are trained on, watched on unseen things of these."""
        split, held_out = dataset.split, dataset.held_out
        begin = round(BEFORE * steps_of(len(dataset.training), recipe))
        if split is None or held_out.domains is None:
            watch, domains = held_out, 1
        else:
            own = np.isin(held_out.domains, split.numbers_of(split.training))
            watch, domains = held_out.take(np.flatnonzero(own)), len(split.training)
        settings = GameSettings(domains, begin)
        return cls(model, task, recipe, settings=settings, watch=watch.take(slice(0, WATCHED)))

    @classmethod
    def told(cls, epochs: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        if not epochs:
            return super().told(epochs)
        lamps = lamps_of(epochs[-1])
        said = f"At the end of the game {said_of(lamps)}."
        if advice := collapse(lamps):
            said = f"{said} {advice}"
        return said, {"lamps": [lamp.to_dict() for lamp in lamps]}

    def optimizers(self) -> list[Optimizer]:
        own = self.settings.rate
        return [
            torch.optim.AdamW(self.groups(), lr=self.recipe.learning_rate),
            torch.optim.Adam(
                [
                    {"params": list(module.parameters()), "lr": rate, "fixed": True}
                    for module, rate in (
                        (self.model.generator, own),
                        *((reader, _READING * own) for reader in self.model.readers),
                    )
                ]
            ),
        ]

    def groups(self) -> list[dict[str, Any]]:
        supernet = self.model.supernet
        named = [(n, p) for n, p in supernet.named_parameters() if p.requires_grad]
        return [
            {
                "params": [p for name, p in named if supernet.decays(name, p) is decays],
                "weight_decay": self.recipe.weight_decay if decays else 0.0,
            }
            for decays in (True, False)
        ]

    def remembered(self) -> dict[str, Tensor]:
        return {"played": torch.tensor(self._played)}

    def recall(self, tensors: Mapping[str, Tensor]) -> None:
        self._played = bool(tensors["played"])

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        [cases] = parts
        rng = np.random.default_rng([self.recipe.seed, 3, number])
        [architecture] = self.model.space.decode(self._drawn_from.draw(rng, 1))
        x = self._taken(cases, architecture)
        loss = self.task.loss(self.model(x, architecture), cases.labels)
        loss.backward()
        if self.settings.begin is None:
            return [("loss", loss.item())]
        draw = torch.Generator().manual_seed(int(rng.integers(2**62)))
        pixels = self.pixels(cases, architecture)
        if number < self.settings.begin:
            self._read(pixels.of(x), cases.labels, draw)
            return [("loss", loss.item())]
        self._played = True
        return [("loss", loss.item()), *self._play(x, pixels, cases, architecture, draw)]

    def _taken(self, cases: ImageSet, architecture: Architecture) -> Tensor:
        x = self.task.batch(cases.images, self.model.input_shape(architecture))
        return laid_out(x, self.model.layout)

    def pixels(self, cases: ImageSet, architecture: Architecture) -> Pixels:
        return Pixels(self.task, cases, self.model.input_shape(architecture))

    def _read(self, pixels: Tensor, labels: np.ndarray, draw: torch.Generator) -> None:
        """A step of the readers, each on images of its own."""
        model = self.model
        seen = (pixels, disturbed(pixels, draw), disturbed(pixels, draw))
        for reader, own in zip(model.readers, seen, strict=True):
            self.task.loss(reader(own), labels).backward()

    def _play(
        self,
        x: Tensor,
        pixels: Pixels,
        cases: ImageSet,
        architecture: Architecture,
        draw: torch.Generator,
    ) -> Observed:
        """A step of the generator."""
        model, own, real = self.model, self.settings, pixels.of(x)
        source = sources(cases)
        target = torch.randint(own.domains, 2 * own.domains, source.shape, generator=draw)
        made = model.generator(real, source, target)
        moved_back = model.generator(made, target, source)
        with torch.no_grad():
            features = model.reader.features(real)
        taken = laid_out(pixels.back(reversed_gradient(made)), model.layout)
        fooled = self.task.loss(model(taken, architecture), cases.labels)
        total = (
            own.cycle * F.l1_loss(moved_back, real)
            - own.transport * transport(model.reader.features(made), features)
            + own.meaning * self.task.loss(model.guide(made), cases.labels)
            + fooled
        )
        players: list[nn.Module] = [model.generator, *([model.supernet] if own.on_made else [])]
        learning = [p for player in players for p in player.parameters() if p.requires_grad]
        for parameter, gradient in zip(
            learning, torch.autograd.grad(total, learning, allow_unused=True), strict=True
        ):
            if gradient is not None:
                known = parameter.grad
                parameter.grad = gradient if known is None else known + gradient
        return [("made_loss", fooled.item()), ("change", (made - real).abs().mean().item())]

    # What it makes, and whether that is sane

    @torch.no_grad()
    def made(self, cases: ImageSet, architecture: Architecture) -> tuple[Tensor, Tensor]:
        """Real images and what is made of them, as pixels (N, C, H, W) of the size that an
        architecture takes; each is moved to one of the other domains in turn."""
        x = self.task.batch(cases.images, self.model.input_shape(architecture))
        real, own = self.pixels(cases, architecture).of(x), self.settings.domains
        target = own + torch.arange(len(cases)) % own
        return real, self.model.generator(real, sources(cases), target)

    @torch.no_grad()
    def watched(self) -> Mapping[str, Sequence[float]]:
        if self._watch is None or not self._played:
            return {}
        told = self.told_by(self._watch)
        return {name: [] if np.isnan(v) else [round(v, 4)] for name, v in told.items()}

    @torch.no_grad()
    def told_by(self, cases: ImageSet) -> dict[str, float]:
        """The number of each of `RULES`, by these images."""
        model, half = self.model, len(cases) // 2
        [architecture] = model.space.decode(self._judges()[:1])
        real, made = self.made(cases, architecture)
        features = model.reader.features(real)
        among = transport(features[:half], features[half : 2 * half])
        moved = transport(model.reader.features(made[:half]), features[half : 2 * half])
        kept = self._kept(real, made, cases)
        told = (
            float((made - real).abs().mean()), kept, float(moved / among),
            differing(made) / differing(real), self._harder(cases),
        )  # fmt: skip
        return dict(zip(RULES, told, strict=True))

    def _kept(self, real: Tensor, made: Tensor, cases: ImageSet) -> float:
        """The share of the witness's score that is left; NaN where it tells nothing, being little
        better than naming the commonest class."""
        witness = self.model.witness
        own = self._score(witness(real), cases)
        guessed = np.full(len(cases), np.bincount(cases.labels).argmax())
        guess = self._score(F.one_hot(torch.from_numpy(guessed), witness.last.out_features), cases)
        return self._score(witness(made), cases) / own if own > _READS * guess else np.nan

    def _judges(self) -> np.ndarray:
        rng = np.random.default_rng([self.recipe.seed, 4])
        return self._drawn_from.draw(rng, _JUDGES)

    def _harder(self, cases: ImageSet) -> float:
        """How much of the score some subnets lose on made images, with norms of real ones."""
        lost = []
        for architecture in self.model.space.decode(self._judges()):
            pixels = self.pixels(cases, architecture)
            real, made = (pixels.back(own) for own in self.made(cases, architecture))
            subnet = self.model.extract(architecture)
            recalibrate(subnet, [real])
            on_real, on_made = (self._score(subnet(x), cases) for x in (real, made))
            lost.append((on_real - on_made) / 100)
        return float(np.mean(lost))

    def _score(self, outputs: Tensor, cases: ImageSet) -> float:
        return float(self.task.cases(outputs.numpy(), cases.labels)[self.task.objective].mean())


def sources(cases: ImageSet) -> Tensor:
    """The number of the domain of each image (N,), 0 where none is known."""
    known = np.zeros(len(cases), np.int64) if cases.domains is None else cases.domains
    return torch.from_numpy(np.asarray(known, np.int64))


def differing(pixels: Tensor) -> float:
    """The mean difference of a pixel between images (N, …) that follow each other."""
    return float((pixels - pixels.roll(1, 0)).abs().mean())
