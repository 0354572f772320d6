"""Which subnets swap their order between two devices, and where: the rank-reversal map.

All on what was measured, no predictor needed. A pair is reversed where one subnet is the better on
the first device and the worse on the second.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.devices.common import architectures_of, by_subnet, device_of, measured_on_both
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.edits import changes
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

MOST_ROWS = 3000  # 4.5 million pairs
BINS = 10
GAPS = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)  # percent
_EACH = 2  # a subnet that is measured wrongly must not fill the list
_Apart = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class RankReversals:
    """How two devices order the measured subnets.

    - `rows` of the `available` subnets that both devices measured were looked at (all, or a
      random sample).
    - `tau`: Kendall's τ-b. `swapped`, `certain`: shares of all pairs (0 to 1); `certain` swap by
      more than the noise of measurement, None where that is not known. `rule` says in words how
      noise was judged.
    - `subnets`: one row a subnet: id, first, second (ms), share
      (of its pairs that swap, 0 to 1).
    - `gaps`: one row a range of the pairs' difference on the first device, in percent of the
      faster: low, high, pairs, swapped (share).
    - `grid`: one row a cell of the map: slower, faster (tenths of the subnets by the
      first device, from 0; fewer, wider shares of fewer than 50 subnets), their ranges in ms,
      pairs, swapped (share).
    - `pairs`: the clearest reversed pairs: quick_first, quick_second (ids of the subnet that is
      the faster on that device), their latencies in ms (`first_of_…`,
      `second_of_…`), `margin` (percent: the smaller of the two devices' differences, each
      relative to the faster), `differs`.
    """

    first: Metric
    second: Metric
    rows: int
    available: int
    tau: float
    swapped: float
    certain: float | None
    rule: str
    subnets: pd.DataFrame = field(repr=False)
    gaps: pd.DataFrame = field(repr=False)
    grid: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)

    @property
    def names(self) -> tuple[str, str]:
        return device_of(self.first), device_of(self.second)

    def sentence(self) -> str:
        """How far one device's order can be trusted on the other."""
        first, second = self.names
        text = (
            f"Of {self.rows * (self.rows - 1) // 2:,} pairs of {self.rows:,} measured subnets, "
            f"{100 * self.swapped:.1f} % swap their order between {first} and {second} (Kendall's "
            f"tau {self.tau:.3f})"
        )
        if self.certain is None:
            return f"{text}; {self.rule}."
        return f"{text}; {100 * self.certain:.1f} % do so by more than noise ({self.rule})."

    def gap_sentence(self) -> str:
        """From which difference on the first device the order holds on the second."""
        first, second = self.names
        filled = self.gaps[self.gaps["pairs"] > 0]
        near = filled.iloc[0]
        text = (
            f"Of pairs less than {near['high']:g} % apart on {first}, {100 * near['swapped']:.0f} "
            f"% swap on {second}"
        )
        # From the far end back to the first range where more than one in a hundred swaps.
        safe = filled[(filled["swapped"] <= 0.01)[::-1].cummin()[::-1]]
        if len(safe):
            return f"{text}; from {safe['low'].iloc[0]:g} % apart on, 1 % or fewer do."
        last = filled.iloc[-1]
        return (
            f"{text}; even from {last['low']:g} % apart on, {100 * last['swapped']:.0f} % do, so "
            f"measure on {second} itself."
        )


def rank_reversals(
    table: MeasurementTable,
    first: str,
    second: str,
    *,
    residual_sds: tuple[float, float] | None = None,
    most: int = 20,
    seed: int = 0,
) -> RankReversals:
    """Look at every pair of subnets that both devices measured.

    A difference is beyond noise where the table has `low_…` and `high_…` columns and the two
    subnets' ranges are apart; else, with `…_std_error` columns, where it exceeds twice the
    standard error of the difference; else where it exceeds twice the device's entry of
    `residual_sds`, its fit's residual standard deviation (ms). It must be so on both devices. Of
    more than `MOST_ROWS` subnets a random sample by `seed` is taken. The list of pairs names each
    subnet twice at most. Raises `InvalidInput` where fewer than three subnets have both.
    """
    both = measured_on_both(by_subnet(table), first, second)
    if first == second or len(both) < 3:
        raise InvalidInput(
            f"{len(both)} subnets have both {first} and {second}; choose two columns "
            "that at least 3 subnets have in common."
        )
    rows = np.arange(len(both))
    if len(both) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    frame = both.frame.iloc[rows]
    a, b = frame[first].to_numpy(float), frame[second].to_numpy(float)
    i, j = np.triu_indices(len(rows), 1)
    swapped = (a[i] - a[j]) * (b[i] - b[j]) < 0
    certain, rule = swapped, "the table does not tell the noise of its measurements"
    known = _noise(frame, (first, second), residual_sds)
    if known is not None:
        rule, apart = known
        certain = swapped & apart[0](i, j) & apart[1](i, j)
    share = np.bincount(np.concatenate([i[swapped], j[swapped]]), minlength=len(rows))
    from scipy.stats import kendalltau

    return RankReversals(
        metric_of(first),
        metric_of(second),
        len(rows),
        len(both),
        float(np.nan_to_num(kendalltau(a, b).statistic)),
        float(swapped.mean()),
        None if known is None else float(certain.mean()),
        rule,
        subnets=pd.DataFrame(
            {
                "id": frame["id"].to_numpy(),
                "first": a,
                "second": b,
                "share": share / (len(rows) - 1),
            }
        ),
        gaps=_gaps(a, i, j, swapped),
        grid=_grid(a, i, j, swapped),
        pairs=_clearest(both, frame["id"].to_numpy(), a, b, i[certain], j[certain], most),
    )


def _noise(
    frame: pd.DataFrame,
    columns: tuple[str, str],
    residual_sds: tuple[float, float] | None,
) -> tuple[str, list[_Apart]] | None:
    """The narrowest rule that both devices' columns allow, in words and for either device."""

    def numbers(name: str) -> np.ndarray:
        return pd.to_numeric(frame[name]).to_numpy(float)

    rule = "on both devices the two subnets' ranges of repeated measurements are apart"
    if all(f"{end}_{column}" in frame for column in columns for end in ("low", "high")):
        return rule, [_apart(numbers(f"low_{c}"), numbers(f"high_{c}")) for c in columns]
    if all(f"{column}_std_error" in frame for column in columns):
        rule = "on both devices they differ by more than two standard errors"
        variances = [numbers(f"{column}_std_error") ** 2 for column in columns]
    elif residual_sds is not None:
        rule = "on both devices they differ by more than two residual standard deviations"
        variances = [np.full(len(frame), sd**2 / 2) for sd in residual_sds]
    else:
        return None
    known = zip(columns, variances, strict=True)
    return rule, [_beyond(numbers(column), variance) for column, variance in known]


def _apart(low: np.ndarray, high: np.ndarray) -> _Apart:
    """Which pairs' ranges do not touch."""
    return lambda i, j: (low[i] > high[j]) | (low[j] > high[i])


def _beyond(value: np.ndarray, variance: np.ndarray) -> _Apart:
    """Which pairs differ by more than twice the standard error of their difference."""
    return lambda i, j: np.abs(value[i] - value[j]) > 2 * np.sqrt(variance[i] + variance[j])


def _gaps(a: np.ndarray, i: np.ndarray, j: np.ndarray, swapped: np.ndarray) -> pd.DataFrame:
    gap = 100 * np.abs(a[i] - a[j]) / np.minimum(a[i], a[j])
    member = np.searchsorted(GAPS, gap, side="right") - 1
    pairs = np.bincount(member, minlength=len(GAPS) - 1)
    count = np.bincount(member[swapped], minlength=len(GAPS) - 1)
    return pd.DataFrame(
        {"low": GAPS[:-1], "high": GAPS[1:], "pairs": pairs, "swapped": _share(count, pairs)}
    )


def _grid(a: np.ndarray, i: np.ndarray, j: np.ndarray, swapped: np.ndarray) -> pd.DataFrame:
    bins = min(BINS, max(len(a) // 5, 1))
    rank = np.argsort(np.argsort(a, kind="stable"), kind="stable")
    tenth = rank * bins // len(a)
    slower, faster = np.maximum(tenth[i], tenth[j]), np.minimum(tenth[i], tenth[j])
    cell = slower * bins + faster
    pairs = np.bincount(cell, minlength=bins * bins)
    count = np.bincount(cell[swapped], minlength=bins * bins)
    low = np.array([a[tenth == k].min() for k in range(bins)])
    high = np.array([a[tenth == k].max() for k in range(bins)])
    rows, columns = np.tril_indices(bins)
    at = rows * bins + columns
    return pd.DataFrame(
        {
            "slower": rows, "slower_low": low[rows], "slower_high": high[rows],
            "faster": columns, "faster_low": low[columns], "faster_high": high[columns],
            "pairs": pairs[at], "swapped": _share(count[at], pairs[at]),
        }
    )  # fmt: skip


def _share(count: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.divide(count, of, out=np.full(len(of), np.nan), where=of > 0)


def _clearest(
    table: MeasurementTable,
    ids: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    most: int,
) -> pd.DataFrame:
    quick, slow = np.where(a[i] < a[j], i, j), np.where(a[i] < a[j], j, i)
    margin = 100 * np.minimum(a[slow] / a[quick] - 1, b[quick] / b[slow] - 1)
    taken: dict[int, int] = {}
    kept: list[int] = []
    for pair in np.argsort(-margin, kind="stable"):
        ends = int(quick[pair]), int(slow[pair])
        if len(kept) == most:
            break
        if all(taken.get(end, 0) < _EACH for end in ends):
            kept.append(int(pair))
            taken |= {end: taken.get(end, 0) + 1 for end in ends}
    one, other = quick[kept], slow[kept]
    names = list(table.space.by_name)
    pairs = zip(architectures_of(table, ids[one]), architectures_of(table, ids[other]), strict=True)
    return pd.DataFrame(
        {
            "quick_first": ids[one],
            "quick_second": ids[other],
            "first_of_quick_first": a[one],
            "first_of_quick_second": a[other],
            "second_of_quick_first": b[one],
            "second_of_quick_second": b[other],
            "margin": margin[kept],
            "differs": [changes(names, *pair) for pair in pairs],
        }
    )


def disagreement(
    first: Predictor, second: Predictor, one: Architecture, other: Architecture
) -> pd.DataFrame:
    """Which blocks make two devices disagree about two subnets.

    One row a block slot, a group or a context decision in which they differ: block, first,
    second (what the step from the one to the other changes there, in percent of the device's
    prediction of `one`) and difference; the largest first. Both predictors are of one form.
    """
    form = first.form
    before, after = form.matrix(form.space.encode([one, other]))
    units = [t.slot or t.group or t.decision for t in form.terms]
    blocks = [unit for unit in dict.fromkeys(units) if unit]
    parts = np.array([np.where([u == block for u in units], after - before, 0) for block in blocks])
    change = [100 * (parts @ p.estimates) / float(before @ p.estimates) for p in (first, second)]
    table = pd.DataFrame({"block": blocks, "first": change[0], "second": change[1]})
    table["difference"] = table["second"] - table["first"]
    differ = np.flatnonzero(parts.any(axis=1))
    order = np.argsort(-table["difference"].abs().to_numpy()[differ], kind="stable")
    return table.iloc[differ[order]].reset_index(drop=True)
