"""The images that ship: what they are of, and that no part shows what another one does."""

import csv
from collections import defaultdict

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import ImageFont

from foxnas_core.errors import MissingPart
from foxnas_core.tasks.dataset import check_apart
from foxnas_core.tasks.domain_folder import load_domains
from makers import emoji, letters

DATA = REPOSITORY / "data"


def sources(name: str) -> list[dict[str, str]]:
    with (DATA / name / "sources.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["letters", "emoji"])
def test_what_ships_is_apart(name):
    dataset = load_domains(DATA / name / "images.npz", side=28, channels=1)
    check_apart(dataset.training, dataset.held_out)
    split = dataset.split
    assert set(dataset.training.domains) == set(split.numbers_of(split.training))
    assert set(dataset.held_out.domains) == set(range(len(split.names)))
    for part in (dataset.training, dataset.held_out):
        assert set(part.labels) == set(range(len(split.classes)))
    assert dataset.licence and (DATA / name / "images.npz").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("name", "column"), [("letters", "family"), ("letters", "package"), ("emoji", "concept")]
)
def test_no_family_package_or_concept_is_in_two_parts(name, column):
    parts = defaultdict(set)
    for row in sources(name):
        parts[row[column]].add(row["part"])
    assert all(len(own) == 1 for own in parts.values())
    assert len({part for own in parts.values() for part in own}) > 1


def test_every_face_has_its_letters():
    faces = sources("letters")
    dataset = load_domains(DATA / "letters" / "images.npz", side=28, channels=1)
    learnt = [face for face in faces if face["part"] == "training"]
    assert len(dataset.training) == len(learnt) * len(letters.CLASSES)
    asked = len(faces) - len(learnt)
    # A letter that a face shares with one that is learnt, pixel for pixel, is left out.
    assert 0 <= asked * len(letters.CLASSES) - len(dataset.held_out) < len(dataset.held_out) / 50
    assert {face["package"] for face in faces} == {
        p for own in letters.PACKAGES.values() for p in own
    }


def test_letters_are_drawn_in_the_middle(tmp_path):
    face = tmp_path / "face.ttf"
    face.write_bytes(ImageFont.load_default(20).font_bytes)
    drawn = letters.letters_of(face)
    assert drawn.shape == (26, letters.SIDE, letters.SIDE) and drawn.dtype == np.uint8
    assert (drawn.max(axis=(1, 2)) > 128).all()
    ink = drawn.astype(float)
    rows = (ink.sum(2) * np.arange(letters.SIDE)).sum(1) / ink.sum((1, 2))
    assert np.abs(rows - letters.SIDE / 2).max() < 5


def test_a_family_in_two_parts_is_said():
    both = [letters.Face(p, "Sans", "", "", "sans", part) for p, part in (("a", "x"), ("b", "y"))]
    with pytest.raises(ValueError, match="Sans is in x and y"):
        letters.check_families(both)


def test_what_is_not_installed_is_named(tmp_path):
    with pytest.raises(MissingPart, match="fonts-lato has no font; run 'make fonts'"):
        next(letters.faces_in(tmp_path))
    with pytest.raises(MissingPart, match="run 'make emoji-packages'"):
        emoji.icons_of(tmp_path / "noto")
