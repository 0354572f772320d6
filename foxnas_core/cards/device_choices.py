"""What each choice costs at each place, on one device or on all."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of, not_measured
from foxnas_core.cards.every_device import devices_of
from foxnas_core.cards.given import Given
from foxnas_core.figures import every_device as figures
from foxnas_core.figures.coefficients import heatmap_figure
from foxnas_core.table.metrics import Metric

EVERY = ""  # device


def _no_operations(given: Given) -> str | None:
    if sentence := not_measured(given):
        return sentence
    given.averages(columns_of(given)[0])
    return None


def _places(given: Given) -> Options:
    names = devices_of(given)
    every = {EVERY: "all, in percent"} if len(names) > 1 else {}
    roles = dict.fromkeys(decision.role for decision in given.study.space.decisions)
    return {"device": {**names, **every}, "role": {role: role for role in roles}}


@analysis("Devices", "operations", "What each choice costs, by place", _no_operations, _places)
def operations(given: Given, *, device: str | None = None, role: str | None = None) -> Card:
    """The average effect of each choice at each place, on one device or on all."""
    names, space = devices_of(given), given.study.space
    device = next(iter(names)) if device is None else device
    role = role or _first_role(given)
    shown = list(names) if device == EVERY else [device]
    parts, targets, notes = [], [], []
    for column in shown:
        found = given.averages(column)
        own = found.table[found.table["role"] == role]
        scale = 100 / float(np.nanmean(given.table.values(column))) if device == EVERY else 1.0
        unit = "percent" if device == EVERY else found.target.unit
        digits = 1 if device == EVERY else None
        label = names[column] if device == EVERY else found.target.label
        targets.append(Metric(column, label, unit, found.target.direction, digits=digits))
        parts.append(
            pd.DataFrame(
                {
                    "target": column,
                    "place": own["slot"].where(own["slot"] != "", own["group"]),
                    "choice": own["choice"].astype(str),
                    "instead of": own["reference"].astype(str),
                    **{name: scale * own[name] for name in ("effect", "low", "high")},
                    "unit": unit,
                }
            )
        )
        notes += [said for said in found.sentences if said not in notes]
    table = pd.concat(parts, ignore_index=True).drop_duplicates(["target", "place", "choice"])
    if table.empty:
        return Card(sentence=f"Too few networks tell what a choice of {role} costs.", tone="info")
    return _operation_card(table, targets, role, notes, space.name)


def _first_role(given: Given) -> str:
    found = given.averages(columns_of(given)[0]).table
    slotted = found[found["slot"] != ""]
    return str((slotted if len(slotted) else found)["role"].iloc[0])


def _operation_card(
    table: pd.DataFrame, targets: Sequence[Metric], role: str, notes: Sequence[str], name: str
) -> Card:
    maps = figures.operation_maps(table, targets)
    references = dict.fromkeys(table["instead of"])
    instead = next(iter(references)) if len(references) == 1 else "the first choice"
    said = []
    for target in targets:
        own = table[table["target"] == target.column]
        most = own.iloc[int(own["effect"].to_numpy().argmax())]
        told, low, high = (target.text(most[end], signed=True) for end in ("effect", "low", "high"))
        said.append(
            f"{target.label}: {most['choice']} in {most['place']} costs most, {told} {target.unit} "
            f"(95 % interval {low} to {high})."
        )
    how = "in percent of each device's mean" if len(targets) > 1 else "on average over all else"
    what = f"What {role} adds instead of {instead}, {how}."
    return Card(
        sentence=" ".join([what, *(said if len(said) == 1 else [])]),
        points=tuple(said) if len(said) > 1 else (),
        table=table,
        draw=lambda: heatmap_figure(maps, stacked=len(maps) > 1 and len(maps[0].values) <= 2),
        notes=("Numbers in parentheses: the 95 % interval spans 0.", *notes),
    )
