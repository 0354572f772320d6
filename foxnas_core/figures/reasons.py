"""Why a subnet has its blocks: the tables of `explanation.reasons`, drawn by `interval_figure`."""

import pandas as pd

from foxnas_core.explanation.reasons import Reasons
from foxnas_core.explanation.sentences import with_rates
from foxnas_core.figures.search import choice_text
from foxnas_core.figures.theme import difference_axis


def reasons_table(found: Reasons) -> pd.DataFrame:
    """One row a block: block, choices, why it is so in words, then for each target what the block
    changes with its 95 % interval ("Δ Latency (ms)", with " low" and " high")."""
    columns: dict[str, pd.Series] = {}
    for predictor in (found.gain, found.cost):
        name = difference_axis(predictor.target)
        for end, words in (("", ""), ("_low", " low"), ("_high", " high")):
            columns[f"{name}{words}"] = found.table[f"{predictor.target.column}{end}"]
    told = found.table[["block", "choices", "why"]].assign(**columns)
    return with_rates(told, found.table, [found.gain.target, found.cost.target])


def reasons_intervals(found: Reasons) -> pd.DataFrame:
    """One row a block and target, as `interval_table`: group, row, target, effect, low, high,
    block, clear. `row` is the block with its choices, short: "s2b1: k5 e3"."""
    space = found.gain.space
    rows, groups = [], []
    for block, positions in found.table[["block", "decisions"]].itertuples(index=False):
        slots: dict[str, list[str]] = {}
        for decision in (space.decisions[i] for i in positions):
            if decision.name in found.architecture:
                text = choice_text(decision, found.architecture[decision.name])
                slots.setdefault(decision.slot, []).append(text)
        rows.append(f"{block}: {', '.join(' '.join(own) for own in slots.values()) or 'off'}")
        groups.append(space.decisions[positions[0]].group)
    parts = []
    for target in (found.gain.target, found.cost.target):
        effect, low, high = (found.table[f"{target.column}{end}"] for end in ("", "_low", "_high"))
        parts.append(
            pd.DataFrame(
                {
                    "group": groups, "row": rows, "target": target.column, "effect": effect,
                    "low": low, "high": high, "block": found.table["block"].to_numpy(),
                    "clear": (low > 0) | (high < 0),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
