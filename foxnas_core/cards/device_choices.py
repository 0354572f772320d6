"""What each choice costs at each place, on one device or on all."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of, not_measured
from foxnas_core.cards.every_device import devices_of
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.figures import every_device as figures
from foxnas_core.figures.coefficients import heatmap_figure
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.sums import ChoiceCosts, choice_costs

EVERY = ""  # device


def _no_operations(given: Given) -> str | None:
    if sentence := not_measured(given):
        return sentence
    _effects(given, columns_of(given)[0])
    return None


@shared(entries=64, spinner="Telling what each choice costs …")
def _effects(given: Given, column: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """What each choice adds to a column: as it was summed, exactly, where it is a sum of that, else
    on average over drawn networks; and what is to be said of it."""
    costs = choice_costs(given.table, column)
    if not isinstance(costs, ChoiceCosts):
        found = given.averages(column)
        return found.table, tuple(found.sentences)
    rows = [
        {
            "group": decision.group, "slot": decision.slot, "role": decision.role,
            "choice": choice, "reference": decision.choices[0],
            **dict.fromkeys(("effect", "low", "high"), cost - costs.costs[decision.name][0]),
        }
        for decision in given.study.space.decisions
        for choice, cost in list(
            zip(decision.choices, costs.costs[decision.name], strict=True)
        )[1:]
    ]  # fmt: skip
    return pd.DataFrame(rows), (costs.sentence,)


def _places(given: Given) -> Options:
    names = devices_of(given)
    every = {EVERY: "all, in percent"} if len(names) > 1 else {}
    roles = dict.fromkeys(decision.role for decision in given.study.space.decisions)
    return {"device": {**names, **every}, "role": {role: role for role in roles}}


@analysis("Devices", "operations", "What each choice costs, by place", _no_operations, _places)
def operations(given: Given, *, device: str | None = None, role: str | None = None) -> Card:
    """The average effect of each choice at each place, on one device or on all."""
    names = devices_of(given)
    device = next(iter(names)) if device is None else device
    role = role or _first_role(given)
    shown = list(names) if device == EVERY else [device]
    parts, targets, notes = [], [], []
    for column in shown:
        (effects, said), metric = _effects(given, column), metric_of(column)
        own = effects[effects["role"] == role]
        scale = 100 / float(np.nanmean(given.table.values(column))) if device == EVERY else 1.0
        unit = "percent" if device == EVERY else metric.unit
        digits = 1 if device == EVERY else None
        label = names[column] if device == EVERY else metric.label
        targets.append(Metric(column, label, unit, metric.direction, digits=digits))
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
        notes += [sentence for sentence in said if sentence not in notes]
    table = pd.concat(parts, ignore_index=True).drop_duplicates(["target", "place", "choice"])
    if table.empty:
        return Card(sentence=f"Too few networks tell what a choice of {role} costs.", tone="info")
    return _operation_card(table, targets, role, notes)


def _first_role(given: Given) -> str:
    found = _effects(given, columns_of(given)[0])[0]
    slotted = found[found["slot"] != ""]
    return str((slotted if len(slotted) else found)["role"].iloc[0])


def _operation_card(
    table: pd.DataFrame, targets: Sequence[Metric], role: str, notes: Sequence[str]
) -> Card:
    maps = figures.operation_maps(table, targets)
    references = dict.fromkeys(table["instead of"])
    instead = next(iter(references)) if len(references) == 1 else "the first choice"
    said = []
    for target in targets:
        own = table[table["target"] == target.column]
        most = own.iloc[int(own["effect"].to_numpy().argmax())]
        told, low, high = (target.text(most[end], signed=True) for end in ("effect", "low", "high"))
        sure = "exactly" if low == high else f"95 % interval {low} to {high}"
        said.append(
            f"{target.label}: {most['choice']} in {most['place']} costs most, {told} {target.unit} "
            f"({sure})."
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
