"""Networks that are equal under different ids, where their family has a key under which they meet.

They share what tells how well they do, never what they cost: a device may run what a network's
output doesn't need.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import SIZES, Metric
from foxnas_core.table.readings import pooled_spread


@dataclass(frozen=True, eq=False)
class EqualNetworks:
    """The measured rows of a quality, told by network: `rows` has one row a measured id (network,
    id, value, the mean of its rows, and how many those are), equal networks beside each other.

    `noise` is the standard error of one measurement as far as it is known: the mean that was
    recorded, else the spread of rows of one id, else NaN.
    """

    metric: Metric
    rows: pd.DataFrame = field(repr=False)
    noise: float

    @classmethod
    def of(cls, table: MeasurementTable, metric: Metric) -> "EqualNetworks":
        values = table.values(metric.column)
        measured = np.isfinite(values)
        frame = pd.DataFrame(
            {
                "network": fold_members(table, metric)[measured],
                "id": table.frame["id"].to_numpy()[measured],
                "value": values[measured],
            }
        )
        errors = table.frame.get(metric.std_error_column)
        known = np.array([]) if errors is None else errors.to_numpy(float)[measured]
        known = known[np.isfinite(known)]
        noise = (
            float(known.mean())
            if len(known)
            else pooled_spread(frame["value"].to_numpy(), frame["id"])
        )
        rows = frame.groupby(["network", "id"], sort=False)["value"].agg(["mean", "size"])
        rows = rows.reset_index().rename(columns={"mean": "value", "size": "rows"})
        rows = rows.sort_values("network", kind="stable", ignore_index=True)
        return cls(metric, rows, noise)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """The rows of networks that were measured under several ids."""
        return self.rows[self.rows.duplicated("network", keep=False)].reset_index(drop=True)

    @property
    def repeated(self) -> int:
        """How many of the ids are networks that were measured under another one as well."""
        return len(self.groups)

    @property
    def spread(self) -> float:
        """The pooled standard deviation of the value over the ids of one network."""
        return pooled_spread(self.groups["value"].to_numpy(), self.groups["network"])

    def sentence(self) -> str:
        """How many are equal networks, and how far those differ beside the noise."""
        label, unit = self.metric.label, self.metric.difference_unit
        networks = self.rows["network"].nunique()
        told = (
            f"{self.repeated:,} of {len(self.rows):,} measured architectures are equal to another "
            f"one by what they compute; the table holds {networks:,} different networks."
        )
        if not self.repeated:
            return told
        spread = f"{self.metric.text(self.spread)} {unit}".strip()
        told += f" {label} spreads by {spread} (standard deviation) over the ids of one network"
        if not np.isfinite(self.noise):
            return f"{told}; what one measurement errs by was not recorded."
        noise = f"{self.metric.text(self.noise)} {unit}".strip()
        ratio = f", {self.spread / self.noise:.2g} times as much" if self.noise else ""
        return f"{told}; one measurement errs by {noise}{ratio}."

    def told(self, space: SearchSpace, architecture: Architecture) -> str:
        """Which measured ones compute the same as an architecture, in a sentence; "" for none."""
        key = family_of(space).canonical(space, architecture)
        same = self.rows[(self.rows["network"] == key) & (self.rows["id"] != architecture.id)]
        if same.empty:
            return ""
        named = [
            f"{own} ({self.metric.value_text(value)} measured)"
            for own, value in same[["id", "value"]].head(3).itertuples(index=False)
        ]
        more = f" and {len(same) - 3:,} more" if len(same) > 3 else ""
        return f"This network computes the same as {', '.join(named)}{more}."


def has_keys(space: SearchSpace) -> bool:
    """Whether different architectures of a space may be equal networks."""
    family = family_of(space)
    return family.canonical(space, family.reference(space)) is not None


def is_shared(metric: Metric) -> bool:
    """Whether equal networks have the same of it: a quality, but for sizes that stand in for one,
    which count what a network's output doesn't need."""
    return metric.quality and metric.column not in SIZES


def fold_members(table: MeasurementTable, metric: Metric) -> np.ndarray:
    """What each row (rows,) measures: the network, as far as a quality can tell, or else the id."""
    ids, space = table.frame["id"].to_numpy(), table.space
    if not (is_shared(metric) and has_keys(space)):
        return ids
    return np.array(family_of(space).keys(space, table.codes))
