"""Naming the class of an image in domains that were trained on, and in others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.records import document_of, value_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.domain_folder import load_domains
from foxnas_core.tasks.domain_split import IID, OOD, WORST, DomainSplit
from foxnas_core.tasks.task import Score, mean_of

_SHIFT = 2  # pixels


@dataclass(frozen=True)
class Domains(Classification):
    """Classification of images that are each of a domain.

    Beside the accuracy over all held-out images, `score` tells that in each domain, in those that
    were trained on (`accuracy:iid`), in the unseen ones (`accuracy:ood`) and in the worst of these
    (`accuracy:worst`), each with its standard error over images. In training an image is shifted
    by up to 2 pixels, since what is turned may be of another class.
    """

    name: ClassVar[str] = "domains"
    keeps_training: ClassVar[bool] = True

    split: DomainSplit

    @classmethod
    def load(
        cls,
        path: Path | None,
        input_shape: Sequence[int],
        *,
        roles: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Dataset:
        if path is None:
            raise MissingPart(
                "Images in domains come from a folder DOMAIN/CLASS of pictures or a study's "
                "images.npz; name it with --data."
            )
        return load_domains(path, side=input_shape[-1], channels=input_shape[0], roles=roles)

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        if dataset.split is None:
            raise InvalidInput(
                f"The images of {dataset.name} are of no domains; name a folder DOMAIN/CLASS."
            )
        return cls(*dataset.pixel_statistics(), dataset.split)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        split = value_of(DomainSplit, record["domains"])
        return cls(record["pixel_mean"], record["pixel_std"], split)

    def record(self) -> dict[str, Any]:
        return super().record() | {"domains": document_of(self.split)}

    def variation(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.integers(0, 2 * _SHIFT + 1, (count, 2))

    def varied(self, cases: ImageSet, drawn: np.ndarray) -> ImageSet:
        height, width = cases.images.shape[1:3]
        around = [(0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)][: cases.images.ndim]
        padded = np.pad(cases.images, around, mode="edge")
        rows = drawn[:, 0, None, None] + np.arange(height)[:, None]
        columns = drawn[:, 1, None, None] + np.arange(width)
        shifted = padded[np.arange(len(cases))[:, None, None], rows, columns]
        return replace(cases, images=shifted)

    def cases(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        found = super().cases(outputs, labels)
        return {self.objective: found[self.objective]}

    def score(
        self, outputs: np.ndarray, held_out: ImageSet, domains: Sequence[str] = ()
    ) -> dict[str, Score]:
        scores = super().score(outputs, held_out, domains or self.split.names)
        if domains or held_out.domains is None:
            return scores
        right = self.cases(outputs, held_out.labels)[self.objective]
        for name, own in ((IID, self.split.training), (OOD, self.split.test)):
            rows = np.isin(held_out.domains, self.split.numbers_of(own))
            if rows.any():
                scores[f"{self.objective}:{name}"] = mean_of(right[rows])
        unseen = [f"{self.objective}:{domain}" for domain in self.split.test]
        if tested := [scores[column] for column in unseen if column in scores]:
            scores[f"{self.objective}:{WORST}"] = min(tested, key=lambda score: score.value)
        return scores
