import numpy as np
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.regression import fit
from foxnas_core.steps.fit import fit_all, fit_each, predictor_or_transfer
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import table_from_frame


def test_every_target_gets_a_predictor(measured_study):
    predictors = fit_all(measured_study.table())
    assert list(predictors) == [t.column for t in measured_study.table().targets]
    # MACs follow from the architecture alone, so that the block-state form has no error.
    assert predictors["macs"].cv.r2 > 0.9


def test_what_cannot_be_fitted_is_a_sentence_and_stops_nothing_else():
    space = hand_space()
    table = noisy_table(space, 40)
    same = table_of(space, table.codes, accuracy=table.values("accuracy"), latency_ms=np.ones(40))
    found, sentences = fit_each(same.targets, lambda column: fit(same, column))
    assert list(found) == ["accuracy"]
    [said] = sentences
    assert said.startswith("Latency: ") and "same latency_ms" in said


def test_a_table_that_was_begun_without_int8_accuracy_goes_on(measured_study):
    table = measured_study.table()
    int8 = ["accuracy:int8", "accuracy_drop:int8"]
    frame = table.frame.copy()
    frame.loc[frame.index >= 3, int8] = np.nan
    older = table_from_frame(table.space, frame)
    assert set(fit_all(older)) == {t.column for t in table.targets} - set(int8)
    with pytest.raises(InvalidInput, match="3 rows with accuracy lost by int8"):
        fit_all(older, targets=["accuracy_drop:int8"])


def test_nothing_measured_is_one_sentence(tiny_study):
    with pytest.raises(MissingPart, match="no measured subnets"):
        fit_all(tiny_study.table())


def demo_with(rows: int):
    """The demo's table with the int8 latency of its first rows only."""
    table = open_study(DEMO).table()
    int8 = np.where(np.arange(len(table.frame)) < rows, table.values("latency_ms:int8"), np.nan)
    frame = table.frame.assign(**{"latency_ms:int8": int8})
    return table_from_frame(table.space, frame, holes=True)


@pytest.mark.parametrize(
    ("rows", "form", "calibrated"),
    [(15, "auto", True), (59, "auto", True), (200, "auto", False), (59, "foxnas", False)],
)
def test_a_latency_with_too_few_rows_is_calibrated(rows, form, calibrated):
    table = demo_with(rows)
    predictor = predictor_or_transfer(table, "latency_ms:int8", form, "none")
    read = int(usable(table, "latency_ms:int8").sum())
    assert 0.9 * rows <= read <= rows
    assert predictor.transferred == calibrated
    assert predictor.residual_df == read - 2 or not calibrated
    assert predictor.rows == read
    assert predictor.left_out == rows - read
    assert any("is calibrated" in w for w in predictor.warnings) == calibrated


def test_a_memory_that_few_rows_have_keeps_nothing_else_from_being_fitted():
    table = open_study(DEMO).table()
    rows = np.arange(len(table.frame))
    memory = np.where(rows < 30, 1000.0 + rows, np.nan)
    frame = table.frame.assign(memory_kib=memory)
    found = fit_all(table_from_frame(table.space, frame, holes=True), "stage_counts")
    assert set(found) == {t.column for t in table.targets}
    everywhere = table.frame.assign(memory_kib=1000.0 + table.values("parameters"))
    found = fit_all(
        table_from_frame(table.space, everywhere), "stage_counts", targets=["memory_kib"]
    )
    assert found["memory_kib"].rows == len(table.frame)


def test_a_calibrated_latency_can_be_searched_exactly():
    from foxnas_core.search.exact import front
    from foxnas_core.search.limits import Limit
    from foxnas_core.search.problem import SearchProblem

    table = demo_with(15)
    fitted = fit_all(table, targets=["accuracy", "latency_ms", "latency_ms:int8"])
    accuracy, source, new = fitted.values()
    found, of_source = (front(SearchProblem(accuracy, (Limit(p, 0.0),))) for p in (new, source))
    # Scaled, the front is the source's at scaled budgets.
    slope = (found.costs[-1] - found.costs[0]) / (of_source.costs[-1] - of_source.costs[0])
    budget = float(of_source.costs[len(of_source.costs) // 2])
    scaled = found.costs[0] + slope * (budget - of_source.costs[0])
    best = found.within(float(scaled) * (1 + 1e-9))
    assert best.architecture == of_source.within(budget).architecture


def test_too_few_rows_to_calibrate_are_too_few_to_fit():
    from foxnas_core.errors import InvalidInput

    with pytest.raises(InvalidInput, match=r"4 rows with latency \(int8\) are too few"):
        predictor_or_transfer(demo_with(4), "latency_ms:int8")
