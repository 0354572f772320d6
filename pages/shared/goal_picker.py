"""What a counterfactual aims at: how much to save or to gain, or a number to keep."""

import math
from typing import Any

import streamlit as st

from foxnas_core.cards import counterfactuals
from foxnas_core.cards.given import Given
from foxnas_core.explanation.reach import has_shares
from foxnas_core.table.metrics import Metric, metric_of
from pages.shared import choices
from pages.shared.cost import amounts_up_to, budgets_of, floors_of, in_unit, slider
from pages.shared.picked import picked
from pages.shared.text import plain

Goal = dict[str, Any]


def goal_picker(given: Given) -> Goal | None:
    """Draw what to aim at and how much of it; returns the options of the cards that answer, or
    None, with a sentence, where the subnet leaves nothing to aim at, or less than is asked."""
    aims = counterfactuals.aims(given)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        aim = picked(
            st.segmented_control, "Goal", aims, key="aim", field="aim", required=True,
            act=lambda value: choices.update(aim=value, amount=None, percent=None, edits=None),
        )  # fmt: skip
    target = metric_of(given.main[aim in counterfactuals.OF_COST])
    if aim not in counterfactuals.RELATIVE:
        return _number_picker(given, aim, in_unit(aims[aim], target), target)
    usual = counterfactuals.usual_goal(given, aim)
    if usual is None:
        st.info(plain(counterfactuals.nothing_to_gain(given, aim).sentence))
        return None
    in_percent = _in_percent(target, usual[1])
    if has_shares(target):
        with row:
            in_percent = _unit_picker(target, in_percent)
    return _gain_picker(given, aim, target, in_percent)


def _in_percent(target: Metric, usual: bool) -> bool:
    """Whether the goal is told in percent, as it was chosen or as `usual`."""
    now, in_unit = choices.current(), choices.remembered("goal-in-unit")
    if not has_shares(target) or now.amount is not None:
        return False
    return now.percent is not None or (usual if in_unit is None else not in_unit)


def _unit_picker(target: Metric, in_percent: bool) -> bool:
    """Draw the choice of what a goal is told in."""

    def choose(share: bool) -> None:
        choices.remember("goal-in-unit", not share)
        choices.update(percent=None, amount=None, edits=None)

    names = {True: "%", False: target.difference_unit or target.word}
    return picked(
        st.segmented_control, "in", names, key="goal-unit", required=True, value=in_percent,
        act=choose,
    )  # fmt: skip


def _gain_picker(given: Given, aim: str, target: Metric, in_percent: bool) -> Goal | None:
    """Draw how much to save or to gain."""
    reach, (now, _) = counterfactuals.leeway(given, aim), counterfactuals.standing(given, aim)
    unit, chosen = target.difference_unit, choices.current()
    if in_percent:
        reach, unit = 100 * reach / now, "%"
        span = (1.0, max(2.0, float(math.floor(reach))), 1.0)
        usual = min(counterfactuals.USUAL, span[1])
    else:
        span = amounts_up_to(reach)
        usual = max(span[0], round(round(span[1] / span[2] / 4) * span[2], 12))
    label = f"{'Save' if target.sign < 0 else 'Gain'} at least{f' ({unit})' if unit else ''}"
    choice = "percent" if in_percent else "amount"
    amount = slider(
        choice, label, getattr(chosen, choice) or usual, span, key=f"{choice}-{aim}",
        and_then=lambda: choices.update(edits=None),
    )  # fmt: skip
    if amount <= reach * (1 + 1e-9):
        return {"aim": aim, "amount": amount, "in_percent": in_percent}
    most, asked = (f"{n:.0f}" if in_percent else target.text(n) for n in (span[1], amount))
    st.warning(
        plain(
            f"From this subnet one can {'save' if target.sign < 0 else 'gain'} about "
            f"{most} {unit}, not {asked} {unit}; ask for less, keep less, or start from another "
            "one."
        )
    )
    return None


def _number_picker(given: Given, aim: str, label: str, target: Metric) -> Goal:
    """Draw the number that is to be kept."""
    front = counterfactuals.kept_front(given)
    span = budgets_of(front) if aim in counterfactuals.OF_COST else floors_of(front)
    now, _ = counterfactuals.standing(given, aim)
    # A little better than now, as one would ask.
    asked = now + (span[target.sign > 0] - now) / 4
    usual = round(span[2] * round(min(asked, span[1]) / span[2]), 12)
    amount = slider(
        "amount", label, choices.current().amount or usual, span, key=f"amount-{aim}",
        and_then=lambda: choices.update(edits=None),
    )  # fmt: skip
    return {"aim": aim, "amount": amount}
