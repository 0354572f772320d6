"""What each block of a subnet takes by the regressions: on two devices, and beside a second subnet.

The subnet is the chosen one, else the best within the budget, else the family's reference; the
second one that which it is edited from, where it differs.
"""

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.model_graph import block_prices_of
from foxnas_core.devices.common import device_of, latency_columns, titled
from foxnas_core.figures.layer_tables import REST, percent_text, times_table
from foxnas_core.figures.model_graph import views_figure
from foxnas_core.space.called import called
from foxnas_core.table.metrics import metric_of


def others(given: Given) -> dict[str, str]:
    """The latency columns that may stand beside the cost's, by what they are called."""
    columns = latency_columns(given.table)
    return {c: titled(given.table, c) for c in columns if c != given.traded[1]}


def _columns(given: Given, device: str) -> list[str]:
    own = given.traded[1]
    return [c for c in (own, device) if c in latency_columns(given.table)]


def _no_times(given: Given) -> str | None:
    """What keeps times of blocks from being told; raises as `Given.predictor`."""
    if not len(given.table) or not (columns := latency_columns(given.table)):
        return (
            "No latency is measured, from which a block's time could be told; measure subnets with "
            "'python -m foxnas_core measure' or import a table with a column latency_ms."
        )
    given.predictor(_columns(given, "")[0] if _columns(given, "") else columns[0])
    return None


def _devices(given: Given) -> Options:
    return {"device": {"": "One device", **others(given)}}


@analysis("Model graph", "times", "Each block's time on each device", _no_times, _devices)
def times(given: Given, *, device: str = "") -> Card:
    """Each block's price in one latency, or in two, of one subnet or of two."""
    columns = _columns(given, device) or latency_columns(given.table)[:1]
    subnets = {called(given.subnet.id): given.subnet}
    if given.start is not None and given.start != given.subnet:
        subnets[called(given.start.id)] = given.start
    prices = {
        ", ".join([device_of(metric_of(column)), *([name] if len(subnets) > 1 else [])]):
        block_prices_of(given, column, subnet)
        for name, subnet in subnets.items()
        for column in columns
    }  # fmt: skip
    table = times_table(prices)
    told = (
        "By the regressions of latencies, whatever machine this is: what each block adds, with "
        "95 % intervals. Drawn are blocks that a subnet can be without; the rest, which every "
        "subnet has, is in the table."
    )
    if len(prices) > 1:
        told = f"{_largest(table)} {told}"
    return Card(
        sentence=told,
        table=table,
        draw=lambda: views_figure(table[table["block"] != REST], as_shares=False),
    )


def _largest(table: pd.DataFrame) -> str:
    """Of which block the share of the whole differs most between the views."""
    shares = table.pivot_table(index="block", columns="view", values="share (%)", sort=False)
    values, views = shares.fillna(0.0).to_numpy(), list(shares.columns)
    place = int(np.argmax(np.ptp(values, axis=1)))
    most, least = int(values[place].argmax()), int(values[place].argmin())
    return (
        f"What differs most is {shares.index[place]}: {percent_text(values[place, most], 100)} of "
        f"the whole ({views[most]}) and {percent_text(values[place, least], 100)} ({views[least]})."
    )
