import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foxnas_core.profiling.timing import chain, profiled, profiler_work, tenth
from foxnas_core.supernet.onnx import session_of


def test_the_tenth_of_grouped_times_by_hand() -> None:
    assert tenth(np.full(50, 3.0)) == pytest.approx(3.1)
    # A tenth of the runs took 3 to 4, the rest longer.
    assert tenth(np.array([3.0] + [5.0] * 9)) == pytest.approx(4.0)
    assert tenth(np.array([3.0] + [5.0] * 19)) == pytest.approx(5 + 0.05 / 0.95)


@given(arrays(float, st.integers(20, 200), elements=st.floats(0, 50)))
def test_it_lies_by_the_tenth_of_the_times_before_they_were_cut(times: np.ndarray) -> None:
    low, high = (np.quantile(times, 0.1, method=m) for m in ("lower", "higher"))
    assert low - 1 <= tenth(np.floor(times)) <= high + 1


def test_it_finds_again_what_was_cut_off() -> None:
    times = np.random.default_rng(0).gamma(20, 0.3, 20_000)
    true = np.quantile(times, 0.1)
    assert abs(tenth(np.floor(times)) - true) < abs(np.quantile(np.floor(times), 0.1) - true) / 3


def test_every_operator_is_told_once_in_order() -> None:
    image = np.ones((1, 8, 1, 1), "f4")
    found = profiled(chain(3), image, 12)
    assert [o.name for o in found.operators] == [f"min{i}" for i in range(20)]
    assert {(o.kind, o.inputs) for o in found.operators} == {("Min", 3)}
    assert found.operators[4].gives == ("x5",)
    assert found.ms.shape == (20,) and (found.ms > 0).all()


def test_a_chain_does_next_to_nothing() -> None:
    image = np.full((1, 8, 1, 1), 0.5, "f4")
    model = chain(4)
    assert np.array_equal(session_of(model).run(None, {"x0": image})[0], image)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)


def test_the_profilers_work_is_not_negative_and_grows_with_inputs() -> None:
    work = profiler_work(20)([1, 2, 9, 30])
    assert (work >= 0).all() and (np.diff(work) >= 0).all()
