"""What a counterfactual aims at: how much to save or to gain, or a number to keep."""

import math

import streamlit as st

from foxnas_core.cards import counterfactuals
from foxnas_core.cards.given import Given
from foxnas_core.table.metrics import metric_of
from pages.shared import choices
from pages.shared.cost import amounts_up_to, budgets_of, floors_of, in_unit, slider
from pages.shared.picked import picked
from pages.shared.text import plain


def goal_picker(given: Given) -> tuple[str, float] | None:
    """Draw what to aim at and how much of it; returns the aim and its amount in the target's unit,
    or None, with a sentence, where the subnet leaves nothing to aim at, or less than is asked."""
    aims = counterfactuals.aims(given)
    aim = picked(
        st.segmented_control, "Goal", aims, key="aim", field="aim", required=True,
        act=lambda value: choices.update(aim=value, amount=None, edits=None),
    )  # fmt: skip
    of_cost, relative = aim in counterfactuals.OF_COST, aim in counterfactuals.RELATIVE
    target, front = metric_of(given.main[of_cost]), counterfactuals.kept_front(given)
    reach, label = math.inf, in_unit(aims[aim], target)
    if relative:
        reach = counterfactuals.leeway(given, aim)
        if not reach:
            st.info(plain(counterfactuals.nothing_to_gain(given, aim).sentence))
            return None
        span = amounts_up_to(reach)
        usual = max(span[0], round(round(span[1] / span[2] / 4) * span[2], 12))
        label = f"{'Save' if target.sign < 0 else 'Gain'} at least"
        label += f" ({target.difference_unit})" if target.difference_unit else ""
    else:
        span = budgets_of(front) if of_cost else floors_of(front)
        now, _ = counterfactuals.standing(given, aim)
        # A little better than now, as one would ask.
        asked = now + (span[target.sign > 0] - now) / 4
        usual = round(span[2] * round(min(asked, span[1]) / span[2]), 12)
    amount = slider(
        "amount", label, choices.current().amount or usual, span, key=f"amount-{aim}",
        and_then=lambda: choices.update(edits=None),
    )  # fmt: skip
    if amount <= reach * (1 + 1e-9):
        return aim, amount
    unit = target.difference_unit
    st.warning(
        plain(
            f"From this subnet one can {'save' if target.sign < 0 else 'gain'} about "
            f"{target.text(span[1])} {unit}, not {target.text(amount)} {unit}; ask for less, keep "
            "less, or start from another one."
        )
    )
    return None
