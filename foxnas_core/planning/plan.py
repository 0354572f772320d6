"""The next batch of a study: which subnets, what they will tell, and how long they will take."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.planning.coordinate_exchange import STARTS, DesignBatch, next_batch
from foxnas_core.planning.gain import ExpectedGain, expected_gain
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import ACROSS, build_form
from foxnas_core.regression.weighing import LEAST_SQUARES
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import SECONDS, MeasurementTable


@dataclass(frozen=True, eq=False)
class MeasurementPlan:
    """`gain` is None where the rows there are can't carry the form yet, so that there is no
    interval to become narrower; `why` then says so. `seconds` is what a row took in this study
    (median), None where no campaign recorded it."""

    target: str
    batch: DesignBatch
    gain: ExpectedGain | None
    why: str
    seconds: float | None
    table_fingerprint: str

    def sentence(self) -> str:
        """What the batch is expected to do."""
        count = f"{len(self.batch)} subnets"
        if self.gain is None:
            return f"{count} are planned without a fit. {self.why}"
        said = (
            f"{count} are expected to make the intervals of effects on {self.target} "
            f"{100 * self.gain.narrower:.1f} % narrower on average; so many random ones would by "
            f"{100 * self.gain.narrower_by_random:.1f} %."
        )
        if self.seconds is None:
            return said
        own, random = self.gain.per_minute(self.seconds)
        return (
            f"{said} At {self.seconds:.1f} s a subnet that is {100 * own:.2f} % a minute of "
            f"measuring instead of {100 * random:.2f} %."
        )

    def to_dict(self) -> dict[str, Any]:
        """The expectation as a JSON document; null where it is unknown."""
        gain = self.gain
        rates = gain and self.seconds and gain.per_minute(self.seconds)
        return {
            "form": self.batch.form.name,
            "log_det": self.batch.log_det,
            "narrower": gain and gain.narrower,
            "narrower_by_random": gain and gain.narrower_by_random,
            "d_efficiency_of_random": gain and gain.efficiency,
            "equal_random_rows": gain and gain.equal_rows,
            "seconds_a_row": self.seconds,
            "narrower_a_minute": rates[0] if rates else None,
            "narrower_a_minute_by_random": rates[1] if rates else None,
            "parents": {"measurements": self.table_fingerprint},
            "seed": self.batch.seed,
        }

    def table(self) -> pd.DataFrame:
        """One row a subnet, in the order to measure them: id and choices."""
        space = self.batch.form.space
        choices = [architecture.to_dict() for architecture in self.batch.architectures()]
        frame = pd.DataFrame(choices, columns=list(space.by_name)).convert_dtypes()
        frame.insert(0, "id", space.ids(self.batch.codes))
        return frame


def plan_next(
    table: MeasurementTable,
    target: str,
    count: int,
    *,
    form: str = "auto",
    seed: int = 0,
    starts: int = STARTS,
    predictor: Predictor | None = None,
    taken: np.ndarray | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> MeasurementPlan:
    """The batch of `count` subnets that makes the effects on `target` known best.

    `predictor` is the target's, fitted here where none is given. Where the rows are too few for
    a fit, `form` is built without one. `taken` (codes) are not to be chosen either. Raises
    `InvalidInput` for a target that is counted, or whose predictor is calibrated from another
    device's, which few rows anywhere serve, and as `next_batch`.
    """
    why = ""
    if predictor is None:
        try:
            predictor = _told_apart(table, target, form)
        except InvalidInput as error:
            why = str(error)
    elif predictor.transferred:
        raise InvalidInput(
            f"The predictor of {target} is calibrated from another device's, so it has no effects "
            "of its own to learn; plan for that device, or measure rows spread over its latency."
        )
    elif predictor.is_counted:
        raise InvalidInput(
            f"{predictor.target.title} are {predictor.exactly} of each network, so that measuring "
            "tells nothing more of them; plan for another target."
        )
    elif predictor.weights is not None or predictor.penalty is not None:
        predictor = _told_apart(table, target, "auto")
    known = np.zeros(len(table), dtype=bool)
    with suppress(InvalidInput):
        known = usable(table, target)
    measured = table.codes[known]
    if predictor is None:
        built = build_form(_few(table) if form == "auto" else form, table.space, target)
    else:
        built = predictor.form
    others = table.codes[~known] if taken is None else np.vstack([table.codes[~known], taken])
    batch = next_batch(
        built, measured, count, seed=seed, starts=starts, taken=others, report=report
    )
    gain = expected_gain(predictor, measured, batch, seed=seed) if predictor else None
    return MeasurementPlan(target, batch, gain, why, seconds_a_row(table), table.fingerprint)


def _told_apart(table: MeasurementTable, target: str, form: str) -> Predictor:
    """A fit for which a design can be made, which spreads rows evenly, whatever their errors are,
    and can't part pooled terms: of a form across stages, what it is across. Raises as `fit`."""
    predictor = fit(table, target, form, estimator=LEAST_SQUARES)
    if predictor.penalty is None:
        return predictor
    base = ACROSS.get(predictor.form.name, _few(table))
    return fit(table, target, base, estimator=LEAST_SQUARES)


def _few(table: MeasurementTable) -> str:
    return "per_layer" if table.ordered else "stage_counts"


def seconds_a_row(table: MeasurementTable) -> float | None:
    """The median over rows of the seconds that measuring one took; None where none recorded it."""
    taken = pd.to_numeric(table.frame.get(SECONDS, pd.Series(dtype=float)), errors="coerce")
    taken = taken[np.isfinite(taken) & (taken > 0)]
    return float(taken.median()) if len(taken) else None
