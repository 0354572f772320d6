"""The method that trains a supernet with a distribution over its subnets, and selects the most
probable one (FP-NAS, Yan et al., arXiv 2011.10949)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from foxnas_core.families import family_of
from foxnas_core.methods.method import Method, Question, Run, missing_columns
from foxnas_core.study import Study
from foxnas_core.tasks.dataset import FASHION_MNIST_FOLDER, has_fashion_mnist


@dataclass(frozen=True)
class Sampled(Method):
    """The mode of a distribution that is learnt with the weights of a supernet of its own, from
    scratch; the study's is left as it is. Limits are pushed towards by what predicts their columns.

    - `samples_per_nat` (λ) and `switch_step` as in `sampling.adaptive.SamplingSettings`; by default
      such that 16 are drawn at first, and at half of the steps. With `fixed_samples`, so many are
      drawn at each step instead (PARSEC).
    - `epochs` over the first `images` training images of `data` (by default Fashion-MNIST's).
    """

    name = "fpnas"
    title = "FP-NAS"
    on_supernet = True
    trains = True
    settings: ClassVar[Mapping[str, str]] = {"epochs": "Epochs", "images": "Training images"}

    samples_per_nat: float | None = None
    switch_step: int | None = None
    epochs: int = 12
    images: int = 6000
    data: str | None = None
    fixed_samples: int | None = None

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        if not family_of(study.space).supernet:
            return (
                f"Space {study.space.name!r} is of family {study.space.family!r}, which has no "
                "supernet to be trained; take the method 'regression'."
            )
        if self.data is None and not has_fashion_mnist():
            return (
                f"There are no images to train on in {FASHION_MNIST_FOLDER}; install Debian's "
                "package dataset-fashion-mnist, or name a folder of images by --data."
            )
        if question and question.limits:
            return missing_columns(study, question)
        return None

    def identity(self, study: Study) -> dict[str, Any]:
        return asdict(self)

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        from foxnas_core.methods.sampled import SampledRun

        return SampledRun(self, study, question, seed, state, **asdict(self))
