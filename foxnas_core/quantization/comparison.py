"""What int8 costs and wins, supernet by supernet: accuracy lost and time won, over subnets.

A subnet is compared with itself, so all numbers are means of paired differences; their intervals
come from drawing subnets with replacement (the bootstrap's percentiles; Efron & Tibshirani, "An
Introduction to the Bootstrap", 1993, chapter 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.devices.common import by_subnet, latency_columns
from foxnas_core.errors import InvalidInput
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, main_objective, metric_of, suffix_words

PLAIN = "ONNX Runtime"
TIME = "time"
_SAVED = Metric("latency_saved", "Latency saved", "%", "max", digits=1)
LEAST_SUBNETS = 3
_PAIRED = 10  # so many subnets in common make a paired difference of two supernets


@dataclass(frozen=True, eq=False)
class PrecisionStudy:
    """One supernet's subnets in both precisions.

    `subnets`: one row a subnet with id and, where measured, the columns of the table that have a
    partner in the other precision. `objective` is the column of the quality that has one, "" where
    none does, and `fingerprint` the table's.
    """

    name: str
    space: str
    fingerprint: str
    runtimes: tuple[str, ...]
    objective: str
    subnets: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class PrecisionComparison:
    """Supernets beside each other.

    - `table`: one row a study and quantity: study, quantity (the objective, or `TIME`), runtime
      ("" for the objective), subnets, fp32 and int8 (means, in the metric's unit), value with low
      and high (of the objective what int8 loses, for time the share of the latency in percent that
      it saves, negative where it is slower), helped (share of the subnets, 0 to 1, that int8 makes
      better or faster).
    - `differences`: with two studies, one row a quantity and runtime that both have: value, low and
      high of the second study's less the first's, subnets, and whether they are paired (the same
      architectures in both).
    """

    studies: tuple[PrecisionStudy, ...]
    level: float
    resamples: int
    seed: int
    table: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)

    def sentences(self) -> list[str]:
        """For each study and runtime, what int8 does there and whether that pays."""
        return [
            _verdict(study, self.table[self.table["study"] == study.name], runtime)
            for study in self.studies
            for runtime in study.runtimes or ("",)
        ]

    def difference_sentences(self) -> list[str]:
        """What the second supernet makes of int8 against the first, where that is beyond doubt or
        not."""
        if len(self.studies) != 2:
            return []
        return [
            _difference_sentence(row, *(study.name for study in self.studies))
            for row in self.differences.to_dict("records")
        ]


def _difference_sentence(row: dict[Any, Any], first: str, second: str) -> str:
    quantity, runtime = row["quantity"], row["runtime"]
    runtime = suffix_words(runtime)
    value, low, high = (row[key] for key in ("value", "low", "high"))
    gain, timed = gain_of(quantity), quantity == TIME
    what = f"saves of the latency on {runtime}" if timed else f"loses of {gain.word}"
    if low <= 0 <= high:
        return (
            f"Between {first} and {second}, what int8 {what} does not differ beyond doubt: "
            f"{gain.difference_text(value, signed=True)} ({gain.text(low, signed=True)} to "
            f"{gain.text(high, signed=True)})."
        )
    size = gain.difference_text(abs(value))
    if timed:
        said = f"On {runtime}, int8 compares {'better' if value > 0 else 'worse'} with fp32 in "
        said += f"{second} than in {first}, by {size} of fp32's latency"
    else:
        more = "more" if value > 0 else "less"
        said = f"In {second}, int8 loses {size} of {gain.word} {more} than in {first}"
    return f"{said} ({_ends_of(quantity, low, high)})."


def gain_of(quantity: str) -> Metric:
    """What int8 changes, by the metric that its words and numbers are of."""
    return _SAVED if quantity == TIME else metric_of(quantity)


def _ends_of(quantity: str, low: float, high: float) -> str:
    """Both ends of an interval without their sign, the nearer to 0 first."""
    return " to ".join(gain_of(quantity).text(end) for end in sorted((abs(low), abs(high))))


def partner_of(column: str) -> tuple[str, str]:
    """The runtime and the int8 column that belong to an fp32 latency column, by their names."""
    _, _, runtime = column.partition(":")
    return (runtime, f"{column}-int8") if runtime else (PLAIN, f"{column}:int8")


def runtime_columns(table: MeasurementTable) -> dict[str, tuple[str, str]]:
    """The runtimes that the table has in both precisions, with their fp32 and int8 columns."""
    columns = latency_columns(table)
    partners = {column: partner_of(column) for column in columns}
    return {runtime: (c, int8) for c, (runtime, int8) in partners.items() if int8 in columns}


def has_both_precisions(table: MeasurementTable) -> bool:
    """Whether there is anything to compare."""
    return bool(runtime_columns(table)) or objective_of(table) is not None


def compare_precisions(
    tables: Sequence[tuple[str, MeasurementTable]],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> PrecisionComparison:
    """Compare fp32 with int8 in each of the named tables, and, of two, what differs between them.

    Raises `InvalidInput` where a table has no column in both precisions, or fewer than
    `LEAST_SUBNETS` subnets that have it.
    """
    studies = tuple(_study(name, table) for name, table in tables)
    found, drawn = [], {}
    for study in studies:
        for quantity, runtime in _quantities(study):
            own = _paired(study, quantity, runtime)
            means = _resampled(own["gain"].to_numpy(), resamples, seed)
            drawn[study.name, quantity, runtime] = own
            row: dict[str, Any] = {"study": study.name, "quantity": quantity, "runtime": runtime}
            row |= {"subnets": len(own), "fp32": own["fp32"].mean(), "int8": own["int8"].mean()}
            row |= {"value": own["gain"].mean(), **_ends(means, level)}
            better = own["gain"] > 0 if quantity == TIME else own["gain"] < 0
            found.append(row | {"helped": float(better.mean())})
    table = pd.DataFrame(found)
    differences = []
    if len(studies) == 2:
        names = [study.name for study in studies]
        for quantity, runtime in _quantities(studies[0]):
            keys = [(name, quantity, runtime) for name in names]
            if keys[1] in drawn:
                first, second = (drawn[key] for key in keys)
                row = {"quantity": quantity, "runtime": runtime}
                differences.append(row | _difference(first, second, level, resamples, seed))
    return PrecisionComparison(studies, level, resamples, seed, table, pd.DataFrame(differences))


def _study(name: str, table: MeasurementTable) -> PrecisionStudy:
    runtimes = runtime_columns(table)
    columns = [c for pair in runtimes.values() for c in pair]
    objective = objective_of(table) or ""
    if objective:
        columns = [objective, int8_of(objective), *columns]
    if not columns:
        raise InvalidInput(
            f"Study {name!r} has no column in both precisions; measure subnets with 'python -m "
            "foxnas_core measure', which measures fp32 and int8."
        )
    frame = table.frame.copy()
    for column in [c for pair in runtimes.values() for c in pair]:
        # Latencies that failed a check are no more read here than by a fit.
        frame[column] = frame[column].where(usable(table, column))
    kept = by_subnet(replace(table, frame=frame)).frame[["id", *columns]]
    return PrecisionStudy(
        name, table.space.name, table.fingerprint, tuple(runtimes), objective, kept
    )


def int8_of(objective: str) -> str:
    """The column of a quality in int8."""
    return f"{objective}:int8"


def objective_of(table: MeasurementTable) -> str | None:
    """The quality that the table has in both precisions, the main one of several; None without."""
    known = {target.column for target in table.targets}
    return main_objective(t for t in table.targets if int8_of(t.column) in known)


def _quantities(study: PrecisionStudy) -> list[tuple[str, str]]:
    objective = [(study.objective, "")] if study.objective else []
    return objective + [(TIME, runtime) for runtime in study.runtimes]


def columns_of(quantity: str, runtime: str) -> tuple[str, str]:
    """The fp32 and the int8 column of a quantity."""
    if quantity != TIME:
        return quantity, int8_of(quantity)
    column = "latency_ms" if runtime == PLAIN else f"latency_ms:{runtime}"
    return column, partner_of(column)[1]


def _paired(study: PrecisionStudy, quantity: str, runtime: str) -> pd.DataFrame:
    """id, fp32, int8 and gain (what is lost, or percent saved) of the subnets that have both."""
    columns = columns_of(quantity, runtime)
    own = study.subnets[["id", *columns]].dropna().set_axis(["id", "fp32", "int8"], axis="columns")
    if len(own) < LEAST_SUBNETS:
        raise InvalidInput(
            f"{len(own)} subnets of study {study.name!r} have both {columns[0]} and {columns[1]}; "
            f"measure at least {LEAST_SUBNETS} in both precisions."
        )
    if quantity != TIME:
        return own.assign(gain=metric_of(quantity).sign * (own["fp32"] - own["int8"]))
    return own.assign(gain=100 * (1 - own["int8"] / own["fp32"]))


def _resampled(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means (resamples,) of values (n,) drawn with replacement."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
    return counts @ values / len(values)


def _difference(
    first: pd.DataFrame, second: pd.DataFrame, level: float, resamples: int, seed: int
) -> dict[str, Any]:
    """The second's mean gain less the first's, over the same architectures where there are some."""
    both = first.merge(second, on="id", suffixes=("_first", "_second"))
    if len(both) >= _PAIRED:
        gaps = (both["gain_second"] - both["gain_first"]).to_numpy()
        value, means = float(gaps.mean()), _resampled(gaps, resamples, seed)
    else:
        value = float(second["gain"].mean() - first["gain"].mean())
        one, other = (
            _resampled(part["gain"].to_numpy(), resamples, seed + k)
            for k, part in enumerate((first, second))
        )
        means = other - one
    paired = len(both) >= _PAIRED
    subnets = len(both) if paired else len(first) + len(second)
    return {"value": value, **_ends(means, level), "subnets": subnets, "paired": paired}


def _ends(means: np.ndarray, level: float) -> dict[str, float]:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return {"low": float(low), "high": float(high)}


def _verdict(study: PrecisionStudy, table: pd.DataFrame, runtime: str) -> str:
    rows = {(r["quantity"], r["runtime"]): r for r in table.to_dict("records")}
    lost, time = rows.get((study.objective, "")), rows.get((TIME, runtime))
    runtime = suffix_words(runtime)
    parts = []
    if time is not None:
        value, low, high = (time[k] for k in ("value", "low", "high"))
        if low <= 0 <= high:
            parts.append(
                f"takes the same time as fp32 on {runtime}, as far as can be told (saves "
                f"{value:.1f} %: {low:.1f} to {high:.1f})"
            )
        else:
            amount = f"{_SAVED.value_text(abs(value))} ({_ends_of(TIME, low, high)})"
            verb = "saves {} of the latency" if value > 0 else "takes {} longer than fp32"
            parts.append(f"{verb.format(amount)} on {runtime}")
    if lost is not None:
        gain, value = gain_of(study.objective), lost["value"]
        word = gain.word
        if lost["low"] <= 0 <= lost["high"]:
            size = gain.difference_text(value, signed=True)
            parts.append(f"loses no {word} beyond doubt ({size})")
        else:
            ends = _ends_of(study.objective, lost["low"], lost["high"])
            verb = "loses" if value > 0 else "gains"
            parts.append(f"{verb} {gain.difference_text(abs(value))} of {word} ({ends})")
    counts = sorted({int(row["subnets"]) for row in (time, lost) if row is not None})
    over = " and ".join(map(str, counts))
    text = f"{study.name}: int8 {' and '.join(parts)}, averaged over {over} subnets"
    if time is None:
        return f"{text}."
    if time["high"] < 0:
        return f"{text}. It does not pay there: deploy fp32."
    if time["low"] > 0 and lost is not None and lost["high"] <= 0:
        return f"{text}. It costs nothing there: deploy int8."
    if time["low"] > 0 and lost is not None and lost["low"] > 0:
        step, named = (1.0, "point") if gain.difference_unit == "points" else (0.01, "0.01")
        each = step * time["value"] / lost["value"]
        return f"{text}. Each {named} of {word} given up buys {each:.0f} % of the latency."
    return f"{text}."
