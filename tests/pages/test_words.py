"""No page shows a name with underscores, as files have them, where people read."""

import json
import re
from collections.abc import Iterator

import pytest
from conftest import REPOSITORY, run_page

NAME = re.compile(r"\b[A-Za-z]\w*_\w+\b")
# What is written as code, and its escapes in what comes from files.
CODE = re.compile(r"`[^`]*`|<[^>]*>|\b\w+:NAME")
# Commands, and what those who write code of their own are told to call.
CODE_NAMES = {"foxnas_core", "FOXNAS_PLUGINS"}
VIEWS = re.compile(r'"(\w+)": "[A-Z]')
DRAWN = ("app.py", *(f"pages/{p.name}" for p in sorted((REPOSITORY / "pages").glob("[0-9]*.py"))))


def views_of(name: str) -> list[str]:
    source = (REPOSITORY / name).read_text()
    found = VIEWS.findall(source) if "show_views(" in source else []
    return [f"{name}?view={view}" for view in found] or [name]


def shown(page) -> Iterator[str]:
    """All words of a page: labels, options, sentences, headings and cells of tables."""
    for element in page.main:
        proto = element.proto
        if element.type in ("code", "json"):
            continue
        for field in ("label", "help", "body", "placeholder"):
            yield str(getattr(proto, field, ""))
        for option in getattr(proto, "options", ()):
            yield str(getattr(option, "content", option))
        if element.type == "plotly_chart":
            yield from _strings(json.loads(proto.spec))
        if element.type == "arrow_data_frame":
            told = json.loads(proto.columns or "{}")
            table = element.value
            for column in table:
                yield (told.get(column) or {}).get("label") or column
                yield from (cell for cell in table[column] if isinstance(cell, str))


def _strings(part) -> Iterator[str]:
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _strings(inner)
    elif isinstance(part, str):
        yield part


@pytest.mark.parametrize("name", [view for page in DRAWN for view in views_of(page)])
def test_no_page_shows_a_name_as_files_have_it(name):
    page = run_page(name)
    assert not page.exception
    raw = {w for text in shown(page) for w in NAME.findall(CODE.sub("", text.replace("\\", "")))}
    assert raw - CODE_NAMES == set()
