"""A metric: a measured column with its unit, its bounds and the direction that is better.

What is known of a metric stands in one registry, by the head of its column's name; code from
outside adds to it with `register_metric`.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from foxnas_core.errors import InvalidInput
from foxnas_core.glossary import add_term
from foxnas_core.glossary.entry import GlossaryEntry

STD_ERROR = "_std_error"
# What runtimes that devices are called after call themselves.
RUNTIMES = {
    "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "executorch": "ExecuTorch",
    "litert": "LiteRT",
}  # fmt: skip
_DOMAINS = {"iid": "seen domains", "ood": "unseen domains", "worst": "worst unseen domain"}
# The least number above 0: bounds hold their ends.
ABOVE_ZERO = math.nextafter(0.0, 1.0)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def in_a_sentence(label: str) -> str:
    """A label as it stands within a sentence: "top-1 accuracy", but "MACs"."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


@dataclass(frozen=True)
class Metric:
    """A named, measured quantity.

    - `column`: its column in the measurement table, `NAME` or, of a further device, precision,
      domain or class, `NAME:SUFFIX`.
    - `quality`: whether it tells how well a network does its task; all else is a cost.
    - `bounds`: the least and the greatest value there can be, in `unit`.
    - `saturates`: whether it nears its upper bound ever more slowly, so that a better block adds
      the less the better the network is (`regression.link`).
    - `scales`: whether it grows with the number of pixels of the input.
    - `timed`: whether a clock measures it, so that how it was measured is judged
      (`table.latency_verdicts`) and one device's can be calibrated from another's.
    - `is_extra`: whether it is measured on demand, so that a table may have it for few rows.
    - `suffix`: what the part after a colon names, empty where there can't be one. A label with
      "{}" takes it there, and then there is none without.
    - `better`, `worse`: the words for more and less of what is wanted.
    - `digits`: decimals it is read with; None for three significant digits.
    - `units`: the units its numbers may be given in, each with its factor to `unit`, which is the
      first one; by default fraction and percent of what its bounds say to be a share.
    - `word`: what it is called within a sentence; by default its label.
    - `meaning`: what it is, in a sentence that a hover over its column shows; by default what it
      may be and which way is better.
    """

    column: str
    label: str
    unit: str
    direction: Literal["max", "min"]
    quality: bool = False
    bounds: tuple[float, float] = (ABOVE_ZERO, math.inf)
    saturates: bool = False
    scales: bool = False
    timed: bool = False
    is_extra: bool = False
    suffix: str = ""
    better: str = ""
    worse: str = ""
    digits: int | None = None
    units: tuple[tuple[str, float], ...] = ()
    word: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if self.saturates and (self.direction != "max" or math.isinf(self.bounds[1])):
            raise InvalidInput(
                f"{self.column!r} can't saturate: only what shall be great and has an upper bound "
                "does; give it one, or leave saturates out."
            )
        if not self.units:
            object.__setattr__(self, "units", self._units_of_a_share())
        more, less = ("higher", "lower") if self.direction == "max" else ("lower", "higher")
        word = in_a_sentence(self.label)
        for name, default in (("better", more), ("worse", less), ("word", word)):
            if not getattr(self, name):
                object.__setattr__(self, name, default)

    def _units_of_a_share(self) -> tuple[tuple[str, float], ...]:
        most = max(map(abs, self.bounds))
        if most == 1.0 and not self.unit:
            return ("fraction", 1.0), ("percent", 0.01)
        if most == 100.0 and self.unit == "%":
            return ("percent", 1.0), ("fraction", 100.0)
        return ()

    @property
    def std_error_column(self) -> str:
        return f"{self.column}{STD_ERROR}"

    def has_along(self, column: str) -> bool:
        """Whether a column is this metric's or called after it, as its standard error and its
        rounds' range are."""
        return column in (self.column, self.std_error_column) or column.endswith(f"_{self.column}")

    @property
    def head(self) -> str:
        """The column's name without its suffix: the same on every device."""
        return self.column.partition(":")[0]

    @property
    def bare(self) -> "Metric":
        """The metric without its suffix; itself where there is none without."""
        return _found(self.head) or self

    def compared(self, better: bool) -> str:
        """How a network of a better or worse value compares: "faster", "lower in energy"."""
        word = self.better if better else self.worse
        return f"{word} in {self.word}" if word in ("higher", "lower", "fewer", "more") else word

    @property
    def sign(self) -> float:
        """What makes more of a value better: -1 where less is."""
        return 1.0 if self.direction == "max" else -1.0

    @property
    def errs_relatively(self) -> bool:
        """Whether it is a measured cost above 0, whose measurements err by a share of themselves:
        no count, of which all are exact."""
        measured = self.timed or self.is_extra
        return measured and not self.quality and self.direction == "min" and self.bounds[0] >= 0

    @property
    def named(self) -> str:
        """The label with its unit, as an axis is titled."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def title(self) -> str:
        """The word, as it begins a sentence."""
        return self.word[:1].upper() + self.word[1:]

    @property
    def difference_unit(self) -> str:
        """The unit of a difference of two values: percentages differ by points."""
        return "points" if self.unit == "%" else self.unit

    def within(self, values: ArrayLike) -> np.ndarray:
        """Values of any shape, those beyond what there can be at the bound that they are beyond,
        which is 0 where only what is above 0 can be. What was not measured stays NaN."""
        low, high = self.bounds
        return np.clip(values, 0.0 if low == ABOVE_ZERO else low, high)

    def allowed(self, unit: str = "") -> str:
        """What values may be, in words, where they are given in one of `units`."""
        low, high = self.bounds
        factor = dict(self.units).get(unit, 1.0)
        if math.isinf(high):
            return f"a finite number {'above 0' if low == ABOVE_ZERO else f'of at least {low:g}'}"
        given = unit or (self.units[0][0] if self.units else "")
        noun = {"percent": "a percentage", "fraction": "a fraction"}.get(given, "a number")
        return f"{noun} from {low / factor:g} to {high / factor:g}"

    def value_text(self, value: float, *, signed: bool = False) -> str:
        """The value as it is read, with its unit."""
        return f"{self.text(value, signed=signed)} {self.unit}".strip()

    def difference_text(self, value: float, *, signed: bool = False) -> str:
        """A difference of two values as it is read, with its unit."""
        return f"{self.text(value, signed=signed)} {self.difference_unit}".strip()

    def interval_text(self, low: float, high: float, *, signed: bool = False) -> str:
        """Both ends of an interval as they are read; of what was counted, which has none, that."""
        if low == high and self.column in COUNTED_AS:
            return "counted"
        return f"{self.text(low, signed=signed)} to {self.text(high, signed=signed)}"

    def in_brackets(self, low: float, high: float, *, signed: bool = False) -> str:
        """An interval as it stands behind its value: "(90.80 to 91.60)"."""
        return f"({self.interval_text(low, high, signed=signed)})"

    def text(self, value: float, *, signed: bool = False) -> str:
        """The value as it is read, without its unit: to `digits` decimals, or to three significant
        digits, thousands as k, M, G and T. What was not measured is "nan"."""
        sign = "+" if signed else ""
        if isinstance(value, int) and abs(value) < 1000 and self.digits is None:
            return f"{value:{sign}d}"
        if self.digits is not None:
            return f"{value:{sign}z,.{self.digits}f}"
        if not math.isfinite(value):
            return f"{value:{sign}}"
        for prefix in ("", "k", "M", "G", "T"):
            # 999.6 would round to 1000, so it takes the next prefix.
            if abs(value) < 999.5 or prefix == "T":
                break
            value /= 1000
        number = f"{value:{sign}#.3g}".removesuffix(".") if value else "0"
        exponent = int(f"{value:.2e}".partition("e")[2])
        if -7 <= exponent < -4:
            # Differences of some nanoseconds in ms are everyday; nobody reads them as "e-05".
            number = f"{value:{sign}.{2 - exponent}f}"
        return f"{number} {prefix}".strip()


_COUNTS = (("1", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9))
_KNOWN = {
    metric.column: metric
    for metric in (
        Metric(
            "accuracy", "Top-1 accuracy", "%", "max", quality=True, bounds=(0.0, 100.0),
            saturates=True, suffix="PRECISION", better="more accurate", worse="less accurate",
            digits=2, word="accuracy",
        ),
        Metric(
            "accuracy_drop", "Accuracy lost by {}", "points", "min", quality=True,
            bounds=(-100.0, 100.0), suffix="PRECISION", digits=2,
        ),
        Metric(
            "dice", "Dice", "", "max", quality=True, bounds=(0.0, 1.0), saturates=True,
            suffix="CLASS", digits=4,
        ),
        Metric(
            "cross_entropy", "Cross-entropy", "nats", "min", quality=True, bounds=(0.0, math.inf),
        ),
        Metric(
            "latency_ms", "Latency", "ms", "min", scales=True, timed=True, suffix="DEVICE",
            better="faster", worse="slower", units=(("ms", 1.0), ("s", 1000.0), ("us", 0.001)),
        ),
        Metric(
            "energy_mj", "Energy", "mJ", "min", is_extra=True, suffix="DEVICE",
        ),
        Metric(
            "memory_kib", "Peak memory", "KiB", "min", is_extra=True, suffix="DEVICE", digits=0,
        ),
        Metric(
            "size", "Size in {}", "", "max", quality=True, suffix="COUNT", better="larger",
            worse="smaller", word="{}",
            meaning="What is counted of a network, of which a floor keeps more than a minimum: it "
            "stands in for a quality where none was measured.",
        ),
        Metric("parameters", "Parameters", "", "min", better="fewer", worse="more", units=_COUNTS),
        Metric(
            "macs", "MACs", "", "min", scales=True, better="fewer", worse="more", units=_COUNTS,
        ),
    )
}  # fmt: skip
# What can be counted of a network without running it; see `Family.counts`.
COUNTABLE = ("parameters", "macs")
# By column, what is counted for it: sizes are the same numbers, of which more is better.
SIZES = {f"size:{name}": name for name in reversed(COUNTABLE)}
COUNTED_AS = {name: name for name in COUNTABLE} | SIZES
KNOWN: Mapping[str, Metric] = MappingProxyType(_KNOWN)
"""The known metrics by name, such as were added since included."""

# How whoever has a metric of their own makes it known, within a sentence.
HOW_KNOWN = "`register_metric` in a module that FOXNAS_PLUGINS names"
_NAMED = 12


def unknown_sentence(columns: Sequence[str]) -> str:
    """What to know and to do where a table has columns that are no known metric; empty without."""
    if not columns:
        return ""
    names = some_of([repr(column) for column in columns], _NAMED)
    one = len(columns) == 1
    return (
        f"{f'The column {names} is' if one else f'The columns {names} are'} no known metric, so "
        f"{'it is' if one else 'they are'} kept but read by no fit; make a metric known by "
        f"{HOW_KNOWN}, or import the file with its column mapped to a known one (--map "
        f"NAME=COLUMN; known: {known_names()})."
    )


def some_of(names: Sequence[str], most: int) -> str:
    """The names within a sentence, at most so many of them, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def register_metric(metric: Metric) -> Metric:
    """Make a metric known, so that tables, fits and searches take its column; returns it.

    Raises `InvalidInput` where its name is no plain word, or another metric's.
    """
    if not _NAME.fullmatch(metric.column) or metric.column.endswith(STD_ERROR):
        raise InvalidInput(
            f"{metric.column!r} can't name a metric; take letters, digits and underscores, and "
            f"no {STD_ERROR} at the end."
        )
    if _KNOWN.setdefault(metric.column, metric) != metric:
        raise InvalidInput(f"There is another metric called {metric.column!r}; take another name.")
    column, label = re.escape(metric.column), re.escape(metric.label.format("@")).replace("@", ".+")
    meaning = metric.meaning or (
        f"{metric.named.format(metric.suffix)}: {metric.allowed()}, of which "
        f"{'more' if metric.sign > 0 else 'less'} is better."
    )
    add_term(GlossaryEntry(metric.label, meaning, f"{column}(:.+)?|{label}( \\(.+\\))*"))
    return metric


def rate_text(rate: float, gain: Metric, cost: Metric) -> str:
    """So much of one metric by another: "12.3 points per ms", "0.1 Dice per million MACs"."""
    if not cost.unit and 0 < abs(rate) < 1e-3:
        return f"{1e6 * rate:.3g} {gain.difference_unit or gain.word} per million {cost.word}"
    large = abs(rate) >= 999.5 and gain.digits is None
    return f"{gain.text(rate) if large else f'{rate:.3g}'} {rate_unit(gain, cost)}"


def rate_unit(gain: Metric, cost: Metric) -> str:
    """The unit of one metric by another: "points per ms"."""
    return f"{gain.difference_unit or gain.word} per {cost.unit or f'unit of {cost.word}'}"


def units_of(column: str) -> Mapping[str, float]:
    """The units that numbers of a target may be given in, each with its factor to the table's own;
    empty where there is one unit only."""
    return dict(metric_of(column).units)


def names_unit(metric: Metric) -> bool:
    """Whether the column's name says its unit, as `latency_ms` does."""
    return bool(metric.unit) and metric.head.endswith(f"_{metric.unit.lower()}")


def metric_of(column: str) -> Metric:
    """The metric that a column name stands for, by this product's naming.

    Raises `InvalidInput` for a name that is neither known nor such as `latency_ms:NAME`,
    `accuracy:NAME` or `accuracy_drop:NAME`.
    """
    found = _found(column)
    if found is None:
        raise InvalidInput(
            f"{column!r} is no target; known: {known_names()}. Make another one known by "
            f"{HOW_KNOWN}."
        )
    return found


def is_metric(column: str) -> bool:
    return _found(column) is not None


def _found(column: str) -> Metric | None:
    head, colon, suffix = column.partition(":")
    known = _KNOWN.get(head)
    if known is None:
        return None
    needs = "{}" in known.label
    if not colon and not needs:
        return known
    if not known.suffix or not suffix or suffix.endswith(STD_ERROR):
        return None
    told = suffix_words(suffix)
    label = known.label.format(told) if needs else f"{known.label} ({told})"
    word = known.word.format(told) if needs else f"{known.word} ({told})"
    return replace(known, column=column, label=label, word=known.word if known.timed else word)


def suffix_words(suffix: str) -> str:
    """What a column's suffix is called: a runtime by its name, domains by what they are for."""
    if suffix in COUNTABLE:
        return in_a_sentence(_KNOWN[suffix].label)
    name, dash, rest = suffix.partition("-")
    return _DOMAINS.get(suffix) or f"{RUNTIMES.get(name, name)}{dash}{rest}"


def bare_columns() -> list[str]:
    """The known metrics' columns without a suffix, of those that there can be without."""
    return [name for name, metric in _KNOWN.items() if "{}" not in metric.label]


def known_names() -> str:
    """How the known metrics' columns may be called, for a message."""
    further = [f"{name}:{metric.suffix}" for name, metric in _KNOWN.items() if metric.suffix]
    return f"{', '.join([*bare_columns(), *further[:-1]])} and {further[-1]}"


def main_objective(metrics: Iterable[Metric]) -> str | None:
    """The column that a study is about where it names none: the accuracy, else the first quality of
    which more is better, else the first; None without any."""
    found = sorted(
        (m for m in metrics if m.quality),
        key=lambda m: (m.column != "accuracy", m.direction != "max"),
    )
    return found[0].column if found else None


def main_cost(metrics: Iterable[Metric]) -> str | None:
    """What a study's objective is traded against where it names none: the latency here, else the
    first that was timed, else the first cost; None without any."""
    costs = (m for m in metrics if not m.quality)
    found = sorted(costs, key=lambda m: (m.column != "latency_ms", not m.timed))
    return found[0].column if found else None
