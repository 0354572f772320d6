"""The map of what each block costs and gives when it is made smaller."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.explanation.shrink import KEYS, ONE, SMALLEST
from foxnas_core.figures.coefficients import Heatmap, heatmap_figure
from foxnas_core.figures.theme import difference_axis, wide
from foxnas_core.table.metrics import Metric, rate_unit


def shrink_table(effects: pd.DataFrame, gain: Metric, cost: Metric) -> pd.DataFrame:
    """`shrink_effects` as it is read: block, edit, the changes of both with their intervals, what a
    unit of the cost is worth, id."""
    columns: dict[str, pd.Series] = {}
    for target in (gain, cost):
        for end in ("", "_low", "_high", "_average_low", "_average_high"):
            words = end.replace("_", " ")
            columns[f"{difference_axis(target)}{words}"] = effects[f"{target.column}{end}"]
    columns[rate_unit(gain, cost)] = effects["rate"]
    return effects[KEYS[:1] + KEYS[3:4]].assign(**columns, id=effects["id"])


def shrink_figure(effects: pd.DataFrame, gain: Metric, cost: Metric) -> go.Figure:
    """One panel a target: blocks × what of them is made smaller."""
    return wide(heatmap_figure([_map_of(effects, t) for t in (gain, cost)], stacked=True))


def _map_of(effects: pd.DataFrame, target: Metric) -> Heatmap:
    parts = []
    for column in dict.fromkeys(step for own in effects["step"] for step in own.split(", ")):
        own = effects[effects["step"].map(lambda steps, c=column: c in steps.split(", "))]
        parts.append(own.assign(column=own["role"] + "<br>" + column))
    rows = pd.concat(parts)
    order = effects.sort_index()
    blocks = list(dict.fromkeys(order["block"]))
    steps = {step: number for number, step in enumerate((ONE, SMALLEST))}
    roles = {role: number for number, role in enumerate(dict.fromkeys(order["role"]))}
    columns = sorted(
        dict.fromkeys(rows["column"]),
        key=lambda name: (roles[name.split("<br>")[0]], steps.get(name.split("<br>")[1], 0)),
    )

    def grid(name: str) -> pd.DataFrame:
        wide = rows.pivot(index="block", columns="column", values=name)
        return wide.reindex(index=blocks, columns=columns)

    ends = ("", "_average_low", "_average_high")
    value, low, high = (grid(f"{target.column}{end}") for end in ends)
    return Heatmap(target, value, low, high, grid("block"))
