"""What an analysis may read: a study, how it is looked at, and what follows from both.

Here all of it is computed when first asked for. Who keeps results elsewhere, as the pages' cache
does, overrides `kept`.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from foxnas_core.space.architecture import Architecture
from foxnas_core.study.storage import Study, file_hash
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.evidence.trust.pairs import TrustRecord
    from foxnas_core.evidence.trust.report import TrustReport
    from foxnas_core.quantization.comparison import PrecisionComparison
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference

_P = ParamSpec("_P")
_T = TypeVar("_T")


def once(
    method: Callable[Concatenate["Given", _P], _T],
) -> Callable[Concatenate["Given", _P], _T]:
    """A method of `Given` that is computed once for equal arguments, all of them hashable."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def asked(self: "Given", *args: _P.args, **named: _P.kwargs) -> _T:
        bound = signature.bind(self, *args, **named)
        bound.apply_defaults()
        return self.kept(method, *bound.args[1:])

    return asked


@dataclass(frozen=True, eq=False)
class Given:
    """A study, and how it is looked at.

    `cost` is the column that the objective is traded against, by default the study's main one;
    `form`, `link` and `intervals` are how regressions are fitted and their effects bounded;
    `budget` is in the cost's unit and `architecture` the chosen one, None where nobody chose; `beside` is a
    second study to compare with.
    """

    study: Study
    cost: str | None = None
    form: str = "auto"
    link: str = "auto"
    intervals: str = "ordinary"
    budget: float | None = None
    architecture: Architecture | None = None
    beside: "Given | None" = None
    _results: dict[tuple, Any] = field(default_factory=dict, repr=False)

    def kept(self, method: Callable[..., _T], *arguments: Any) -> _T:
        """What `method` makes of arguments, computed once."""
        key = (method.__name__, *arguments)
        if key not in self._results:
            self._results[key] = method(self, *arguments)
        return self._results[key]

    @property
    def folder(self) -> str:
        """The study's folder as one types it where the program was started."""
        folder, here = self.study.folder.resolve(), Path.cwd().resolve()
        return str(folder.relative_to(here)) if folder.is_relative_to(here) else folder.name

    @property
    def table(self) -> MeasurementTable:
        """The measurement table; raises as `Study.table`."""
        return self.kept(Given._table)

    def _table(self) -> MeasurementTable:
        return self.study.table()

    # Fits

    @once
    def predictor(self, column: str, form: str = "auto", link: str = "auto") -> "Predictor":
        """The predictor of one target; raises as `steps.fit.predictor_or_transfer`."""
        from foxnas_core.steps.fit import fit_all

        return fit_all(self.table, form, link, targets=[column])[column]

    @once
    def inference(
        self, column: str, form: str = "auto", link: str = "auto", kind: str = "ordinary"
    ) -> "Inference":
        """How sure one may be of a predictor's effects; raises as `predictor`."""
        from foxnas_core.regression.inference import inference

        return inference(self.predictor(column, form, link), kind, table=self.table)

    # Beside another study

    @once
    def precisions(self) -> "PrecisionComparison":
        """This study's subnets, and those of the one beside it, in both precisions; raises as
        `compare_precisions`."""
        from foxnas_core.quantization.comparison import compare_precisions

        shown = [self, *([self.beside] if self.beside else [])]
        return compare_precisions([(given.study.folder.name, given.table) for given in shown])

    # Records

    @once
    def trust(self) -> "TrustRecord | None":
        """The subnets that were trained alone; raises as `Study.trust`."""
        return self.study.trust()

    @once
    def trust_report(self) -> "TrustReport":
        """What those subnets tell; raises as `trust_report`."""
        from foxnas_core.evidence.trust.report import trust_report

        record = self.trust()
        pairs = record.pairs if record else ()
        # The seed of the run, so that everybody says the same of it.
        return trust_report(pairs, seed=pairs[0].seed if pairs else 0)

    @once
    def weights(self) -> str:
        """The hash of the study's weights, "" where it has none."""
        file = self.study.checkpoint_file
        return file_hash(file) if file.exists() else ""
