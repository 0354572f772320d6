"""Exports that run in this server, each in a thread of its own, one after another."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from foxnas_core.export.progress import ExportProgress
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.export import export
from foxnas_core.study import Study
from pages.shared.registry import MEASURING, Registry, Work

if TYPE_CHECKING:
    from foxnas_core.export.exporter import ExportedModel

State = Literal["waiting", "running", "stopping", "stopped", "finished", "failed"]

# One at a time, as each keeps a core busy.
_turn = threading.Lock()


class _Stopped(Exception):
    """Raised between two parts of the work, since what is stopped leaves nothing."""


@dataclass(frozen=True)
class ExportSettings:
    """Names of formats, epochs of fine-tuning (0 for none) and whether these round as int8 does,
    and the least agreement of int8 with fp32 (percent)."""

    formats: tuple[str, ...]
    epochs: int
    quantization_aware: bool
    int8_floor: float


class Exporting(Work):
    """One export; `progress` is None until it is its turn, `result` until all files are checked.

    `stamp` changes whenever what files are made of does.
    """

    name = "export"

    def __init__(
        self,
        study: Study,
        architecture: Architecture,
        predictors: Mapping[str, Predictor],
        settings: ExportSettings,
        stamp: object,
    ) -> None:
        super().__init__(str(study.folder))
        self.architecture, self.settings, self.stamp = architecture, settings, stamp
        self.progress: ExportProgress | None = None
        self.result: ExportedModel | None = None
        self._of, self._predictors = study, predictors
        self._thread.start()

    @property
    def state(self) -> State:
        if self.result is not None:
            return "finished"
        if self.ended:
            return "failed" if self.failed else "stopped"
        if self._stop.is_set():
            return "stopping"
        return "running" if self.progress else "waiting"

    def _work(self) -> None:
        # Brings torch along, so it waits until something is exported.
        from foxnas_core.quantization.finetuning import FineTuning

        settings = self.settings
        tuning = FineTuning(settings.epochs, quantization_aware=settings.quantization_aware)
        while not _turn.acquire(timeout=0.2):
            if self._stop.is_set():
                return
        try:
            with suppress(_Stopped):
                self.result = export(
                    self._of,
                    self.architecture,
                    self._predictors,
                    formats=settings.formats,
                    tuning=tuning if settings.epochs else None,
                    int8_floor=settings.int8_floor,
                    report=self._report,
                    alone=MEASURING,
                )
        finally:
            _turn.release()

    def _report(self, progress: ExportProgress) -> None:
        self.progress = progress
        if self._stop.is_set():
            raise _Stopped


class Exports(Registry[Exporting]):
    """The registry of exports that wait, run or ended lately."""

    most_unfinished, most_kept, what = 4, 4, "exports run or wait"

    def of(self, study: str, architecture: Architecture, stamp: object) -> Exporting | None:
        """The latest export of an architecture from the same weights and images, if it is still
        remembered."""
        own = [
            run.id
            for run in list(self._runs.values())
            if (run.architecture, run.stamp) == (architecture, stamp) and run.study == study
        ]
        return self.get(own[-1], study) if own else None
