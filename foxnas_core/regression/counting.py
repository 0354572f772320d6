"""Predictors of what can be counted: exact sums, with no error, of what a family tells of its
networks (`Family.counts`).

They are forms like any other, so that searches, explanations and reports read them alike: an
average part for each choice, and what is left of each count as one term, by its choices and the
context together. Numbers are rounded to what adds up without rounding, so that sums are whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from foxnas_core.families import family_of
from foxnas_core.regression.features.form import COUNTED, Form
from foxnas_core.regression.predictor import Predictor
from foxnas_core.space.coding.parts import contrasts
from foxnas_core.space.coding.terms import Lookup, Part, Term, constant, name_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import COUNTABLE, COUNTED_AS, SIZES, metric_of
from foxnas_core.table.sums import tells

# Counts are whole numbers; files may hold them as fractions of a million.
_ROUNDING = 1e-9
_PLACES = 1024.0  # so many that sums of thousands of millions hold them exactly
_NOTE = "Counted of each network, not fitted, so that nothing of it errs."


def counted_predictor(table: MeasurementTable, column: str) -> Predictor | None:
    """What counts a column of the table; None where the space's family can't, or where it counts
    otherwise than the table: see `disagreement`."""
    counted = COUNTED_AS.get(column)
    parts = family_of(table.space).counts(table.space, counted) if counted else ()
    if not parts or disagreement(table, column):
        return None
    as_counted = Form(COUNTED, "Counted", table.space, metric_of(column), (), _NOTE, (), (), None)
    form, estimates = of_sums(as_counted, parts)
    return Predictor.exact(form, estimates, table, _measured(table, column))


def with_counted(table: MeasurementTable) -> MeasurementTable:
    """The table with columns, in memory alone, of what it lacks and can be counted of its networks;
    it has the same fingerprint, since these follow from the choices."""
    return _with(with_sizes(table), COUNTABLE)


def with_sizes(table: MeasurementTable) -> MeasurementTable:
    """The same with the sizes of networks that stand in for a quality, where it tells of none."""
    if any(target.quality for target in table.targets):
        return table
    return _with(table, SIZES)


def _with(table: MeasurementTable, columns: Iterable[str]) -> MeasurementTable:
    if not tells(table):
        return table
    found = {
        column: totals
        for column in columns
        if column not in table.frame and (totals := _totals(table, column)) is not None
    }
    if not found:
        return table
    targets = (*table.targets, *map(metric_of, found))
    counted = replace(table, frame=table.frame.assign(**found), targets=targets)
    counted.__dict__["fingerprint"] = table.fingerprint
    return counted


def disagreement(table: MeasurementTable, column: str) -> str:
    """Where rows of the table have otherwise than is counted of them, a sentence that says so; ""
    where none does, or nothing can be counted."""
    found, measured = _totals(table, column), _measured(table, column)
    if found is None or not len(measured):
        return ""
    found = found[np.isfinite(table.values(column))]
    error = np.abs(found / measured - 1)
    worst = int(error.argmax())
    if error[worst] <= _ROUNDING:
        return ""
    metric = metric_of(column)
    return (
        f"{int((error > _ROUNDING).sum()):,} of {len(measured):,} rows have other "
        f"{metric.label} than are counted of the space's networks, such as "
        f"{metric.text(measured[worst])} where {metric.text(found[worst])} are counted; so they "
        "are predicted as the table has them."
    )


def _totals(table: MeasurementTable, column: str) -> np.ndarray | None:
    """What is counted of each row (rows,)."""
    if column not in COUNTED_AS:
        return None
    space = table.space
    return family_of(space).totals(space, table.codes.astype(np.intp), COUNTED_AS[column])


def _measured(table: MeasurementTable, column: str) -> np.ndarray:
    if column not in [target.column for target in table.targets]:
        return np.empty(0)
    values = table.values(column)
    return values[np.isfinite(values)]


def of_sums(
    empty: Form, counts: Sequence[Lookup], places: float = _PLACES
) -> tuple[Form, np.ndarray]:
    """A form that has no terms yet with those that make the sum of `counts`, and their estimates
    (terms,), averages in multiples of 1 / `places`."""
    space, intercept = empty.space, constant("intercept", "Intercept")
    # By name, since several counts may read the same decision.
    found: dict[str, tuple[Part, np.ndarray]] = {name_of(intercept): (intercept, np.zeros(1))}
    for count in counts:
        average, main = _main_parts(space, count, places)
        if not any(space.decisions[position].conditions for position in count.positions):
            found[name_of(intercept)][1][:] += average  # of every network
        else:
            main = {_presence(space, count): np.array([average]), **main}
            average = 0.0
        left = _left(space, count, main, average)
        if left.any():
            # A power of two, which divides without rounding: about the size of what is left.
            size = 2.0 ** np.rint(np.log2(np.sqrt(np.mean(left[left != 0] ** 2))))
            main[replace(count, terms=(_together(space, count),), table=left / size)] = np.array(
                [size]
            )
        for part, estimate in main.items():
            own, so_far = found.get(name_of(part), (part, 0.0))
            found[name_of(part)] = own, so_far + estimate
    parts = tuple(part for part, _ in found.values())
    terms = tuple(term for part in parts for term in part.terms)
    form = replace(empty, terms=terms, parts=parts)
    return form, np.concatenate([estimate for _, estimate in found.values()])


def _main_parts(
    space: SearchSpace, count: Lookup, places: float
) -> tuple[float, dict[Part, np.ndarray]]:
    """The rounded mean of a count over all choices, and the contrasts of each of its decisions, the
    context's only where it has no others, with their estimates."""
    active = count.table.reshape([size + 1 for size in count.sizes])
    active = active[(slice(1, None),) * active.ndim]
    average = _rounded(active.mean(), places)
    decisions = [space.decisions[position] for position in count.reads[0]]
    own = [d for d in decisions if d.group not in space.context] or decisions
    main: dict[Part, np.ndarray] = {}
    for axis, decision in enumerate(decisions):
        if decision in own and len(decision.choices) > 1:
            others = tuple(other for other in range(active.ndim) if other != axis)
            effects = _rounded(active.mean(axis=others) - active.mean(), places)
            if effects.any():
                main[contrasts(space, count.terms[0].group, decision)] = effects[1:]
    return float(average), main


def _rounded(values: ArrayLike, places: float) -> np.ndarray:
    return np.rint(np.asarray(values) * places) / places


def _left(
    space: SearchSpace, count: Lookup, main: Mapping[Part, np.ndarray], average: float
) -> np.ndarray:
    """The table (states, 1) of what a count has beside its average and its main parts."""
    shape = [size + 1 for size in count.sizes]
    codes = np.full((len(count.table), len(space.decisions)), -1, dtype=np.intp)
    codes[:, list(count.reads[0])] = np.indices(shape).reshape(len(shape), len(codes)).T - 1
    told = sum((part.columns(codes) @ estimate for part, estimate in main.items()), average)
    left = count.table[:, 0] - told
    own = [p for p in count.reads[0] if space.decisions[p].group not in space.context]
    if own:
        left[(codes[:, own] < 0).all(axis=1)] = 0.0
    return left[:, np.newaxis]


def _presence(space: SearchSpace, count: Lookup) -> Lookup:
    own = next(p for p in count.reads[0] if space.decisions[p].conditions)
    decision, name = space.decisions[own], count.terms[0].slot or space.decisions[own].name
    term = Term(f"{name}_on", decision.group, decision.slot, "", f"{name}: present")
    size = len(decision.choices)
    return Lookup((term,), ((own,),), (size,), np.array([[0.0], *[[1.0]] * size]))


def _together(space: SearchSpace, count: Lookup) -> Term:
    decisions = [space.decisions[position] for position in count.reads[0]]
    term = count.terms[0]
    where = term.slot or " × ".join(dict.fromkeys(d.slot for d in decisions if d.slot))
    roles = " × ".join(dict.fromkeys(d.role for d in reversed(decisions)))
    label = f"{where or term.group or 'all else'}: {roles} together, size of what they add"
    # Of the context's decision alone it is that decision's.
    named = decisions[0].name if len(decisions) == 1 else ""
    return replace(term, decision=named, label=label)
