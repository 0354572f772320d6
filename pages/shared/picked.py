"""A widget that shows what was chosen, here or elsewhere, and takes in what is chosen in it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from pages.shared import choices

_KEPT = object()


def picked(
    widget: Callable[..., Any],
    label: str,
    options: Collection[Any] | None = None,
    *,
    key: str,
    field: str = "",
    default: Any = None,
    value: Any = _KEPT,
    act: Callable[[Any], None] | None = None,
    can_be_cleared: bool = False,
    **more: Any,
) -> Any:
    """Draw one of Streamlit's widgets and return its value.

    Its choice is the `field` of `Choices`, or else remembered under `key`, and stands in the
    address; a new one is kept there, or given to `act`. Shown is `value` where it is given, else
    that choice, or, where there is none among the options, `default` or the first of them.
    `options` may be a mapping to what each is called; `can_be_cleared` as in `choices.on_change`.
    """
    usual = next(iter(options)) if default is None and options else default
    linked = value is _KEPT and not field and (options is not None or isinstance(usual, bool))
    if value is _KEPT:
        value = getattr(choices.current(), field) if field else choices.remembered(key)
        if linked:
            told = choices.found_in_address(key, (False, True) if options is None else options)
            value = value if told is None else told
        if value is None or (options is not None and value not in options):
            value = usual
    if options is not None:
        if isinstance(options, Mapping):
            names = options
            more = {"format_func": lambda option: names.get(option, option)} | more
        more["options"] = list(options)

    def keep(chosen: Any) -> None:
        if field:
            choices.update(**{field: chosen})
        else:
            choices.remember(key, chosen)
        if linked:
            choices.show_linked(key, chosen, usual)
            choices.link()

    if linked:
        choices.remember(key, value)
        choices.show_linked(key, value, usual)
    choices.show(key, value, anew=isinstance(value, list))
    changed = choices.on_change(key, act or keep, can_be_cleared=can_be_cleared)
    return widget(label, key=key, on_change=changed, **more)


def show_part(key: str, parts: Mapping[str, Callable[[], object]]) -> None:
    """One control for the parts of a view by their names; only the chosen one is computed."""
    chosen = picked(
        st.segmented_control, "Show", list(parts), key=key, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    parts[chosen]()
