"""Predictors of a study's columns, fitted or calibrated."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from foxnas_core.devices.common import latency_columns, read_rows
from foxnas_core.devices.transfer import transfer
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.counting import counted_predictor, disagreement
from foxnas_core.regression.features import build_form, form_for
from foxnas_core.regression.summed import summed_predictor
from foxnas_core.steps.kept_fits import KeptFits
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import KNOWN, Metric, metric_of
from foxnas_core.table.sums import choice_costs, tells

_NOT_KEPT = KeptFits()


def fit_all(
    table: MeasurementTable,
    form: str = "auto",
    link: str = "auto",
    *,
    targets: Sequence[str] | None = None,
    kept: KeptFits = _NOT_KEPT,
    counted: bool = True,
) -> dict[str, Predictor]:
    """A predictor for each of `targets`, by default all of the table's, by column, but energies
    and memories that too few rows have.

    By default, what only a few rows have of accuracy in a further precision is left out, so that a
    table that was begun without it goes on. Targets that can't have the `form` are fitted as by
    "auto" (see `form_for`); `link` is that of accuracies. A latency with too few rows is calibrated
    from another device's, as in `predictor_or_transfer`. What is `kept` is not fitted again. What
    can be `counted`, or is a sum (`table.sums.choice_costs`), is told so, whatever the form.

    Raises `MissingPart` where nothing was measured yet, and as `regression.fit`.
    """
    if not tells(table):
        raise MissingPart(
            f"The table of space {table.space.name!r} has no measured subnets to fit; measure "
            "some with 'python -m foxnas_core measure' or import a table."
        )
    columns = targets
    if columns is None:
        columns = [
            t.column
            for t in table.targets
            if (t in KNOWN.values() and not t.is_extra)
            or t.timed
            or not _too_few(table, t.column, form)
        ]
    return {
        column: predictor_or_transfer(
            table,
            column,
            form_for(form, table.space, metric_of(column)),
            link if metric_of(column).saturates else "none",
            kept=kept,
            counted=counted,
        )
        for column in columns
    }


def fit_each(
    targets: Sequence[Metric], fitted: Callable[[str], Predictor]
) -> tuple[dict[str, Predictor], list[str]]:
    """A predictor, by `fitted`, for each target that can be fitted or calibrated, and a sentence
    for each that can't or is calibrated."""
    found: dict[str, Predictor] = {}
    sentences: list[str] = []
    for target in targets:
        try:
            predictor = fitted(target.column)
            found[target.column] = predictor
            if predictor.transferred:  # calibrated from another device
                sentences += predictor.warnings
        except FoxnasError as error:
            sentences.append(f"{target.label}: {error}")
    return found, sentences


def predictor_or_transfer(
    table: MeasurementTable,
    column: str,
    form: str = "auto",
    link: str = "auto",
    *,
    kept: KeptFits = _NOT_KEPT,
    counted: bool = True,
) -> Predictor:
    """What counts a target, or its fit or, for a latency with fewer rows than the form has
    parameters plus one, another device's predictor calibrated to those rows.

    Of several devices that can be fitted, the one whose calibration errs least on rows left out is
    taken, and with up to twice as many rows as parameters the fit, where it errs less than that.
    The predictor's `warnings` then say so. Raises as `regression.fit`, also where no
    calibration is possible.
    """
    if counted and (exact := counted_predictor(table, column)) is not None:
        return exact
    if counted and (costs := choice_costs(table, column)) is not None:
        found = summed_predictor(costs, table)
    else:
        found = kept.fitted(
            table, (column, form, link), lambda: _fit_or_transfer(table, column, form, link)
        )
    differs = disagreement(table, column)
    return replace(found, warnings=(differs, *found.warnings)) if differs else found


def _fit_or_transfer(table: MeasurementTable, column: str, form: str, link: str) -> Predictor:
    if column in latency_columns(table) and _too_few(table, column, form, times=2):
        found = []
        for source in latency_columns(table):
            if source != column:
                with suppress(InvalidInput):
                    fitted = fit(table, source, form, "none")
                    found.append(transfer(fitted, table=table, target=column))
        if found and not _too_few(table, column, form):
            with suppress(InvalidInput):  # such as choices that so few rows can't tell apart
                found.append(fit(table, column, form, link))
        if found:
            return min(found, key=lambda predictor: predictor.cv.rmse)
    return fit(table, column, form, link)


def _too_few(table: MeasurementTable, column: str, form: str, times: int = 1) -> bool:
    """Whether the column's rows are no more than the parameters, so many times, of its form or,
    where that is chosen by the rows, of the one that `fit` takes for few."""
    few = "per_layer" if table.ordered else "stage_counts"
    name = form_for(form, table.space, metric_of(column))
    name = few if name == "auto" else name
    parameters = build_form(name, table.space, column).parameters
    return len(read_rows(table, column)) <= times * parameters
