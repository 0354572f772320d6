from foxnas_core.export.formats import FileCheck
from foxnas_core.figures.export import checks_table


def test_each_check_is_a_row():
    table = checks_table(
        [FileCheck("model.onnx", 256, 2e-6, 100.0, 82.5), FileCheck("model.pt2", 256, 0.0, 99.5)]
    )
    assert table.pop("score").fillna(0).tolist() == [82.5, 0]
    assert table.to_dict("list") == {
        "file": ["model.onnx", "model.pt2"],
        "images compared": [256, 256],
        "greatest logit difference": [2e-6, 0.0],
        "same class (%)": [100.0, 99.5],
    }
