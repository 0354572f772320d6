"""Every link of the documents leads somewhere."""

import re

import pytest
from conftest import REPOSITORY
from mdblocks import FILES, anchors_of, links_of

DOCS = REPOSITORY / "docs"


def of(path):
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("path", FILES, ids=of)
def test_links_lead_to_files_and_headings_that_are_there(path):
    for link in links_of(path):
        if re.match(r"(https?|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_relative_to(REPOSITORY), f"{link} leads out of the repository"
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(target), f"{link}: no such heading"


def test_the_index_names_every_document():
    named = {link.partition("#")[0] for link in links_of(DOCS / "README.md")}
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= named
    assert "README.md" in {
        link.removeprefix("docs/") for link in links_of(REPOSITORY / "README.md")
    }


def test_every_picture_is_shown_and_small():
    shown = {(path.parent / link).resolve() for path in FILES for link in links_of(path)}
    pictures = sorted(DOCS.rglob("*.png"))
    assert set(pictures) <= shown
    for picture in pictures:
        assert picture.stat().st_size < 150_000, picture
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000
