"""Each figure in the documents names the command that gives it."""

import re
import shlex

import pytest
from conftest import REPOSITORY

from foxnas_core.options import build_parser

DOCS = sorted((REPOSITORY / "docs").glob("*.md"))
DOCS += [REPOSITORY / "README.md", REPOSITORY / "data" / "README.md"]
UNIT = r"(?:%|ms|µs|s|seconds?|minutes?|hours?|points?|[KMGT]i?B|times)(?![\w/])"
FIGURE = re.compile(rf"(?<![\w.$\\^-])[+−-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)\s{UNIT}")
# What every interval is of is no figure.
LEVEL = re.compile(
    r"9[059] %(?= (?:\w+ )?(?:confidence|prediction|normal|interval|intervals|quantile)\b)"
)
# The test of generated figures holds what stands in these.
GENERATED = re.compile(r"<!-- (?:generated|figure): .*?<!-- end -->", re.S)
# By hand: the command that gives the figures of a paragraph or list item, or why none does.
MARK = re.compile(r"<!-- (by|set): (.+?) -->", re.S)
INLINE = re.compile(r"`(python -m (?:foxnas_core|benchmarks)[^`]*|make [^`]*)`")


def blocks(text: str) -> list[tuple[str, str]]:
    """Paragraphs, tables and list items, each with the section's own command where that takes so
    long that its example is not run."""
    found, command = [], ""
    text = re.sub(r"```csv\n.*?```", "", text, flags=re.S)  # whose comments are no headings
    for part in re.split(r"\n(?=#)", text):
        held = re.search(r"<!-- not run: [^>]*-->\s*```sh\n(.*?)```", part, re.S)
        command = held[1] if held else ""
        prose = re.sub(r"```.*?```", "", GENERATED.sub("", part), flags=re.S)
        found += [(own, command) for own in re.split(r"\n\s*\n|\n(?=[-|] )", prose)]
    return found


def unnamed(text: str) -> list[str]:
    """The figures of a document that name no command."""
    return [
        f"{figure[0]} in: {' '.join(block.split())[:90]}"
        for block, command in blocks(text)
        if not (command or MARK.search(block) or INLINE.search(block))
        for figure in [FIGURE.search(LEVEL.sub("", block))]
        if figure
    ]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_each_figure_names_the_command_that_gives_it(path):
    assert unnamed(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It took 44 s.", 1),
        ("It took 44 s: `python -m benchmarks.cli`.", 0),
        ("It took 44 s. <!-- by: python -m benchmarks.cli -->", 0),
        ("Files of 2 GB at most. <!-- set: a limit of the code -->", 0),
        ("Gone up by <!-- figure: x -->3 %<!-- end -->, with 95 % intervals.", 0),
        ("- up by .5 %\n- and `make x` by 3 %", 1),
        ("## A\n\n<!-- not run: long -->\n\n```sh\nmake x\n```\n\n5 hours\n\n## B\n\n4 hours", 1),
        ("In 3.7 points or 12 ms.\n\nAbout +54 %.", 2),
    ],
)
def test_what_is_found(text, found):
    assert len(unnamed(text)) == found


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_commands_named_are_there(path):
    text, parser = path.read_text(), build_parser()
    targets = set(re.findall(r"^([a-z\d-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    for kind, command in MARK.findall(text):
        if kind == "set":
            assert len(command.split()) > 1, command
            continue
        words = shlex.split(command)
        if words[0] == "make":
            assert set(words[1:]) <= targets, command
        elif words[2].startswith("benchmarks."):
            assert (REPOSITORY / f"{words[2].replace('.', '/')}.py").is_file(), command
        else:
            assert words[:3] == ["python", "-m", "foxnas_core"], command
            parser.parse_args(words[3:])
