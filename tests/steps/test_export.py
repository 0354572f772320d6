"""Exports of a study: what the card tells of the table, and what is measured or trained first."""

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.quantization.finetuning import FineTuning
from foxnas_core.search.expectation import expectation
from foxnas_core.steps import export as exporting
from foxnas_core.steps.export import expected_seconds, export
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import create_study

FP32 = ("onnx",)


def told(table, architecture):
    """What is predicted of an architecture, in every target."""
    return tuple(expectation(fit, architecture) for fit in fit_all(table).values())


def card_of(exported) -> str:
    return exported.files["model_card.md"].decode()


@pytest.fixture
def steady_meter(monkeypatch):
    """Fewer runs, as this is no measurement."""
    from foxnas_core.measurement import campaign

    plain, made = campaign.device_meters, []

    def few(*arguments, **options):
        [meter] = plain(*arguments, **options)
        meter._runs, meter._rounds = 20, 2
        made.append(options)
        return [meter]

    monkeypatch.setattr(campaign, "device_meters", few)
    return made


def test_what_the_table_measured_stands_in_the_card_and_is_not_measured_again(
    measured_study, steady_meter
):
    table = measured_study.table()
    architecture = table.architectures()[3]
    steps = []
    exported = export(
        measured_study, architecture, told(table, architecture), formats=["onnx", "onnx-int8"],
        report=steps.append,
    )  # fmt: skip
    card = card_of(exported)
    latency = table.values("latency_ms")[3]
    # The accuracy is that of the file.
    assert f"{latency:.4g} ms |" in card and f"{exported.checks[0].score:.4g} % |" in card
    [circumstances] = table.record["campaigns"].values()
    assert f"latency\\_ms, latency\\_ms:int8: {circumstances['device']}" in card.replace("  ", " ")
    assert table.fingerprint in card and measured_study.space.fingerprint in card
    assert not steady_meter
    assert list(dict.fromkeys(told.stage.split(": ")[1] for told in steps)) == [
        "extract the subnet", "score on held-out images", "ONNX, fp32", "ONNX, int8 (QDQ)",
    ]  # fmt: skip
    assert measured_study.table().fingerprint == table.fingerprint


def test_latency_that_the_table_lacks_is_measured_and_the_table_left_as_it_was(
    tiny_study, steady_meter
):
    exported = export(tiny_study, tiny_study.space.extreme("smallest"), (), formats=FP32)
    card = card_of(exported)
    assert "| Latency | – | – | " in card and "| MACs | – | – | " in card
    assert "for this export" in card and "Latency (int8)" not in card
    assert not tiny_study.table_file.exists() and len(steady_meter) == 1


def test_a_latency_of_another_machine_than_its_interval_is_told(
    measured_study, steady_meter, monkeypatch
):
    from foxnas_core.measurement import runner

    monkeypatch.setattr(runner, "device_name", lambda: "Another processor")
    table = measured_study.table()
    unknown = next(
        a for a in measured_study.space.sample(99, seed=9) if a.id not in set(table.frame["id"])
    )
    card = card_of(export(measured_study, unknown, told(table, unknown), formats=FP32))
    [circumstances] = table.record["campaigns"].values()
    assert f"- latency\\_ms: predicted for {circumstances['device']}" in card
    assert "; measured on Another processor" in card and "ms, another machine |" in card
    # What the table lacks of the other precision, nobody has measured.
    assert card.count("another machine |") == 1


def test_a_latency_that_failed_a_check_is_measured_anew(
    tiny_study, tiny_rows, monkeypatch, steady_meter
):
    from foxnas_core.table import latency_verdicts

    monkeypatch.setattr(latency_verdicts, "MOST_SPREAD", 0.2)
    rows, circumstances = tiny_rows
    loose = {"low_latency_ms": 0.0, "high_latency_ms": 9.9, "latency_ms": 7.77}
    tiny_study.append([rows[0].architecture], [rows[0].values | loose], circumstances)
    card = card_of(export(tiny_study, rows[0].architecture, (), formats=["onnx", "onnx-int8"]))
    assert "7.77" not in card and len(steady_meter) == 1
    # Of the two latencies only this one was doubtful.
    assert f"| Latency (int8) | – | – | {rows[0].values['latency_ms:int8']:.4g} ms |" in card


def test_a_table_without_circumstances_says_so(tiny_study):
    architecture = tiny_study.space.extreme("smallest")
    tiny_study.append([architecture], [{"latency_ms": 1.5, "accuracy": 0.25}])
    card = card_of(export(tiny_study, architecture, (), formats=FP32))
    assert "latency\\_ms: as the study's table has it" in card
    # The accuracy is that of the file, whatever a table says.
    assert "| Latency | – | – | 1.5 ms |" in card and "0.25 %" not in card


def test_fine_tuned_weights_are_those_exported_and_checked(
    measured_study, tiny_dataset, monkeypatch
):
    table = measured_study.table()
    architecture = table.architectures()[0]
    monkeypatch.setattr(exporting, "training_images", lambda study, data: tiny_dataset)
    steps = []
    tuning = FineTuning(2, batch=50)
    tuned = export(
        measured_study, architecture, told(table, architecture), tuning=tuning, report=steps.append,
        formats=["onnx", "torch"],
    )  # fmt: skip
    plain = export(measured_study, architecture, (), formats=["onnx", "onnx-int8"])
    assert tuned.files["model.onnx"] != plain.files["model.onnx"]
    assert [c.agreement for c in tuned.checks] == [100, 100]
    card = card_of(tuned)
    assert "16 steps of 50 training images of stripes" in card
    accuracy = f"{tuned.checks[0].score:.4g}"
    assert f"| {accuracy} % |" in card and "Predictions are of the inherited weights." in card
    assert f"Accuracy in int8 was {plain.checks[1].score:.2f} %" in card
    shares = [told.share for told in steps if told.stage.endswith("fine-tune")]
    assert len(shares) > 16 and np.all(np.diff(shares) > 0)


def test_other_images_are_refused_before_anything_is_done(
    measured_study, tiny_dataset, monkeypatch
):
    from dataclasses import replace

    monkeypatch.setattr(
        exporting, "training_images", lambda study, data: replace(tiny_dataset, name="others")
    )
    steps = []
    with pytest.raises(InvalidInput, match="was trained on stripes, not on others"):
        export(
            measured_study, measured_study.space.extreme("smallest"), (), tuning=FineTuning(1),
            report=steps.append,
        )  # fmt: skip
    assert not steps


def test_formats_that_are_not_installed_are_left_out_with_a_line_each(measured_study):
    exported = export(measured_study, measured_study.table().architectures()[0], ())
    assert [c.file for c in exported.checks] == ["model.onnx", "model_int8.onnx", "model.pt2"]
    assert len(exported.left_out) == 2 and "make runtime-litert" in exported.left_out[1]
    with pytest.raises(MissingPart, match="make runtime-litert"):
        export(measured_study, measured_study.space.extreme("smallest"), (), formats=["litert"])


def test_without_weights_export_says_what_to_do(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    with pytest.raises(MissingPart, match="no supernet weights"):
        export(study, tiny_space.extreme("smallest"), ())


def test_more_work_is_expected_to_take_longer():
    assert 0 < expected_seconds(["onnx"], 0) < expected_seconds(["onnx", "torch"], 0)
    assert expected_seconds(["onnx"], 2) > expected_seconds(["onnx"], 1)
