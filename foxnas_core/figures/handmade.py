"""Networks designed by hand beside searched ones: what each reached, and the ratios."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.evidence.handmade.claims import PUBLISHED, Comparison
from foxnas_core.evidence.handmade.record import (
    ALONE,
    FAMILIES,
    INHERITED,
    PRECISIONS,
    HandmadeRecord,
)
from foxnas_core.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, new_figure, whiskers

_NORMAL = 1.959964  # the 97.5 % quantile
_INHERITED = "Searched, inherited weights"
# Colour and shape both say the family.
_LOOKS = {
    FAMILIES["mobilenet-v2"]: (ORANGE, "square"),
    FAMILIES["mobilenet-v3-small"]: (GREEN, "diamond"),
    FAMILIES["efficientnet-lite0"]: (PURPLE, "triangle-up"),
    "Searched, trained alone": (BLUE, "circle"),
    _INHERITED: (GREY, "circle-open"),
}


def network_table(record: HandmadeRecord) -> pd.DataFrame:
    """One row a network and way (trained alone, or a searched one with inherited weights): network,
    family, width or NaN, way, resolution (pixels), parameters, MACs and seeds, then for each of
    `PRECISIONS` accuracy with the ends of its 95 % interval (percent) and latency with its least
    and greatest round (ms), NaN where not measured yet, and how a searched one was chosen."""
    rows = []
    for contender in record.contenders:
        for way in (ALONE, INHERITED) if contender.searched else (ALONE,):
            row: dict[str, object] = {
                "network": contender.name,
                "family": FAMILIES[contender.family],
                "width": np.nan if contender.width is None else contender.width,
                "way": way,
                "resolution": contender.resolution,
                "parameters": int(contender.parameters),
                "MACs": int(contender.macs),
                "seeds": len(contender.of(way)),
            }
            for precision, name in PRECISIONS.items():
                score = record.score(contender, way, precision)
                half = _NORMAL * score.std_error if score else np.nan
                value = score.value if score else np.nan
                latency = contender.latency[precision] if contender.latency else None
                row |= {
                    f"accuracy {name}": value,
                    f"accuracy {name} low": value - half,
                    f"accuracy {name} high": value + half,
                    f"latency {name} (ms)": latency.value if latency else np.nan,
                    f"latency {name} low": latency.low if latency else np.nan,
                    f"latency {name} high": latency.high if latency else np.nan,
                }
            rows.append(row | {"chosen": contender.chosen})
    return pd.DataFrame(rows)


def network_figure(table: pd.DataFrame, comparison: Comparison) -> go.Figure:
    """`network_table` in the comparison's precision, accuracy against latency with both intervals,
    a colour and a shape a family; the line is the front that the claims are held against."""
    name = PRECISIONS[comparison.precision]
    x, y = f"latency {name} (ms)", f"accuracy {name}"
    figure = new_figure()
    figure.add_scatter(
        x=[point[0] for point in comparison.front],
        y=[point[1] for point in comparison.front],
        mode="lines",
        name="front of the searched",
        line={"color": GREY if comparison.way == INHERITED else BLUE, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    shown = table[table[x].notna() & table[y].notna()]
    for label, (colour, symbol) in _LOOKS.items():
        own = shown[_labels(shown) == label]
        if own.empty:
            continue
        figure.add_scatter(
            x=own[x],
            y=own[y],
            mode="markers",
            name=label,
            marker={"color": colour, "symbol": symbol, "size": 10},
            error_x=whiskers(
                own[x],
                own[f"latency {name} low"],
                own[f"latency {name} high"],
                colour,
                thickness=1,
                width=0,
            ),
            error_y=whiskers(
                own[y], own[f"{y} low"], own[f"{y} high"], colour, thickness=1, width=0
            ),
            customdata=own[["network", "resolution", "MACs", "parameters"]].to_numpy(),
            hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]} px<br>%{y:.2f} % at "
            f"%{{x:.4f}} ms in {name}<br>%{{customdata[2]:.3s}} MACs, "
            f"%{{customdata[3]:.3s}} parameters<extra>{label}</extra>",
        )
    figure.update_layout(
        height=480,
        xaxis={"title": {"text": f"Latency, {name} (ms)"}},
        yaxis={"title": {"text": f"Accuracy, {name} (%)"}},
    )
    return figure


def claim_table(comparison: Comparison) -> pd.DataFrame:
    """One row a hand-made network: family, width, its accuracy (percent) and latency (ms), the
    ratio of latencies at equal accuracy with its interval, 0 where none reaches the accuracy, and
    whether it is at least that, the verdict, and the gain at equal latency (points) with its
    interval."""
    return pd.DataFrame(
        [
            {
                "network": claim.name,
                "family": FAMILIES[claim.family],
                "width": claim.width,
                "accuracy": claim.accuracy,
                "latency (ms)": claim.latency,
                "ratio": claim.ratio,
                "ratio low": claim.ratio_low,
                "ratio high": claim.ratio_high,
                "at least": claim.at_least,
                "searched are": claim.verdict,
                "gain (points)": claim.gain,
                "gain low": claim.gain_low,
                "gain high": claim.gain_high,
            }
            for claim in comparison.claims
        ]
    )


def claim_figure(comparison: Comparison) -> go.Figure:
    """The ratios with their intervals, a row a hand-made network, a triangle where it is at least
    that and a cross at 0 where none reaches the accuracy; the paper's ratio is a vertical tick."""
    rows = [f"{FAMILIES[c.family]} {c.width:g}" for c in comparison.claims]
    figure = new_figure()
    colours = [_LOOKS[FAMILIES[c.family]][0] for c in comparison.claims]
    symbols = [
        "x" if not c.reached else "triangle-right" if c.at_least else "circle"
        for c in comparison.claims
    ]
    ratios = np.array([c.ratio for c in comparison.claims])
    lows, highs = (np.array([getattr(c, f"ratio_{e}") for c in comparison.claims])
                   for e in ("low", "high"))  # fmt: skip
    figure.add_scatter(
        x=ratios,
        y=rows,
        mode="markers",
        name="measured here",
        showlegend=False,
        marker={"color": colours, "symbol": symbols, "size": 10},
        error_x=whiskers(ratios, lows, highs, GREY, thickness=2, width=0),
        customdata=np.column_stack([lows, highs]),
        hovertemplate="%{y}: %{x:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]<extra></extra>",
    )  # fmt: skip
    figured = [c for c in comparison.claims if c.family in PUBLISHED]
    figure.add_scatter(
        x=[PUBLISHED[c.family].ratio for c in figured],
        y=[f"{FAMILIES[c.family]} {c.width:g}" for c in figured],
        mode="markers",
        name="the paper's figures",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": RED}},
        hovertemplate="%{y}: %{x:.2f} by the paper<extra></extra>",
    )
    figure.add_vline(x=1, line={"color": GREY, "dash": "dot"})
    most = 1.08 * max([1.2, *highs, *ratios, *(PUBLISHED[c.family].ratio for c in figured)])
    figure.update_layout(
        height=140 + 34 * len(rows),
        xaxis={"title": {"text": "Ratio of latencies"},
               "range": [-0.04 * most, most]},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
    )  # fmt: skip
    return figure


def _labels(table: pd.DataFrame) -> pd.Series:
    way = table["way"].map({ALONE: "Searched, trained alone", INHERITED: _INHERITED})
    return table["family"].where(table["family"] != FAMILIES["searched"], way)
