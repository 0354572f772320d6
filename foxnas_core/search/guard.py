"""Limits made tighter, so that what a search finds keeps them when it is measured."""

import math
from collections.abc import Mapping, Sequence

import scipy

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import ADVISED, SearchCalibration
from foxnas_core.search.chance import chance_kept
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import Limit, noun_of, rounded_down, rounded_up
from foxnas_core.search.lookup import LookedUp
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.table.metrics import COUNTED_AS, Metric, metric_of
from foxnas_core.table.readings import Readings

GUARD = 0.9
"""How surely a measurement shall keep what was asked, unless one says otherwise."""
OFF = 0.0
"""The guard of a search that holds predictions to the limits, whatever is measured."""
_ROUNDING = 1e-9


def share_of(guard: float | None) -> float:
    """The probability that a guard means; `OFF` is none, and None the usual one."""
    return GUARD if guard is None else guard


def guarded_bounds(
    bounds: Mapping[str, float], guard: float | None, known: Mapping[str, SearchCalibration]
) -> dict[str, float]:
    """The bounds to search under, by column, so that all that measured optima tell of hold together
    with the probability of the guard; the others as they are.

    Limits are taken to err independently of each other: of k each is kept with the k-th root.
    """
    told, share = [column for column in bounds if column in known], share_of(guard)
    if not told or share == OFF:
        return dict(bounds)
    each = share ** (1 / len(told))
    tight = {column: known[column].guarded(bounds[column], each) for column in told}
    return {**bounds, **tight}


def guarded(
    asked: SearchProblem,
    guard: float | None,
    known: Mapping[str, SearchCalibration],
    *,
    strict: bool = False,
) -> SearchProblem:
    """The problem under limits that keep those asked for when measured, as `guarded_bounds`.

    Where nothing keeps the first one so surely, it is the nearest that something keeps. With a
    `strict` guard that raises `InfeasibleBudget`, which names what would be kept.
    """
    bounds = guarded_bounds({limit.column: limit.bound for limit in asked.limits}, guard, known)
    tight = asked.under(list(bounds.values()))
    if not asked.limits:
        return tight
    if strict:
        _check_kept(tight, asked, share_of(guard), known)
        return tight
    return asked.under((tightest(tight, asked.limits[0].bound), *list(bounds.values())[1:]))


def _check_kept(
    tight: SearchProblem,
    asked: SearchProblem,
    share: float,
    known: Mapping[str, SearchCalibration],
) -> None:
    """Raise `InfeasibleBudget`, in numbers that are asked for, where nothing keeps tight limits."""
    try:
        check_feasible(tight)
    except InfeasibleBudget as error:
        told = known.get(error.column)
        if told is None or share == OFF:
            raise
        limit = next(own for own in asked.limits if own.column == error.column)
        each = share ** (1 / sum(own.column in known for own in asked.limits))
        kept, ceiling = told.kept_by(error.smallest, each), limit.side == "at_most"
        number = rounded_up(kept) if ceiling else rounded_down(kept)
        mend = "raise the budget to at least" if ceiling else "lower the floor to at most"
        raise InfeasibleBudget(
            f"No architecture of space {asked.space.name!r} keeps a {limit.text} in "
            f"{in_measurements(each)}; {mend} {f'{number} {limit.predictor.target.unit}'.strip()}, "
            "or ask for a smaller guard.",
            smallest=kept,
            column=error.column,
        ) from None


def guarded_bound(
    problem: SearchProblem,
    bound: float,
    guard: float | None,
    found: SearchCalibration | None,
    allowed: Mapping[str, Sequence[Value]],
) -> float:
    """The number of the first limit to search under, with the choices `allowed`, so that `bound` is
    kept when measured, as `guarded`; `found` is what optima tell of it."""
    first = problem.limits[0].column
    asked = problem.within(bound).restricted_to(allowed)
    return float(guarded(asked, guard, {first: found} if found else {}).limits[0].bound)


def tightest(problem: SearchProblem, asked: float) -> float:
    """The number of a problem's first limit or, where nothing keeps that, the nearest to it that
    something keeps, but none looser than the one `asked`."""
    first = problem.limits[0]
    try:
        check_feasible(problem)
    except InfeasibleBudget as error:
        if error.column != first.column:
            return asked
        keep = min if first.sign > 0 else max
        return keep(error.smallest + first.sign * _ROUNDING * abs(error.smallest), asked)
    return first.bound


def chance_of_all(
    limits: Sequence[Limit], architecture: Architecture, known: Mapping[str, SearchCalibration]
) -> float | None:
    """The probability that a searched architecture measures within all limits, which are taken to
    err independently; None where of one no optima were measured, unless it is of what is counted
    or looked up."""
    chance = 1.0
    for limit in limits:
        found = known.get(limit.column)
        if found is None and not _is_counted(limit):
            return None
        chance *= chance_kept(limit, architecture, found)
    return chance


def chance_again(
    limits: Sequence[Limit], bounds: Mapping[str, float], measured: Readings
) -> float | None:
    """The probability that another measurement of what was `measured` keeps limits, held to
    `bounds` by column, which are taken to err independently: normal, by the standard errors of the
    mean and of one row; None where of one no error is known."""
    chance = 1.0
    for limit in limits:
        reading = measured[limit.column]
        room = limit.sign * (bounds.get(limit.column, limit.bound) - reading.value)
        if is_exact(limit):
            chance *= float(room >= 0)
        elif reading.error > 0:
            chance *= float(scipy.special.ndtr(room / math.hypot(reading.error, reading.noise)))
        else:
            return None
    return chance


def _is_counted(limit: Limit) -> bool:
    return is_exact(limit) or limit.column in COUNTED_AS or isinstance(limit.predictor, LookedUp)


def is_exact(limit: Limit) -> bool:
    """Whether what is limited is counted or adds up, so that it is kept or not, by no chance."""
    return isinstance(limit.predictor, Predictor) and limit.predictor.is_exact


def kept_text(limits: Sequence[tuple[Metric, float]]) -> str:
    """What shall be kept, within a sentence: "0.0653 ms", "460 k MACs", "all limits"."""
    if len(limits) != 1:
        return "all limits"
    [(metric, bound)] = limits
    if metric.unit:
        return f"{bound:.4g} {metric.unit}"
    return f"{metric.text(bound)} {noun_of(metric)}"


def in_measurements(chance: float) -> str:
    """A probability as a promise: "9 of 10 measurements"; never more than it is."""
    if chance > 0.995:
        return "over 99 of 100 measurements"
    tenths = int(10 * chance + _ROUNDING)
    if tenths and 10 * chance - tenths < 0.35:
        return f"{tenths} of 10 measurements"
    return f"{int(100 * chance + _ROUNDING)} of 100 measurements"


def promise(chance: float, kept: str, price: str = "", *, exactly: str = "") -> str:
    """What is promised of what is `kept`, and the price of that: the rest of a sentence. What is
    told `exactly`, as `Predictor.exactly`, is kept by no chance."""
    if exactly:
        return f"{'keeps' if chance else 'does not keep'} {kept}, which is {exactly}"
    return f"keeps {kept} in {in_measurements(chance)}{price and f'; {price}'}"


def promised(
    wanted: SearchProblem,
    best: Architecture,
    known: Mapping[str, SearchCalibration],
    goals: Sequence[str],
    price: str = "",
    kept: str = "",
) -> str:
    """What is promised of a searched architecture, in a sentence: how surely it keeps the limits as
    they were asked, and at what `price`; or that nothing is, and how to get there, by optima of the
    columns `goals`. `kept` is how the first limit is written, where that is alone."""
    limits = wanted.limits
    if not kept or len(limits) > 1:
        kept = kept_text([(limit.predictor.target, limit.bound) for limit in limits])
    chance = chance_of_all(limits, best, known)
    if chance is None:
        return no_promise(kept, *map(metric_of, goals))
    exactly = [getattr(own.predictor, "exactly", "") or "counted" for own in limits]
    told = " or ".join(dict.fromkeys(exactly)) if all(map(is_exact, limits)) else ""
    return f"It {promise(chance, kept, price, exactly=told)}."


def no_promise(kept: str, objective: Metric, cost: Metric) -> str:
    """That nothing is promised of what is to be `kept`, and how to get there."""
    return (
        f"Nothing is promised of {kept}: measure optima, which tell how often it holds, with "
        f"{calibrating(objective.column, cost.column)}."
    )


def calibrating(objective: str, cost: str) -> str:
    """The command that measures optima of one column under budgets of another."""
    return (
        f"'python -m foxnas_core calibrate --study DIR --count {ADVISED} --objective {objective} "
        f"--cost {cost}'"
    )


def price_text(difference: float, target: Metric) -> str:
    """What a guard costs in the objective: ".12 points less than the unguarded best"."""
    if not difference:
        return "as good as the unguarded best"
    number, unit = target.text(abs(difference)), target.difference_unit or target.word
    return f"{number} {unit} {'less' if difference < 0 else 'more'} than the unguarded best"
