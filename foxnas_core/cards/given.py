"""What an analysis may read: a study, how it is looked at, and what follows from both.

Here all of it is computed when first asked for. Who keeps results elsewhere, as the pages' cache
does, overrides `kept`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from foxnas_core.cards.finds import Allowed, Finds, Limits
from foxnas_core.cards.sharing import once, shared
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.families import family_of
from foxnas_core.files import typed
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study import Study, file_hash
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import tells

if TYPE_CHECKING:
    from foxnas_core.evidence.verification.claims import Trial
    from foxnas_core.explanation.averages import AverageEffects
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference
    from foxnas_core.regression.picker import Recommendation
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.table.equals import EqualNetworks
    from foxnas_core.table.whole import Finding

_T = TypeVar("_T")
EFFECTS = {
    "average": "Averages over drawn subnets, which need no form",
    "form": "Of the regression's form",
}

# Architectures that stand for all where none is measured.
DRAWN = 200


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
    with which a measurement shall keep budget or floor, by default the usual one where optima were
    measured and 0 for none, `limits` and `allowed` what else is kept, and `unit` the label of the
    one that the front's costs are read in. `effects` of choices are averages over drawn subnets or
    those of the regression's form (see `EFFECTS`), over all contexts or `at` one of `contexts`.
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
    effects: str = "average"
    at: str = ""
    _results: dict[tuple, Any] = field(default_factory=dict, repr=False)

    def kept(self, method: Callable[..., _T], *arguments: Any) -> _T:
        """What `method` makes of arguments, computed once."""
        key = (method.__module__, method.__qualname__, self.form, self.link, *arguments)
        if key not in self._results:
            self._results[key] = method(self, *arguments)
        return self._results[key]

    @property
    def folder(self) -> str:
        """The study's folder as one types it where the program was started."""
        return typed(self.study.folder)

    @property
    def table(self) -> MeasurementTable:
        """The measurement table, with what can be counted; raises as `Study.table`."""
        return self.kept(Given._table)

    def _table(self) -> MeasurementTable:
        from foxnas_core.regression.counting import with_counted

        return with_counted(self.study.table())

    @shared("space.json", "optima.parquet", table=False, entries=8)
    def optima(self) -> MeasurementTable:
        """The measured optima; raises as `Study.optima`."""
        return self.study.optima()

    @property
    def background(self) -> list[Architecture]:
        """What contributions are told against: the measured architectures, else drawn ones."""
        return self.table.architectures() or self.study.space.sample(DRAWN, seed=0)

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
        if found is None or not tells(self.table):
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
            limit = self.guarded(self.traded[0], self.traded[1], self.budget).limits[0]
            return self.front(self.main[1]).within(float(limit.bound)).architecture
        return family_of(self.study.space).reference(self.study.space)

    # Effects of choices

    @property
    def contexts(self) -> dict[str, tuple[tuple[str, Value], ...]]:
        """What effects may be told at, by what it is called: all resolutions, "", or one."""
        options = self.study.space.context_options() if self.study.space.context else []
        named = {
            ", ".join(f"{name} {value}" for name, value in own.items()): tuple(own.items())
            for own in options
        }
        return {"": (), **(named if len(named) > 1 else {})}

    @property
    def told_at(self) -> "tuple[tuple[str, Value], ...]":
        """What `at` names; raises `InvalidInput` where that is none of `contexts`."""
        if self.at not in self.contexts:
            known = ", ".join(filter(None, self.contexts)) or "none"
            raise InvalidInput(
                f"Effects can't be told at {self.at!r}; this space has {known}. Leave it out for "
                "the average over all."
            )
        return self.contexts[self.at]

    @shared(entries=64, fits=False)
    def averages(
        self, column: str, at: "tuple[tuple[str, Value], ...]" = (), together: bool = False
    ) -> "AverageEffects":
        """What choices change on average; raises as `explanation.averages.average_effects`."""
        from foxnas_core.explanation.averages import average_effects

        return average_effects(self.table, column, at=at, together=together)

    # Fits

    @property
    def fitted(self) -> "Predictor":
        """The predictor of `column`, what can be counted by a form only where one was asked for;
        raises as it and `predictor`."""
        return self.predictor(self.column, self.fitting_form, self.link)

    @property
    def inferred(self) -> "Inference":
        """How sure one may be of the effects in `fitted`; raises as it.

        A calibrated device's fit has no rows of its own to resample.
        """
        kind = "ordinary" if self.fitted.transferred else self.intervals
        return self.inference(self.column, self.fitting_form, self.link, kind)

    @property
    def fitting_form(self) -> str:
        """`form`, or "auto" where `column` can't have it."""
        return self._form_of(self.column)

    def _form_of(self, column: str) -> str:
        if self.form == "auto":
            return "auto"
        from foxnas_core.regression.features import form_for, forms_to_ask_for

        forms = forms_to_ask_for(self.table.space, ordered=self.table.ordered)
        form = self.form if self.form in forms else "auto"
        return form_for(form, self.table.space, metric_of(column))

    def mains(self) -> "list[Given]":
        """Looked into by each of `main` that can be fitted."""
        found = []
        for column in self.main:
            with suppress(FoxnasError):
                own = self.into(column)
                own.fitted  # noqa: B018
                found.append(own)
        return found

    def predictor(
        self, column: str, form: str | None = None, link: str | None = None
    ) -> "Predictor":
        """The predictor of one target, by the form and the link that are looked at where no others
        are asked for, and what can be counted then by counting; raises as
        `steps.fit.predictor_or_transfer`."""
        if form is None:
            form = "auto" if self.form == "auto" or self.is_told(column) else self._form_of(column)
        return self._predictor(column, form, self.link if link is None else link)

    @shared(entries=64, fits=False)
    def is_told(self, column: str) -> bool:
        """Whether a target is counted or summed, so that there is nothing to fit."""
        from foxnas_core.regression.counting import counted_predictor
        from foxnas_core.table.sums import choice_costs

        table = self.table
        return (counted_predictor(table, column) or choice_costs(table, column)) is not None

    @shared(entries=64, fits=False, spinner="Fitting the regression …")
    def _predictor(self, column: str, form: str, link: str) -> "Predictor":
        """The predictor of one target, of what can be counted by a form only where one was asked
        for."""
        from foxnas_core.steps.fit import fit_all
        from foxnas_core.steps.kept_fits import kept_fits

        kept, counted = kept_fits(self.study), form == "auto"
        found = fit_all(self.table, form, link, targets=[column], kept=kept, counted=counted)
        return found[column]

    @shared(spinner="Fitting the regression …")
    def fits(self) -> "tuple[Mapping[str, Predictor], Sequence[str]]":
        """A predictor for each target that can be fitted or calibrated, and a sentence for each
        that can't or is calibrated."""
        from foxnas_core.steps.fit import fit_each

        return fit_each(self.table.targets, self.predictor)

    @shared(entries=64, fits=False, spinner="Computing intervals …")
    def inference(
        self, column: str, form: str = "auto", link: str = "auto", kind: str = "ordinary"
    ) -> "Inference":
        """How sure one may be of a predictor's effects; raises as `predictor`."""
        from foxnas_core.regression.inference import inference

        return inference(self.predictor(column, form, link), kind, table=self.table)

    @shared(fits=False, spinner="Comparing the forms, 50 times over …")
    def recommendation(self, column: str, link: str) -> "Recommendation":
        """The recommended form of one target and why; raises as `regression.fit`."""
        from foxnas_core.regression.picker import recommend

        return recommend(self.table, column, link if metric_of(column).saturates else "none")

    def front(self, cost: str) -> "Front":
        """The best predictions of the objective for every cost, with what else is kept; raises as
        `front_of`."""
        return self.front_of(cost, self.allowed, self.kept_limits(cost), self.objective)

    def kept_limits(self, first: str) -> Limits:
        """The further limits, as tight as the guard makes them beside one on `first`."""
        if not self.limits:
            return ()
        from foxnas_core.search.guard import guarded_bounds

        bounds = {first: 1.0, **dict(self.limits)}
        tight = guarded_bounds(bounds, self.guard, self.told_by_optima(bounds))
        return tuple((column, tight[column]) for column, _ in self.limits)

    def guarded(self, objective: str, limited: str, bound: float) -> "SearchProblem":
        """The search for the best of a column under limits that are kept when measured, the first
        of which is on `limited`; raises as `problem_of`."""
        known = (self.limits, self.allowed, self.traded, self.guard)
        return self._guarded(objective, limited, bound, *known)

    @once
    def _guarded(
        self, objective: str, limited: str, bound: float, limits: Limits, allowed: Allowed,
        traded: tuple[str, str], guard: float | None,
    ) -> "SearchProblem":  # fmt: skip
        """As `guarded`, which follows from all of these."""
        from foxnas_core.search.guard import guarded

        wanted = self.problem_of(objective, ((limited, bound), *limits), allowed)
        return guarded(wanted, guard, self.told_by_optima((limited, *dict(limits))))

    def told_by_optima(self, limited: Iterable[str]) -> "dict[str, SearchCalibration]":
        """What measured optima tell of limited columns; those of which they tell nothing left
        out."""
        objective, cost = self.traded
        found = {}
        for column in limited:
            with suppress(FoxnasError):
                own = cost if column == objective else column
                found[column] = self.calibrations_of(own, objective)[column]
        return found

    @shared(fits=False)
    def equals(self) -> "EqualNetworks":
        """The measured objective by network; raises as `MeasurementTable.values`."""
        from foxnas_core.table.equals import EqualNetworks

        return EqualNetworks.of(self.table, self.study.objective)

    @shared(fits=False)
    def findings(self) -> "list[Finding]":
        """What the table says as a whole."""
        from foxnas_core.table.whole import findings

        return findings(self.table)

    # Records

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
        if method.__name__ == "_predictor":
            column, *how = arguments
            if how == [self._form_of(column), self.link]:
                if column not in self.predictors:
                    raise MissingPart(f"{column} is not fitted.")
                return self.predictors[column]
        return super().kept(method, *arguments)
