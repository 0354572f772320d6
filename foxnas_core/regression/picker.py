"""Which form suits the data: picked by cross-validation, its worth told by a nested one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.regression import ceiling
from foxnas_core.regression.assessment import (
    LARGEST_SAMPLE,
    Assessment,
    Data,
    agreement,
    assess,
    choice_errors,
    errs_relatively,
)
from foxnas_core.regression.features import (
    BASES,
    Form,
    build_form,
    form_for,
    forms_across,
    forms_to_ask_for,
    forms_to_compare,
    is_of_costs,
)
from foxnas_core.regression.leastsquares import FoldedRows, clearly_above, deal_folds
from foxnas_core.regression.link import Link
from foxnas_core.regression.predictor import CrossValidation, Predictor
from foxnas_core.regression.weighing import LEAST_SQUARES, RELATIVE, Products
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import in_a_sentence, metric_of

OUTER_FOLDS = 5
# Fewer rows a parameter than this and a form is not considered.
_ROWS_A_PARAMETER = 1.5


@dataclass(frozen=True, eq=False)
class Choice:
    """The forms that the data can carry, by name, those that it can't with the reason, the one of
    least held-out error and the `best`: the fewest parameters whose error is not
    clearly larger."""

    carried: dict[str, Assessment]
    refused: dict[str, str]
    least: Assessment
    best: Assessment
    data: Data


@dataclass(frozen=True, eq=False)
class Recommendation:
    """The picked form, link and estimator with the reason.

    `table` has one row a form and estimator: form, estimator, title, parameters, wanted rows, link,
    R², RMSE and tau of the cross-validation that picked, and what speaks against it. `nested` are
    those of the picking as
    a whole, on architectures that no part of it saw.
    """

    form: str
    link: str
    estimator: str
    nested: CrossValidation
    table: pd.DataFrame
    sentence: str


def choose(
    data: Data, space: SearchSpace, link: str, estimator: str = "auto", *, seed: int
) -> Choice:
    """Compare the forms, and estimators, by their error on held-out architectures.

    `link` and `estimator` as in `fit`, the error that of `choice_errors`. Raises `InvalidInput`
    where the data can carry no form at all.
    """
    data = data.sample(seed)
    carried, refused, unshrunk = {}, {}, []
    for name in forms_to_compare(space, metric_of(data.target), ordered=data.ordered):
        if data.ordered and name in ("count_interactions", "count_across_stages"):
            continue  # where the order is known, the same beside single blocks tells more
        try:
            form = build_form(name, space, data.target, held=data.held)
            if is_of_costs(name, space) and not form.shrunk:
                continue
            unshrunk += [] if form.shrunk else [form]
            if not form.shrunk and len(data.repeats) < _ROWS_A_PARAMETER * form.parameters:
                raise InvalidInput(
                    f"{data.counted} are too few for its {form.parameters} parameters; it wants "
                    f"{form.wanted_rows}."
                )
            for own in _estimators(form, estimator, data):
                key = name if own == LEAST_SQUARES else f"{name}, {own}"
                carried[key] = assess(data, form, link, own, seed=seed)
        except InvalidInput as error:
            refused[name] = str(error)
    if not carried:
        name = "per_layer" if data.ordered else "choice_counts"
        try:
            form = build_form(name, space, data.target, held=data.held)
            carried[name] = assess(data, form, link, seed=seed)
        except InvalidInput:
            if unshrunk:
                _check_smallest(unshrunk, data)
            raise
    # As those take equal networks apart that have to, so that all are compared by the same.
    data = max((a.data for a in carried.values()), key=lambda own: int(own.member.max()))
    least, best = _picked(carried, data)
    return Choice(carried, refused, carried[least], carried[best], data)


def _comparable(carried: Mapping[str, Assessment], data: Data) -> dict[str, np.ndarray]:
    """The errors (n,) of each, of the rows that all can predict, lest one seem better that leaves
    out what is hard."""
    errors = {name: choice_errors(data, a.held_out) for name, a in carried.items()}
    known = np.isfinite(np.stack(list(errors.values()))).all(axis=0)
    return {name: np.where(known, own, np.nan) for name, own in errors.items()}


def _coding_in_words(choice: Choice, space: SearchSpace) -> str:
    """What the picked form tells of how networks are to be read, where all that read them otherwise
    err clearly more."""
    codings, best, data = family_of(space).codings, choice.best, choice.data
    if not codings or best.form.name in BASES:
        return ""
    own = codings.get(best.form.name, codings[""])
    errors = _comparable(choice.carried, data)
    taken = next(errors[name] for name, a in choice.carried.items() if a is best)
    # Products of choices stand for any reading.
    others = [
        name
        for name, a in choice.carried.items()
        if a.form.name not in BASES and codings.get(a.form.name, codings[""]) != own
    ]
    if not others or not all(clearly_above(errors[n], taken, data.member) for n in others):
        return ""
    told = own.of_quality if best.form.target.quality else own.of_cost
    return f" So {told}."


def _check_smallest(forms: Sequence[Form], data: Data) -> None:
    """Raises `InvalidInput` where the rows are too few for the smallest form, which tells best how
    many are missing."""
    form = min(forms, key=lambda own: own.parameters)
    needed = math.ceil(_ROWS_A_PARAMETER * form.parameters)
    if (missing := needed - len(data.repeats)) > 0:
        word = in_a_sentence(metric_of(data.target).label)
        raise InvalidInput(
            f"{data.counted} with {word} are too few for a regression: its smallest form, "
            f"{form.title!r}, needs {needed}, and {form.wanted_rows} for intervals that can be "
            f"trusted; measure {missing} subnets more."
        )


def _estimators(form: Form, estimator: str, data: Data) -> list[str]:
    """The estimators to try a form with."""
    relative = errs_relatively(data)
    can = [LEAST_SQUARES, RELATIVE] if relative else [LEAST_SQUARES]
    if estimator == "auto" and relative and (form.shrunk or form.name in BASES):
        return [RELATIVE]  # what takes long is tried once
    return [own for own in can if estimator in ("auto", own)]


def _picked(carried: Mapping[str, Assessment], data: Data) -> tuple[str, str]:
    """The one of least error and the one to take."""
    errors = _comparable(carried, data)
    means = {n: float(np.nan_to_num(own).sum()) for n, own in errors.items()}
    least = min(means, key=lambda name: means[name])
    close = [n for n in carried if not clearly_above(errors[n], errors[least], data.member)]
    if errs_relatively(data):  # of both estimators of a form, which have as many parameters
        close.sort(key=lambda name: means[name])
    return least, min(close, key=lambda name: carried[name].form.parameters)


def recommend(
    table: MeasurementTable, target: str, link: str = "auto", *, seed: int = 0
) -> Recommendation:
    """The form that `fit` takes by itself, why, and how well this way of picking predicts.

    Raises as `fit`.
    """
    choice = choose(Data.of(table, target), table.space, link, seed=seed)
    data = choice.data
    held_out = np.full(len(data.y), np.nan)
    outer = deal_folds(data.members, seed + 1, OUTER_FOLDS)
    for number in np.unique(outer):
        held = outer == number
        try:
            inner = choose(data.rows(~held), table.space, link, seed=seed).best
            held_out[held] = _predicted(data.rows(~held), inner, data.codes[held])
        except InvalidInput:
            continue  # fewer rows may carry no form; the fold then counts for nothing
    known = np.isfinite(held_out)
    nested = agreement(data.y[known], held_out[known])
    across, refused = _assessed_across(data, table.space, link, seed, choice)
    rows = [_row(a, data) for a in (*choice.carried.values(), *across)]
    titles = forms_to_ask_for(table.space)
    rows += [
        {"form": name, "title": titles[name], "against": reason}
        for name, reason in {**choice.refused, **refused}.items()
    ]
    best = choice.best
    return Recommendation(
        best.form.name,
        "saturating" if best.saturates else "none",
        best.estimator,
        nested,
        pd.DataFrame(rows),
        _sentence(choice, nested)
        + _coding_in_words(choice, table.space)
        + _across_in_words(choice, across),
    )


def _assessed_across(
    data: Data, space: SearchSpace, link: str, seed: int, choice: Choice | None = None
) -> tuple[list[Assessment], dict[str, str]]:
    """The forms with terms across stages that the data can carry, and why they can't others; those
    of a choice left out."""
    found, refused = [], {}
    known = {**choice.carried, **choice.refused} if choice else {}
    for name in forms_across(space, ordered=data.ordered):
        if name not in known and form_for(name, space, metric_of(data.target)) == name:
            try:
                form = build_form(name, space, data.target, held=data.held)
                found.append(assess(data, form, link, seed=seed))
            except InvalidInput as error:
                refused[name] = str(error)
    return found, refused


def _across_in_words(choice: Choice, across: Sequence[Assessment]) -> str:
    """Which form across stages predicts clearly better than the recommended one, where one does."""
    own = _clearly_better(across, choice.best.held_out, choice.data)
    if own is None:
        return ""
    return (
        f" {_title(own)} predicts clearly better still (RMSE {_rmse_text(own, choice.data)}, "
        f"{own.form.parameters} pooled terms), and its optimum is found exactly too: choose that "
        "form to predict and search by it everywhere."
    )


def better_across(table: MeasurementTable, predictor: Predictor) -> str:
    """Which form across stages predicts clearly better than the recommended fit of the table, in a
    sentence; "" where none does, the rows are so many that it takes long, or such forms are among
    those that it was picked from."""
    names = forms_across(table.space, ordered=table.ordered)
    if names.keys() <= forms_to_compare(table.space, predictor.target).keys():
        return ""
    data = Data.of(table, predictor.target.column)
    of_these = predictor.held_out.shape == data.y.shape
    if predictor.form.shrunk or not of_these or len(data.y) > LARGEST_SAMPLE:
        return ""
    across, _ = _assessed_across(data, table.space, "auto", seed=0)
    own = _clearly_better(across, predictor.held_out, data)
    if own is None:
        return ""
    return (
        f"{_title(own)} predicts {predictor.target.word} clearly better (RMSE "
        f"{_rmse_text(own, data)} instead of "
        f"{predictor.target.difference_text(predictor.cv.rmse)}): --form {own.form.name}."
    )


def _clearly_better(
    across: Sequence[Assessment], held_out: np.ndarray, data: Data
) -> Assessment | None:
    """The one of least error, where that is clearly below the errors of predictions `held_out`
    (n,)."""
    errors = {a.form.name: choice_errors(data, a.held_out) for a in across}
    own = choice_errors(data, held_out)
    known = np.isfinite(np.stack([own, *errors.values()])).all(axis=0)
    sums = [float(errors[a.form.name][known].sum()) for a in across]
    if not sums:
        return None
    least = across[int(np.argmin(sums))]
    theirs = np.where(known, errors[least.form.name], np.nan)
    return least if clearly_above(own, theirs, data.member) else None


def _rmse_text(assessed: Assessment, data: Data) -> str:
    rmse = agreement(data.y, assessed.held_out).rmse
    return assessed.form.target.difference_text(rmse)


def _predicted(data: Data, assessed: Assessment, codes: np.ndarray) -> np.ndarray:
    """Predictions (n,), in the target's unit, of other architectures."""
    form = assessed.form
    x = form.matrix(data.codes)
    link = Link()
    if assessed.weights is not None:
        penalty = 0.0 if assessed.penalty is None else assessed.penalty
        estimates = Products.of(x, data.y, assessed.weights).solve(penalty)
    else:
        rows = FoldedRows.of(x, penalty=assessed.penalty).erring(data.repeats, data.y)
        link = ceiling.Likely.of(rows, data.y).link if assessed.saturates else link
        estimates = np.linalg.solve(rows.r, rows.q.T @ link.forward(data.y))
    return link.inverse(form.matrix(codes) @ estimates)


def _row(assessed: Assessment, data: Data) -> dict[str, object]:
    form, cv = assessed.form, agreement(data.y, assessed.held_out)
    few = len(data.repeats) < form.wanted_rows
    return {
        "form": form.name,
        "estimator": assessed.estimator,
        "title": _title(assessed),
        "parameters": form.parameters,
        "wanted rows": form.wanted_rows,
        "link": "saturating" if assessed.saturates else "none",
        "R²": cv.r2,
        "RMSE": cv.rmse,
        "tau": cv.tau,
        "against": f"{data.counted} are fewer than 3 a parameter: intervals are not to be trusted"
        if few
        else "",
    }


def _sentence(choice: Choice, nested: CrossValidation) -> str:
    """Why this form, in words."""
    best, least, data = choice.best, choice.least, choice.data
    target = best.form.target
    unit = target.difference_unit
    relative = errs_relatively(data)
    kind = "mean relative error over the smaller half" if relative else "RMSE"

    def error(assessed: Assessment) -> str:
        mean = float(np.nanmean(choice_errors(data, assessed.held_out)))
        return f"{100 * mean:.1f} %" if relative else target.difference_text(mean**0.5)

    if best is least:
        why = "it has the smallest error on held-out subnets"
    else:
        why = (
            f"its error on held-out subnets is not clearly above the smallest "
            f"({error(least)}, {_title(least)}), with {best.form.parameters} parameters instead "
            f"of {least.form.parameters}"
        )
    others = [a for a in choice.carried.values() if a is not best and a is not least]
    beside = ", ".join(f"{_title(a)} {error(a)}" for a in others)
    link = (
        f" {target.title} is fitted through a saturating link, which predicts better."
        if best.saturates
        else ""
    )
    return (
        f"{_title(best)}: {why} ({kind} {error(best)}{'; ' + beside if beside else ''}).{link} "
        f"Picked anew without the subnets it is tried on (nested cross-validation), it has R² "
        f"{nested.r2:.3f}, RMSE {f'{target.text(nested.rmse)} {unit}'.strip()} and Kendall's tau "
        f"{nested.tau:.3f}."
    )


def _title(assessed: Assessment) -> str:
    """The form's, and how it is fitted where it could be otherwise."""
    relative = assessed.estimator == RELATIVE and not assessed.form.shrunk
    return f"{assessed.form.title}, by relative errors" if relative else assessed.form.title
