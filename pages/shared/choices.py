"""What the user has chosen: one frozen value, kept over pages and written to the address.

The only user of `st.session_state`. Widgets lose their state when one leaves their page, so they
are shown the choice (`show`) before they are drawn and report back in `on_change`.
"""

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from foxnas_core.cards.given import EFFECTS
from foxnas_core.errors import InvalidInput
from foxnas_core.families import architecture_from_text
from foxnas_core.regression.assessment import LINKS
from foxnas_core.regression.features import known_forms
from foxnas_core.regression.inference import KINDS
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from pages.shared.text import plain

_KEY = "choices"
_TEXTS = (
    "architecture", "against", "limits", "allowed", "annealing", "search", "compare", "race",
    "cost", "unit", "pinned", "asked", "subnet", "block", "at", "view",
)  # fmt: skip
GOALS = ("accuracy", "latency")
AIMS = ("save", "gain", "latency", "accuracy")
# These names are few, and others in an address are left aside.
_ALLOWED = {
    "form": ("auto", *known_forms()), "link": LINKS, "intervals": tuple(KINDS), "goal": GOALS,
    "aim": AIMS, "effects": tuple(EFFECTS),
}  # fmt: skip
# Numbers, each above 0 and below this; those that are None stay out of the address.
_NUMBERS = {
    "budget": 1e15, "guard": 1.0, "floor": 1e15, "count": 1e15, "amount": 1e15, "percent": 100.0,
    "edits": 1e4,
    "tour": 100.0,
}  # fmt: skip
_MAY_BE_NONE = ("guard", "edits")  # where 0 says that there is none
# Keys that widgets with a new one after each change take in turn. Streamlit remembers a widget of
# each key, and all that its callback holds, for as long as a session lasts.
_KEYS = 8
# A browser that is quicker than the page sends an address from before the last changes. So many of
# those that were replaced are known again, and undo nothing unless one goes back to them.
_REPLACED = 64
_MOST_LETTERS = 10_000  # of one value in an address; an architecture's has some thousand
_MOST_SHOWN = 20  # names in an address that are no choice's, but may be widgets'


@dataclass(frozen=True)
class Choices:
    """The study's folder name; the column of its cost (`latency`), the budget and the probability
    with which a measurement shall keep it (None: the usual one, 0: none); the architecture, the one
    that editing started from (JSON of their choices) and what it is compared with (see
    `comparison_picker`); regression form, link and kind of intervals, which effects are told and at
    which context; what a search is for (the best objective, "accuracy", or the least cost,
    "latency") and the objective's floor of the latter, limits beside and choices to keep (see
    `limits`), the settings of the annealer (see `annealing`), the id of a running or kept
    search, those of searches to compare, with commas, and that of a race; the front's cost
    column, the label of the unit it is read in and its budget where it is a count; what a
    counterfactual aims at (to "save" cost, to "gain" in the objective, or a "latency" or
    "accuracy" to keep), its amount in the target's unit or in percent of what the subnet has,
    and the number of edits that is looked at, the slots and decisions to keep, with commas, and
    the choice that is asked for, as s2b1_kernel:7; the step of the tour, from 1; the id of
    the subnet and the name of the block that are highlighted in all figures; the page's view, and
    what else is picked in it that is not usual, as pairs of a widget's key and an option's text.
    Numbers are in the unit of what they bound.
    """

    study: str = "demo"
    latency: str = "latency_ms"
    budget: float | None = None
    guard: float | None = None
    architecture: str | None = None
    start: str | None = None
    against: str | None = None
    form: str = "auto"
    link: str = "auto"
    intervals: str = "ordinary"
    effects: str = "average"
    at: str = ""
    goal: str = "accuracy"
    floor: float | None = None
    limits: str | None = None
    allowed: str | None = None
    annealing: str | None = None
    search: str | None = None
    compare: str | None = None
    race: str | None = None
    cost: str | None = None
    unit: str | None = None
    count: float | None = None
    aim: str = "save"
    amount: float | None = None
    percent: float | None = None
    edits: float | None = None
    pinned: str | None = None
    asked: str | None = None
    tour: float | None = None
    subnet: str | None = None
    block: str | None = None
    view: str | None = None
    shown: tuple[tuple[str, str], ...] = ()


def current() -> Choices:
    """The choices of this session."""
    stored: Choices | None = st.session_state.get(_KEY)
    return _follow_address() if stored is None else stored


def _follow_address() -> Choices:
    """The choices of this session, and what the address says, which comes first."""
    stored: Choices = st.session_state.setdefault(_KEY, Choices())
    if _is_echo(st.query_params.to_dict()):
        return stored
    address = _from_address()
    if address.get("study", stored.study) != stored.study:
        # The rest belongs to the study that was left.
        stored = Choices(study=address["study"], tour=stored.tour)
    changed = {k: v for k, v in address.items() if getattr(stored, k) != v}
    if "architecture" in changed:
        changed["start"] = changed["architecture"]
    stored = replace(stored, **changed)
    st.session_state[_KEY] = stored
    return stored


def update(**changes: Any) -> None:
    """Replace some choices, here and in the address."""
    stored = current()
    if "study" in changes and changes["study"] != stored.study:
        stored = Choices(tour=stored.tour)
    stored = replace(stored, **changes)
    st.session_state[_KEY] = stored
    show_in_address(stored)


def set_architecture(architecture: Architecture) -> None:
    """Choose an architecture from outside the editor; edits start from it."""
    text = as_text(architecture)
    update(architecture=text, start=text)


def highlight(**one: str | None) -> None:
    """Highlight a `subnet` or a `block` in all figures; once more, or None, and it no longer is."""
    now = current()
    update(**{kind: None if name == getattr(now, kind) else name for kind, name in one.items()})


def show_in_address(choices: Choices) -> None:
    """Write what identifies the view to the address, so that it can be shared."""
    wanted = {"study": choices.study}
    if choices.latency != Choices.latency:
        wanted["latency"] = choices.latency
    for name in _NUMBERS:
        if (number := getattr(choices, name)) is not None:
            wanted[name] = f"{number:.6g}"
    for name in _ALLOWED:
        if (value := getattr(choices, name)) != getattr(Choices, name):
            wanted[name] = value
    for name in _TEXTS:
        if value := getattr(choices, name):
            wanted[name] = value
    wanted |= dict(choices.shown)
    replaced = st.query_params.to_dict()
    if replaced != wanted:
        # What the page wrote last may be under way to the browser, which still told the one before.
        over = [a for a in (replaced, remembered("written")) if a and a != wanted]
        remember("replaced", [*(remembered("replaced") or []), *over][-_REPLACED:])
        remember("written", wanted)
        st.query_params.from_dict(wanted)


def _is_echo(address: dict[str, str]) -> bool:
    return not _is_gone_to() and address in (remembered("replaced") or [])


def _is_gone_to() -> bool:
    """Whether the page is drawn since one went back or forward in the browser."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def as_text(architecture: Architecture) -> str:
    return json.dumps(architecture.to_dict(), separators=(",", ":"))


def chosen_architecture(space: SearchSpace) -> Architecture | None:
    """The chosen architecture; None, with a sentence on the page, where it is none of the space."""
    text = current().architecture
    if text is None:
        return None
    try:
        return architecture_from_text(space, text)
    except InvalidInput as error:
        st.warning(f"The architecture in the address was left aside. {plain(str(error))}")
        return None


def remember(name: str, value: Any) -> None:
    """Keep a small fact of this session that belongs in no link."""
    st.session_state[f"remembered-{name}"] = value


def remembered(name: str) -> Any:
    """What was remembered, or None."""
    return st.session_state.get(f"remembered-{name}")


def ask(what: str, *, of: Any = True) -> Callable[[], None]:
    """A callback for a button, whose press the run that draws the page answers, by `asked`: with
    what was chosen last, also where the press came before the page was drawn with that, and even
    where another change breaks that run off."""
    return lambda: remember("asked", (what, of))


def asked(what: str) -> Any:
    """What was asked for on this page since the last call, or None."""
    found, of = remembered("asked") or (None, None)
    if found != what:
        return None
    remember("asked", None)
    return of


def is_asked() -> bool:
    """Whether anything was asked for that no run has answered yet."""
    return remembered("asked") is not None


def visit(page: str) -> None:
    """Note which page is drawn from here on, and what the address says of it.

    Only whoever opens a link or goes back in the browser changes the address, and then a whole page
    is drawn. Whatever else asks may come from a browser that is behind: what it tells is old.
    """
    stored = _follow_address()
    address = st.query_params.to_dict()
    remember("left-aside", left_aside(address))
    # Each page has views of its own: it is as it was left, unless the address says otherwise, and
    # not merely still what the page before wrote there.
    left = remembered("page") != page and address == remembered("written")
    if left or "view" not in address or _is_echo(address):
        kept = (remembered("views") or {}).get(page)
        st.session_state[_KEY] = replace(stored, view=kept, **({"shown": ()} if left else {}))
    if _is_gone_to():  # what is usual stands in no address
        for key in set(remembered("drawn-here") or ()) - set(address):
            remember(key, None)
    remember("drawn-here", {})
    if remembered("page") != page:
        remember("page", page)
        remember("asked", None)
        remember("shown-here", frozenset())


def choose_view(page: str, view: str) -> None:
    """Show this view of the page, by its title, when it is drawn next; of the one that is drawn,
    the address says so with what it says next."""
    remember("views", (remembered("views") or {}) | {page: view})
    if remembered("page") == page:
        st.session_state[_KEY] = replace(current(), view=view)


def found_in_address(key: str, options: Collection[Any]) -> Any:
    """The one of a widget's `options` that the address names under its `key`, or None."""
    text = dict(current().shown).get(key)
    return next((option for option in options if str(option) == text), None)


def show_linked(key: str, value: Any, usual: Any) -> None:
    """Note what the widget `key` shows, which the address says where it is not the usual."""
    drawn = remembered("drawn-here") or {}
    remember("drawn-here", drawn | {key: None if value == usual else str(value)})


def pick(key: str, value: Any) -> None:
    """Let the widget `key`, whose choice is remembered, show this one of its options."""
    remember(key, value)
    show_linked(key, value, None)
    link()


def link() -> None:
    """Let the address say what the widgets show that were drawn, and no more."""
    drawn = remembered("drawn-here") or {}
    update(shown=tuple(sorted((key, text) for key, text in drawn.items() if text is not None)))


def show(key: str, value: Any, *, anew: bool = False) -> None:
    """Let the widget `key`, which is drawn next, show a value that was chosen elsewhere.

    It is told once, lest a slider that is being dragged jumps back; `anew` at each drawing, since
    where one was broken off the browser never learnt of it, and would show that nothing is chosen.
    """
    # For a while the key still stands for the widget of the page that was left.
    shown: frozenset[str] = remembered("shown-here") or frozenset()
    if anew or key not in shown or st.session_state.get(key) != value:
        st.session_state[key] = value
    if key not in shown:
        remember("shown-here", shown | {key})


def fresh_widget(
    name: str, value: Any, act: Callable[[Any], None]
) -> tuple[str, Callable[[], None]]:
    """The key of a widget that is drawn next and shows `value`, and its callback: another key each
    time that the value was changed elsewhere.

    For widgets whose value changes faster than a browser learns of it: what it still says of the
    one before must not count as a choice.
    """
    known = f"shown-{name}"
    number, _ = remembered(known) or (0, None)
    key = f"{name}-{number % _KEYS}"
    if key not in st.session_state or st.session_state[key] != value:
        number += 1
        key = f"{name}-{number % _KEYS}"
    # Each time anew: where drawing was broken off, the browser never learnt of it, and would show
    # the first choice.
    st.session_state[key] = value
    remember(known, (number, value))

    def callback() -> None:
        chosen = st.session_state[key]
        # Where drawing was broken off, even a value that was not touched is reported as changed.
        if (number, chosen) != remembered(known) and number == remembered(known)[0]:
            remember(known, (number, chosen))
            act(chosen)

    return key, callback


def on_change(
    key: str, act: Callable[[Any], None], *, can_be_cleared: bool = False
) -> Callable[[], None]:
    """A callback that hands the widget's new value to `act`.

    None is one of a widget that `can_be_cleared` alone: others have it where a choice was clicked
    in the moment in which the page offered others instead.
    """

    def callback() -> None:
        value = st.session_state[key]
        if value is not None or can_be_cleared:
            act(value)

    return callback


def left_aside(address: Mapping[str, str]) -> str:
    """What an address has that no choice can be, in a sentence, or ""."""
    short = _of_usual_length(address)
    said = [
        f"{name[:40]} is longer than {_MOST_LETTERS:,} characters"
        for name in address
        if name not in short
    ]
    for name, most in _NUMBERS.items():
        if name in short and _number(name, short[name]) is None:
            said.append(f"{name} is a number above 0 and below {most:g}, not {short[name]!r}")
    for name, allowed in _ALLOWED.items():
        if name in short and short[name] not in allowed:
            said.append(f"{name} is one of {', '.join(allowed)}, not {short[name]!r}")
    return f"A part of the address was left aside: {'; '.join(said)}." if said else ""


def _of_usual_length(address: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in address.items() if max(len(k), len(v)) <= _MOST_LETTERS}


def _number(name: str, text: str) -> float | None:
    with suppress(ValueError):
        number = float(text)
        if 0 < number < _NUMBERS[name] or (number == 0 and name in _MAY_BE_NONE):
            return number
    return None


def _from_address() -> dict[str, Any]:
    parameters = _of_usual_length(st.query_params.to_dict())
    found: dict[str, Any] = {
        name: parameters[name] for name in ("study", "latency", *_TEXTS) if parameters.get(name)
    }
    for name, allowed in _ALLOWED.items():
        if parameters.get(name) in allowed:
            found[name] = parameters[name]
    for name in _NUMBERS:
        if (number := _number(name, parameters.get(name, ""))) is not None:
            found[name] = number
    known = {field.name for field in fields(Choices)}
    others = sorted((k, v) for k, v in parameters.items() if k not in known)
    return found | {"shown": tuple(others[:_MOST_SHOWN])}
