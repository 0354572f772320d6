"""What a front says: its prices, its steps, and how sure its optimum is."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.picture import picture_table
from foxnas_core.figures.points import add_subnets
from foxnas_core.figures.search import BUDGET, FRONT, MEASURED, frame_of
from foxnas_core.figures.theme import (
    BLUE,
    CLOUD,
    GREY,
    INK,
    LOSS,
    OPTIMUM,
    PAPER,
    PURPLE,
    SEQUENTIAL,
    difference_axis,
    new_figure,
    whiskers,
)
from foxnas_core.search.exact import Front
from foxnas_core.search.prices import Prices
from foxnas_core.search.stability import Stability
from foxnas_core.search.ties import TiedSet
from foxnas_core.space.editing.changes import changes_between, in_words, told_units
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

_MOST_MEASURED = 1000  # of the measured subnets are drawn


@dataclass(frozen=True)
class CostUnit:
    """How a cost is read: `factor` units make one of the table's own; `title` is that of an axis,
    after "per" and numbers stands `symbol`."""

    label: str
    symbol: str
    title: str
    factor: float

    def text(self, cost: float) -> str:
        """A cost of the table's own unit as it is read."""
        return f"{cost * self.factor:.4g} {self.symbol}"


_COUNTS = {
    "parameters": (
        CostUnit("thousand parameters", "k parameters", "Parameters (thousands)", 1e-3),
        CostUnit("MB of fp32 weights", "MB", "Weights (MB, at 4 bytes a parameter)", 4e-6),
    ),
    "macs": (CostUnit("million MACs", "M MACs", "MACs (millions)", 1e-6),),
}


def cost_units(target: Metric) -> tuple[CostUnit, ...]:
    """The units that a cost may be read in."""
    if target.timed:
        return (
            CostUnit("milliseconds", "ms", f"{target.label} (ms)", 1.0),
            CostUnit("microseconds", "µs", f"{target.label} (µs)", 1e3),
        )
    own = CostUnit(target.unit or target.label, target.unit or target.label, target.named, 1.0)
    return _COUNTS.get(target.column, (own,))


def per(objective: Metric, unit: CostUnit) -> str:
    """What a price of the front is in, as "points per µs"."""
    return f"{objective.difference_unit or objective.word} per {unit.symbol}"


def fitting_unit(front: Front) -> CostUnit:
    """The first unit in which the front is at least one wide, else the last; milliseconds of
    times, in which they stand on every page."""
    target = front.problem.limits[0].predictor.target
    units = cost_units(target)
    if target.timed:
        return units[0]
    width = float(front.costs[-1] - front.costs[0])
    return next((unit for unit in units if width * unit.factor >= 1), units[-1])


def cloud_figure(
    table: pd.DataFrame, cost: str, value: str, ringed: tuple[float, float] | None = None
) -> go.Figure:
    """A `front_table` with candidates: the measured subnets, the front as steps, the budget, and
    each candidate by its kind; `cost` and `value` title the axes, and what is `ringed` is last."""
    figure = new_figure()
    for kind, own in table.groupby("kind", sort=False):
        if kind == BUDGET:
            for cost_at in own["cost"]:
                figure.add_vline(x=cost_at, line={"color": INK, "width": 1, "dash": "dash"})
            continue
        look: dict[str, Any] = {"mode": "markers"}
        if kind == MEASURED:
            look["marker"] = {"color": CLOUD, "size": 5, "opacity": 0.5}
        elif kind == FRONT:
            look |= {"mode": "lines", "line": {"color": INK, "width": 1.5, "shape": "hv"}}
        else:
            colour = (OPTIMUM, BLUE)[len(figure.data) % 2]
            look["marker"] = {"color": colour, "size": 12, "symbol": "diamond"}
        figure.add_scatter(x=own["cost"], y=own["value"], name=str(kind), **look)
    if ringed:
        ring = {"symbol": "circle-open", "size": 15, "color": PURPLE, "line": {"width": 3}}
        x, y = ([at] for at in ringed)
        figure.add_scatter(x=x, y=y, mode="markers", name="this subnet", marker=ring)
    return laid_out(figure, cost, value)


# Prices and steps


def step_table(prices: Prices, unit: CostUnit, *, corners: bool) -> pd.DataFrame:
    """One row a step of the front, or with `corners` from each corner of its hull to the next.

    Columns: from, to, cost (in the unit), gain, price, hull price (per unit), blocks (how many
    change), in words.
    """
    front, space = prices.front, prices.front.problem.space
    points = prices.corners if corners else prices.points
    costs = front.costs[points] * unit.factor
    gain = np.diff(prices.worth[points])
    hull = (prices.corner_price if corners else prices.hull_price) / unit.factor
    architectures = [front.candidate(int(point)).architecture for point in points]
    changed = [
        changes_between(space, before, after) for before, after in itertools.pairwise(architectures)
    ]
    return pd.DataFrame(
        {
            "from": costs[:-1],
            "to": costs[1:],
            "cost": np.diff(costs),
            "gain": gain,
            "price": gain / np.diff(costs),
            "hull price": hull,
            "blocks": pd.array([len(told_units(space, c)) for c in changed], dtype="int64"),
            "in words": [in_words(space, c) for c in changed],
        }
    )


def step_sentence(row: pd.Series, unit: CostUnit, objective: Metric) -> str:
    """ "from 3.1 to 3.2 ms: s4b3 kernel 3 → 5 (+0.05 points)"."""
    return (
        f"from {row['from']:.4g} to {row['to']:.4g} {unit.symbol}: {row['in words']} "
        f"({objective.text(row['gain'], signed=True)} {objective.difference_unit})"
    )


def front_figure(prices: Prices, unit: CostUnit, budget: float, plane: pd.DataFrame) -> go.Figure:
    """The front as steps, its hull with the corners, the knee and the budget, on the `plane` (a
    `front_table`) that a search is watched on: with its ends, and its measured subnets."""
    front, objective = prices.front, prices.front.problem.objective.target
    costs = front.costs * unit.factor
    figure = new_figure()
    measured = plane[plane["kind"] == MEASURED]
    measured = measured.iloc[:: max(1, -(-len(measured) // _MOST_MEASURED))]
    figure.add_scatter(
        x=measured["cost"] * unit.factor, y=measured["value"], mode="markers", name="measured",
        marker={"size": 4, "color": CLOUD}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=costs, y=front.values, mode="lines", name="front", line={"shape": "hv", "color": GREY},
        hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.2f}}<extra>front</extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=costs[prices.corners], y=front.values[prices.corners], mode="lines+markers",
        name="hull", line={"color": BLUE, "width": 1, "dash": "dot"}, marker={"size": 6},
        hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.2f}}<extra>corner of the hull</extra>",
    )  # fmt: skip
    if prices.knee is not None:
        figure.add_scatter(
            x=[costs[prices.knee]], y=[front.values[prices.knee]], mode="markers", name="knee",
            marker={"size": 14, "color": INK, "symbol": "diamond"},
            hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.2f}}<extra>knee</extra>",
        )  # fmt: skip
    budget_line(figure, unit, budget)
    on_plane(figure, unit, plane)
    figure.update_yaxes(range=frame_of(plane)[1])
    return laid_out(figure, unit.title, objective.named)


def on_plane(figure: go.Figure, unit: CostUnit, plane: pd.DataFrame) -> None:
    """Give a figure the axis of costs of the plane."""
    figure.update_xaxes(range=[end * unit.factor for end in frame_of(plane)[0]])


def price_figure(prices: Prices, unit: CostUnit, budget: float, plane: pd.DataFrame) -> go.Figure:
    """The price along the front: of each step as a point, on the hull as a falling line; costs as
    in `front_figure`."""
    objective = prices.front.problem.objective.target
    costs = prices.front.costs * unit.factor
    rate = per(objective, unit)
    figure = new_figure()
    figure.add_scatter(
        x=costs[1:], y=prices.price / unit.factor, mode="markers", name="each step",
        marker={"size": 4, "color": CLOUD},
        hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.3g}} {rate}<extra>step</extra>",
    )  # fmt: skip
    ends = np.repeat(costs[prices.corners], 2)[1:-1]
    figure.add_scatter(
        x=ends, y=np.repeat(prices.corner_price, 2) / unit.factor, mode="lines", name="hull",
        line={"color": BLUE, "width": 2.5},
        hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.3g}} {rate}<extra>hull</extra>",
    )  # fmt: skip
    budget_line(figure, unit, budget)
    on_plane(figure, unit, plane)
    figure.update_yaxes(type="log", exponentformat="none", dtick=1)
    return laid_out(figure, unit.title, f"{rate[0].upper()}{rate[1:]}")


# Choices


def certainty_table(space: SearchSpace, stability: Stability) -> pd.DataFrame:
    """The optimum as `picture_table`, with the share of resamples whose optimum has the very
    choices of the cell: row, column, text, share."""
    optimum = stability.optimum.architecture
    grid = picture_table(space, optimum)[["row", "column", "text"]]
    if not stability.architectures:
        return grid.assign(share=np.nan)
    same = space.encode(stability.architectures) == space.encode([optimum])
    shares = []
    for group in space.groups:
        slots = dict.fromkeys(["", *(d.slot for d in space.in_group(group))])
        for slot in slots:
            members = [d.group == group and d.slot == slot for d in space.decisions]
            if any(members):
                shares.append(float(same[:, members].all(axis=1).mean()))
    return grid.assign(share=shares)


def certainty_figure(table: pd.DataFrame) -> go.Figure:
    """Groups × blocks, darker the surer; a cell says its choices and their share."""
    rows, columns = (list(dict.fromkeys(table[name])) for name in ("row", "column"))
    share = table.pivot(index="row", columns="column", values="share").loc[rows, columns]
    text = table.assign(
        text=[
            f"{t}<br><b>{100 * s:.0f} %</b>" for t, s in zip(table.text, table.share, strict=True)
        ]
    ).pivot(index="row", columns="column", values="text")
    figure = new_figure()
    figure.add_heatmap(
        x=columns, y=rows, z=100 * share.to_numpy(), text=text.loc[rows, columns].fillna(""),
        texttemplate="%{text}", colorscale=SEQUENTIAL, zmin=0, zmax=100, xgap=4, ygap=4,
        hoverongaps=False, showscale=False, textfont={"color": INK, "size": 12},
        hovertemplate="%{y}, %{x}: optimal in %{z:.0f} % of resamples<extra></extra>",
    )  # fmt: skip
    figure.update_layout(height=70 + 58 * len(rows))
    figure.update_xaxes(side="top", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def certainty_sentences(stability: Stability, context: Sequence[str] = ()) -> list[str]:
    """Every choice of the optimum and its share, the least certain first.

    "s2b3 kernel 3 is optimal in 40 % of resamples, off in 34 %." A block that is off is told
    once. `context` are the groups whose name does not matter (the resolution's).
    """
    told: dict[str, float] = {}
    for row in stability.decisions.to_dict("records"):
        where = "" if row["group"] in context else f"{row['slot'] or row['group']} "
        off = row["chosen"] == "off" and row["slot"]
        subject = f"{row['slot']} off" if off else f"{where}{row['role']} {row['chosen']}"
        text = f"{subject} is optimal in {100 * row['share']:.0f} % of resamples"
        if off:
            text += "" if row["share"] == 1 else f", present in {100 * (1 - row['share']):.0f} %"
        elif row["next"]:
            text += f", {row['next']} in {100 * row['next share']:.0f} %"
        told[f"{text}."] = row["share"]
    return sorted(told, key=lambda text: told[text])


# Ties


def tied_table(
    tied: TiedSet, measured: pd.DataFrame, objective: Metric, cost: Metric, unit: CostUnit
) -> pd.DataFrame:
    """The tied subnets, one row each: id, predicted value, difference, low, high, cost (in the
    unit), cost saved (%), and, missing where it was not measured, the measured value.

    `measured` has a column id and the objective's.
    """
    table = tied.table
    known = measured.groupby("id")[objective.column].mean()
    paid = table["cost"] * unit.factor
    return pd.DataFrame(
        {
            "id": table["id"],
            objective.named: table["value"],
            "difference": table["difference"],
            "low": table["low"],
            "high": table["high"],
            unit.title: paid,
            "saves (%)": 100 * (1 - table["cost"] / table["cost"].iloc[0]),
            "measured": table["id"].map(known).astype(float),
        }
    )


def tied_figure(table: pd.DataFrame, objective: Metric, unit: CostUnit) -> go.Figure:
    """Draws `tied_table`: differences to the optimum over costs; those measured are filled, the
    optimum and the cheapest have their intervals."""
    figure = new_figure()
    measured = table["measured"].notna()
    hover = (
        f"%{{customdata}}: %{{y:.3f}} at %{{x:.4g}} {unit.symbol}<extra>%{{fullData.name}}</extra>"
    )
    for name, own, colour in (
        ("not measured", table[~measured], PAPER),
        ("measured", table[measured], BLUE),
    ):
        add_subnets(
            figure, own["id"].tolist(), x=own[unit.title], y=own["difference"], name=name,
            customdata=own["id"], hovertemplate=hover,
            marker={"size": 6, "color": colour, "line": {"color": BLUE, "width": 1}},
        )  # fmt: skip
    for name, row, colour in (
        ("cheapest", table.iloc[int(table[unit.title].to_numpy().argmin())], LOSS),
        ("optimum", table.iloc[0], OPTIMUM),
    ):
        figure.add_scatter(
            x=[row[unit.title]], y=[row["difference"]], mode="markers", name=name,
            customdata=[row["id"]], hovertemplate=hover,
            marker={"size": 12, "color": colour, "symbol": "diamond"},
            error_y=whiskers([row["difference"]], [row["low"]], [row["high"]], colour),
        )  # fmt: skip
    return laid_out(figure, unit.title, difference_axis(objective))


def budget_line(figure: go.Figure, unit: CostUnit, budget: float) -> None:
    """Draw the budget across a figure of costs."""
    figure.add_vline(x=budget * unit.factor, line={"color": INK, "width": 1, "dash": "dash"})


def laid_out(figure: go.Figure, x: str, y: str) -> go.Figure:
    """A figure with its axes titled, as high as the others of a front."""
    figure.update_layout(height=400)
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure
