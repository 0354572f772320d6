"""How regressions are fitted, the form of their terms and the link: one choice for all pages."""

from collections.abc import Mapping

import streamlit as st

from foxnas_core.regression.features import forms_to_ask_for
from foxnas_core.table.measurements import MeasurementTable
from pages.shared.picked import picked

LINK_NAMES = {"auto": "Where it predicts better", "none": "Never", "saturating": "Always"}


def picker(
    field: str,
    label: str,
    options: Mapping[str, str],
    help_: str,
    width: int = 250,
    *,
    disabled: bool = False,
) -> str:
    """Draw the picker of one of the choices and return the chosen name."""
    return picked(
        st.selectbox, label, options, key=field, field=field, help=help_, width=width,
        disabled=disabled,
    )  # fmt: skip


def form_picker(table: MeasurementTable, *, disabled: bool = False) -> str:
    """Draw the picker of the form, which predictions and searches go by on all pages."""
    forms = forms_to_ask_for(table.space, ordered=table.ordered)
    return picker(
        "form", "Form of the regression", {"auto": "Recommended for each target"} | forms,
        "Which terms the regression has, on all pages. Per layer: one contrast for each choice of "
        "a block. Block states: one term for each combination of a block's choices. Counts: how "
        "often a stage makes each choice. Interactions: products within a stage that help on "
        "held-out subnets. Across stages: what each choice is worth at each resolution and beside "
        "how deep other stages are, pooled over like blocks; of what the resolution does not "
        "scale, as accuracy.", disabled=disabled,
    )  # fmt: skip


def link_picker() -> str:
    """Draw the picker of the link of accuracies."""
    return picker(
        "link", "Saturating link", LINK_NAMES,
        "Some metrics, as accuracy does, near a ceiling: the closer, the less a better block "
        "adds. The link fits effects on a scale on which they add up.",
    )  # fmt: skip
