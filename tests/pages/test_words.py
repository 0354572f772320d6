"""Every place with the shipped study, opened in turn by a process that has loaded nothing else: no
name with underscores, as files have them, is shown where people read, and nothing heavy is loaded
that a page doesn't need at once."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from conftest import REPOSITORY, run_page
from places import PLACES

NAME = re.compile(r"\b[A-Za-z]\w*_\w+\b")
# What is written as code, and its escapes in what comes from files.
CODE = re.compile(r"`[^`]*`|<[^>]*>|\b\w+:NAME")
# Commands, and what those who write code of their own are told to call.
CODE_NAMES = {"foxnas_core", "FOXNAS_PLUGINS"}
HEAVY = {"torch", "shap", "interpret", "onnxruntime"}
# Shapley values are among what one place shows at once, and layers what another does.
AT_ONCE = {
    "pages/1_Coefficients.py?view=explanations": {"shap"},
    "pages/2_What_if.py?view=explained": {"shap"},
    "pages/2_What_if.py?view=layers": {"torch", "onnxruntime"},
}


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


def tell_of(names: Sequence[str]) -> None:
    """Print what there is to say of each place once it was opened."""
    told, before = {}, set()
    for name in names:
        page = run_page(name)
        loaded = HEAVY & set(sys.modules)
        told[name] = {
            "exceptions": [error.value for error in page.exception],
            "title": bool(page.title),
            "loaded": sorted(loaded - before),
            "words": [*shown(page)],
        }
        before = loaded
    print(json.dumps(told))


# Of the session, as a worker may come back to this module.
@pytest.fixture(scope="session")
def told() -> dict[str, dict]:
    # Those last that may load something.
    names = sorted(PLACES, key=lambda name: len(AT_ONCE.get(name, ())))
    code = (
        "import sys; sys.path[:0] = ['.', 'tests']\n"
        f"from tests.pages.test_words import tell_of; tell_of({names})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", PLACES)
def test_every_page_opens(told, name):
    assert not told[name]["exceptions"] and told[name]["title"]


@pytest.mark.parametrize("name", PLACES)
def test_pages_do_not_load_what_is_heavy(told, name):
    assert set(told[name]["loaded"]) <= AT_ONCE.get(name, set())


@pytest.mark.parametrize("name", PLACES)
def test_no_page_shows_a_name_as_files_have_it(told, name):
    texts = (CODE.sub("", text.replace("\\", "")) for text in told[name]["words"])
    assert {word for text in texts for word in NAME.findall(text)} - CODE_NAMES == set()
