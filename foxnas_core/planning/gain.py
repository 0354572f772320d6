"""What a batch is expected to do to the intervals, beside random batches of the same size.

The standard error of an effect c'b is σ √(c'M⁻¹c), so how much narrower its interval becomes is
known before anything is measured, if the batch scatters about the fit as the rows there are do.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.explanation.coefficients import effect_rows
from foxnas_core.planning.coordinate_exchange import DesignBatch
from foxnas_core.planning.information import Information, information_of
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form

DRAWS = 20
# How many times the batch's rows random ones are followed for, to see when they tell as much, and
# how many at most.
_FURTHER, _MOST = 8, 600


@dataclass(frozen=True, eq=False)
class ExpectedGain:
    """How much narrower intervals become with a batch.

    - `effects`: one row a choice, the first seven columns of `choice_effects`, then `std_error`,
      `expected` (with the batch, both in the target's unit) and `ratio` of the two.
    - `coefficients`: term, label and the same three columns.
    - `curve`: one row a size, from 0 rows on: rows, `batch`, the mean ratio over effects after
      so many rows of the batch, and `random`, `random_low`, `random_high`, its mean and 90 % range
      over `DRAWS` random batches, as `measure --count` draws them.
    - `efficiency`: D-efficiency of the random batches beside the batch, (det M_random /
      det M_batch)^(1/terms), by the mean of their ln det.
    - `equal_rows`: how many random rows narrow the intervals as much on average; None where
      `followed` are too few.
    """

    effects: pd.DataFrame
    coefficients: pd.DataFrame
    curve: pd.DataFrame
    efficiency: float
    equal_rows: int | None
    seed: int
    followed: int

    @property
    def narrower(self) -> float:
        """By which share the effects' intervals become narrower on average."""
        return 1.0 - float(self.curve["batch"].iloc[-1])

    @property
    def narrower_by_random(self) -> float:
        return 1.0 - float(self.curve["random"].iloc[-1])

    def per_minute(self, seconds: float) -> tuple[float, float]:
        """The share by which intervals become narrower in a minute of measuring, by the batch and
        by random rows, at so many seconds a row."""
        minutes = seconds * int(self.curve["rows"].iloc[-1]) / 60
        return self.narrower / minutes, self.narrower_by_random / minutes


def expected_gain(
    predictor: Predictor, measured: np.ndarray, batch: DesignBatch, *, seed: int = 0
) -> ExpectedGain:
    """What `batch` does to the intervals of a predictor fitted to `measured` (rows, decisions).

    The link's ceiling, where there is one, is taken as known. `seed` draws the random batches.
    """
    form, rows = predictor.form, len(batch)
    if predictor.err_together:  # a subnet's further rows tell little of what others do
        measured = np.unique(measured, axis=0)
    matrix, _ = information_of(form.matrix(measured))
    keys, effects = effect_rows(form)
    scale = predictor.residual_variance**0.5
    before = Information(matrix)
    after = Information(matrix)
    for row in form.matrix(batch.codes):
        after.add(row)
    tables = []
    for combinations in (effects, form.shown):
        std_error, expected = (
            scale * np.sqrt(np.einsum("ij,ij->i", combinations @ i.inverse, combinations))
            for i in (before, after)
        )
        tables.append({"std_error": std_error, "expected": expected, "ratio": expected / std_error})
    names = {"term": [t.name for t in form.terms], "label": [t.label for t in form.terms]}
    own, _ = _course(form, matrix, effects, batch.codes)
    left = form.space.size - len(np.unique(measured, axis=0))
    followed = min(max(min(_FURTHER * rows, _MOST), rows), left)
    courses, log_dets = _random_courses(form, matrix, effects, measured, followed, rows, seed)
    low, high = np.quantile(courses[:, : rows + 1], [0.05, 0.95], axis=0)
    mean = courses.mean(axis=0)
    equal = np.flatnonzero(mean <= own[-1])
    return ExpectedGain(
        effects=pd.concat([keys, pd.DataFrame(tables[0])], axis=1),
        coefficients=pd.DataFrame(names | tables[1]),
        curve=pd.DataFrame(
            {
                "rows": np.arange(rows + 1),
                "batch": own,
                "random": mean[: rows + 1],
                "random_low": low,
                "random_high": high,
            }
        ),
        efficiency=float(np.exp((log_dets.mean() - after.log_det) / form.parameters)),
        equal_rows=int(equal[0]) if len(equal) else None,
        seed=seed,
        followed=followed,
    )


def _random_courses(
    form: Form,
    matrix: np.ndarray,
    effects: np.ndarray,
    measured: np.ndarray,
    followed: int,
    rows: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Courses (draws, followed + 1) of random rows, and ln det (draws,) after `rows` of them."""
    space = form.space
    exclude = space.ids(measured)
    # One long sample, of which each batch begins at another place: drawing takes most of the time.
    count = min(max(DRAWS * rows, followed), space.size - len(set(exclude)))
    pool = space.encode(space.sample(count, seed=seed, exclude=exclude))
    courses, log_dets = [], []
    for number in range(DRAWS):
        drawn = pool[(number * count // DRAWS + np.arange(followed)) % count]
        course, found = _course(form, matrix, effects, drawn)
        courses.append(course)
        log_dets.append(found[rows])
    return np.array(courses), np.array(log_dets)


def _course(
    form: Form, matrix: np.ndarray, effects: np.ndarray, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean ratio of the effects' standard errors, and ln det, after each row of a batch, from no
    row on: (rows + 1,) each."""
    information = Information(matrix)
    variances = np.einsum("ij,ij->i", effects @ information.inverse, effects)
    first = np.sqrt(variances)
    ratios, log_dets = [1.0], [information.log_det]
    for row in form.matrix(codes):
        pulled = information.inverse @ row
        variances = variances - (effects @ pulled) ** 2 / (1.0 + float(row @ pulled))
        information.add(row)
        ratios.append(float((np.sqrt(variances) / first).mean()))
        log_dets.append(information.log_det)
    return np.array(ratios), np.array(log_dets)
