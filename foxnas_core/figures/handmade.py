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
from foxnas_core.figures.shapes import ROWS, drawn, line, markers, ruled
from foxnas_core.figures.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, whiskers

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
    searched = GREY if comparison.way == INHERITED else BLUE
    latency, accuracy = np.array(comparison.front, dtype=float).reshape(-1, 2).T
    traces = [line(latency, accuracy, "front of the searched", colour=searched, dash="dot")]
    shown = table[table[x].notna() & table[y].notna()]
    for label, (colour, symbol) in _LOOKS.items():
        own = shown[_labels(shown) == label]
        if own.empty:
            continue
        ends = (f"latency {name}", f"accuracy {name}")
        bars = {
            error: whiskers(
                own[value], own[f"{end} low"], own[f"{end} high"], colour, thickness=1, width=0
            )
            for error, value, end in zip(("error_x", "error_y"), (x, y), ends, strict=True)
        }
        traces.append(
            markers(
                own[x], own[y], label, marker={"color": colour, "symbol": symbol, "size": 10},
                customdata=own[["network", "resolution", "MACs", "parameters"]].to_numpy(),
                hover="<b>%{customdata[0]}</b>, %{customdata[1]} px<br>%{y:.2f} % at "
                f"%{{x:.4f}} ms in {name}<br>%{{customdata[2]:.3s}} MACs, "
                f"%{{customdata[3]:.3s}} parameters<extra>{label}</extra>",
                **bars,
            )
        )  # fmt: skip
    return drawn(traces, height=480, x=f"Latency, {name} (ms)", y=f"Accuracy, {name} (%)")


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
    table = claim_table(comparison)
    rows = table["family"] + table["width"].map(" {:g}".format)
    symbols = np.where(
        table["ratio"] > 0, np.where(table["at least"], "triangle-right", "circle"), "x"
    )
    ratio, low, high = (table[name] for name in ("ratio", "ratio low", "ratio high"))
    paper = {FAMILIES[family]: published.ratio for family, published in PUBLISHED.items()}
    published = table["family"].map(paper).dropna()
    most = 1.08 * max([1.2, *ratio, *high, *published])
    looks = table["family"].map(lambda family: _LOOKS[family][0])
    figure = drawn(
        [
            markers(
                ratio, rows, marker={"color": looks, "symbol": symbols, "size": 10},
                error_x=whiskers(ratio, low, high, GREY, thickness=2, width=0),
                customdata=np.column_stack([low, high]),
                hover="%{y}: %{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f})",
            ),
            markers(
                published, rows[published.index], "the paper's figures",
                marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": INK}},
                hover="%{y}: %{x:.2f} by the paper",
            ),
        ],
        height=140 + 34 * len(rows),
        x={"title": "Ratio of latencies", "range": [-0.04 * most, most]},
        y=ROWS,
    )  # fmt: skip
    return ruled(figure, x=1, dash="dot")


def _labels(table: pd.DataFrame) -> pd.Series:
    way = table["way"].map({ALONE: "Searched, trained alone", INHERITED: _INHERITED})
    return table["family"].where(table["family"] != FAMILIES["searched"], way)
