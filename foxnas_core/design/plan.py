"""The next batch of a study: which subnets, what they will tell, and how long they will take."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.design.exchange import STARTS, Batch, next_batch
from foxnas_core.design.gain import ExpectedGain, expected_gain
from foxnas_core.errors import InvalidInput
from foxnas_core.features import build_form
from foxnas_core.regression import Predictor, fit
from foxnas_core.table import SECONDS, MeasurementTable


@dataclass(frozen=True, eq=False)
class MeasurementPlan:
    """`gain` is None where the rows there are can't carry the form yet, so that there is no
    interval to become narrower; `why` then says so. `seconds` is what a row took in this study
    (median), None where no campaign recorded it."""

    target: str
    batch: Batch
    gain: ExpectedGain | None
    why: str
    seconds: float | None
    table_fingerprint: str

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
    `InvalidInput` for a target whose predictor is calibrated from another device's, which few rows
    anywhere serve, and as `next_batch`.
    """
    why = ""
    if predictor is None:
        try:
            predictor = fit(table, target, form)
        except InvalidInput as error:
            why = str(error)
    elif predictor.df is not None:
        raise InvalidInput(
            f"The predictor of {target} is calibrated from another device's, so it has no effects "
            "of its own to learn; plan for that device, or measure rows spread over its latency."
        )
    known = np.zeros(len(table), dtype=bool)
    with suppress(InvalidInput):
        known = np.isfinite(table.values(target))
    measured = table.codes[known]
    if predictor is None:
        few = "per_layer" if table.ordered else "stage_counts"
        built = build_form(few if form == "auto" else form, table.space, target)
    else:
        built = predictor.form
    others = table.codes[~known] if taken is None else np.vstack([table.codes[~known], taken])
    batch = next_batch(
        built, measured, count, seed=seed, starts=starts, taken=others, report=report
    )
    gain = predictor and expected_gain(predictor, measured, batch, seed=seed)
    return MeasurementPlan(
        target, batch, gain, why, seconds_a_row(table), table.fingerprint
    )


def seconds_a_row(table: MeasurementTable) -> float | None:
    """The median over rows of the seconds that measuring one took; None where none recorded it."""
    taken = pd.to_numeric(table.frame.get(SECONDS, pd.Series(dtype=float)), errors="coerce")
    taken = taken[np.isfinite(taken) & (taken > 0)]
    return float(taken.median()) if len(taken) else None
