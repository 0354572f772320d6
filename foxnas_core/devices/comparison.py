"""How the coefficients of two devices differ, choice by choice and block by block.

Two least-squares fits on the same regression rows X are seemingly unrelated regressions whose
generalised least-squares estimate is least squares column by column (Zellner, "An efficient
method of estimating seemingly unrelated regressions", JASA 57, 1962, section 3; Kruskal, 1968).
Their estimates are correlated as the residuals are: cov(b₁, b₂) = s₁₂ (X'X)⁻¹, so a combination d
of b₂ - b₁ has the variance (s₁₁ + s₂₂ - 2 s₁₂) d'(X'X)⁻¹d; where rows repeat a subnet, their
covariance is that of `regression.repeats`.

A device that is slower throughout has larger coefficients throughout. So effects are compared in
percent of each device's own mean latency too. The mean is that of the measured subnets, x̄'b for
their mean regression row x̄, hence itself uncertain: with r = d'b / x̄'b the delta method gives the
gradient (d - r x̄) / x̄'b.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from foxnas_core.devices.common import device_of, fitted_on_both, is_same_measure
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.coefficients import effect_rows, shares_effects
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.regression.inference import benjamini_hochberg
from foxnas_core.regression.repeats import Repeats
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

# The measure's own unit, and percent of each device's mean.
UNITS = ("own", "percent")


@dataclass(frozen=True, eq=False)
class DeviceComparison:
    """Two devices' effects beside each other, on `rows` subnets measured on both.

    - `means`: each device's mean over them, in the measure's unit.
    - `correlation`: of the two fits' residuals.
    - `own`, `percent`: one row a choice with the keys of `choice_effects`, `what` (the choice in
      words), then `first`, `second` and `difference` (second less first), each with `…_low` and
      `…_high` at `level`; `p` tests the difference against 0, `adjusted` is its
      Benjamini-Hochberg value over all choices. `percent` counts in percent of each device's own
      mean.
    - `blocks`: one row a block slot, a group (terms of a whole stage) or a context decision:
      block, group, slot, terms, and for either unit F, p and adjusted p of the hypothesis that
      all of its coefficients are equal on both devices (`F_own`, …) or equal in percent of the
      mean, that is proportional (`F_percent`, …).
    - `counts_blocks`: whether the form counts blocks, so that several have the same effects.
    """

    first: Metric
    second: Metric
    level: float
    rows: int
    means: tuple[float, float]
    correlation: float
    own: pd.DataFrame = field(repr=False)
    percent: pd.DataFrame = field(repr=False)
    blocks: pd.DataFrame = field(repr=False)
    counts_blocks: bool = False

    @property
    def names(self) -> tuple[str, str]:
        return device_of(self.first), device_of(self.second)

    def effects(self, unit: str) -> pd.DataFrame:
        """The table of one of `UNITS`."""
        return self.own if unit == "own" else self.percent

    def sentences(self, unit: str, most: int = 3) -> list[str]:
        """The largest differences that hold after the adjustment for many tests, in words."""
        table = self.effects(unit)
        clear = table[table["adjusted"] < 1 - self.level]
        order = clear["difference"].abs().sort_values(ascending=False, kind="stable").index
        return [self._sentence(row, unit) for row in clear.loc[order[:most]].to_dict("records")]

    def _sentence(self, row: Mapping[Any, Any], unit: str) -> str:
        first, second = self.names
        verbs = ["costs" if row[name] >= 0 else "saves" for name in ("second", "first")]
        sizes = [_number(abs(row[name]), unit) for name in ("second", "first")]
        ends = ("difference", "difference_low", "difference_high")
        middle, low, high = (_number(row[end], unit, signed=True) for end in ends)
        own = self.first.unit or metric_of(self.first.head).word
        of = own if unit == "own" else f"% of the mean {metric_of(self.first.head).word}"
        other = f"{sizes[1]} {own if unit == 'own' else '%'}"
        if verbs[0] != verbs[1]:
            other = f"{verbs[1]} {other}"
        return (
            f"{row['what']} {verbs[0]} {sizes[0]} {of} on {second} but {other} on {first}: "
            f"{middle} {own if unit == 'own' else 'points'} ({low} to {high})."
        )


def choice_text(space: SearchSpace, row: Mapping[Any, Any]) -> str:
    """A row with the keys of `choice_effects` in words."""
    change = f"{row['role']} {row['choice']} instead of {row['reference']}"
    if row["slot"] != space.by_name[row["decision"]].slot:  # a step that opens the slot
        return f"adding {row['slot']} ({change})"
    where = row["slot"] or row["group"]
    return change if row["group"] in space.context else f"{change} in {where}"


def compare_devices(
    first: Predictor, second: Predictor, *, table: MeasurementTable, level: float = 0.95
) -> DeviceComparison:
    """Compare two fits of one form on the same rows of `table`, as `fit_pair` makes them.

    Intervals and tests are those of normal residuals that are correlated between devices; in
    the measure's unit they are exact, in percent to first order (the delta method). Raises
    `InvalidInput` where the forms or the rows differ, or the targets are not one measure.
    """
    form = first.form
    if form.terms != second.form.terms or not (first.link.is_identity and second.link.is_identity):
        raise InvalidInput(
            f"{first.target.column} was fitted with the form {form.name!r} and "
            f"{second.target.column} with {second.form.name!r}; fit both with the same form."
        )
    if not is_same_measure(first.target, second.target):
        raise InvalidInput(
            f"{first.target.column} and {second.target.column} are not one measure on two devices; "
            "choose two such columns, as latency_ms and latency_ms:NAME."
        )
    columns = first.target.column, second.target.column
    both = fitted_on_both(table, *columns)
    if not first.rows == second.rows == len(both):
        raise InvalidInput(
            f"{len(both)} subnets have both {columns[0]} and {columns[1]}, but the fits read "
            f"{first.rows} and {second.rows} rows; fit both on the subnets that have both."
        )
    x = form.matrix(both.codes)
    estimates = np.stack([first.estimates, second.estimates])
    y = np.stack([both.values(column) for column in columns])
    residuals = y - estimates @ x.T
    q, r = np.linalg.qr(x)
    df = len(both) - form.parameters
    own = residuals @ residuals.T / df
    shared, spread = np.zeros((2, 2)), np.zeros(r.shape)
    if first.err_together or second.err_together:
        repeats = Repeats.of(both.codes)
        own, shared, spread = repeats.components(q, residuals)
        df = len(repeats) - form.parameters
    inverse = np.linalg.inv(r)
    covariance = np.einsum("ab,tu->abtu", own, inverse @ inverse.T)
    covariance += np.einsum("ab,tu->abtu", shared, inverse @ spread @ inverse.T)
    pair = _Pair(estimates, covariance, x.mean(axis=0), df)
    keys, effects = effect_rows(form)
    keys["what"] = [choice_text(form.space, row) for row in keys.to_dict("records")]
    scale = np.sqrt(np.diag(own + shared))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = float((own + shared)[0, 1] / (scale[0] * scale[1]))
    return DeviceComparison(
        first.target,
        second.target,
        level,
        len(both),
        (float(y[0].mean()), float(y[1].mean())),
        correlation,
        own=keys.assign(**pair.effects(effects, level, relative=False)),
        percent=keys.assign(**pair.effects(effects, level, relative=True)),
        blocks=_block_tests(form, pair),
        counts_blocks=shares_effects(form),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two fits on the same rows: `estimates` (2, terms), their `covariance` (2, 2, terms, terms),
    mean regression row `mean`, residual degrees of freedom `df`."""

    estimates: np.ndarray
    covariance: np.ndarray
    mean: np.ndarray
    df: int

    def gradients(self, d: np.ndarray, relative: bool) -> tuple[np.ndarray, np.ndarray]:
        """Values (2, k) of the combinations `d` (k, terms) and their gradients (2, k, terms)."""
        value = self.estimates @ d.T
        if not relative:
            return value, np.stack([d, d])
        means = (self.estimates @ self.mean)[:, np.newaxis]
        ratio = value / means
        gradient = (d - ratio[:, :, np.newaxis] * self.mean) / means[:, :, np.newaxis]
        return 100 * ratio, 100 * gradient

    def effects(self, d: np.ndarray, level: float, *, relative: bool) -> dict[str, np.ndarray]:
        value, gradient = self.gradients(d, relative)
        # variance[a, b] (k,): the covariance of each combination on device a with that on b
        variance = np.einsum("akt,abtu,bku->abk", gradient, self.covariance, gradient)
        signs = np.array([-1.0, 1.0])
        spread = {
            "first": (value[0], variance[0, 0]),
            "second": (value[1], variance[1, 1]),
            "difference": (signs @ value, np.einsum("a,b,abk->k", signs, signs, variance)),
        }
        quantile = float(stdtrit(self.df, (1 + level) / 2))
        found: dict[str, np.ndarray] = {}
        for name, (middle, square) in spread.items():
            half = quantile * np.sqrt(square.clip(0))
            found |= {name: middle, f"{name}_low": middle - half, f"{name}_high": middle + half}
        middle, square = spread["difference"]
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.abs(middle) / np.sqrt(square.clip(0))
        found["p"] = 2 * stdtr(self.df, -np.nan_to_num(t, nan=0.0))
        found["adjusted"] = benjamini_hochberg(found["p"])
        return found

    def test(self, columns: np.ndarray, *, relative: bool) -> tuple[float, float]:
        """F and p of the hypothesis that the coefficients at `columns` are equal."""
        d = np.eye(self.estimates.shape[1])[columns]
        value, gradient = self.gradients(d, relative)
        signs = np.array([-1.0, 1.0])
        covariance = np.einsum(
            "a,b,akt,abtu,blu->kl", signs, signs, gradient, self.covariance, gradient,
            optimize=True,
        )  # fmt: skip
        difference = signs @ value
        solved = np.linalg.pinv(covariance, hermitian=True) @ difference
        f = max(float(difference @ solved) / len(columns), 0.0)
        return f, float(fdtrc(len(columns), self.df, f))


def _block_tests(form: Form, pair: _Pair) -> pd.DataFrame:
    units = [(t.slot or t.group or t.decision, t.group, t.slot) for t in form.terms]
    found = []
    for unit in dict.fromkeys(units):
        if not unit[0]:
            continue  # the intercept
        columns = np.flatnonzero([u == unit for u in units])
        row: dict[str, object] = {"block": unit[0], "group": unit[1], "slot": unit[2]}
        row["terms"] = len(columns)
        for name in UNITS:
            row[f"F_{name}"], row[f"p_{name}"] = pair.test(columns, relative=name == "percent")
        found.append(row)
    table = pd.DataFrame(found)
    for name in UNITS:
        table[f"adjusted_{name}"] = benjamini_hochberg(table[f"p_{name}"].to_numpy(float))
    return table


def _number(value: float, unit: str, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{value:{sign}.3g}" if unit == "own" else f"{value:{sign}z.1f}"
