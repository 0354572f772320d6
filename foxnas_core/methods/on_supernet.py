"""Methods that select by a mixture supernet, and the one that reads its architecture parameters."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.families import family_of
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.search.selections import (
    SELECTIONS,
    EdgeDecision,
    MaskedOperation,
    SelectedCell,
    SupernetSelection,
)
from foxnas_core.space.mixture import Mixture
from foxnas_core.study import Study, file_hash
from foxnas_core.study.parts import MIXTURE
from foxnas_core.supernet.header import checkpoint_metadata, checkpoint_tensors

ALPHA = "alpha."
# Updates that train every operation by itself, after which a mixture of them is none that learnt.
_UNMIXED = ("sandwich", "single-path")


def mixture_file(study: Study) -> Path:
    """The checkpoint of the mixture that is selected by: that beside a supernet whose subnets are
    measured, else the supernet itself."""
    beside = study.folder / MIXTURE
    return beside if beside.exists() else study.checkpoint_file


def mixture_record(study: Study) -> dict[str, Any]:
    """What that checkpoint says of its training; empty without one. Raises `InvalidInput` for a
    damaged one."""
    path = mixture_file(study)
    return dict(checkpoint_metadata(path)["record"]) if path.exists() else {}


def mixed(record: Mapping[str, Any]) -> bool:
    """Whether a training was that of a mixture."""
    return bool(record) and record.get("update", _UNMIXED[0]) not in _UNMIXED


class OnSupernet(Method):
    """A method that needs a mixture, and knows no limits."""

    on_supernet = True
    keeps_limits = False

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        if question and (question.limits or question.allowed):
            return (
                f"The method {self.name!r} weighs the operations of a supernet and knows neither "
                "limits nor choices; leave --limit, --allow and --forbid out, or take the method "
                "'regression'."
            )
        if family_of(study.space).mixture(study.space) is None:
            return (
                f"Space {study.space.name!r} is of family {study.space.family!r}, whose supernet "
                "mixes no operations; take a study of a family whose does ('nasbench201', 'darts', "
                "'volumetric')."
            )
        if not mixed(mixture_record(study)):
            return (
                f"{study.folder} has no supernet that was trained as a mixture of operations; "
                "train one with 'python -m foxnas_core train --update darts', or fixed-alpha."
            )
        return self.misses(study)

    @abstractmethod
    def misses(self, study: Study) -> str | None:
        """What else there must be, as `lacks` says it."""

    def identity(self, study: Study) -> dict[str, Any]:
        parents = {"checkpoint": file_hash(mixture_file(study))}
        if study.images_file.exists():
            parents["images_file"] = file_hash(study.images_file)
        return parents


class Magnitude(OnSupernet):
    """The operation of the greatest architecture parameter on each edge, as DARTS selects; nodes
    that keep some of their edges keep those of the strongest operations."""

    name = "magnitude"
    title = "Magnitude"

    def misses(self, study: Study) -> str | None:
        if all(np.ptp(alpha) == 0 for alpha in parameters_of(study).values()):
            return (
                f"The architecture parameters of {study.folder} are all equal: they were not "
                "trained; train with 'python -m foxnas_core train --update darts', or take the "
                "method 'perturbation'."
            )
        return None

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        return _MagnitudeRun(self, study, seed)


class _MagnitudeRun:
    """One step, which is too short to be resumed."""

    total = 1

    def __init__(self, method: Magnitude, study: Study, seed: int) -> None:
        self.done = 0
        self._method, self._study, self._seed = method, study, seed

    def advance(self, steps: int) -> None:
        self.done = min(1, self.done + steps)

    def state(self) -> bytes:
        return b""

    def selection(self) -> Selection:
        mixture = mixture_of(self._study)
        weights = {
            name: softmax(alpha).tolist() for name, alpha in parameters_of(self._study).items()
        }
        decisions = [_strongest(mixture, weights, edge.name) for edge in mixture.edges] + [
            _strongest_edges(mixture, weights, number) for number in range(len(mixture.junctions))
        ]
        return selection_of(
            self._method, self._study, self._seed, decisions,
            f"The largest architecture parameter of each of {len(mixture.edges)} edges.",
        )  # fmt: skip


def _strongest(mixture: Mixture, weights: Mapping[str, Sequence[float]], name: str) -> EdgeDecision:
    edge = mixture.by_name[name]
    candidates = [
        MaskedOperation(operation, float(weight))
        for operation, weight in zip(edge.operations, weights[name], strict=True)
    ]
    allowed = [one for one in candidates if one.operation not in edge.mixed_only]
    return EdgeDecision(name, max(allowed, key=lambda one: one.weight).operation, tuple(candidates))


def _strongest_edges(
    mixture: Mixture, weights: Mapping[str, Sequence[float]], number: int
) -> EdgeDecision:
    junction = mixture.junctions[number]
    candidates = [
        MaskedOperation(edge, strength(mixture, weights, edge)) for edge in junction.edges
    ]
    ranked = sorted(candidates, key=lambda one: -one.weight)
    kept = junction.choice([one.operation for one in ranked[: junction.keeps]])
    return EdgeDecision(junction.name, str(kept), tuple(candidates))


def strength(mixture: Mixture, weights: Mapping[str, Sequence[float]], edge: str) -> float:
    """The greatest weight of an edge's operations that may be taken."""
    own = mixture.by_name[edge]
    return max(
        float(weight)
        for operation, weight in zip(own.operations, weights[edge], strict=True)
        if operation not in own.mixed_only
    )


def selection_of(
    method: OnSupernet, study: Study, seed: int, decisions: Sequence[EdgeDecision], sentence: str
) -> Selection:
    """What the decisions select, with the record of them as its document."""
    choices = {decision.edge: decision.kept for decision in decisions}
    architecture = study.space.architecture(choices)
    text = family_of(study.space).write(study.space, architecture)
    record = SupernetSelection(
        method.name,
        seed,
        tuple(decision.edge for decision in decisions),
        tuple(decisions),
        SelectedCell(architecture.id, architecture, text),
        method.identity(study),
    )
    evidence = pd.DataFrame(
        {"edge": decision.edge, "kept": decision.kept, **asdict(candidate)}
        for decision in decisions
        for candidate in decision.candidates
    ).dropna(axis="columns", how="all")
    document = SELECTIONS.document(record)
    document.pop("format")
    return Selection(architecture, sentence, evidence, document)


def mixture_of(study: Study) -> Mixture:
    """The mixture of the study's space, of which `OnSupernet.lacks` says that there is one."""
    mixture = family_of(study.space).mixture(study.space)
    assert mixture is not None
    return mixture


def parameters_of(study: Study) -> dict[str, np.ndarray]:
    """The architecture parameters (operations,) of each edge, as the checkpoint holds them."""
    found = checkpoint_tensors(mixture_file(study), ALPHA)
    return {edge.name: found[f"{ALPHA}{edge.name}"] for edge in mixture_of(study).edges}


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())
