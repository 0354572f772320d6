import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.target import target_of


def test_known_targets_carry_unit_and_direction():
    assert (target_of("accuracy").unit, target_of("accuracy").direction) == ("%", "max")
    assert (target_of("latency_ms").unit, target_of("latency_ms").direction) == ("ms", "min")


def test_a_latency_of_another_device_is_named_by_it():
    target = target_of("latency_ms:pixel")
    assert (target.label, target.unit, target.column) == (
        "Latency (pixel)",
        "ms",
        "latency_ms:pixel",
    )


@pytest.mark.parametrize("column", ["speed", "latency_ms:", "accuracy:x", ""])
def test_other_columns_are_no_targets(column):
    with pytest.raises(InvalidInput, match="no target"):
        target_of(column)
