"""The tables that a race of strategies is drawn from, and how they are drawn."""

import itertools
import math
from collections.abc import Collection

import numpy as np
import pandas as pd

from foxnas_core.figures import live
from foxnas_core.figures.live import STEPS, Spec, number, spoken, tooltip
from foxnas_core.figures.theme import (
    BLUE,
    BROWN,
    GREY,
    INK,
    MIDDLE,
    ORANGE,
    PURPLE,
    RED,
    SILVER,
    SKY,
)
from foxnas_core.search.strategies.race import ANNEALER, Race
from foxnas_core.search.strategies.strategy import STRATEGIES
from foxnas_core.table.metrics import Metric

EXACT, BOUND = "exact optimum", "bound on the optimum"
_HUES = BLUE, GREY, ORANGE, INK, PURPLE, SKY, BROWN, SILVER, RED, MIDDLE
_COLOURS = dict(zip([ANNEALER, *STRATEGIES], itertools.cycle(_HUES), strict=False))
_POINTS = 60
_POINT = ("strategy", "seed", "evaluations")


def courses_table(race: Race) -> pd.DataFrame:
    """The best so far of every course, one row a point: strategy, seed, evaluations (proposals
    of the annealer), seconds (of the processor, for strategy and evaluations), value.

    Points are those at which a new best was found, a few dozen of a longer course, and the last.
    """
    parts = []
    for (name, seed), course in race.courses.items():
        # Times first: a row that is written meanwhile has its time already.
        times, trace = course.times, course.trace
        count = min(len(times), len(trace))
        if not count:
            continue
        kept = np.unique(np.linspace(0, count - 1, _POINTS).round().astype(int))
        parts.append(
            pd.DataFrame(
                {
                    "strategy": name,
                    "seed": seed,
                    "evaluations": trace["evaluations"].to_numpy()[kept],
                    "seconds": times[kept],
                    "value": trace["best_value"].to_numpy()[kept],
                }
            )
        )
    columns = ["strategy", "seed", "evaluations", "seconds", "value"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def standings_table(race: Race, exact: float) -> pd.DataFrame:
    """One row a strategy, the least median gap first: strategy, runs, evaluations of a run,
    seconds (median), best, median gap and largest gap to the exact optimum (units of the
    objective), exact (runs that found it).

    Runs that have met nothing within the limit have no gap; they count as the worst.
    """
    sign = race.problem.sign
    rows = []
    for name in dict.fromkeys(name for name, _ in race.courses):
        courses = [course for (other, _), course in race.courses.items() if other == name]
        values = np.array([math.nan if c.best is None else c.best.value for c in courses])
        gaps = np.where(np.isnan(values), math.inf, sign * (exact - values))
        gaps[np.abs(gaps) < 1e-9 * abs(exact)] = 0.0  # two sums of the same numbers
        met = np.isfinite(gaps)
        rows.append(
            {
                "strategy": name,
                "runs": len(courses),
                "evaluations": int(np.median([c.evaluations for c in courses])),
                "seconds": float(np.median([c.seconds for c in courses])),
                "best": sign * np.max(sign * values[met]) if met.any() else math.nan,
                "median gap": _or_missing(float(np.median(gaps))),
                "largest gap": _or_missing(float(gaps.max())),
                "exact": int((gaps == 0).sum()),
            }
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values(["median gap", "seconds"], kind="stable", ignore_index=True)


def course_spec(
    exact: float,
    objective: Metric,
    strategies: Collection[str],
    by: str,
    title: str,
    ends: tuple[float, float],
    reference: str = EXACT,
) -> Spec:
    """Draws `courses_table` of some strategies by "evaluations" or "seconds": the gap to the
    `reference`, the exact optimum or a bound on it, on the axis that the gap of a search that is
    watched has between the same `ends`."""
    names = [name for name in _COLOURS if name in strategies]
    value = live.gap_axis(objective, ends, reference) | {"field": "gap"}
    gap = f"max(abs({exact!r} - datum.value), {ends[0]!r})"
    axis = {"format": "~g" if by == "seconds" else "~s", "tickCount": 6, "grid": False}
    by_what = f"{title[0].lower()}{title[1:]}"
    tips = {"strategy": "", "seed": "", "evaluations": ",d", "seconds": ".3g", "value": ".4f"}
    colours: Spec = {
        "field": "strategy",
        "type": "nominal",
        "scale": {"domain": names, "range": [_COLOURS[name] for name in names]},
        "legend": {
            "orient": "top", "title": None, "symbolType": "stroke", "columns": 2, "labelLimit": 0,
            "labelFontSize": 11,
        },
    }  # fmt: skip
    courses = {
        "mark": STEPS | {"strokeWidth": 2, "clip": True},
        "encoding": {
            "x": number(by, title, axis=axis) | {"scale": {"type": "log", "nice": False}},
            "y": value,
            "detail": {"field": "seed"},
            "color": colours,
            "tooltip": tooltip(tips),
        },
    }
    # One at a time: where courses lie over each other, the nearest.
    points = live.picking(_POINT, value)
    points["encoding"] = courses["encoding"] | points["encoding"]
    said = spoken(f"Gap of each strategy to the {reference} over {by_what}")
    return said | {
        "height": 360,
        "transform": [{"calculate": gap, "as": "gap"}],
        "layer": [courses, points],
    }


def _or_missing(number: float) -> float:
    return number if math.isfinite(number) else math.nan
