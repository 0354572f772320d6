import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.export.formats import FORMATS, formats_of, lacking, step_seconds
from tests.export import runtime


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))
    return tmp_path


def test_by_default_all_that_is_installed_and_a_line_for_each_that_is_not(folder):
    found, sentences = formats_of(None)
    assert [own.name for own in found] == ["onnx", "onnx-int8", "torch"]
    assert ["run 'make runtime-executorch'" in s for s in sentences] == [True, False]
    assert "run 'make runtime-litert'" in sentences[1]
    runtime.install(folder, "litert")
    found, sentences = formats_of(None)
    assert [own.name for own in found] == ["onnx", "onnx-int8", "torch", "litert"]
    assert len(sentences) == 1 and lacking("litert") is None
    runtime.install(folder, "executorch")
    assert formats_of(None) == (list(FORMATS.values()), [])


def test_those_asked_for_come_in_one_order_and_must_be_there(folder):
    assert [own.name for own in formats_of(["torch", "onnx"])[0]] == ["onnx", "torch"]
    with pytest.raises(MissingPart, match="ExecuTorch is not installed"):
        formats_of(["onnx", "executorch"])
    for names in (["onnx", "pickle"], [""], []):
        with pytest.raises(InvalidInput, match=r"take one or more of onnx, onnx-int8, torch"):
            formats_of(names)


def test_steps_are_scoring_and_one_a_format():
    names = list(step_seconds(list(FORMATS.values())))
    assert len(names) == 1 + len(FORMATS) == len(set(names))


def test_files_are_distinct_and_scripts_name_what_to_install():
    assert len({own.file for own in FORMATS.values()}) == len(FORMATS)
    for own in FORMATS.values():
        text = own.runner.text()
        assert f"`{own.runner.install}`" in text and own.file in text
