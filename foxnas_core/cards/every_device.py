"""All devices of a table at once: whether they order networks alike, and what the best network of
one loses on another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of, measure_of, not_measured, one_device
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.common import device_of
from foxnas_core.devices.moving import Measured
from foxnas_core.devices.ranks import LEAST_ROWS, rank_correlations
from foxnas_core.families import family_of
from foxnas_core.figures import every_device as figures
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import COUNTABLE, Metric, metric_of
from foxnas_core.table.readings import means_of

_LEAST_NETWORKS = 20  # of which one is the best
SHARES = tuple(number / 100 for number in range(5, 100, 5))


def names_for(table: MeasurementTable, columns: Sequence[str]) -> dict[str, str]:
    """What columns are called beside each other: those of a device by that, as far as that tells
    them apart."""
    metrics = {column: metric_of(column) for column in columns}
    heads = {metric.head for metric in metrics.values() if metric.suffix == "DEVICE"}
    return {
        column: metric.label if metric.suffix != "DEVICE" or len(heads) > 1 else device_of(metric)
        for column, metric in metrics.items()
    }


def devices_of(given: Given) -> dict[str, str]:
    """The devices' columns, each with what it is called."""
    return names_for(given.table, columns_of(given))


# Whether devices agree


@shared(spinner="Comparing the order of all networks …")
def _ranks(given: Given) -> pd.DataFrame:
    table = without_failed(given.table)
    costs = [target.column for target in table.targets if not target.quality]
    means = means_of(table, costs)
    columns = {column: means.values[column] for column in costs if column not in COUNTABLE}
    for column in COUNTABLE:
        codes = means.codes.astype(np.intp)
        own = means.values.get(column)
        totals = family_of(table.space).totals(table.space, codes, column) if own is None else own
        if totals is not None:
            columns[column] = totals
    return rank_correlations(columns)


def _no_ranks(given: Given) -> str | None:
    if sentence := not_measured(given):
        return sentence
    if _ranks(given)["tau"].notna().any():
        return None
    return one_device(given) or (
        f"No two costs are known of {LEAST_ROWS} networks that differ, so nothing tells whether "
        "they order networks alike; measure the same networks on both devices."
    )


@analysis("Devices", "ranks", "Do the devices agree on the order?", _no_ranks)
def ranks(given: Given) -> Card:
    """Kendall's τ of each pair of costs."""
    table = _ranks(given).dropna(subset="tau")
    names = names_for(given.table, list(dict.fromkeys([*table["first"], *table["second"]])))
    devices = table[~table["first"].isin(COUNTABLE) & ~table["second"].isin(COUNTABLE)]
    said = []
    if len(devices) > 1:
        low, high = _ends(devices, "tau")
        said = [f"Devices agree least on {_pair(low, names)} and most on {_pair(high, names)}."]
    elif len(devices):
        said = [f"{_pair(devices.iloc[0], names)}."]
    for column in COUNTABLE:
        own = table[(table["second"] == column) & ~table["first"].isin(COUNTABLE)]
        if len(own):
            low, high = _ends(own, "tau")
            span = f"τ {low['tau']:.2f} on {names[low['first']]}"
            if len(own) > 1:
                span += f" to {high['tau']:.2f} on {names[high['first']]}"
            said.append(f"{names[column]} stand in for a device's order with {span}.")
    return Card(
        sentence=" ".join(said),
        table=table.reset_index(drop=True),
        draw=lambda: figures.rank_figure(table, names),
        notes=(
            "Kendall's τ: of two networks drawn at random, how much more likely the columns put "
            "them in the same order than in opposite ones; 1 is the same order throughout, 0 none. "
            "Pointed at, a cell tells its 95 % interval for networks drawn like these.",
        ),
    )  # fmt: skip


def _ends(table: pd.DataFrame, column: str) -> tuple["pd.Series", "pd.Series"]:
    """The rows with the least and the most of a column."""
    values = table[column].to_numpy()
    return table.iloc[int(values.argmin())], table.iloc[int(values.argmax())]


def _pair(row: "pd.Series", names: Mapping[str, str]) -> str:
    return (
        f"{names[row['first']]} and {names[row['second']]} (τ {row['tau']:.2f}, 95 % interval "
        f"{row['low']:.2f} to {row['high']:.2f})"
    )


# The best network of one device on another


@dataclass(frozen=True, eq=False)
class _Gained:
    """What is measured on all devices, and of what the best has most."""

    measured: Measured = field(repr=False)
    gain: Metric

    @property
    def note(self) -> str:
        """Of what is read."""
        return f"Of {len(self.measured):,} networks measured on every device."


@shared()
def _gained(given: Given, objective: str) -> _Gained | None:
    table, devices = without_failed(given.table), columns_of(given)
    if objective not in [target.column for target in table.targets]:
        return None
    means, gain = means_of(table, [*devices, objective]), metric_of(objective)
    costs = np.column_stack([means.values[column] for column in devices])
    ids = table.frame["id"].drop_duplicates().to_numpy(dtype=object)
    return _Gained(Measured.of(ids, gain.sign * means.values[objective], costs, devices), gain)


def _gain_of(given: Given) -> _Gained:
    found = _gained(given, given.traded[0])
    assert found is not None
    return found


def _no_best(given: Given) -> str | None:
    if sentence := one_device(given):
        return sentence
    found, objective = _gained(given, given.traded[0]), metric_of(given.traded[0])
    if found is None:
        return (
            f"The table has no {objective.word}, so there is no best network; import or measure a "
            "column that tells how good they are."
        )
    if len(found.measured) < _LEAST_NETWORKS:
        return (
            f"{len(found.measured)} networks are measured on every device, of which the best says "
            f"little; measure {_LEAST_NETWORKS} or more on all of them."
        )
    return None


def _losses(given: Given) -> Options:
    gain = _gain_of(given).gain
    return {
        "share": {share: f"{100 * share:.0f} %" for share in SHARES},
        "loss": {"extra": f"more {measure_of(given).word}", "lost": f"less {gain.word}"},
    }


@analysis("Devices", "moved", "The best network of one device, run on another", _no_best, _losses)
def moved(given: Given, *, share: float = 0.5, loss: str = "extra") -> Card:
    """What a network loses that was chosen for another device."""
    found, cost, names = _gain_of(given), measure_of(given), devices_of(given)
    table = found.measured.moved(share)
    unit = "%" if loss == "extra" else found.gain.difference_unit
    digits = 1 if loss == "extra" else (found.gain.digits or 0)
    if loss == "lost" and found.gain.digits is None:  # nobody reads a difference of millions
        table = table.assign(lost=100 * table["lost"] / table["gain"].abs())
        unit, digits = "%", 1
    worst = _ends(table, loss)[1]
    home, device = names[worst["home"]], names[worst["device"]]
    amount = f"{worst[loss]:.{digits}f} {unit}"
    told = (
        f"takes {amount} more {cost.word} on {device} than one at least as good that was looked "
        "for there"
        if loss == "extra"
        else f"gives away {amount} on {device} against the best that costs no more there"
    )
    one = f"the best network of {home} {told}"
    said = (
        "No device's best network loses anything on another one at this budget."
        if not worst[loss] > 0
        else f"{one[0].upper()}{one[1:]}: the most of all pairs."
    )
    return Card(
        sentence=said,
        table=table.assign(**{n: found.gain.sign * table[n] for n in ("gain", "better")}),
        draw=lambda: figures.moved_figure(table, names, loss, digits, unit),
        notes=(
            f"Best on each device within the budget that {100 * share:.0f} % of the networks keep "
            f"there. {found.note}",
        ),
    )


@analysis("Devices", "fronts", "The fronts of all devices", _no_best)
def fronts(given: Given) -> Card:
    """The best measured networks of each device, on one axis."""
    found, cost, names = _gain_of(given), measure_of(given), devices_of(given)
    table = found.measured.fronts()
    table["gain"] *= found.gain.sign
    counts = table["device"].value_counts()
    together = table.groupby("id")["device"].nunique()
    every = int((together == len(names)).sum())
    return Card(
        sentence=f"{len(together)} networks are on the front of some device, {every} of them on "
        f"that of all {len(names)}; the fronts hold {counts.min()} to {counts.max()}.",
        table=table,
        draw=lambda: figures.fronts_figure(table, names, found.gain, cost),
        notes=(found.note,),
    )
