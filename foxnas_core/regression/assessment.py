"""How well a form suits the rows of a table, told by cross-validation."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import ceiling
from foxnas_core.regression.features import BASES, Form, build_form, independent_columns
from foxnas_core.regression.interactions import select_interactions
from foxnas_core.regression.leastsquares import FoldedRows, clearly_above, deal_folds
from foxnas_core.regression.link import Link
from foxnas_core.regression.predictor import CrossValidation
from foxnas_core.regression.repeats import Repeats
from foxnas_core.table.equals import fold_members
from foxnas_core.table.latency_verdicts import failed_rows, usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

# Level of the test that a ceiling must pass to be chosen.
CLEAR = 0.01


LARGEST_SAMPLE = 3000


LINKS = ("auto", "none", "saturating")


_INDEPENDENT = 1e-8


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of one target that a fit reads: values `y` (n,), `codes` (n, decisions), and
    `members` (n,), which are equal where a fold must hold both rows (see `fold_members`).

    Rows whose latency failed a check (see `badges`) are not among them; `left_out` counts those.
    `ordered` is the table's.
    """

    target: str
    y: np.ndarray
    codes: np.ndarray
    members: np.ndarray
    ordered: bool
    left_out: int = 0

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
            target, values[measured], table.codes[measured], members, table.ordered, left_out
        )

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


@dataclass(frozen=True, eq=False)
class Assessment:
    """A form with its interactions chosen and its link decided, and its predictions `held_out`
    (rows,), in the target's unit, of architectures that neither its fit nor these choices saw; NaN
    where what the others have in common tells nothing of one."""

    form: Form
    saturates: bool
    held_out: np.ndarray


def assess(data: Data, form: Form, link: str, *, seed: int) -> Assessment:
    """Decide what the data must decide in a form, by cross-validation.

    Raises `InvalidInput` where the rows can't carry the form, or for an unfit `link`.
    """
    x, y = form.matrix(data.codes), data.y
    folded = FoldedRows.of(x, deal_folds(data.members, seed)).erring(data.repeats, y)
    check_rows(form, folded, x, data)
    held_out, saturates = _choose_link(folded, data, form, link)
    scale = Link()
    if saturates:
        scale, found = ceiling.estimate(folded, y, seed=seed)
        if link == "auto" and found.p > CLEAR:
            scale, saturates, held_out = Link(), False, folded.predict(y)
    if form.name in BASES and not form.pairs:
        selection = select_interactions(form, data.codes, scale.forward(y), folded, data.member)
        form = build_form(form.name, form.space, form.target.column, selection.pairs)
        held_out = scale.inverse(selection.held_out)
    return Assessment(form, saturates, held_out)


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
    if np.ptp(y) == 0:
        raise InvalidInput(
            f"All {rows} rows have the same {target}, {y[0]:g}, so there is nothing to explain; "
            "measure subnets that differ."
        )
    # What is left of each column beside those before it.
    if (np.abs(np.diag(folded.r)) < _INDEPENDENT * np.linalg.norm(x, axis=0)).any():
        aliased = [form.terms[i].name for i in np.flatnonzero(~independent_columns(x))]
        named = ", ".join(aliased[:3]) + (f" and {len(aliased) - 3} more" if aliased[3:] else "")
        raise InvalidInput(
            f"In these {rows} rows {named or 'some terms'} can't be told apart from the other "
            f"terms of the form {form.name!r}; measure subnets in which these choices vary, or "
            "take a smaller form."
        )
