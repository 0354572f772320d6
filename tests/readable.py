"""Whether a figure has what a reader needs: units on its axes and hovers in words."""

from collections.abc import Iterator

import numpy as np
from plotly import graph_objects as go

_PLANE = ("scatter", "scattergl", "bar", "heatmap", "histogram", "box", "violin")


def lacks(figure: go.Figure) -> Iterator[str]:
    """A sentence for each axis of numbers without a title, each trace with Plotly's own hover."""
    layout = figure.layout.to_plotly_json()
    # Panels beside each other are titled on top.
    on_top = "xaxis2" in layout and any(a.text for a in figure.layout.annotations)
    for number, trace in enumerate(figure.data):
        if trace.type not in _PLANE:
            continue
        for letter in "xy":
            values = getattr(trace, letter)
            axis = layout.get(
                (getattr(trace, f"{letter}axis") or letter).replace(letter, f"{letter}axis", 1), {}
            )
            numeric = (
                values is not None
                and len(values)
                and all(isinstance(v, int | float | np.number) for v in list(values)[:20])
            )
            hidden = axis.get("showticklabels") is False or axis.get("visible") is False
            named = (
                (axis.get("title") or {}).get("text") or axis.get("ticktext") or axis.get("matches")
            )
            if numeric and not hidden and not named and not on_top:
                yield f"trace {number} ({trace.name}): no title on its {letter} axis"
        if not (trace.hovertemplate or trace.hovertext or trace.hoverinfo in ("skip", "none")):
            yield f"trace {number} ({trace.name}): plotly's own hover"
