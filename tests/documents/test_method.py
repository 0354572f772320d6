"""What the explanation of the method names is there, and every formula has code and a source."""

import importlib
import re

import pytest
from conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
TEXT = (DOCS / "method.md").read_text()
SYMBOL = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
SOURCE = re.compile(r"\b(19|20)\d\d\b|arXiv \d{4}\.\d{5}")


def there(name: str) -> bool:
    """Whether a dotted name below the core is a module, or something in one."""
    parts = name.removeprefix("foxnas_core.").split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(["foxnas_core", *parts[:length]]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part) and part not in getattr(found, "__annotations__", {}):
                return False
            found = getattr(found, part, None)
        return True
    return False


def test_what_is_not_there_is_noticed():
    assert there("regression.link.Link.forward") and there("foxnas_core.table.latency_verdicts")
    assert not there("regression.link.Link.backward") and not there("linker.Link")


@pytest.mark.parametrize("name", sorted(set(SYMBOL.findall(TEXT))))
def test_every_symbol_is_in_the_code(name):
    assert there(name)


def test_every_section_with_a_formula_names_its_code_and_a_source():
    sections = re.split(r"^#{2,3} ", TEXT, flags=re.M)[1:]
    told = [section for section in sections if "```math" in section]
    assert len(told) >= 15
    for section in told:
        title = section.splitlines()[0]
        assert SYMBOL.search(section), title
        assert SOURCE.search(section), title


def test_every_row_of_the_checks_has_a_formula_code_and_a_source():
    [table] = re.findall(r"\| check \|.*?\n\n", TEXT, flags=re.S)
    rows = table.splitlines()[2:-1]
    assert len(rows) == 9
    for row in rows:
        assert SYMBOL.search(row), row


def test_symbols_in_the_other_documents_are_there_too():
    for path in DOCS.glob("*.md"):
        for name in re.findall(r"`(foxnas_core\.[\w.]+\w)`", path.read_text()):
            assert there(name), f"{path.name}: {name}"
