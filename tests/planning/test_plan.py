from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.planning.plan import plan_next, seconds_a_row
from foxnas_core.regression import fit
from foxnas_core.table.importing import read_file
from foxnas_core.table.measurements import SECONDS, empty_table

SPACE = hand_space(resolutions=(8, 16))


def test_a_plan_is_of_the_recommended_form_and_says_what_to_expect():
    table = noisy_table(SPACE, 40)
    plan = plan_next(table, "latency_ms", 4, seed=2)
    assert plan.batch.form == fit(table, "latency_ms").form
    assert plan.gain is not None and not plan.why and plan.seconds is None
    said = plan.sentence()
    assert f"{100 * plan.gain.narrower:.1f} % narrower" in said and "minute" not in said
    document = plan.to_dict()
    assert document["narrower"] == plan.gain.narrower > document["narrower_by_random"]
    assert document["narrower_a_minute"] is None
    assert document["parents"] == {"measurements": table.fingerprint} and document["seed"] == 2


def test_seconds_are_the_median_of_rows_that_recorded_them():
    table = noisy_table(SPACE, 40)
    assert seconds_a_row(table) is None
    taken = np.where(np.arange(40) < 3, [3.0, 1.0, 8.0] + [0.0] * 37, np.nan)
    timed = replace(table, frame=table.frame.assign(**{SECONDS: taken}))
    assert seconds_a_row(timed) == 3.0
    plan = plan_next(timed, "accuracy", 4)
    assert plan.seconds == 3.0 and "a minute of measuring" in plan.sentence()
    assert np.isclose(plan.to_dict()["narrower_a_minute"], plan.gain.narrower * 60 / 12)
    text = replace(table, frame=table.frame.assign(**{SECONDS: "soon"}))
    assert seconds_a_row(text) is None


def test_rows_without_the_target_are_not_counted_and_not_measured_again():
    table = noisy_table(SPACE, 60)
    accuracy = np.where(np.arange(60) < 30, table.values("accuracy"), np.nan)
    part = table_of(SPACE, table.codes, accuracy=accuracy, latency_ms=table.values("latency_ms"))
    plan = plan_next(part, "accuracy", 3)
    fitted = fit(part, "accuracy")
    measured = part.rows(np.arange(60) < 30)
    assert np.allclose(plan.gain.coefficients["std_error"], fitted.coefficients()["std_error"])
    assert not set(SPACE.ids(plan.batch.codes)) & set(part.frame["id"])
    assert len(measured) == fitted.rows


def test_without_enough_rows_there_is_a_batch_but_no_expectation():
    for table in (empty_table(SPACE), noisy_table(SPACE, 5)):
        plan = plan_next(table, "accuracy", 6)
        assert plan.gain is None and plan.why
        assert plan.batch.form.name == "per_layer" and len(plan.batch) == 6
        assert "without a fit" in plan.sentence() and plan.to_dict()["narrower"] is None


def test_a_calibrated_predictor_has_no_effects_of_its_own():
    table = noisy_table(SPACE, 40)
    calibrated = replace(fit(table, "latency_ms", "per_layer"), transferred=True)
    with pytest.raises(InvalidInput, match="calibrated from another device"):
        plan_next(table, "latency_ms", 3, predictor=calibrated)


def test_the_table_can_be_filled_in_and_imported(tmp_path):
    plan = plan_next(noisy_table(SPACE, 40), "accuracy", 4)
    path = tmp_path / "batch.csv"
    plan.table().assign(accuracy=[61.0, 62.0, 63.0, 64.0]).to_csv(path, index=False)
    back = read_file(path).table(SPACE)
    assert back.architectures() == plan.batch.architectures()
    assert back.values("accuracy").tolist() == [61.0, 62.0, 63.0, 64.0]
