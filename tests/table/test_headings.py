"""How a column is headed."""

import pytest

from foxnas_core.table.headings import heading_of


@pytest.mark.parametrize(
    ("column", "heading"),
    [
        ("latency_ms", "Latency (ms)"),
        ("latency_ms:my phone", "Latency (my phone) (ms)"),
        ("accuracy_std_error", "Top-1 accuracy (%), standard error"),
        ("drift_range_latency_ms:int8", "drift range: Latency (int8) (ms)"),
        ("s1b1_kernel", "s1b1 kernel"),
        ("resolution=18*s2b2_on", "resolution=18 × s2b2 on"),
        ("residual_df", "residual df"),
        ("id", "subnet"),
        ("in words", "in words"),
    ],
)
def test_a_column_is_headed_in_words(column, heading):
    assert heading_of(column) == heading
