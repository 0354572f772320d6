"""The regressors that the forms are held against, and the codings that they read."""

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from foxnas_core.regression.features import build_form
from foxnas_core.space.search_space import SearchSpace

PAIRS = 10

# From (space, codes (n, decisions)) to a regressor's input (n, columns).
Coding = Callable[[SearchSpace, np.ndarray], np.ndarray]
# From input and response of the training rows, input of the others and a seed to predictions.
Regressor = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def one_hot(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """One column a choice, and one for "inactive" where a decision can be that."""
    columns = [
        codes[:, [position]] == np.arange(-1 if decision.conditions else 0, len(decision.choices))
        for position, decision in enumerate(space.decisions)
    ]
    return np.hstack(columns).astype(float)


def nominal(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """Choices as text."""
    labels = [np.array([*map(str, d.choices), "inactive"], dtype=object) for d in space.decisions]
    return np.stack([own[c] for own, c in zip(labels, codes.T, strict=True)], axis=1)


def numeric(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """Choices as numbers, 0 where inactive; one column a choice where they are no numbers."""
    columns = []
    for decision, own in zip(space.decisions, codes.T, strict=True):
        if all(isinstance(choice, int | float) for choice in decision.choices):
            columns.append(np.array([*decision.choices, 0.0])[own][:, np.newaxis])
        else:
            columns.append((own[:, np.newaxis] == np.arange(len(decision.choices))).astype(float))
    return np.hstack(columns)


def choice_counts(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    # Of a target that no resolution scales; without the intercept.
    return build_form("choice_counts", space, "accuracy").matrix(codes)[:, 1:]


def state_counts(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    return build_form("stage_counts", space, "accuracy").matrix(codes)[:, 1:]


def ridge(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 3, 26)))
    return model.fit(x, y).predict(held)


def lasso_quadratic(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.linear_model import LassoCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    model = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(degree=2, include_bias=False),
        StandardScaler(),
        LassoCV(alphas=40, eps=3e-3, cv=5, max_iter=3000, tol=1e-3),
    )
    return model.fit(x, y).predict(held)


def boosting(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        learning_rate=0.1, max_iter=400, max_leaf_nodes=4, min_samples_leaf=5,
        l2_regularization=1.0, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(x, y).predict(held)


def mlp(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    """Of three layers, as once-for-all's."""
    return _network((400, 400, 400), x, y, held, seed)


def two_layers(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    return _network((128, 128), x, y, held, seed)


def _network(
    layers: tuple[int, ...], x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int
) -> np.ndarray:
    from sklearn.neural_network import MLPRegressor

    center, spread = y.mean(), y.std()
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    # Without the decay its error is half as large again; single precision is twice as fast.
    model = MLPRegressor(
        hidden_layer_sizes=layers, alpha=1.0, batch_size=64, early_stopping=True,
        n_iter_no_change=12, max_iter=200, random_state=seed,
    )  # fmt: skip
    x, held = (((own - mean) / scale).astype(np.float32) for own in (x, held))
    model.fit(x, ((y - center) / spread).astype(np.float32))
    return center + spread * model.predict(held).astype(float)


def ebm(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    from interpret.glassbox import ExplainableBoostingRegressor

    kind = "nominal" if x.dtype == object else "continuous"
    # Smoothing is for finely graded numbers; choices are few.
    model = ExplainableBoostingRegressor(
        feature_types=[kind] * x.shape[1], interactions=PAIRS, outer_bags=4, learning_rate=0.04,
        max_rounds=1000, smoothing_rounds=0, interaction_smoothing_rounds=0, n_jobs=1,
        random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        # Choices that a bag lacks are a matter of course in small tables.
        warnings.simplefilter("ignore", UserWarning)
        return model.fit(x, y).predict(held)


class Rival(NamedTuple):
    """A regressor with the codings it may read, and those beside them where the order of blocks is
    unknown. The coding of the least error on the first seed's folds is the one reported."""

    regressor: Regressor
    codings: Mapping[str, Coding]
    counts: Mapping[str, Coding] = {}


_CHOICES = {"choice counts": choice_counts}
_COUNTS = {**_CHOICES, "state counts": state_counts}
RIVALS: Mapping[str, Rival] = {
    "ridge": Rival(ridge, {"one-hot": one_hot}, _COUNTS),
    # Products of the state counts would be thousands.
    "lasso-quadratic": Rival(lasso_quadratic, {"numbers": numeric}, _CHOICES),
    "gradient boosting": Rival(boosting, {"one-hot": one_hot, "numbers": numeric}, _COUNTS),
    # From the state counts its error is half as large again.
    "MLP": Rival(mlp, {"one-hot": one_hot}, _CHOICES),
    "EBM": Rival(ebm, {"nominal": nominal}, _COUNTS),
}
