from collections.abc import Sequence

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table
from hand import table_of as table_of_codes

from benchmarks import evaluation, repeatability
from benchmarks import search as searches
from benchmarks.predictors import (
    Run,
    compare,
    run_auto,
    table_of,
    text_of,
)
from benchmarks.regressors import Rival, nominal, numeric, one_hot
from benchmarks.searchers import Lookup
from foxnas_core.regression.assessment import Data
from foxnas_core.regression.features import build_form
from foxnas_core.regression.leastsquares import deal_folds
from foxnas_core.search.strategies.goal import evaluation_of
from foxnas_core.table.measurements import table_from_frame
from tests.search.additive import mini_problem

SPACE = hand_space()
SEEDS = (0, 1)


def per_layer(space, codes: np.ndarray) -> np.ndarray:
    return build_form("per_layer", space, "accuracy").matrix(codes)


def least_squares(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    return held @ np.linalg.lstsq(x, y)[0]


def mean(x: np.ndarray, y: np.ndarray, held: np.ndarray, seed: int) -> np.ndarray:
    return np.full(len(held), y.mean())


RIVALS = {
    "least squares": Rival(least_squares, {"per layer": per_layer}),
    "mean": Rival(mean, {"one-hot": one_hot}),
}


def run_of(runs: Sequence[Run], model: str, link: str = "none") -> Run:
    return next(run for run in runs if (run.model, run.link) == (model, link))


def test_all_models_are_scored_on_the_same_folds() -> None:
    table = noisy_table(SPACE, 80)
    runs = compare(table, "accuracy", seeds=SEEDS, rivals=RIVALS)
    y = table.values("accuracy")
    x = per_layer(SPACE, table.codes)
    for number, seed in enumerate(SEEDS):
        fold = deal_folds(table.frame["id"].to_numpy(), seed)
        own, means = np.empty(80), np.empty(80)
        for held in (fold == f for f in range(10)):
            own[held] = least_squares(x[~held], y[~held], x[held], seed)
            means[held] = y[~held].mean()
        for model in ("per_layer", "least squares"):
            assert run_of(runs, model).held_out[number] == pytest.approx(own, abs=1e-9)
        assert run_of(runs, "mean").held_out[number] == pytest.approx(means, abs=1e-9)
    assert run_of(runs, "auto", "auto").picked.total() == 10 * len(SEEDS)


def test_no_part_of_the_picking_sees_the_fold_it_is_tried_on() -> None:
    table = noisy_table(SPACE, 80)
    held = deal_folds(table.frame["id"].to_numpy(), 0) == 3
    other = table.values("latency_ms") + np.where(held, np.linspace(0, 50, 80), 0.0)
    tables = (table, table_of_codes(SPACE, table.codes, latency_ms=other))
    first, second = (run_auto(own, Data.of(own, "latency_ms"), [0]).held_out[0] for own in tables)
    assert first[held] == pytest.approx(second[held], abs=1e-9)
    # The other folds' fits read those rows, though what lies far off hardly moves them.
    assert np.abs(first - second)[~held].max() > 0.01


def test_a_rival_gets_the_link_of_its_training_rows() -> None:
    runs = compare(saturating_table(SPACE, 80), "accuracy", seeds=[0], rivals=RIVALS)
    ours, theirs = (run_of(runs, m, "saturating") for m in ("per_layer", "least squares"))
    # Ours stretches about the mean of all rows instead of that of the training rows.
    assert theirs.scores["RMSE"] == pytest.approx(ours.scores["RMSE"], rel=0.05)
    assert theirs.scores["RMSE"] < run_of(runs, "least squares").scores["RMSE"]


def test_the_table_marks_the_best_of_a_column() -> None:
    runs = compare(noisy_table(SPACE, 80), "latency_ms", seeds=[0], rivals=RIVALS)
    table = table_of(runs)
    assert table["model"].to_list()[-3:] == ["auto", "least squares", "mean"]
    assert set(table["link"]) == {"none", "auto"}
    lines = text_of(table).splitlines()
    assert len({len(line) for line in lines}) == 1
    best = table["RMSE"].min()
    for line, rmse in zip(lines[1:], table["RMSE"], strict=True):
        assert (f" {rmse:.4f}*" in line) == (f"{rmse:.4f}" == f"{best:.4f}")


def test_counts_are_read_only_where_the_order_is_unknown() -> None:
    def nothing(space, codes: np.ndarray) -> np.ndarray:
        return np.ones((len(codes), 1))

    rivals = {"least squares": Rival(least_squares, {"none": nothing}, {"counts": one_hot})}
    for ordered, read in ((True, "none"), (False, "counts")):
        table = noisy_table(SPACE, 80, ordered=ordered)
        runs = compare(table, "latency_ms", seeds=[0], rivals=rivals)
        assert run_of(runs, "least squares").coding == read
        assert ("per_layer" in {run.model for run in runs}) == ordered


def test_codings() -> None:
    # p_depth 1, p1 of kernel 5, p2 inactive, q1 of kernel 7
    codes = np.array([[0, 1, -1, 2]], dtype=np.int16)
    assert one_hot(SPACE, codes).tolist() == [[1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1]]
    assert nominal(SPACE, codes).tolist() == [["1", "5", "inactive", "7"]]
    assert numeric(SPACE, codes).tolist() == [[1, 5, 0, 7]]


def test_searches_are_raced_beside_the_exact_optimum() -> None:
    whole = mini_problem()
    table = searches.race(whole, searches.QUICK)
    assert list(table.index) == ["annealing, to within 0.01 %", *searches.METHODS]
    gaps = table["mean gap %"].astype(float).iloc[1:]
    assert (gaps.dropna() > -1e-9).all()
    assert abs(gaps["milp, one call"]) < 1e-6 and abs(gaps["annealing"]) < 0.01
    assert gaps["random"] > gaps["annealing"]
    assert (table["time / ours"].astype(float) > 0).all()


def test_our_annealer_is_counted_over_budgets() -> None:
    table = searches.reliability(mini_problem(), 12)
    assert table["runs"].to_list() == [2] * 6 + [12]
    assert table.loc["all budgets", "within .01 %"] == "100.00%"
    assert set(searches.front_ratio(mini_problem(), 1).index) == {
        "whole front, ms", "one milp, ms", "front / milp",
    }  # fmt: skip


def test_looked_up_predictions_are_those_of_the_predictors() -> None:
    problem = mini_problem()
    lookup = Lookup(problem)
    architectures = problem.space.decode(problem.space.random_codes(100, seed=0))
    found, expected = lookup.evaluate(architectures), evaluation_of(problem)(architectures)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-9)


def test_every_way_of_scoring_is_held_against_the_naive_loop(tiny_checkpoint, tiny_dataset) -> None:
    calibration = tiny_dataset.training.take(slice(0, 100))
    bench = evaluation.Bench(tiny_checkpoint, calibration, tiny_dataset.held_out)
    architectures = tiny_checkpoint.supernet.space.sample(5, seed=0)
    table = evaluation.compare(bench, architectures, repeats=1)
    assert list(table.index) == list(bench.ways()) and table.index[0] == evaluation.NAIVE
    assert table.loc[evaluation.NAIVE, "times naive"] == 1
    # Sums are rounded otherwise; hardly an image of 300 is so near a boundary.
    assert (table["images that differ"] <= 5).all()
    assert (table["subnets a core-hour"] > 0).all()


def test_repeatability_is_that_of_the_drift_corrected_latency() -> None:
    """A second campaign on a machine half as fast: as the clock says, twice the time."""
    first = noisy_table(SPACE, 30)
    frames = []
    for drift, off in ((1.0, 1.0), (2.0, 1.03)):
        own = {f"drift_{c}": np.full(30, drift) for c in repeatability.COLUMNS.values()}
        own |= {c: 5 * off * np.ones(30) for c in repeatability.COLUMNS.values()}
        frames.append(first.frame.assign(**own))
    found = repeatability.compared(*(table_from_frame(SPACE, frame) for frame in frames))
    assert found["subnets"].tolist() == [30] * 6
    assert found["median %"].tolist() == pytest.approx([106, 3, 3] * 2)
