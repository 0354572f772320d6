"""Exports that run in this server, each in a thread of its own, one after another."""

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.export import export
from foxnas_core.study import Study
from pages.shared.registry import Work

if TYPE_CHECKING:
    from foxnas_core.export.written import ExportedModel
    from foxnas_core.search.expectation import Expectation

# One at a time, as each keeps a core busy.
_turn = threading.Lock()


@dataclass(frozen=True)
class ExportSettings:
    """Names of formats, epochs of fine-tuning (0 for none) and whether these round as int8 does,
    and the least agreement of int8 with fp32 (percent)."""

    formats: tuple[str, ...]
    epochs: int
    quantization_aware: bool
    int8_floor: float


class Exporting(Work["ExportedModel"]):
    """One export, which has no progress until it is its turn, and no result until all its files are
    checked.

    `stamp` changes whenever what files are made of does.
    """

    name, what, most_unfinished, most_kept = "export", "exports run or wait", 4, 4

    def __init__(
        self,
        study: Study,
        architecture: Architecture,
        expected: Sequence["Expectation"],
        settings: ExportSettings,
        stamp: Hashable,
    ) -> None:
        super().__init__(str(study.folder), (architecture, stamp))
        self.architecture, self.settings = architecture, settings
        self._of, self._expected = study, expected

    def _work(self) -> "ExportedModel | None":
        # Brings torch along, so it waits until something is exported.
        from foxnas_core.quantization.finetuning import FineTuning

        settings = self.settings
        tuning = FineTuning(settings.epochs, quantization_aware=settings.quantization_aware)
        while not _turn.acquire(timeout=0.2):
            if self.stopping:
                return None
        try:
            return export(
                self._of,
                self.architecture,
                self._expected,
                formats=settings.formats,
                tuning=tuning if settings.epochs else None,
                int8_floor=settings.int8_floor,
                report=self.report,
                alone=self.alone(),
            )
        finally:
            _turn.release()
