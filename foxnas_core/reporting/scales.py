"""The scales of a drawing: from a figure's values to pixels."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scale:
    """One axis: `low` to `high` (of the logarithm where `log`) lie from `start` to `end` (px).

    Categories lie at 0, 1, …; `domain` is its share of the figure.
    """

    low: float
    high: float
    log: bool = False
    categories: tuple[str, ...] | None = None
    told: tuple[tuple[float, str], ...] | None = None
    title: str = ""
    labelled: bool = True
    grid: bool = True
    stacked: bool = False
    domain: tuple[float, float] = (0.0, 1.0)
    start: float = 0.0
    end: float = 1.0

    def over(self, start: float, end: float) -> "Scale":
        return replace(self, start=start, end=end)

    def at(self, value: Any) -> float:
        """Where a value lies (px), nan where nowhere."""
        if self.categories is not None and isinstance(value, str):
            value = self.categories.index(value)
        try:
            number = float(value)
            number = math.log10(number) if self.log else number
        except (TypeError, ValueError):
            return math.nan
        return self.start + (number - self.low) / (self.high - self.low) * (self.end - self.start)

    def is_zero(self, place: float) -> bool:
        """Whether 0 lies there."""
        return not self.log and self.categories is None and abs(self.at(0) - place) < 1e-6

    def value(self, place: float) -> float:
        """What lies there."""
        share = (place - self.start) / (self.end - self.start)
        number = self.low + share * (self.high - self.low)
        return float(10**number) if self.log else number

    @property
    def step(self) -> float:
        """Between two categories (px), or whole numbers where there are none."""
        return abs((self.end - self.start) / (self.high - self.low))

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Where ticks stand (px), and what they say."""
        if self.categories is not None:
            return [(self.at(float(i)), name) for i, name in enumerate(self.categories)]
        if self.told is not None:
            values = [v for v, _ in self.told]
            texts = [text for _, text in self.told]
        elif self.log:
            powers = range(math.floor(self.low), math.ceil(self.high) + 1)
            values = [float(f"{f}e{p}") for p in powers for f in (1, 2, 5)]
            texts = [f"{v:,.0f}" if v >= 1 else f"{v:.6g}" for v in values]
        else:
            values = round_numbers(min(self.low, self.high), max(self.low, self.high), most)
            texts = tick_texts(values)
        placed = [(self.at(v), text) for v, text in zip(values, texts, strict=True)]
        low, high = sorted((self.start, self.end))
        return [(at, text) for at, text in placed if low - 0.5 <= at <= high + 0.5]


def scale_of(way: str, name: str, traces: Sequence[dict], layout: dict) -> Scale:
    """The scale of one axis, "x" or "y2", that shows all of its traces."""
    axis = _axis(layout, name)
    shared = axis.get("matches") or name
    own = [t for t in traces if _shared(layout, t.get(f"{way}axis") or way) == shared]
    told = _axis(layout, shared) | axis
    log = told.get("type") == "log"
    values = list(itertools.chain.from_iterable(_values(t, way) for t in own))
    categories = None
    if told.get("type") == "category" or any(isinstance(v, str) for v in values):
        order = [str(c) for c in told.get("categoryarray") or ()]
        seen = dict.fromkeys(str(v) for t in own for v in t.get(way, ()))
        categories = tuple(dict.fromkeys([*(c for c in order if c in seen), *seen]))
        low, high = -0.5, len(categories) - 0.5
    else:
        values += [
            shape[f"{way}0"]
            for shape in layout.get("shapes", ())
            if shape.get(f"{way}ref") == name and shape["type"] == "line"
        ]
        low, high = _span(own, values, way, log=log, told=told)
    if told.get("range") is not None:
        low, high = (float(end) for end in told["range"])
    elif told.get("autorange") == "reversed":
        low, high = high, low
    ticks = None
    if told.get("tickvals") is not None:
        texts = told.get("ticktext")
        ticks = tuple(
            (float(v), str(text))
            for v, text in zip(
                told["tickvals"], texts if texts is not None else told["tickvals"], strict=True
            )
        )
    return Scale(
        low, high, log, categories, None if categories else ticks,
        title=_title(axis) or "",
        labelled=axis.get("showticklabels") is not False and axis.get("visible") is not False,
        grid=told.get("showgrid") is not False and axis.get("visible") is not False,
        stacked=layout.get("barmode") in ("stack", "relative"),
        domain=tuple(axis.get("domain") or (0.0, 1.0)),
    )  # fmt: skip


def _axis(layout: dict, name: str) -> dict:
    return layout.get(f"{name[0]}axis{name[1:]}") or {}


def _shared(layout: dict, name: str) -> str:
    return _axis(layout, name).get("matches") or name


def _title(axis: dict) -> str:
    title = axis.get("title")
    return (title.get("text") if isinstance(title, dict) else title) or ""


def _values(trace: dict, way: str) -> list[Any]:
    """The values of a trace along an axis, with the ends of its bars and errors."""
    values = trace.get(way)
    if values is None:
        values = range(np.asarray(trace["z"]).shape[1 if way == "x" else 0]) if "z" in trace else ()
    found = list(values)
    if trace["type"] == "bar" and (way == "x") == (trace.get("orientation") == "h"):
        found.append(0.0)
    elif trace["type"] == "bar" and trace.get("width") is not None and found:
        half = np.asarray(trace["width"], dtype=float) / 2
        middle = np.asarray(found, dtype=float)
        found += [*(middle - half), *(middle + half)]
    errors = trace.get(f"error_{way}") or {}
    if "array" in errors and not any(isinstance(v, str) for v in found):
        middle = np.asarray(found, dtype=float)
        more = np.asarray(errors["array"], dtype=float)
        found += [*(middle + more), *(middle - np.asarray(errors.get("arrayminus", more)))]
    return found


def _span(
    own: Sequence[dict], values: Sequence[Any], way: str, *, log: bool, told: dict
) -> tuple[float, float]:
    numbers = [float(v) for v in values if v is not None and math.isfinite(float(v))]
    if log:
        numbers = [math.log10(v) for v in numbers if v > 0]
    bars = [t for t in own if t["type"] == "bar" and (way == "x") == (t.get("orientation") == "h")]
    if len(bars) > 1:
        lengths = [np.nan_to_num(np.asarray(list(t[way]), dtype=float)) for t in bars]
        if len({len(one) for one in lengths}) == 1:
            numbers.append(float(np.sum(lengths, axis=0).max()))
    if told.get("rangemode") == "tozero" and not log:
        numbers.append(0.0)
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    if any(t["type"] == "heatmap" for t in own):
        return low - 0.5, high + 0.5
    room = 0.04 * (high - low) or abs(low) * 0.04 or 0.5
    flush = 0.0 in (low, high) and (bool(bars) or told.get("rangemode") == "tozero")
    return (low if flush and low == 0 else low - room), (
        high if flush and high == 0 else high + room
    )


def round_numbers(low: float, high: float, most: int = 6) -> list[float]:
    """At most so many round numbers within a range: multiples of 1, 2 or 5 times a power of 10."""
    if not high > low:
        return [low]
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") + 0.0 for k in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Ticks as they are read, all to the same digits."""
    steps = [b - a for a, b in itertools.pairwise(values)]
    step = min(steps, default=abs(values[0]) if values else 1.0) or 1.0
    decimals = min(max(0, -math.floor(math.log10(step) + 1e-9)), 9)
    return [f"{value:,.{decimals}f}" for value in values]
