"""Effects in plain words, as a colleague would say them."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.explanation.rates import rates
from foxnas_core.table.metrics import Metric, in_a_sentence, rate_text, rate_unit


def sentence_table(effects: pd.DataFrame, targets: Sequence[Metric]) -> pd.DataFrame:
    """One row a choice of `side_by_side`, the clearest effect on the first target first: in words,
    each target's stars, and what a unit of the second buys of the first."""
    first = targets[0].column
    spread = effects[f"{first}_high"] - effects[f"{first}_low"]
    clearest = (effects[first].abs() / spread).sort_values(ascending=False, kind="stable").index
    table = pd.DataFrame(
        {"in words": [effect_sentence(row, targets) for _, row in effects.iterrows()]}
        | {f"{target.label} stars": effects[f"{target.column}_stars"] for target in targets},
        index=effects.index,
    )
    return with_rates(table, effects, targets).loc[clearest].reset_index(drop=True)


def effect_sentence(row: pd.Series, targets: Sequence[Metric]) -> str:
    """One row of `side_by_side` in words.

    "s3b2 kernel 5 instead of 3: +0.12 points (0.04 to 0.20), +0.31 ms (0.28 to 0.34), i.e. 0.39
    points per ms".
    """
    where = row["slot"] or row["group"]
    subject = f"{where} {row['role']} {row['choice']} instead of {row['reference']}"
    known = [t for t in targets if not pd.isna(row[t.column])]
    parts = [_effect(row, target) for target in known]
    return f"{subject}: {', '.join(parts)}{_exchange(row, known)}"


def _effect(row: pd.Series, target: Metric) -> str:
    value, low, high = (row[f"{target.column}{end}"] for end in ("", "_low", "_high"))
    unit = target.difference_unit or target.label
    name = (
        f" {in_a_sentence(target.label)}"
        if target.label != "Latency" and target.unit == "ms"
        else ""
    )
    ends = f"{target.text(low)} to {target.text(high)}"
    return f"{target.text(value, signed=True)} {unit}{name} ({ends})"


def _exchange(row: pd.Series, targets: Sequence[Metric]) -> str:
    """What one unit of the second target buys of the first, where both move for certain."""
    if len(targets) < 2:
        return ""
    gain, cost = targets[:2]
    clear = [row[f"{t.column}_low"] * row[f"{t.column}_high"] > 0 for t in (gain, cost)]
    better = gain.sign * row[gain.column] > 0
    if not all(clear):
        unsure = [
            in_a_sentence(t.label) for t, sure in zip((gain, cost), clear, strict=True) if not sure
        ]
        return f"; no clear effect on {' or '.join(unsure)}"
    [rate] = _rates(row.to_frame().T, gain, cost)
    if not math.isnan(rate):
        return f", i.e. {rate_text(rate, gain, cost)}"
    return "; better in both" if better else "; worse in both"


def with_rates(
    table: pd.DataFrame, effects: pd.DataFrame, targets: Sequence[Metric]
) -> pd.DataFrame:
    """A table of the rows of `side_by_side` by their index, with a column of what a unit of the
    second target buys of the first (see `rates`), called by its unit: "points per ms"."""
    if len(targets) < 2:
        return table
    gain, cost = targets[:2]
    found = pd.Series(_rates(effects, gain, cost), effects.index)
    return table.assign(**{rate_unit(gain, cost): found})


def _rates(effects: pd.DataFrame, gain: Metric, cost: Metric) -> np.ndarray:
    paid, low, high = (effects[f"{cost.column}{end}"] for end in ("", "_low", "_high"))
    return rates(effects[gain.column], paid, low, high, gain, cost)
