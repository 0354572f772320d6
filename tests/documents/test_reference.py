"""The references are what the code gives, and what they show is what it takes."""

import json
import shlex

import pytest
from conftest import REPOSITORY
from mdblocks import blocks_of

from docs import figures, generate
from foxnas_core.cards.analysis import analyses
from foxnas_core.families import space_from_dict

DOCS = REPOSITORY / "docs"


@pytest.mark.parametrize("name", generate.FILES)
def test_the_reference_is_what_the_code_gives(name):
    text = (DOCS / name).read_text()
    assert generate.renewed(text) == text, "make reference"


def test_every_command_and_every_document_has_its_section():
    named = [n for name in generate.FILES for n in generate.names_in((DOCS / name).read_text())]
    assert sorted(named) == sorted(generate.PARTS)


def test_each_figure_stands_in_a_document_and_names_a_command_that_is_taken():
    texts = "".join((DOCS / name).read_text() for name in generate.FILES)
    for name in figures.NUMBERS:
        assert f"<!-- figure: {name} -->" in texts, name
    parser = generate.build_parser()
    for figure in (*figures.NUMBERS.values(), *figures.TABLES.values()):
        if figure.module != "foxnas_core":
            assert (REPOSITORY / f"{figure.module.replace('.', '/')}.py").is_file()
            continue
        options = parser.parse_args(shlex.split(figure.command))
        assert options.command != "explain" or options.analysis in analyses()
        assert (REPOSITORY / options.study).is_dir()


def test_a_stale_figure_is_noticed_and_renewed():
    text = "At 18 pixels it was <!-- figure: tau at 18 -->.99<!-- end -->, of five."
    assert generate.renewed(text) == text.replace(".99", "-.60")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.771, ".77"), (-0.6, "-.60"), (1.0, "1.00"), (-0.0001, ".00"), (10.5, "10.50")],
)
def test_numbers_are_written_as_in_the_documents(value, text):
    assert figures.number(value) == text


def test_a_changed_part_is_noticed_and_the_rest_left_alone():
    text = "# By hand\n\n<!-- generated: architecture -->\nold\n<!-- end -->\n\nBy hand too.\n"
    renewed = generate.renewed(text)
    assert "\nold\n" not in renewed and "active decisions" in renewed
    assert renewed.startswith("# By hand\n") and renewed.endswith("By hand too.\n")


def test_the_shown_space_and_architecture_are_read():
    space, choices = (
        json.loads(block.text)
        for block in blocks_of(DOCS / "schemas.md")
        if block.language == "json"
    )
    read = space_from_dict(space)
    assert read.architecture(choices).to_dict() == choices
