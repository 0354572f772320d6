"""Classification in domains: what is split, what is scored, and folders of one's own."""

import json
from dataclasses import replace

import numpy as np
import pytest
from domain_pictures import SPLIT, coloured, draw_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.tasks import task_of
from foxnas_core.tasks.dataset import check_packed, pack_images, unpack_images
from foxnas_core.tasks.domain_folder import Pictures, apart, load_domains
from foxnas_core.tasks.domain_split import DOMAINS, DomainSplit
from foxnas_core.tasks.domains import Domains
from foxnas_core.testing.tasks import check_judging, check_task

SHAPE = (3, 6, 6)


@pytest.fixture(scope="module")
def dataset():
    return coloured()


def test_the_task_keeps_its_contract(dataset):
    check_task(Domains, dataset, SHAPE)
    rng = np.random.default_rng(0)
    labels = dataset.held_out.labels[:40]
    right = 5 * np.eye(2, dtype=np.float32)[labels]
    plain = replace(dataset, held_out=replace(dataset.held_out, domains=None))
    check_judging(Domains.of(dataset), rng.normal(size=(40, 2)).astype(np.float32), right, plain)
    task = Domains.of(dataset)
    again = task_of(json.loads(json.dumps({"task": task.name, **task.record()})))
    assert again == task and again.split == SPLIT


def test_accuracy_is_told_in_each_domain_in_seen_and_unseen_ones_and_the_worst(dataset):
    held_out = dataset.held_out
    # Right wherever the domain is seen, in half of the cases of one that is not, nowhere else.
    right = np.isin(held_out.domains, [0, 1])
    of_far = np.flatnonzero(held_out.domains == SPLIT.names.index("far"))
    right[of_far[::2]] = True
    said = np.where(right, held_out.labels, 1 - held_out.labels)
    scores = Domains.of(dataset).score(np.eye(2)[said], held_out)
    value = {column: round(score.value, 6) for column, score in scores.items()}
    assert value["accuracy:iid"] == value["accuracy:near"] == value["accuracy:here"] == 100
    assert value["accuracy:far"] == pytest.approx(100 * right[of_far].mean())
    assert value["accuracy:between"] == value["accuracy:farther"] == value["accuracy:worst"] == 0
    unseen = np.isin(held_out.domains, SPLIT.numbers_of(SPLIT.test))
    assert value["accuracy:ood"] == pytest.approx(100 * right[unseen].mean())
    assert scores["accuracy:far"].std_error == pytest.approx(
        100 * right[of_far].std(ddof=1) / np.sqrt(len(of_far))
    )
    few = held_out.take(np.flatnonzero(held_out.domains == 0))
    assert not [c for c in Domains.of(dataset).score(np.eye(2)[few.labels], few) if "far" in c]


@settings(max_examples=10, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(SPLIT.names), st.integers(0, 9), st.integers(0, 1)),
        min_size=30, max_size=60,
    )
)  # fmt: skip
def test_no_thing_and_no_image_is_learnt_and_asked_for(rows):
    domains, things, labels = map(np.array, zip(*rows, strict=True))
    images = np.arange(len(rows), dtype=np.uint8)[:, None, None]
    pictures = Pictures(images, labels.astype(np.int64), domains, things.astype(str))
    try:
        training, held_out = apart(pictures, SPLIT)
    except InvalidInput as error:
        assert str(error).startswith(("Domain ", "Class "))
        return
    learnt, asked = training.images.ravel(), held_out.images.ravel()
    assert not set(things[learnt]) & set(things[asked])
    assert set(domains[learnt]) <= set(SPLIT.training) and set(domains[asked]) == set(SPLIT.names)
    assert np.array_equal(np.array(SPLIT.names)[held_out.domains], domains[asked])


def test_an_image_that_is_learnt_is_not_asked_for_under_another_name():
    split = DomainSplit(("here",), ("there",), held_out=("b", "c"))
    domains, things = np.array(["here", "here", "here", "there"]), np.array(["a", "b", "c", "d"])
    images = np.array([1, 1, 2, 3], np.uint8)[:, None, None]
    _, held_out = apart(Pictures(images, np.zeros(4, np.int64), domains, things), split)
    assert sorted(held_out.images.ravel()) == [2, 3]


def test_a_thing_is_held_out_in_all_domains_alike():
    split = DomainSplit(("here",), ("there",), held_out=("b",))
    domains = np.array(["here", "here", "there", "there"])
    things = np.array(["a", "b", "a", "b"])
    images = np.arange(4, dtype=np.uint8)[:, None, None]
    training, held_out = apart(Pictures(images, np.zeros(4, np.int64), domains, things), split)
    assert training.images.ravel().tolist() == [0]
    assert sorted(held_out.images.ravel()) == [1, 3]


def test_a_folder_of_domains_is_read_with_its_roles(tmp_path):
    folder = draw_folder(tmp_path / "own")
    (folder / "domains.json").write_text(DOMAINS.text(SPLIT))
    dataset = load_domains(folder, side=6, channels=3)
    assert dataset.domains == SPLIT.names and dataset.classes == ("left", "right")
    assert dataset.name == "own" and dataset.licence == "as the folder's owner says"
    roles = {"between": "selection", "far": "test", "farther": "test"}
    told = load_domains(folder, side=6, channels=3, roles=roles)
    assert told.split == replace(SPLIT, training=("here", "near"))
    assert len(told.training) == len(dataset.training) and len(told.held_out)


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (None, "does not say which of its domains between, far, .* are trained on"),
        ({"far": "exam"}, "'exam' is no role of a domain; take one of training"),
        ({"moon": "test"}, "There is no domain 'moon' but between"),
        ({"here": "training"}, "at least one to train on and one for the test"),
    ],
)
def test_roles_that_cannot_be_are_said_in_a_sentence(tmp_path, roles, said):
    folder = draw_folder(tmp_path / "own")
    with pytest.raises((InvalidInput, MissingPart), match=said):
        load_domains(folder, side=6, channels=3, roles=roles)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "domains.json tells no roles"),
        ('{"format": 1, "training": ["near"]}', "test is missing"),
        ('{"format": 1, "training": ["near"], "test": ["near"]}', "'near' has two roles"),
        ('{"format": 1, "training": ["near"], "test": ["iid"]}', "'iid' can't name a domain"),
        ('{"format": 1, "training": ["near"], "test": ["moon"]}', "no folder 'moon'"),
    ],
)
def test_a_damaged_file_of_roles_is_named(tmp_path, document, said):
    folder = draw_folder(tmp_path / "own")
    (folder / "domains.json").write_text(document)
    with pytest.raises((InvalidInput, MissingPart), match=said):
        load_domains(folder, side=6, channels=3)


def test_a_domain_with_nothing_unseen_is_named(tmp_path):
    folder = draw_folder(tmp_path / "own")
    split = DomainSplit(("here",), ("far",), held_out=("t99",))
    (folder / "domains.json").write_text(DOMAINS.text(split))
    with pytest.raises(InvalidInput, match="Domain 'here' has no picture of a thing that is not"):
        load_domains(folder, side=6, channels=3)


def test_domains_are_kept_with_the_images_of_a_study(tmp_path, dataset):
    file = tmp_path / "images.npz"
    file.write_bytes(pack_images({"calibration": dataset.training, "held_out": dataset.held_out}))
    check_packed(file, {"calibration", "held_out"})
    back = unpack_images(file)
    assert np.array_equal(back["held_out"].domains, dataset.held_out.domains)
    with pytest.raises(MissingPart, match="lacks its domains.json"):
        Domains.load(file, SHAPE)
    (tmp_path / "domains.json").write_text(DOMAINS.text(SPLIT))
    again = Domains.load(file, SHAPE)
    assert again.split == SPLIT and len(again.training) == len(dataset.training)
    few = replace(SPLIT, test=("far",), selection=())
    (tmp_path / "domains.json").write_text(DOMAINS.text(few))
    with pytest.raises(InvalidInput, match="numbers other domains"):
        Domains.load(file, SHAPE)


def test_a_shift_moves_what_is_drawn_and_nothing_else(dataset):
    cases = dataset.training.take(slice(0, 3))
    task = Domains.of(dataset)
    still = task.varied(cases, np.full((3, 2), 2))
    assert np.array_equal(still.images, cases.images)
    down = task.varied(cases, np.tile([1, 2], (3, 1)))
    assert np.array_equal(down.images[:, 1:], cases.images[:, :-1])


def test_what_has_no_domains_is_refused(tiny_dataset):
    with pytest.raises(InvalidInput, match="are of no domains"):
        Domains.of(tiny_dataset)
    with pytest.raises(MissingPart, match="name it with --data"):
        Domains.load(None, SHAPE)
