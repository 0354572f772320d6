import numpy as np
import pytest
from hand import choice_space, table_of

from foxnas_core.devices.sums import additivity
from foxnas_core.errors import InvalidInput

SPACE = choice_space({name: (0, 1, 2) for name in ("a", "b", "c")})
CODES = SPACE.option_codes(SPACE.decisions)
SUM = 5 + CODES @ np.array([1.0, 0.5, 0.25])


def test_a_sum_is_exact_and_of_its_rank():
    found = additivity(table_of(SPACE, CODES, latency_ms=SUM), "latency_ms")
    assert found.is_sum and (found.rows, found.rank) == (27, 7)
    assert found.most < 1e-12 and found.share == pytest.approx(1)


def test_what_acts_together_is_left():
    # One network of 27 is slower by .27: its own share of that is 1 - 7/27.
    bent = SUM + 0.27 * (CODES == 0).all(axis=1)
    found = additivity(table_of(SPACE, CODES, latency_ms=bent), "latency_ms")
    assert not found.is_sum
    assert found.most == pytest.approx(0.27 * (1 - 7 / 27))
    assert found.residual == pytest.approx(0.27 * np.sqrt((1 - 7 / 27) / 27))
    assert found.mean == pytest.approx(SUM.mean() + 0.01)


def test_as_many_rows_as_terms_show_no_sum():
    few = additivity(
        table_of(SPACE, CODES[[0, 1, 3, 9]], latency_ms=SUM[[0, 1, 3, 9]]), "latency_ms"
    )
    assert few.rank == 4 and not few.is_sum
    with pytest.raises(InvalidInput, match="1 rows"):
        additivity(table_of(SPACE, CODES[:1], latency_ms=SUM[:1]), "latency_ms")
