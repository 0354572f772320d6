import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.planning.information import PRIOR, Information, information_of


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 12))
def test_updates_agree_with_the_matrix_itself(seed: int, terms: int, changes: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(terms + 5, terms))
    information = Information(rows.T @ rows)
    for _ in range(changes):
        if len(rows) > terms + 3 and rng.random() < 0.4:
            information.remove(rows[-1])
            rows = rows[:-1]
        else:
            rows = np.vstack([rows, rng.normal(size=terms)])
            gain = information.gains(rows[-1:])[0]
            before = information.log_det
            information.add(rows[-1])
            assert np.isclose(information.log_det - before, gain)
    matrix = rows.T @ rows
    sign, log_det = np.linalg.slogdet(matrix)
    assert sign == 1 and np.isclose(information.log_det, log_det, atol=1e-6)
    assert np.allclose(information.inverse @ matrix, np.eye(terms), atol=1e-5)


def test_rows_that_cannot_tell_terms_apart_get_a_prior() -> None:
    rows = np.array([[1.0, 1.0], [2.0, 2.0]])
    matrix, known = information_of(rows)
    assert not known
    assert np.allclose(matrix, rows.T @ rows + PRIOR * np.eye(2))
    matrix, known = information_of(np.eye(2))
    assert known and np.array_equal(matrix, np.eye(2))
    assert not information_of(np.empty((0, 3)))[1]
