"""How well a form suits the rows of a table, told by cross-validation."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import ceiling
from foxnas_core.regression.features import BASES, Form, Held, build_form, independent_columns
from foxnas_core.regression.interactions import select_interactions
from foxnas_core.regression.leastsquares import FoldedRows, clearly_above, deal_folds
from foxnas_core.regression.link import Link
from foxnas_core.regression.predictor import CrossValidation
from foxnas_core.regression.repeats import Repeats
from foxnas_core.regression.shrinking import Pooling, pool, shrink
from foxnas_core.regression.weighing import (
    ESTIMATORS,
    LEAST_SQUARES,
    RELATIVE,
    Products,
    weigh,
)
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.equals import fold_members
from foxnas_core.table.latency_verdicts import failed_rows, usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

# Level of the test that a ceiling must pass to be chosen.
CLEAR = 0.01


LARGEST_SAMPLE = 3000


LINKS = ("auto", "none", "saturating")


_INDEPENDENT = 1e-8
# As a share of the median.
_NEXT_TO_NOTHING = 0.02
# Fewer rows a parameter than this and terms that are shrunk are not fitted either.
_SHRUNK_ROWS = 0.5


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of one target that a fit reads: values `y` (n,), `codes` (n, decisions), and
    `members` (n,), which are equal where a fold must hold both rows (see `fold_members`).

    Rows whose latency failed a check (see `badges`) are not among them; `left_out` counts those.
    `ordered` is the table's, and `held` what `held_choices` finds.
    """

    target: str
    y: np.ndarray
    codes: np.ndarray
    members: np.ndarray
    ordered: bool
    left_out: int = 0
    held: Held = ()

    @classmethod
    def of(cls, table: MeasurementTable, target: str) -> "Data":
        """Raises `InvalidInput` where nothing was measured, or all of it failed."""
        values, measured = table.values(target), usable(table, target)
        left_out = failed_rows(table, target)
        if not measured.any():
            if left_out:
                raise InvalidInput(
                    f"All {left_out} rows with {target} failed a check of how they were measured; "
                    "see the page Measurements for which, and measure again on a quieter machine."
                )
            raise InvalidInput(
                f"The table has no row with {target} yet; measure subnets or import a table first."
            )
        members = fold_members(table, metric_of(target))[measured]
        return cls(
            target, values[measured], table.codes[measured], members, table.ordered, left_out,
            held_choices(table.space, table.codes[measured]),
        )  # fmt: skip

    @cached_property
    def repeats(self) -> Repeats:
        """Which rows are of one architecture."""
        return Repeats.of(self.codes)

    @property
    def counted(self) -> str:
        """How much the rows tell, in words: repeats don't tell what other subnets do."""
        return f"{len(self.repeats)} {'different subnets' if self.repeats.any else 'rows'}"

    @cached_property
    def member(self) -> np.ndarray:
        """`members` (n,) by number, from 0."""
        return np.unique(self.members, return_inverse=True)[1]

    def apart(self, alone: np.ndarray) -> "Data":
        """The same with equal networks of the rows `alone` (n,) told apart by how they are
        written."""
        written = np.where(alone, self.repeats.member + 1, 0)
        pairs = np.stack([self.member, written], axis=1)
        members = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
        return self if members.max() == self.member.max() else replace(self, members=members)

    def folded(
        self, x: np.ndarray, seed: int, penalty: np.ndarray | None = None
    ) -> "tuple[Data, FoldedRows]":
        """Regression rows `x` (n, terms) in folds that hold equal networks together: but where only
        such have what a term tells, as of all cells whose output ignores their input, those of
        other folds are to tell it. The data are told apart as they were dealt."""
        folded = FoldedRows.of(x, deal_folds(self.members, seed), penalty=penalty)
        if self.member.max() + 1 == len(self.repeats):
            return self, folded  # no network is written in two ways
        data = self.apart(folded.alone)
        return data, FoldedRows.of(x, deal_folds(data.members, seed), penalty=penalty)

    def rows(self, chosen: np.ndarray) -> "Data":
        """Some of the rows, by position or mask."""
        y, codes, members = self.y[chosen], self.codes[chosen], self.members[chosen]
        return replace(self, y=y, codes=codes, members=members)

    def sample(self, seed: int) -> "Data":
        """At most `LARGEST_SAMPLE` of the rows: more don't change which form is best, only how
        long it takes to find out."""
        if len(self.y) <= LARGEST_SAMPLE:
            return self
        rng = np.random.default_rng(seed)
        return self.rows(np.sort(rng.choice(len(self.y), LARGEST_SAMPLE, replace=False)))


# Of so few rows that were drawn, all may have one of two choices by chance; the next ones don't.
_BY_CHANCE = 20


def held_choices(space: SearchSpace, codes: np.ndarray) -> Held:
    """The decisions that have one choice in all codes (rows, decisions), though the space has more,
    with that choice: nothing tells what another one does. Those that others depend on are not among
    them, since what they open varies with them."""
    if len(codes) < _BY_CHANCE:
        return ()
    governing = {c.decision for d in space.decisions for c in d.conditions}
    found = []
    for decision, own in zip(space.decisions, codes.T, strict=True):
        always = own[0] >= 0 and np.ptp(own) == 0 and len(decision.choices) > 1
        if always and decision.name not in governing:
            found.append((decision.name, decision.choices[int(own[0])]))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Assessment:
    """A form with its interactions chosen and its link decided, and its predictions
    `held_out` (rows,), in the target's unit, of architectures that neither its fit nor these
    choices saw; NaN where what the others have in common tells nothing of one. `data` are the rows
    as they were dealt into folds. `weights` (rows,) are there where errors count relatively,
    `penalty` (terms, terms) where terms are shrunk, `pooling` where this is by squares."""

    form: Form
    saturates: bool
    held_out: np.ndarray
    data: Data
    weights: np.ndarray | None = None
    penalty: np.ndarray | None = None
    pooling: Pooling | None = None

    @property
    def estimator(self) -> str:
        return LEAST_SQUARES if self.weights is None else RELATIVE


def assess(
    data: Data, form: Form, link: str, estimator: str = LEAST_SQUARES, *, seed: int
) -> Assessment:
    """Decide what the data must decide in a form, by cross-validation.

    Raises `InvalidInput` where the rows can't carry the form, or for an unfit `link` or
    `estimator`, which are those of `ESTIMATORS`.
    """
    check_estimator(form, estimator, data.y)
    if form.relative:
        return _assess_shrunk(data, form, seed=seed)
    x, y = form.matrix(data.codes), data.y
    pooling = penalty = None
    if form.shrunk:
        check_shrunk_rows(form, data)
        pooling = pool(form, x, y)
        penalty = pooling.penalty
    data, folded = data.folded(x, seed, penalty)
    fold, folded, weights = folded.fold, folded.erring(data.repeats, y), None
    if not form.shrunk:
        check_rows(form, folded, x, data)
    if estimator == RELATIVE:
        weights = weigh(x, y)
        folded = FoldedRows.of(x, fold, weights=weights)
    held_out, saturates = _choose_link(folded, data, form, link)
    scale = Link()
    if saturates:
        found = ceiling.Likely.of(folded, y)
        scale = found.link
        if link == "auto" and found.p > CLEAR:
            scale, saturates, held_out = Link(), False, folded.predict(y)
    if form.name in BASES and not form.pairs:
        selection = select_interactions(form, data.codes, scale.forward(y), folded, data.member)
        form = build_form(form.name, form.space, form.target.column, selection.pairs, form.held)
        held_out = scale.inverse(selection.held_out)
        if weights is not None:
            weights = weigh(form.matrix(data.codes), y)
    return Assessment(form, saturates, held_out, data, weights, penalty, pooling)


def _assess_shrunk(data: Data, form: Form, *, seed: int) -> Assessment:
    """How far the terms of a form are to be shrunk."""
    x, y = form.matrix(data.codes), data.y
    check_shrunk_rows(form, data)
    weights, penalty = shrink(form, x, y)
    whole, held_out = Products.of(x, y, weights), np.empty(len(y))
    fold = deal_folds(data.members, seed)
    for number in np.unique(fold):
        own = fold == number
        rest = whole.without(Products.of(x[own], y[own], weights[own]))
        held_out[own] = x[own] @ rest.solve(penalty)
    return Assessment(form, False, held_out, data, weights, penalty)


def choice_errors(data: Data, held_out: np.ndarray) -> np.ndarray:
    """The errors (n,) by whose mean, of those that are not NaN, a fit is chosen.

    A budget bounds what a cost shall be at most, and a small one is overrun by a share of itself:
    so of measured costs they are relative, over the lower half of the rows, and in size, since
    squares of 2 % of outliers would outweigh all others. Of all else they are squares.
    """
    y = data.y
    if not errs_relatively(data):
        return (y - held_out) ** 2
    return np.where(y <= np.median(y), np.abs(y - held_out) / y, np.nan)


def errs_relatively(data: Data) -> bool:
    return has_relative_errors(metric_of(data.target), data.y)


def has_relative_errors(target: Metric, y: np.ndarray) -> bool:
    """Whether errors of values `y` (n,) are to be counted as shares of them: not where some cost
    next to nothing, as a network that a runtime drops, of which any error is many times it."""
    return target.errs_relatively and bool(y.min() > max(_NEXT_TO_NOTHING * np.median(y), 0))


def check_estimator(form: Form, estimator: str, y: np.ndarray) -> None:
    """Raises `InvalidInput` where a form's target can't be fitted so."""
    if estimator not in ESTIMATORS:
        raise InvalidInput(f"{estimator!r} is no estimator; choose {', '.join(ESTIMATORS)}.")
    if estimator == RELATIVE and not has_relative_errors(form.target, y):
        raise InvalidInput(
            f"{form.target.column} has no relative errors, as a latency has that is never near 0; "
            f"take the estimator {LEAST_SQUARES!r}."
        )
    if estimator == RELATIVE and form.shrunk and not form.relative:
        raise InvalidInput(
            f"The form {form.name!r} of {form.target.column} is fitted by squares only; take the "
            f"estimator {LEAST_SQUARES!r}."
        )
    if estimator != RELATIVE and form.relative:
        raise InvalidInput(
            f"The form {form.name!r} of {form.target.column} is fitted by relative errors only; "
            f"take the estimator {RELATIVE!r}."
        )


def _choose_link(folded: FoldedRows, data: Data, form: Form, link: str) -> tuple[np.ndarray, bool]:
    """Held-out predictions (n,) and whether the saturating link made them."""
    y = data.y
    if link not in LINKS:
        raise InvalidInput(f"{link!r} is no link; choose {', '.join(LINKS)}.")
    can = form.target.saturates
    if link == "saturating" and not can:
        raise InvalidInput(
            f"{form.target.column} does not saturate at a ceiling, as an accuracy does; take the "
            "link 'none'."
        )
    if link == "saturating":
        return ceiling.predict_held_out(folded, y), True
    plain = folded.predict(y)
    if link == "auto" and can:
        saturating = ceiling.predict_held_out(folded, y)
        if clearly_above((y - plain) ** 2, (y - saturating) ** 2, data.member):
            return saturating, True
    return plain, False


def agreement(y: np.ndarray, predicted: np.ndarray) -> CrossValidation:
    """How well held-out predictions (n,) agree with the values (n,), where there are any; R² and
    RMSE are NaN where none or one is."""
    from scipy.stats import kendalltau

    known = np.isfinite(predicted)
    left_out = len(y) - int(known.sum())
    y, predicted = y[known], predicted[known]
    if not len(y) or np.ptp(y) == 0:
        return CrossValidation(float("nan"), float("nan"), 0.0, left_out)
    residuals = y - predicted
    r2 = 1 - float(residuals @ residuals) / float(((y - y.mean()) ** 2).sum())
    # Equal architectures are predicted equally but for rounding, which must not break their tie.
    tau = float(kendalltau(y, np.round(predicted / np.ptp(y), 9)).statistic)
    rmse = float(np.sqrt(np.mean(residuals**2)))
    return CrossValidation(r2, rmse, tau if np.isfinite(tau) else 0.0, left_out)


def check_rows(form: Form, folded: FoldedRows, x: np.ndarray, data: Data) -> None:
    """Raises `InvalidInput` where the rows can't tell all terms apart, or how far they err."""
    y, left_out = data.y, data.left_out
    (rows, parameters), subnets = x.shape, len(data.repeats)
    target = form.target.column
    # As many subnets as terms are met exactly: what they err by is how their own rows differ.
    copies = subnets <= parameters and data.repeats.own_square(y) <= _INDEPENDENT * float(y @ y)
    if rows <= parameters or copies:
        raise InvalidInput(
            f"The form {form.name!r} has {parameters} parameters and wants {form.wanted_rows} "
            f"rows, but only {rows} have {target}"
            + (f", of {subnets} different subnets" if copies and subnets < rows else "")
            + (f" ({left_out} more failed a check of how they were measured)" if left_out else "")
            + "; measure more subnets or take a smaller form."
        )
    check_varies(form, y)
    # What is left of each column beside those before it.
    if (np.abs(np.diag(folded.r)) <= _INDEPENDENT * np.linalg.norm(x, axis=0)).any():
        aliased = [form.terms[i].name for i in np.flatnonzero(~independent_columns(x))]
        named = ", ".join(aliased[:3]) + (f" and {len(aliased) - 3} more" if aliased[3:] else "")
        raise InvalidInput(
            f"In these {rows} rows {named or 'some terms'} can't be told apart from the other "
            f"terms of the form {form.name!r}; measure subnets in which these choices vary, or "
            "take a smaller form."
        )


def check_shrunk_rows(form: Form, data: Data) -> None:
    """Raises `InvalidInput` where the rows are too few for terms that are shrunk."""
    if len(data.repeats) < _SHRUNK_ROWS * form.parameters:
        raise InvalidInput(
            f"The form {form.name!r} has {form.parameters} parameters and wants {form.wanted_rows} "
            f"rows, at least half of them, but only {data.counted} have {data.target}; measure "
            "more subnets or take a smaller form."
        )
    check_varies(form, data.y)


def check_varies(form: Form, y: np.ndarray) -> None:
    """Raises `InvalidInput` where all values (rows,) are one."""
    if np.ptp(y) == 0:
        raise InvalidInput(
            f"All {len(y)} rows have the same {form.target.column}, {y[0]:g}, so there is nothing "
            "to explain; measure subnets that differ."
        )
