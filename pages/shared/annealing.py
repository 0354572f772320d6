"""The annealer's settings: in the address, and where they are picked.

In the address they are those that differ from `START_SETTINGS`, as `steps:20000,schedule:linear`.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import streamlit as st

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import RANDOM, SIZES, AnnealingSettings, Schedule
from foxnas_core.search.suggestion import suggest_temperatures
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.picked import picked
from pages.shared.text import plain

SCHEDULES = list(get_args(Schedule))
MODES = {"full": "soft limit, polished", "teaching": "teaching: Metropolis alone"}
STEPS = [m * 10**k for k in range(3, 7) for m in (1, 2, 5)][:-1]
# Seconds that a run is drawn out over, so that it can be watched.
PACES = {3.0: "over 3 seconds", 8.0: "over 8 seconds", 20.0: "over 20 seconds",
         60.0: "over a minute", 0.0: "at full speed"}  # fmt: skip
MOST_LISTED = 200  # measured subnets to begin at
_START, _END = "start_temperature", "end_temperature"


# Few enough steps that the search can be seen to improve.
START_SETTINGS = AnnealingSettings(steps=10_000, chains=1, restarts=0)


@dataclass(frozen=True)
class Chosen:
    """Settings as they were chosen, with the id of a measured subnet where a run is to begin at
    it, and the seconds to draw it out over."""

    settings: AnnealingSettings = START_SETTINGS
    pace: float = 8.0

    def begun(self, table: MeasurementTable) -> AnnealingSettings:
        """The settings as an annealer takes them."""
        begin = self.settings.begin
        if begin in (RANDOM, *SIZES):
            return self.settings
        if begin not in set(table.frame["id"]):
            raise InvalidInput(f"No measured subnet is called {begin!r:.40}; begin at another one.")
        return replace(self.settings, begin=choices.as_text(table.measured(begin)))

    @property
    def text(self) -> str | None:
        """As the address has them; None where all are the usual ones."""
        usual = _values(Chosen())
        parts = [f"{n}:{_shown(v)}" for n, v in _values(self).items() if v != usual[n]]
        return ",".join(parts) or None


def _values(chosen: Chosen) -> dict[str, Any]:
    found = asdict(chosen.settings) | {"pace": chosen.pace}
    del found["penalty"]
    return found


def _shown(value: Any) -> str:
    """A number with all the digits it has: who opens the address searches with the very same."""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def chosen_settings() -> Chosen:
    """Those of the address; what it has wrong is left aside, with a sentence on the page."""
    usual, found, wrong = _values(Chosen()), dict[str, Any](), list[str]()
    for part in filter(None, (choices.current().annealing or "").split(",")):
        name, _, text = part.partition(":")
        like = 0.0 if name in (_START, _END) else usual.get(name)
        try:
            found[name] = {int: int, float: float, str: str}[type(like)](text)
        except (KeyError, ValueError):
            wrong.append(part)
    pace = found.pop("pace", Chosen().pace)
    if pace not in PACES:
        wrong.append(f"pace:{pace:g}")
    try:
        settings = replace(Chosen().settings, **found)
    except InvalidInput as error:
        st.warning(f"The annealer's settings in the address were left aside. {plain(str(error))}")
        return Chosen()
    if wrong:
        st.warning(f"A part of the address was left aside: {plain(', '.join(wrong)[:200])}.")
    return Chosen(settings, pace if pace in PACES else Chosen().pace)


def chosen_of(settings: AnnealingSettings, pace: float) -> Chosen:
    """What was chosen, of settings that an annealer took."""
    if settings.begin in (RANDOM, *SIZES):
        return Chosen(settings, pace)
    with suppress(InvalidInput, ValueError):
        begin = Architecture.from_mapping(parse_json(settings.begin)).id
        return Chosen(replace(settings, begin=begin), pace)
    return Chosen(replace(settings, begin=RANDOM), pace)


def change(**settings: Any) -> None:
    """Keep other settings than were chosen."""
    kept = chosen_settings()
    pace = settings.pop("pace", kept.pace)
    choices.update(annealing=Chosen(replace(kept.settings, **settings), pace).text)


def pace_picker(act: Callable[[float], None], *, chosen: float) -> None:
    picked(st.selectbox, "Speed", PACES, key="pace", value=chosen, act=act)


def schedule_picker(act: Callable[[str], None], *, chosen: str, disabled: bool) -> None:
    picked(
        st.selectbox, "Cooling", SCHEDULES, key="schedule", value=chosen, act=act,
        disabled=disabled,
        help="Adaptive: the temperature is steered, between the two chosen, so that the share of "
        "accepted steps falls as Lam and Delosme found best: to 44 %, level, then to none. While a "
        "search runs, another schedule goes on from its temperature.",
    )  # fmt: skip


def temperature_picker(
    ends: tuple[float, float], unit: str, act: Callable[[dict[str, float]], None], *, disabled: bool
) -> None:
    """A slider with two ends over `ends`, start and end, and a grid of round temperatures near
    both; `act` is told, by the setting's name, which of them was moved and where to."""
    hot, cold = ends
    lowest, highest = math.floor(math.log10(cold)), math.ceil(math.log10(hot)) + 1
    grid = [
        float(f"{mantissa}e{power}")
        for power in range(lowest, highest)
        for mantissa in (1, 1.5, 2, 3, 5, 7)
    ]
    shown = cold, hot
    digits = 3 if f"{cold:.3g}" != f"{hot:.3g}" else 17
    # The browser tells them apart by what it shows.
    named = {f"{temperature:.{digits}g}": temperature for temperature in (*grid, *shown)}

    def moved(now: tuple[float, float]) -> None:
        pairs = zip((_END, _START), now, shown, strict=True)
        if changed := {name: new for name, new, old in pairs if new != old}:
            act(changed)

    # Made anew where the suggestion moves with the budget.
    key = f"temperature-{cold!r}-{hot!r}"
    with st.container(key="temperature"):
        st.select_slider(
            f"Temperatures ({unit})" if unit else "Temperatures", sorted(named.values()),
            value=shown, key=key, format_func=lambda t: f"{t:.{digits}g}",
            on_change=choices.on_change(key, moved), disabled=disabled,
            help="Where the schedule ends (left) and starts (right). At temperature T a step that "
            f"loses T {unit} is taken with probability 1/e. While a search runs, moving the right "
            "end heats it to there, from where it cools again.",
        )  # fmt: skip


def temperatures_of(problem: SearchProblem, settings: AnnealingSettings) -> tuple[float, float]:
    """The start and end that were chosen, or else the suggested ones."""
    suggested = suggest_temperatures(problem, settings.schedule)
    hot = settings.start_temperature or suggested[0]
    cold = settings.end_temperature or suggested[1]
    return max(hot, cold), min(hot, cold)


def fixed_pickers(study: Study, chosen: AnnealingSettings, *, under_way: bool) -> None:
    """The settings that a run keeps from its start to its end."""
    if under_way:
        st.caption("A search that runs keeps these to its end; stop it to choose others.")

    def pick(widget: Any, label: str, *options: Any, name: str, **more: Any) -> None:
        picked(
            widget, label, *options, key=name, value=getattr(chosen, name), disabled=under_way,
            act=lambda value: change(**{name: value}), **more,
        )  # fmt: skip

    pick(
        st.selectbox, "Begin at", _beginnings(study), name="begin",
        help="Where each start of a chain begins. A cold start, from the smallest or the largest, "
        "lets one see the way to the optimum. In each resolution the blocks are those of the "
        "subnet, or such as are no worse and cost no more.",
    )  # fmt: skip
    pick(
        st.selectbox, "Mode", MODES, name="mode",
        help="Full: the budget may be crossed at a price, and the best is polished at the end. "
        "Teaching: the plain rule of Metropolis from the cheapest subnet on; a step over the "
        "budget is refused and nothing is polished, so that one sees what the temperature does.",
    )  # fmt: skip
    steps = sorted({*STEPS, chosen.steps})
    pick(
        st.select_slider, "Steps of a chain", {n: f"{n:,}" for n in steps}, name="steps",
    )  # fmt: skip
    left, right = st.columns(2)
    pick(
        left.number_input, "Chains", name="chains", min_value=1, max_value=max(8, chosen.chains),
        help="Runs side by side, the best of which counts. Each input resolution has so many.",
    )  # fmt: skip
    pick(
        right.number_input, "Restarts", name="restarts", min_value=0,
        max_value=max(9, chosen.restarts),
        help="How often each chain begins anew, and hot again, after its steps.",
    )  # fmt: skip
    pick(
        st.number_input, "Seed", name="seed", min_value=0, max_value=2**31 - 1,
        help="The same seed and settings give the same search.",
    )  # fmt: skip


def _beginnings(study: Study) -> dict[str, str]:
    """Where a run may begin, by what it is called: the best measured subnets by their id."""
    table, objective = cache.table_of(study), study.objective
    named = {RANDOM: "a random subnet", **{size: f"the {size} subnet" for size in SIZES}}
    if objective.column not in table.frame:
        return named
    best = table.frame.sort_values(objective.column, ascending=objective.sign < 0)
    rows = best[["id", objective.column]].dropna().head(MOST_LISTED)
    measured = rows.itertuples(index=False)
    return named | {
        name: f"measured: {name}, {objective.value_text(value)}" for name, value in measured
    }
