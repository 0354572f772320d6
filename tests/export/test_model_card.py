import re

import pytest

from foxnas_core.export.formats import FORMATS, FileCheck
from foxnas_core.export.model_card import Estimate, escaped, model_card
from foxnas_core.export.trying import Pictures
from foxnas_core.table.metrics import metric_of

RECORD = {
    "dataset": "stripes", "licence": "made here", "images": 400, "steps": 40,
    "recipe": {"seed": 3},
}  # fmt: skip


@pytest.fixture
def card(tiny_space):
    def write(**changes):
        options = {
            "space": tiny_space,
            "record": RECORD,
            "estimates": [
                Estimate(metric_of("accuracy"), 71.25, 70.5, 72.0, 71.5),
                Estimate(metric_of("latency_ms"), 0.125, 0.12, 0.13, None, "a phone"),
                Estimate(metric_of("latency_ms:int8"), None, None, None, 0.5, "", "a phone"),
                Estimate(metric_of("energy_mj"), None, None, None, 1.5, "", "b"),
            ],
            "held_out_images": 300,
            "tuning": "",
            "formats": [FORMATS["onnx"], FORMATS["onnx-int8"]],
            "checks": [
                FileCheck("model.onnx", 256, 1e-6, 100.0, 80.0),
                FileCheck("model_int8.onnx", 300, 0.5, 97.0, 79.0),
            ],
            "trying": Pictures(),
            "answer": "rows 91.0 %",
            "preprocessing": {"input": "image"},
            "parents": {"checkpoint": "abc"},
            "versions": {"PyTorch": "2.13.0"},
        }
        return model_card(tiny_space.extreme("smallest"), **{**options, **changes})

    return write


def test_prediction_stands_beside_measurement(card):
    text = card()
    assert "| Top-1 accuracy | 71.25 % | 70.5 to 72 % | 71.5 % |" in text
    assert "| Latency | 0.125 ms | 0.12 to 0.13 ms | – |" in text
    assert "| Latency (int8) | – | – | 0.5 ms |" in text
    assert "- latency\\_ms, latency\\_ms:int8: a phone\n- energy\\_mj: b\n" in text


def test_what_was_searched_for_is_told_at_what_optima_measure(card):
    accuracy, latency = metric_of("accuracy"), metric_of("latency_ms")
    searched = Estimate(accuracy, 71.25, 70.5, 72.0, 71.5, expected=(71.0, 70.2, 71.8))
    text = card(estimates=[searched, Estimate(latency, 0.125, 0.12, 0.13, None)])
    assert "| target | expected | predicted | 95 % prediction interval | measured |" in text
    said = "| Top-1 accuracy | 71 % (70.2 to 71.8 %) | 71.25 % | 70.5 to 72 % | 71.5 % |"
    assert said in text and "| Latency | – | 0.125 ms |" in text
    assert "Expected is what optima measure" in text and "Expected" not in card()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_measurement_on_another_machine_than_its_interval_is_told(card, elsewhere):
    latency = metric_of("latency_ms")
    text = card(estimates=[Estimate(latency, 0.1, 0.09, 0.11, 0.2, "a phone", "b", elsewhere)])
    assert "- latency\\_ms: predicted for a phone; measured on b" in text
    assert ("the interval says nothing of that other machine" in text) == elsewhere
    assert ("0.2 ms, another machine |" in text) == elsewhere


def test_origin_checks_commands_parents_versions_and_licence_are_told(card):
    text = card()
    assert "trained on stripes (400 images, 40 steps, seed 3)" in text
    assert "| model_int8.onnx | ONNX, int8 (QDQ) | 300 | 0.5 | 97.00 % | 79 % |" in text
    line = "| `pip install onnxruntime numpy pillow` | `python run_onnx.py sample.png"
    assert f"| model.onnx {line}` |" in text
    assert f"| model_int8.onnx {line} model_int8.onnx` |" in text
    assert "rows 91.0 %" in text and "- checkpoint: `abc`" in text and "- PyTorch 2.13.0" in text
    assert "sample.png among them: made here." in text
    assert "not fine-tuned" in text


def test_weights_from_elsewhere_and_fine_tuned_ones_are_told(card):
    text = card(record=RECORD | {"weights": "w.safetensors (123)"}, tuning="Tuned for hours.")
    assert "its weights from w.safetensors (123), measured on stripes" in text
    assert "Weights: from w.safetensors (123); their owner's terms hold" in text
    assert "Tuned for hours. Predictions are of the inherited weights." in text
    assert "not fine-tuned" not in text


def test_words_of_files_are_neither_markup_nor_lines_of_their_own(card):
    evil = "a|b\n# c <img src=x> ![d](http://e) `f` *g*"
    text = card(
        record=RECORD | {"dataset": evil, "licence": evil, "weights": evil},
        estimates=[
            Estimate(metric_of(f"latency_ms:{evil}"), 0.1, 0.1, 0.1, 0.2, evil, f"b{evil}", True)
        ],
        tuning=evil,
        answer=evil,
    )
    assert "# c <img" not in text and "![d]" not in text and "\n# c" not in text
    assert text.count(escaped(evil)) == 10
    unescaped = re.sub(r"\\.", "", text)
    assert not re.search(r"<img|\]\(", unescaped)
    # As many headings as a card has.
    assert len(re.findall(r"^#", text, re.MULTILINE)) == len(
        re.findall(r"^#", card(), re.MULTILINE)
    )
