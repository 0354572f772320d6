import pytest
from hand import hand_space

from foxnas_core.table.importing import needs_unit, suggest_mapping

HAND = hand_space()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["P_Depth", "p1 kernel", "P2Kernel", "q1-kernel"],
         {"p_depth": "P_Depth", "p1_kernel": "p1 kernel", "p2_kernel": "P2Kernel",
          "q1_kernel": "q1-kernel"}),
        (["top-1", "Latency", "Params", "MAdds"],
         {"accuracy": "top-1", "latency_ms": "Latency", "parameters": "Params", "macs": "MAdds"}),
        (["Latency (ms)", "latency_s"], {"latency_ms": "Latency (ms)"}),
        (["Accuracy", "acc"], {"accuracy": "Accuracy"}),
        (["Architecture", "Accuracy_Std_Error"],
         {"architecture": "Architecture", "accuracy_std_error": "Accuracy_Std_Error"}),
        # What has its own name is found, and needs no suggestion.
        (["accuracy", "acc", "p_depth", "P_DEPTH"], {}),
        # Of two that match neither is the one; what is merely alike is none.
        (["top1", "acc"], {}),
        (["p_depths", "kernel", "my latency", "accurate"], {}),
    ],
)  # fmt: skip
def test_suggestions_match_names_and_synonyms_only(columns: list[str], expected: dict) -> None:
    suggested = suggest_mapping(columns, HAND)
    assert dict(suggested.columns) == expected
    assert not suggested.units


def test_units_are_asked_where_a_name_does_not_tell_them() -> None:
    assert needs_unit("accuracy", "acc") and needs_unit("latency_ms", "latency")
    assert needs_unit("latency_ms:phone", "phone")
    assert not needs_unit("accuracy", "accuracy")
    assert not needs_unit("latency_ms:phone", "latency_ms:phone")
    assert not needs_unit("macs", "MACs") and not needs_unit("p_depth", "D")
