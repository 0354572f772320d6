"""The method that selects by images of domains that nobody has seen: a generator makes them (NAS-
OoD, Bai et al., arXiv 2109.02038), or a seen domain is held out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from foxnas_core.families import family_of
from foxnas_core.methods.method import Question, Run, missing_columns
from foxnas_core.methods.playing import Playing
from foxnas_core.study import Study, file_hash
from foxnas_core.tasks.domain_split import DOMAINS


@dataclass(frozen=True)
class Outside(Playing):
    """Of so many `candidates`, the best one on images that a generator made while a supernet was
    trained beside it, or without it on a domain that is held out for selection. The supernet is the
    method's own; the study's is left as it is.
    """

    name = "ood"
    title = "NAS-OoD"
    on_supernet = True
    trains = True
    settings: ClassVar[Mapping[str, str]] = {
        "epochs": "Epochs", "images": "Training images", "candidates": "Candidates",
    }  # fmt: skip

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        if not family_of(study.space).supernet:
            return (
                f"Space {study.space.name!r} is of family {study.space.family!r}, which has no "
                "supernet to be trained; take the method 'regression'."
            )
        split = study.record(DOMAINS)
        if split is None:
            return (
                f"{study.folder} has no images in domains, of which some are seen and others are "
                "not; train on such with 'python -m foxnas_core train --task domains'."
            )
        if not self.plays and not split.selection:
            return (
                f"No domain of {study.folder} is held out for selection; give one that role with "
                "'python -m foxnas_core train --domain NAME=selection', or take --generator on."
            )
        if question and question.limits:
            return missing_columns(study, question)
        return None

    def identity(self, study: Study) -> dict[str, Any]:
        own = asdict(self)
        if study.images_file.exists():
            own["images_file"] = file_hash(study.images_file)
        return own

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        from foxnas_core.methods.adversarial import OutsideRun

        return OutsideRun(self, study, question, seed, state)
