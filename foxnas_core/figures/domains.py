"""Subnets in seen and in unseen domains, and what choices add there."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.devices.common import by_subnet
from foxnas_core.devices.ranks import rank_correlation
from foxnas_core.devices.reversals import RankReversals
from foxnas_core.explanation.paired import DIFFERENCE, PairedEffects
from foxnas_core.figures.points import add_subnets, subnet_points
from foxnas_core.figures.shapes import drawn, equal, panels
from foxnas_core.figures.theme import BLUE, CLOUD, ORANGE, PAPER, PURPLE
from foxnas_core.search.pareto import undominated
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

SEEN, UNSEEN, BOTH, NEITHER = "seen", "unseen", "both", ""
FRONTS = (SEEN, UNSEEN)
_LOOKS = {
    NEITHER: ("measured", CLOUD, 5),
    SEEN: ("front of seen domains", BLUE, 9),
    UNSEEN: ("front of unseen domains", ORANGE, 9),
    BOTH: ("on both fronts", PURPLE, 11),
}
_ACROSS = 3  # panels beside each other


def ends_table(table: MeasurementTable, seen: Metric, unseen: Metric, cost: Metric) -> pd.DataFrame:
    """One row a subnet that was measured in both: id, seen, unseen, cost (missing where that was
    not measured) and front, the fronts against the cost that it is on."""
    frame = by_subnet(table).frame
    frame = frame.dropna(subset=[seen.column, unseen.column])
    costs = frame[cost.column] if cost.column in frame else pd.Series(np.nan, frame.index)
    found = pd.DataFrame(
        {
            "id": frame["id"],
            SEEN: frame[seen.column],
            UNSEEN: frame[unseen.column],
            "cost": costs,
        }
    ).reset_index(drop=True)
    priced = found.dropna(subset="cost")
    on = {}
    for end, metric in zip(FRONTS, (seen, unseen), strict=True):
        best = undominated(
            metric.sign * priced[end].to_numpy(float),
            -cost.sign * priced[["cost"]].to_numpy(float),
        )
        on[end] = found.index.isin(priced.index[best])
    names = np.select(
        [on[SEEN] & on[UNSEEN], on[SEEN], on[UNSEEN]], [BOTH, SEEN, UNSEEN], default=NEITHER
    )
    return found.assign(front=names)


def ends_figure(table: pd.DataFrame, seen: Metric, unseen: Metric, cost: Metric) -> go.Figure:
    """Draws an `ends_table`, one point a subnet."""
    traces = []
    for front, (name, colour, size) in _LOOKS.items():
        own = table[table["front"] == front]
        traces.append(
            subnet_points(
                own["id"].tolist(), x=own[SEEN], y=own[UNSEEN], name=name,
                marker={"color": colour, "size": size, "line": {"width": 0.5, "color": PAPER}},
                customdata=np.column_stack([own["id"], [cost.value_text(c) for c in own["cost"]]]),
                hovertemplate=f"%{{customdata[0]}}<br>seen %{{x:.4g}} {seen.unit}, unseen "
                f"%{{y:.4g}} {unseen.unit}<br>{cost.word} %{{customdata[1]}}<extra></extra>",
            )
        )  # fmt: skip
    return drawn(traces, height=460, x=seen.named, y=unseen.named)


def domain_table(table: MeasurementTable, seen: Metric, roles: Mapping[str, str]) -> pd.DataFrame:
    """One row a subnet and domain: domain, role, id, seen, own (its quality there) and std_error;
    `roles` are what the domains' columns are for."""
    frame = by_subnet(table).frame
    parts = []
    for column, role in roles.items():
        known = frame.dropna(subset=[seen.column, column])
        error = f"{column}_std_error"
        parts.append(
            pd.DataFrame(
                {
                    "domain": column.partition(":")[2],
                    "role": role,
                    "id": known["id"],
                    SEEN: known[seen.column],
                    "own": known[column],
                    "std_error": known.get(error, np.nan),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a domain of a `domain_table`: domain, role, subnets, mean, spread (the standard
    deviation over subnets), std_error (the mean one) and τ with the seen domains, low and high."""
    rows = []
    for (domain, role), own in table.groupby(["domain", "role"], sort=False):
        tau = rank_correlation(own[SEEN].to_numpy(float), own["own"].to_numpy(float))
        rows.append(
            {
                "domain": domain, "role": role, "subnets": len(own), "mean": own["own"].mean(),
                "spread": own["own"].std(ddof=1), "std_error": own["std_error"].mean(),
                "tau": tau.tau, "low": tau.low, "high": tau.high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def domain_figure(table: pd.DataFrame, told: pd.DataFrame, seen: Metric) -> go.Figure:
    """A panel a domain: its quality against that in the seen ones, on axes of one scale."""
    titles = [
        f"{row['domain']}{', ' + row['role'] if row['role'] else ''}: τ {row['tau']:.2f}"
        for row in told.to_dict("records")
    ]
    down = -(-len(titles) // _ACROSS)
    figure = panels(
        _ACROSS, down, subplot_titles=titles, horizontal_spacing=0.07,
        vertical_spacing=0.2 / down,
    )  # fmt: skip
    for place, domain in enumerate(told["domain"]):
        own, at = table[table["domain"] == domain], divmod(place, _ACROSS)
        where = {"row": at[0] + 1, "col": at[1] + 1}
        add_subnets(
            figure, own["id"].tolist(), x=own[SEEN], y=own["own"], name=domain, showlegend=False,
            marker={"color": BLUE if own["role"].iloc[0] == "training" else ORANGE, "size": 5,
                    "line": {"width": 0.5, "color": PAPER}},
            hovertemplate=f"seen %{{x:.4g}}, {domain} %{{y:.4g}} {seen.unit}<extra></extra>",
            **where,
        )  # fmt: skip
        figure.add_trace(equal(own[SEEN], name="", dash="dot"), **where)
        # Three of the quality's own titles would not stand beside each other.
        title = f"Seen domains ({seen.unit})" if seen.unit else "Seen domains"
        figure.update_xaxes(title=title if at[0] + 1 == down else "", **where)
    return figure.update_layout(height=90 + 260 * down)


def pair_table(found: RankReversals) -> pd.DataFrame:
    """The clearest reversed pairs, by which end is better where more is better: better seen,
    better unseen, both ends' values in both, and in what they differ."""
    pairs = found.pairs
    seen, unseen = ("second", "first") if found.first.sign > 0 else ("first", "second")
    return pd.DataFrame(
        {
            "better seen": pairs[f"quick_{seen}"],
            "better unseen": pairs[f"quick_{unseen}"],
            "seen, of the first": pairs[f"first_of_quick_{seen}"],
            "seen, of the second": pairs[f"first_of_quick_{unseen}"],
            "unseen, of the first": pairs[f"second_of_quick_{seen}"],
            "unseen, of the second": pairs[f"second_of_quick_{unseen}"],
            "differs": pairs["differs"],
        }
    )


# What choices add


def effect_targets(found: PairedEffects) -> list[Metric]:
    """What the panels of effects are titled by."""
    between = Metric(
        DIFFERENCE, "Unseen less seen", found.first.unit, found.first.direction,
        digits=found.first.digits,
    )  # fmt: skip
    return [replace(found.first), replace(found.second), between]


def effect_table(own: pd.DataFrame, found: PairedEffects) -> pd.DataFrame:
    """One row a choice and target, as `coefficients.interval_figure` draws it: group, row, target,
    effect, low, high, block, clear; `own` is a table of `found`."""
    placed = "slot" in own
    where = own["slot"].where(own["slot"] != "", own["group"]) + " " if placed else ""
    row = where + own["role"] + " " + own["choice"].astype(str) + " instead of "
    block = own["slot"].where(own["slot"] != "", own["group"]) if placed else ""
    parts = [
        pd.DataFrame(
            {
                "group": own["group"] if placed else own["role"],
                "row": row + own["reference"].astype(str),
                "target": target.column,
                "effect": own[target.column],
                "low": own[f"{target.column}_low"],
                "high": own[f"{target.column}_high"],
                "block": block,
            }
        )
        for target in effect_targets(found)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(clear=(table["low"] > 0) | (table["high"] < 0))


def effect_sentence(row: pd.Series, found: PairedEffects) -> str:
    """What a choice adds in seen and unseen domains: "kernel 7 instead of 3: +.10 seen, +9.00
    unseen; +8.90 points more (95 % interval …)"."""
    metric, place = found.first, row.get("slot") or row.get("group") or ""
    gap, low, high = (row[f"{DIFFERENCE}{end}"] for end in ("", "_low", "_high"))
    added = [metric.text(float(row[m.column]), signed=True) for m in (found.first, found.second)]
    return (
        f"{place} {row['role']} {row['choice']} instead of {row['reference']}: {added[0]} in seen "
        f"domains, {added[1]} in unseen ones; {metric.difference_text(float(gap), signed=True)} "
        f"between them (95 % interval {metric.interval_text(low, high, signed=True)})."
    ).strip()


def turns_round(own: pd.DataFrame, found: PairedEffects) -> pd.Series:
    """Which choices surely help in the ones and surely harm in the others."""
    one, other = found.first.column, found.second.column
    up = (own[f"{one}_low"] > 0) & (own[f"{other}_high"] < 0)
    return up | ((own[f"{one}_high"] < 0) & (own[f"{other}_low"] > 0))
