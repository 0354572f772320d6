"""Why a subnet has its blocks: what each brings and costs, and whether that pays at a budget.

Effects are `common_block_effects`: contributions against the average measured subnet, from the
coefficients, on the scale of each link. What a block buys is held against the price of the budget,
the slope of the front's hull there (see `search.prices`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.explanation.block_effects import common_block_effects
from foxnas_core.regression import Predictor
from foxnas_core.search.limits import noun_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, rate_text


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why `architecture` has its blocks.

    `gain` is what is to be great, `cost` what is limited; `price` is what a little more of the
    limit is worth, in the gain's unit per unit of cost, None where that is not known. `table` has
    one row a block: those of `effects_of_blocks`, and why, in words.
    """

    gain: Predictor
    cost: Predictor
    architecture: Architecture
    price: float | None
    table: pd.DataFrame

    def sentences(self) -> list[str]:
        """What brings most, what saves most, and how that compares with the price.

        "Most top-1 accuracy comes from resolution 28: +2.82 points for +0.0139 ms." "Most latency
        is saved by s1b2 off: -0.00630 ms for -0.38 points." Only effects whose 95 % interval does
        not span 0 count.
        """
        gain, cost = self.gain.target, self.cost.target
        rows, said = self.table.to_dict("records"), []
        brings = [row for row in rows if _clearly(row, gain) == gain.sign]
        if brings:
            row = max(brings, key=lambda row: gain.sign * row[gain.column])
            said.append(
                f"Most {noun_of(gain)} comes from {_named(row)}: {_amount(row, gain)} for "
                f"{_amount(row, cost)}."
            )
        saves = [row for row in rows if _clearly(row, cost) == cost.sign]
        if saves:
            row = max(saves, key=lambda row: cost.sign * row[cost.column])
            said.append(
                f"Most {noun_of(cost)} is saved by {_named(row)}: {_amount(row, cost)} for "
                f"{_amount(row, gain)}."
            )
        if self.price:
            said.append(
                "At this budget a little more of it is worth "
                f"{rate_text(self.price, gain, cost)}; a block that buys more than that earns its "
                "place."
            )
        return said


def reasons(
    gain: Predictor,
    cost: Predictor,
    *,
    architecture: Architecture,
    background: Sequence[Architecture],
    price: float | None = None,
) -> Reasons:
    """Why an architecture has its blocks, against the average of `background`.

    Raises `InvalidInput` where that is empty.
    """
    effects = effects_of_blocks((gain, cost), architecture=architecture, background=background)
    # What an effect on the link's scale is worth at this subnet, as the price is.
    eta = gain.form.matrix(gain.space.encode([architecture])) @ gain.estimates
    slope = float(gain.link.slope(eta)[0])
    why = [
        _reason(gain.target, cost.target, row, slope, price) for row in effects.to_dict("records")
    ]
    return Reasons(gain, cost, architecture, price, effects.assign(why=why))


def effects_of_blocks(
    predictors: Sequence[Predictor],
    *,
    architecture: Architecture,
    background: Sequence[Architecture],
) -> pd.DataFrame:
    """`common_block_effects` with the choices of each block in words ("kernel 5, expand 2")."""
    effects = common_block_effects(predictors, architecture=architecture, background=background)
    decisions = predictors[0].space.decisions if predictors else ()
    words = []
    for positions in effects["decisions"]:
        slots: dict[str, list[str]] = {}
        for decision in (decisions[i] for i in positions):
            if decision.name in architecture:
                role = decision.role if decision.slot else decision.name
                slots.setdefault(decision.slot, []).append(f"{role} {architecture[decision.name]}")
        words.append("; ".join(", ".join(own) for own in slots.values()) or "off")
    return effects.assign(choices=words)


def _named(row: dict[Hashable, Any]) -> str:
    """A block with its choices: "s1b2 off", "resolution 28", "s2b1 (kernel 5, expand 2)"."""
    block, choices = str(row["block"]), str(row["choices"])
    if choices.startswith(f"{block} "):
        return choices
    return f"{block} off" if choices == "off" else f"{block} ({choices})"


def _amount(row: dict[Hashable, Any], target: Metric) -> str:
    return target.difference_text(row[target.column], signed=True)


def _clearly(row: dict[Hashable, Any], target: Metric) -> int:
    """Whether a block's effect is clearly above 0 (1), below it (-1) or neither (0)."""
    low, high = (float(row[f"{target.column}_{end}"]) for end in ("low", "high"))
    return 0 if low <= 0 <= high else int(np.sign(low))


def _reason(
    gain: Metric, cost: Metric, row: dict[Hashable, Any], slope: float, price: float | None
) -> str:
    """Whether a block pays, in words."""
    gained, saved = (metric.sign * _clearly(row, metric) for metric in (gain, cost))
    if not gained and not saved:
        return "no clear effect on either"
    if not gained:
        return f"{cost.compared(saved > 0)}, with no clear effect on {gain.word}"
    if not saved:
        return f"{gain.compared(gained > 0)}, with no clear effect on {cost.word}"
    if gained == saved:
        return f"{gain.compared(gained > 0)} and {cost.compared(saved > 0)}"
    paid = float(row[cost.column])
    names = (gain.column + end for end in ("", "_low", "_high"))
    way = gain.sign * -cost.sign
    ratio, *ends = (way * slope * float(row[name]) / paid for name in names)
    rate = rate_text(ratio, gain, cost)
    said = f"buys {rate}" if gained > 0 else f"gives up {rate} saved"
    if price is None:
        return said
    if min(ends) <= price <= max(ends):
        return f"{said}: about the price at this budget"
    pays = (ratio > price) == (gained > 0)
    return f"{said}: {'worth it' if pays else 'alone not worth it'} at this budget"
