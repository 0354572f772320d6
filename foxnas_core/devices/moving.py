"""The best network of one device on another: what it loses there, and the fronts of all devices.

All that is read was measured, each network by the mean of its rows. "Best" is by one column, the
gain, which is more of what is wanted the greater it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Measured:
    """Networks that were measured on every device: their `gain` (n,) and `costs` (n, devices) of
    the `devices`, whose columns these are, with the `ids` (n,)."""

    ids: np.ndarray = field(repr=False)
    gain: np.ndarray = field(repr=False)
    costs: np.ndarray = field(repr=False)
    devices: tuple[str, ...]

    @classmethod
    def of(
        cls,
        ids: Sequence[str] | np.ndarray,
        gain: np.ndarray,
        costs: np.ndarray,
        devices: Sequence[str],
    ) -> "Measured":
        """Those of all networks that have the gain and every cost."""
        known = np.isfinite(gain) & np.isfinite(costs).all(axis=1)
        return cls(np.asarray(ids)[known], gain[known], costs[known], tuple(devices))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _fronts(self) -> list[np.ndarray]:
        """On each device the networks that none beats: positions by rising cost and gain."""
        found = []
        for own in self.costs.T:
            order = np.lexsort((-self.gain, own))
            best = np.maximum.accumulate(self.gain[order])
            rises = np.append(True, self.gain[order][1:] > best[:-1])
            found.append(order[rises])
        return found

    def fronts(self) -> pd.DataFrame:
        """One row a device and network that no other beats there: device, id, cost, relative (the
        cost as a multiple of the device's median), gain."""
        parts = [
            pd.DataFrame(
                {
                    "device": device,
                    "id": self.ids[front],
                    "cost": own[front],
                    "relative": own[front] / np.median(own),
                    "gain": self.gain[front],
                }
            )
            for device, front, own in zip(self.devices, self._fronts, self.costs.T, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def moved(self, share: float) -> pd.DataFrame:
        """One row a pair of devices, of which the best network of `home` within the budget that so
        large a `share` of the networks keeps runs on `device`.

        Columns: home, device, id, gain, `cost` on the device, `own` (the least cost there of a
        network as good), `extra` (by how many percent more it costs than that), `better` (the most
        gain at its cost there) and `lost` (how much more that is). Both losses are 0 at home.
        """
        rows = []
        for home, column, front in zip(self.devices, self.costs.T, self._fronts, strict=True):
            within = column[front] <= np.quantile(column, share)
            best = front[within][-1] if within.any() else front[0]
            for device, costs, other in zip(self.devices, self.costs.T, self._fronts, strict=True):
                gains, prices = self.gain[other], costs[other]
                own = float(prices[np.searchsorted(gains, self.gain[best])])
                at = np.searchsorted(prices, costs[best], side="right") - 1
                rows.append(
                    {
                        "home": home, "device": device, "id": self.ids[best],
                        "gain": self.gain[best], "cost": costs[best], "own": own,
                        "extra": 100 * (costs[best] / own - 1), "better": gains[at],
                        "lost": gains[at] - self.gain[best],
                    }
                )  # fmt: skip
        return pd.DataFrame(rows)
