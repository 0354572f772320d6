"""The method that selects by what a mixture supernet loses without an operation (Wang et al., arXiv
2108.04392)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from foxnas_core.methods.method import Question, Run
from foxnas_core.methods.on_supernet import OnSupernet
from foxnas_core.study import Study


@dataclass(frozen=True)
class Perturbation(OnSupernet):
    """What the supernet loses most without stays; the next edge is decided once it has been
    fine-tuned for `epochs` over the study's training images. Losses are told on the first `images`
    held-out ones.

    Edges are decided in an order drawn by the seed, then which edges nodes keep, by the same test.
    """

    name = "perturbation"
    title = "Perturbation"
    settings: ClassVar[Mapping[str, str]] = {
        "epochs": "Epochs of fine-tuning a decision",
        "images": "Held-out images",
    }

    epochs: int = 2
    images: int = 10_000

    def misses(self, study: Study) -> str | None:
        if not study.images_file.exists():
            return study.no_images("which tell what is lost")
        return None

    def identity(self, study: Study) -> dict[str, Any]:
        return asdict(self) | super().identity(study)

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        from foxnas_core.methods.masking import PerturbationRun

        return PerturbationRun(self, study, seed, state, epochs=self.epochs, images=self.images)
