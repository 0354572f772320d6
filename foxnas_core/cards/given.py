"""What an analysis may read: a study, how it is looked at, and what follows from both.

Here all of it is computed when first asked for. Who keeps results elsewhere, as the pages' cache
does, overrides `kept`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from foxnas_core.cards.finds import Allowed, Finds, Limits
from foxnas_core.cards.sharing import once, shared
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.families import family_of
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study, file_hash
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.devices.comparison import DeviceComparison
    from foxnas_core.devices.curve import TransferCurve
    from foxnas_core.devices.reversals import RankReversals
    from foxnas_core.diagnostics.diagnosis import Diagnosis
    from foxnas_core.diagnostics.learning_curve import LearningCurve
    from foxnas_core.evidence.handmade.claims import Comparison
    from foxnas_core.evidence.handmade.record import HandmadeRecord
    from foxnas_core.evidence.trust.pairs import TrustRecord
    from foxnas_core.evidence.trust.report import TrustReport
    from foxnas_core.evidence.verification.claims import Trial
    from foxnas_core.planning.plan import MeasurementPlan
    from foxnas_core.quantization.comparison import PrecisionComparison
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference
    from foxnas_core.regression.picker import Recommendation
    from foxnas_core.search.exact import Front
    from foxnas_core.search.rounds.record import RoundsRecord
    from foxnas_core.table.equals import EqualNetworks

_T = TypeVar("_T")


def known(value: _T | None) -> _T:
    """What is there by what an analysis's `lacks` has looked for."""
    assert value is not None
    return value


@dataclass(frozen=True, eq=False)
class Given(Finds):
    """A study, and how it is looked at.

    `cost` is the column that `objective` is traded against, by default the study's main ones, and
    `target` the one that is looked into alone, by default the objective; `form`, `link` and
    `intervals` are how regressions are fitted and their effects bounded; `budget` is in the cost's
    unit and `architecture` the chosen one, None where nobody chose; `beside` is a second study to
    compare with, `campaign` the one whose rows are looked at, None for all; `against` is the
    column, of another device, that the cost or the target is held against, and `start` the
    architecture that the chosen one is edited from.

    With a `floor` of the objective the least cost at it is looked for. `guard` is the probability
    with which a measurement shall keep budget or floor, `limits` and `allowed` what else is kept,
    and `unit` the label of the one that the front's costs are read in.
    """

    study: Study
    objective: str | None = None
    cost: str | None = None
    target: str | None = None
    form: str = "auto"
    link: str = "auto"
    intervals: str = "ordinary"
    budget: float | None = None
    architecture: Architecture | None = None
    beside: "Given | None" = None
    campaign: str | None = None
    against: str | None = None
    start: Architecture | None = None
    floor: float | None = None
    guard: float | None = None
    limits: Limits = ()
    allowed: Allowed = ()
    unit: str | None = None
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

    def into(self, target: str) -> "Given":
        """The same, looked into by one column; what is computed is shared."""
        return replace(self, target=target)

    # Columns

    @property
    def main(self) -> tuple[str, ...]:
        """The columns of the objective and of the cost, those that there are."""
        known = [target.column for target in self.table.targets]
        return tuple(column for column in self.traded if column in known)

    @property
    def column(self) -> str:
        """The column that is looked into; raises `MissingPart` where there is none."""
        known = [target.column for target in self.table.targets]
        found = self.target or next(iter(self.main), next(iter(known), None))
        if found is None or not len(self.table):
            raise MissingPart(
                "This study has no measurements yet; measure subnets with 'python -m foxnas_core "
                "measure' or import a table."
            )
        return found

    @property
    def traded(self) -> tuple[str, str]:
        """The columns of the objective and of the cost, whether the table has them or not."""
        return self.objective or self.study.objective.column, self.cost or self.study.cost.column

    @property
    def subnet(self) -> Architecture:
        """The chosen architecture, else the best within the budget where there is one, else the
        family's reference."""
        if self.architecture is not None:
            return self.architecture
        if self.budget is not None and len(self.main) > 1:
            return self.front(self.main[1]).within(self.budget).architecture
        return family_of(self.study.space).reference(self.study.space)

    # Fits

    @property
    def fitted(self) -> "Predictor":
        """The predictor of `column`, as it is looked at; raises as it and `predictor`."""
        return self.predictor(self.column, self.fitting_form, self.link)

    @property
    def inferred(self) -> "Inference":
        """How sure one may be of the effects in `fitted`; raises as it.

        A calibrated device's fit has no rows of its own to resample.
        """
        kind = "ordinary" if self.fitted.df is not None else self.intervals
        return self.inference(self.column, self.fitting_form, self.link, kind)

    @property
    def fitting_form(self) -> str:
        """`form`, or "auto" where this table can't have it."""
        if self.form == "auto":
            return "auto"
        from foxnas_core.regression.features import forms_of

        forms = forms_of(self.table.space, ordered=self.table.ordered)
        return self.form if self.form in forms else "auto"

    def mains(self) -> "list[Given]":
        """Looked into by each of `main` that can be fitted."""
        found = []
        for column in self.main:
            with suppress(FoxnasError):
                own = self.into(column)
                own.fitted  # noqa: B018
                found.append(own)
        return found

    @shared(entries=64, spinner="Fitting the regression …")
    def predictor(self, column: str, form: str = "auto", link: str = "auto") -> "Predictor":
        """The predictor of one target; raises as `steps.fit.predictor_or_transfer`."""
        from foxnas_core.steps.fit import fit_all
        from foxnas_core.steps.kept_fits import kept_fits

        kept = kept_fits(self.study)
        return fit_all(self.table, form, link, targets=[column], kept=kept)[column]

    @shared(spinner="Fitting the regression …")
    def fits(self) -> "tuple[Mapping[str, Predictor], Sequence[str]]":
        """A predictor for each target that can be fitted or calibrated, and a sentence for each
        that can't or is calibrated."""
        from foxnas_core.steps.fit import fit_each

        return fit_each(self.table.targets, self.predictor)

    @shared(entries=64, spinner="Computing intervals …")
    def inference(
        self, column: str, form: str = "auto", link: str = "auto", kind: str = "ordinary"
    ) -> "Inference":
        """How sure one may be of a predictor's effects; raises as `predictor`."""
        from foxnas_core.regression.inference import inference

        return inference(self.predictor(column, form, link), kind, table=self.table)

    @shared(spinner="Comparing the forms, 50 times over …")
    def recommendation(self, column: str, link: str) -> "Recommendation":
        """The recommended form of one target and why; raises as `regression.fit`."""
        from foxnas_core.regression.picker import recommend

        return recommend(self.table, column, link if metric_of(column).saturates else "none")

    @shared(spinner="Looking for what speaks against the fit …")
    def diagnosis(self, column: str, form: str, link: str) -> "Diagnosis":
        """What speaks against one predictor; raises as `predictor` and `diagnose`."""
        from foxnas_core.diagnostics.diagnosis import diagnose

        return diagnose(self.predictor(column, form, link), self.table)

    @shared(spinner="Fitting parts of the table …")
    def learning_curve(self, column: str, form: str, link: str) -> "LearningCurve":
        """How one predictor depends on the number of rows; raises as `learning_curve`."""
        from foxnas_core.diagnostics.learning_curve import learning_curve

        return learning_curve(self.predictor(column, form, link), self.table)

    def front(self, cost: str) -> "Front":
        """The best predictions of the objective for every cost, with what else is kept; raises as
        `front_of`."""
        return self.front_of(cost, self.allowed, self.limits, self.objective)

    @shared()
    def equals(self) -> "EqualNetworks":
        """The measured objective by network; raises as `MeasurementTable.values`."""
        from foxnas_core.table.equals import EqualNetworks

        return EqualNetworks.of(self.table, self.study.objective)

    # Devices beside each other

    @shared(spinner="Fitting both devices …")
    def device_fits(self, first: str, second: str) -> "tuple[Predictor, Predictor]":
        """Two devices' fits on the subnets that both measured; raises as `fit_pair`."""
        from foxnas_core.devices.common import fit_pair

        return fit_pair(self.table, first, second)

    @shared()
    def device_comparison(self, first: str, second: str) -> "DeviceComparison":
        """How two devices' effects differ; raises as `fit_pair`."""
        from foxnas_core.devices.comparison import compare_devices

        return compare_devices(*self.device_fits(first, second), table=self.table)

    @shared(spinner="Comparing every pair of subnets …")
    def reversals(self, first: str, second: str) -> "RankReversals":
        """Which subnets swap their order between two devices; raises as `rank_reversals`."""
        from foxnas_core.devices.reversals import rank_reversals

        residual_sds = None
        with suppress(FoxnasError):  # the measurements' own noise needs no fit
            one, other = self.device_fits(first, second)
            residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
        return rank_reversals(self.table, first, second, residual_sds=residual_sds)

    @shared(spinner="Calibrating from few rows, many times …")
    def transfer_curve(self, source: str, target: str) -> "TransferCurve":
        """The error of a calibration by its rows; raises as `transfer_curve`."""
        from foxnas_core.devices.curve import transfer_curve

        return transfer_curve(self.predictor(source), table=self.table, target=target)

    # What to measure next

    @shared("optima.parquet", entries=32, spinner="Planning the batch, which takes some seconds …")
    def plan(self, column: str, count: int) -> "MeasurementPlan":
        """The next batch for one target; raises as `steps.plan.plan_measurements`."""
        from foxnas_core.planning.plan import plan_next

        predictor = None
        with suppress(FoxnasError):  # too few rows for a fit, which the plan then says
            predictor = self.predictor(column)
        taken = self.study.optima().codes
        return plan_next(self.table, column, count, predictor=predictor, taken=taken)

    @shared("rounds.json", table=False)
    def rounds(self) -> "RoundsRecord | None":
        """The study's rounds of search and measurement; raises as the study's record."""
        return self.study.record(ROUNDS)

    # Beside another study

    @once
    def precisions(self) -> "PrecisionComparison":
        """This study's subnets, and those of the one beside it, in both precisions; raises as
        `compare_precisions`."""
        from foxnas_core.quantization.comparison import compare_precisions

        shown = [self, *([self.beside] if self.beside else [])]
        return compare_precisions([(given.study.folder.name, given.table) for given in shown])

    # Records

    @shared("trust.json", table=False)
    def trust(self) -> "TrustRecord | None":
        """The subnets that were trained alone; raises as `Study.trust`."""
        return self.study.record(TRUST)

    @shared("trust.json", table=False)
    def trust_report(self) -> "TrustReport":
        """What those subnets tell; raises as `trust_report`."""
        from foxnas_core.evidence.trust.report import trust_report

        record = self.trust()
        pairs = record.pairs if record else ()
        # The seed of the run, so that everybody says the same of it.
        return trust_report(pairs, seed=pairs[0].seed if pairs else 0)

    @shared("handmade.json", table=False)
    def handmade(self) -> "HandmadeRecord | None":
        """The networks designed by hand; raises as the study's record."""
        return self.study.record(HANDMADE)

    @shared("handmade.json", table=False, entries=32)
    def handmade_comparison(self, way: str, precision: str) -> "Comparison":
        """Those held against the searched ones; raises as `claims.compare`."""
        from foxnas_core.evidence.handmade.claims import compare

        record = known(self.handmade())
        # The seed of the command line's first run, so that both say the same.
        seed = record.seeds[0] if record.seeds else 0
        return compare(record, way=way, precision=precision, seed=seed)

    @shared("space.json", "claims.json", "supernet.safetensors", table=False)
    def trials(self) -> "list[Trial]":
        """The claims on the study's present weights, and what was measured; raises as
        `current_trials`."""
        from foxnas_core.steps.claims import current_trials

        return current_trials(self.study)

    @shared("supernet.safetensors", table=False)
    def weights(self) -> str:
        """The hash of the study's weights, "" where it has none."""
        file = self.study.checkpoint_file
        return file_hash(file) if file.exists() else ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(Given):
    """A study with the predictors that there are of it, and no others of its own form and link."""

    predictors: "Mapping[str, Predictor]"

    def kept(self, method: Callable[..., Any], *arguments: Any) -> Any:
        if method.__name__ == "predictor" and arguments[1:] == (self.fitting_form, self.link):
            if arguments[0] not in self.predictors:
                raise MissingPart(f"{arguments[0]} is not fitted.")
            return self.predictors[arguments[0]]
        return super().kept(method, *arguments)
