"""Modules that the environment names bring what they register; nothing else brings any."""

import json
import os
import subprocess
import sys

import pytest
from conftest import REPOSITORY, run_page

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.plugins import load_plugins

TOY = """
from foxnas_core.families import register_family
from foxnas_core.families.listed import Listed


class Toy(Listed):
    name = "toy"


register_family(Toy())
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module beside the product; the folder is on Python's path."""
    (tmp_path / "toy_family.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("foxnas_core.families._families", dict(_families()))
    yield tmp_path
    sys.modules.pop("toy_family", None)


def _families() -> dict:
    from foxnas_core import families

    return families._families


DOCUMENT = {
    "format": 1, "name": "toy", "family": "listed",
    "decisions": [{"name": "a", "group": "g", "role": "width", "choices": [1, 2]}],
}  # fmt: skip


def test_a_named_module_is_imported_and_brings_its_family(toy, monkeypatch):
    monkeypatch.setenv("FOXNAS_PLUGINS", " toy_family ,")
    load_plugins()
    assert "toy" in _families() and "toy_family" in sys.modules


def test_nothing_is_imported_unless_it_is_named(toy, monkeypatch):
    monkeypatch.delenv("FOXNAS_PLUGINS", raising=False)
    load_plugins()
    for named in ("toy", "toy_family", "toy_family:Toy"):
        with pytest.raises(InvalidInput, match="There is no family"):
            space_from_dict({**DOCUMENT, "family": named})
    assert "toy_family" not in sys.modules


@pytest.mark.parametrize("text", ["nowhere_to_be_found", "not a name", "broken_module"])
def test_what_can_not_be_imported_is_named(toy, monkeypatch, text):
    (toy / "broken_module.py").write_text("1 / 0")
    monkeypatch.setenv("FOXNAS_PLUGINS", text)
    with pytest.raises(InvalidInput, match=f"{text}.*can't be imported"):
        load_plugins()


def test_the_command_line_takes_them(toy):
    space = toy / "space.json"
    space.write_text(json.dumps({**DOCUMENT, "family": "toy"}))
    rows = toy / "rows.csv"
    rows.write_text("a,accuracy,latency_ms\n1,70,1.5\n2,72,2.5\n")
    command = [
        sys.executable, "-m", "foxnas_core", "import", str(rows), "--study", str(toy / "study"),
        "--space", str(space), "--json",
    ]  # fmt: skip
    paths = os.pathsep.join([str(REPOSITORY), str(toy)])
    for named, status in (("toy_family", 0), ("", 2), ("nowhere_to_be_found", 2)):
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=toy,
            env={**os.environ, "PYTHONPATH": paths, "FOXNAS_PLUGINS": named},
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr


def test_the_app_takes_them_and_says_which_fails(studies, toy, monkeypatch):
    monkeypatch.setenv("FOXNAS_PLUGINS", "toy_family")
    page = run_page("pages/20_Studies.py")
    assert not page.exception and "toy" in _families()
    monkeypatch.setenv("FOXNAS_PLUGINS", "nowhere_to_be_found")
    page = run_page("pages/20_Studies.py")
    assert "can't be imported" in page.error[0].value.replace("\\", "")
