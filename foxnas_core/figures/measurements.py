"""How measured latencies came about: what was checked, how far rounds agree, how time drifted."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, bars, drawn, markers, ruled
from foxnas_core.figures.theme import BLUE, GREY, INK, RED, SKY, whiskers
from foxnas_core.table.latency_verdicts import (
    CHECKS,
    FAILED,
    MOST_SPREAD,
    PASSED,
    UNKNOWN,
    Badges,
)

_COLOURS = {PASSED: BLUE, UNKNOWN: GREY, FAILED: RED}
_BINS = 40
_TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300)


def check_table(badges: Badges) -> pd.DataFrame:
    """One row a check, the badge over all of them first: check, passed, failed, unknown (rows), the
    question, fails, what makes a row fail, and lacks, what is not told where it is unknown."""
    asked = {check.name: (check.question, check.fails, check.lacks) for check in CHECKS}
    asked["badge"] = ("Can the latency be relied on?", "any check failed", "no check could be made")
    counts = badges.counts
    told = [asked[name] for name in counts["check"]]
    counts = pd.concat([counts, pd.DataFrame(told, columns=["question", "fails", "lacks"])], axis=1)
    return pd.concat([counts[counts["check"] == "badge"], counts[counts["check"] != "badge"]])


def check_figure(table: pd.DataFrame) -> go.Figure:
    """A bar a check, split into the rows that passed, are unknown and failed."""
    counts = [
        bars(
            table["check"], table[verdict], colour, verdict, customdata=table["question"],
            hover=f"%{{customdata}} %{{x}} rows {verdict}<extra>%{{y}}</extra>",
        )
        for verdict, colour in _COLOURS.items()
    ]  # fmt: skip
    legend, height = {"traceorder": "normal"}, 130 + 30 * len(table)
    return drawn(counts, height=height, x="Rows", y=ROWS, barmode="stack", legend=legend)


def spread_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts of `badge_table` rows by spread, in bins of equal ratio: from (%), to (%), rows."""
    spread = rows["spread"].to_numpy(dtype=float)
    spread = spread[spread > 0]
    if not len(spread):
        return pd.DataFrame({"from (%)": [], "to (%)": [], "rows": []})
    low, high = np.log10(spread.min()), np.log10(spread.max())
    counts, edges = np.histogram(np.log10(spread), bins=_BINS, range=(low, max(high, low + 0.1)))
    return pd.DataFrame({"from (%)": 10 ** edges[:-1], "to (%)": 10 ** edges[1:], "rows": counts})


def spread_figure(table: pd.DataFrame) -> go.Figure:
    """`spread_table` as bars over a logarithmic axis, and the limit."""
    low, high, limit = table["from (%)"], table["to (%)"], 100 * MOST_SPREAD
    middle = np.sqrt(low * high)
    counts = {
        "type": "bar", "x": middle, "width": high - low, "y": table["rows"],
        "marker": {"color": np.where(middle > limit, RED, BLUE)},
        "customdata": table[["from (%)", "to (%)"]],
        "hovertemplate": "%{customdata[0]:.2g} to %{customdata[1]:.2g} %: %{y} rows<extra></extra>",
    }  # fmt: skip
    axis = {
        "title": "Range of rounds (% of median)", "type": "log", "tickvals": _TICKS,
        "ticktext": [f"{tick:g}" for tick in _TICKS],
        "range": np.log10([0.9 * low.min(), 1.1 * max(high.max(), limit)]),
    }  # fmt: skip
    return ruled(drawn([counts], height=340, x=axis, y="Rows"), x=limit, colour=INK)


def drift_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `badge_table` whose drift is known: row, campaign, drift (a factor),
    drift_range (%)."""
    return rows.loc[rows["drift"].notna(), ["row", "campaign", "drift", "drift_range"]]


def drift_figure(table: pd.DataFrame) -> go.Figure:
    """The reference's time over its baseline, row by row in the order of measuring."""
    traces = []
    for number, (campaign, own) in enumerate(table.groupby("campaign", sort=False, dropna=False)):
        half = own["drift"] * own["drift_range"] / 200
        traces.append(
            markers(
                own["row"], own["drift"], marker={"color": (BLUE, SKY)[number % 2], "size": 6},
                error_y=whiskers(0, -half, half, GREY, thickness=1, width=0),
                customdata=own["drift_range"],
                hover="row %{x}: %{y:.3f} × the baseline, %{customdata:.1f} % apart within a "
                f"round<extra>{campaign}</extra>",
            )
        )  # fmt: skip
    titles = {"x": "Row of the table", "y": "Reference's time (× baseline)"}
    return ruled(drawn(traces, height=340, **titles), y=1, colour=INK, dash=None)
