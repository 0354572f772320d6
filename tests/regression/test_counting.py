import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hand import hand_space, noisy_table, table_of

from foxnas_core.families import family_of, load_shipped
from foxnas_core.regression.counting import counted_predictor, disagreement, with_counted
from foxnas_core.regression.inference import inference
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.steps.fit import fit_all
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import COUNTABLE
from tests.search.additive import solve_exact

SPACES = ["foxnas-mini", "foxnas-cpu", "ofa-mobilenetv3", "fbnet-cifar100", "nasbench201"]
MINI = load_shipped("foxnas-mini")


def counts(space: SearchSpace, codes: np.ndarray, column: str) -> np.ndarray:
    parts = family_of(space).counts(space, column)
    return np.hstack([part.columns(codes.astype(np.intp)) for part in parts]).sum(axis=1)


def counted_table(space: SearchSpace, rows: int) -> MeasurementTable:
    table = noisy_table(space, rows)
    targets = {t.column: table.values(t.column) for t in table.targets}
    own = {column: counts(space, table.codes, column) for column in COUNTABLE}
    return table_of(space, table.codes, **targets, **own)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("column", COUNTABLE)
def test_counted_values_are_whole_and_their_intervals_themselves(name: str, column: str) -> None:
    space = load_shipped(name)
    predictor = counted_predictor(counted_table(space, 12), column)
    assert predictor is not None and predictor.is_counted and predictor.is_exact
    codes = space.random_codes(300, seed=5)
    found = predictor.predict_codes(codes)
    np.testing.assert_array_equal(found["value"], counts(space, codes, column))
    for end in ("low", "high", "prediction_low", "prediction_high"):
        np.testing.assert_array_equal(found[end], found["value"])
    # Few rows are computed in another way.
    few = predictor.predict_codes(codes[:3])["value"]
    np.testing.assert_array_equal(few, found["value"][:3])


def test_a_contrast_is_the_mean_difference_that_a_choice_makes() -> None:
    predictor = counted_predictor(counted_table(MINI, 12), "macs")
    assert predictor is not None
    told = predictor.coefficients().set_index("term")
    position = list(MINI.by_name).index("s1b1_kernel")
    difference = counts_of_slot(position, 2) - counts_of_slot(position, 0)
    assert told.loc["s1b1_kernel=7", "estimate"] == pytest.approx(difference, abs=0.01)
    assert told.loc["s1b1_kernel=7", "std_error"] == 0
    tests = inference(predictor, "hc3").intervals(predictor.form.shown)
    assert tests["t"].isna().all() and (tests["low"] == tests["high"]).all()


def counts_of_slot(position: int, code: int) -> float:
    """The mean MACs over all resolutions and expand ratios of s1b1 with one kernel."""
    base = MINI.encode([MINI.extreme("smallest")])[0]
    found = []
    for resolution in range(len(MINI.decisions[0].choices)):
        for expand in range(len(MINI.decisions[position + 1].choices)):
            row = base.copy()
            row[[0, position, position + 1]] = resolution, code, expand
            found.append(counts(MINI, row[np.newaxis], "macs")[0])
    return float(np.mean(found))


def test_a_limit_on_what_is_counted_holds_of_the_count() -> None:
    space, table = MINI, counted_table(MINI, 120)
    predictors = fit_all(table, "per_layer")
    assert predictors["macs"].is_counted and not predictors["accuracy"].is_counted
    codes = space.random_codes(4000, seed=3)
    macs = counts(space, codes, "macs")
    budget = float(np.sort(macs)[1200])
    problem = SearchProblem(predictors["accuracy"], (Limit(predictors["macs"], budget),))
    best = solve_exact(problem)
    assert counts(space, space.encode([best.architecture]), "macs")[0] == best.costs[0] <= budget
    values = predictors["accuracy"].predict_codes(codes)["value"].to_numpy()
    assert best.value >= values[macs <= budget].max() - 1e-9


def test_a_table_that_counts_otherwise_is_predicted_and_says_so() -> None:
    table = counted_table(MINI, 200)
    targets = {t.column: table.values(t.column) for t in table.targets}
    other = table_of(MINI, table.codes, **targets | {"macs": 2 * targets["macs"]})
    assert counted_predictor(other, "macs") is None
    assert counted_predictor(other, "parameters") is not None
    found = fit_all(other, targets=["macs"])["macs"]
    assert not found.is_counted
    assert "200 of 200 rows have other MACs than are counted" in found.warnings[0]
    assert not disagreement(table, "macs")


def test_a_form_that_was_asked_for_fits_what_could_be_counted() -> None:
    table = counted_table(MINI, 200)
    assert fit_all(table, "per_layer", counted=False)["parameters"].form.name == "per_layer"


def test_what_is_measured_or_of_a_family_without_networks_is_not_counted() -> None:
    assert counted_predictor(counted_table(MINI, 12), "latency_ms") is None
    space = hand_space()
    table = noisy_table(space, 40)
    macs = table_of(space, table.codes, macs=table.values("latency_ms"))
    assert counted_predictor(macs, "macs") is None and not disagreement(macs, "macs")


def test_counting_needs_no_torch() -> None:
    code = (
        "import sys\nfrom foxnas_core.families import family_of, load_shipped\n"
        f"for name in {SPACES}:\n"
        "    space = load_shipped(name)\n"
        "    assert family_of(space).counts(space, 'macs')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_what_a_table_lacks_is_counted_in_memory_alone() -> None:
    table = noisy_table(MINI, 40)
    found = with_counted(table)
    assert not {"macs", "parameters"} & set(table.frame)
    for column in COUNTABLE:
        np.testing.assert_array_equal(found.values(column), counts(MINI, table.codes, column))
    assert found.fingerprint == table.fingerprint and set(found.targets) > set(table.targets)
    # What the table has stays as it is.
    own = table_of(MINI, table.codes, accuracy=table.values("accuracy"), macs=np.ones(40))
    np.testing.assert_array_equal(with_counted(own).values("macs"), np.ones(40))
    nothing = noisy_table(hand_space(), 5)
    assert with_counted(nothing) is nothing
