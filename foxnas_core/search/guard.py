"""Limits made tighter, so that what a search finds keeps them when it is measured."""

from collections.abc import Mapping, Sequence

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import ADVISED, SearchCalibration
from foxnas_core.search.chance import chance_kept
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import Limit, rounded_down, rounded_up
from foxnas_core.search.lookup import LookedUp
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.table.metrics import Metric

GUARD = 0.9
"""How surely a measurement shall keep what was asked, unless one says otherwise."""
OFF = 0.0
"""The guard of a search that holds predictions to the limits, whatever is measured."""
_COUNTED = ("parameters", "macs")
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


def _is_counted(limit: Limit) -> bool:
    predictor = limit.predictor
    if isinstance(predictor, Predictor):
        return predictor.is_exact or limit.column in _COUNTED
    return isinstance(predictor, LookedUp)


def in_measurements(chance: float) -> str:
    """A probability as a promise: "9 of 10 measurements"; never more than it is."""
    if chance > 0.995:
        return "over 99 of 100 measurements"
    tenths = int(10 * chance + _ROUNDING)
    if tenths and 10 * chance - tenths < 0.35:
        return f"{tenths} of 10 measurements"
    return f"{int(100 * chance + _ROUNDING)} of 100 measurements"


def promise(chance: float, kept: str, price: str = "") -> str:
    """What is promised of what is `kept`, and the price of that: the rest of a sentence."""
    return f"keeps {kept} in {in_measurements(chance)}{price and f'; {price}'}"


def no_promise(kept: str, objective: Metric, cost: Metric) -> str:
    """That nothing is promised of what is to be `kept`, and how to get there."""
    return (
        f"Nothing is promised of {kept}: measure optima, which tell how often it holds, with "
        f"{calibrating(objective.column, cost.column)}."
    )


def calibrating(objective: str, cost: str) -> str:
    """The command that measures optima of one column under budgets of another."""
    return (
        f"'python -m foxnas_core calibrate --count {ADVISED} --objective {objective} --cost {cost}'"
    )


def price_text(difference: float, target: Metric) -> str:
    """What a guard costs in the objective: ".12 points less than the unguarded best"."""
    if not difference:
        return "as good as the unguarded best"
    number, unit = target.text(abs(difference)), target.difference_unit or target.word
    return f"{number} {unit} {'less' if difference < 0 else 'more'} than the unguarded best"
