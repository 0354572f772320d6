import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import DEMO, tiny_document
from hand import hand_space, noisy_table
from handmade_records import usual_record
from trials import claim_of, trial_of
from trust_pairs import begun, pairs_of

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST, TrustSettings
from foxnas_core.evidence.verification.claims import CLAIMS, Trials
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.records import CollectionKind
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.rounds.record import ROUNDS, Find, FindEstimate, Round, RoundsRecord
from foxnas_core.steps.trust import add_pair, claim_trust
from foxnas_core.study import (
    Study,
    create_study,
    list_studies,
    new_study_folder,
    open_study,
    read_architecture,
    read_space,
)
from foxnas_core.study.parts import file_limits, part_limit, parts_of
from foxnas_core.study.variants import VARIANTS, Variants
from foxnas_core.table.measurements import empty_table, table_from_frame


def row(accuracy=70.0):
    return {"accuracy": accuracy, "latency_ms": 0.1}


def test_a_created_study_opens_as_it_was(tiny_space, tmp_path):
    create_study(tmp_path / "a", tiny_space, name="A", description="First.")
    study = open_study(tmp_path / "a")
    assert (study.name, study.description, study.space) == ("A", "First.", tiny_space)
    assert len(study.table()) == 0
    assert list_studies(tmp_path) == [tmp_path / "a"]


def test_a_study_is_never_created_over_another(tiny_space, tmp_path):
    create_study(tmp_path / "a", tiny_space, name="A")
    with pytest.raises(InvalidInput, match="holds a study already"):
        create_study(tmp_path / "a", tiny_space, name="B")
    assert open_study(tmp_path / "a").name == "A"


def test_a_study_is_created_with_its_table(tiny_space, tmp_path):
    table = noisy_table(tiny_space, 10)
    create_study(tmp_path / "a", tiny_space, name="A", table=table)
    assert open_study(tmp_path / "a").table().fingerprint == table.fingerprint


def test_a_study_that_cannot_be_written_leaves_nothing_behind(tiny_space, tmp_path):
    (tmp_path / "a" / "study.json").mkdir(parents=True)  # no file can take its place
    with pytest.raises(InvalidInput, match="a can't be written"):
        create_study(tmp_path / "a", tiny_space, name="A", table=noisy_table(tiny_space, 10))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["study.json"]
    with pytest.raises(InvalidInput, match="can't be written"):
        create_study(Path("/proc/study"), tiny_space, name="A")


@pytest.mark.parametrize("name", ["mine", "A-1_b", "0", "x" * 64])
def test_a_plain_name_makes_a_folder(tmp_path, name):
    assert new_study_folder(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", "a b", "-a", "_a", "a.b", "a\n", "é", "x" * 65]
)
def test_a_name_that_could_be_a_path_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="can't name a study; take 1 to 64 letters"):
        new_study_folder(tmp_path, name)


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9", "aux"])
def test_a_name_of_a_windows_device_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="device's name on Windows"):
        new_study_folder(tmp_path, name)
    assert new_study_folder(tmp_path, f"{name}-1") == tmp_path / f"{name}-1"


def test_a_name_that_differs_in_capitals_alone_is_refused(tmp_path):
    (tmp_path / "Taken").mkdir()
    with pytest.raises(InvalidInput, match="There is a 'tAKEN'"):
        new_study_folder(tmp_path, "tAKEN")


def test_hidden_folders_are_no_studies(tiny_space, tmp_path):
    create_study(tmp_path / ".new-x", tiny_space, name="Half")
    assert list_studies(tmp_path) == []


def test_a_description_is_changed_and_keeps_what_else_is_known(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    path = tmp_path / "a" / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"of a later version": 1}))
    study.describe(name="<b>B</b>", description="Two\nlines.")
    found = open_study(tmp_path / "a")
    assert (found.name, found.description) == ("<b>B</b>", "Two\nlines.")
    assert json.loads(path.read_text())["of a later version"] == 1


@pytest.mark.parametrize(
    ("name", "description"),
    [("", ""), (" ", ""), ("a\nb", ""), ("x" * 101, ""), ("a\x00", ""), ("a\u202eb", ""),
     ("a", "x" * 2001), ("a", "\x1b[31m"), (3, ""), ("a", None)],
)  # fmt: skip
def test_what_is_no_plain_text_describes_no_study(tiny_space, tmp_path, name, description):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    with pytest.raises(InvalidInput, match="A study's (name|description) must be"):
        study.describe(name=name, description=description)
    assert open_study(tmp_path / "a").name == "A"
    with pytest.raises(InvalidInput, match="A study's (name|description) must be"):
        create_study(tmp_path / "b", tiny_space, name=name, description=description)
    assert not (tmp_path / "b").exists()


def test_every_file_of_a_study_is_copied_or_known_to_be_temporary(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    names = [name for name in dir(study) if name.endswith("_file") and name[0] != "_"]
    files = {getattr(study, name).name for name in names}
    assert files - set(file_limits()) == {"training-state.safetensors"}
    assert part_limit("searches/0123456789ab.json") and all(map(part_limit, file_limits()))
    for name in ("x", "searches/x.json", "searches/../space.json", "/space.json", "SPACE.json"):
        assert part_limit(name) is None


def test_a_taken_name_is_refused(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(InvalidInput, match="There is a 'taken' in .* already; take another name"):
        new_study_folder(tmp_path, "taken")


def test_appending_keeps_what_was_there(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    first, second = tiny_space.sample(2, seed=0)
    study.append([first], [row(70.0)], {"one": {"device": "x"}})
    study.append([second], [row(71.0)], {"two": {"device": "y"}})
    table = open_study(tmp_path / "a").table()
    assert table.architectures() == [first, second]
    assert table.values("accuracy").tolist() == [70.0, 71.0]
    assert table.record["campaigns"] == {"one": {"device": "x"}, "two": {"device": "y"}}


def test_a_bad_row_leaves_the_table_as_it_was(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    one = tiny_space.sample(1, seed=0)
    study.append(one, [row()])
    before = study.table_file.read_bytes()
    with pytest.raises(InvalidInput, match="accuracy"):
        study.append(one, [row(accuracy=170.0)])
    with pytest.raises(InvalidInput, match="latency_ms"):
        study.append(one, [row() | {"latency_ms": float("nan")}])
    assert study.table_file.read_bytes() == before


def test_a_table_with_a_latency_missing_is_added_to_one_without_gaps(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    first, second = tiny_space.sample(2, seed=0)
    study.append([first], [row()])
    gap = pd.DataFrame([second.to_dict() | row() | {"latency_ms": float("nan")}])
    study.add_table(table_from_frame(tiny_space, gap, source="own.csv", holes=True))
    assert np.isnan(study.table().values("latency_ms")).tolist() == [False, True]


def _append_some(arguments):
    folder, seed = arguments
    study = open_study(folder)
    for architecture in study.space.sample(5, seed=seed):
        study.append([architecture], [row(seed)])


def test_processes_that_append_at_once_lose_no_row(tiny_space, tmp_path):
    create_study(tmp_path / "a", tiny_space, name="A")
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_append_some, [(tmp_path / "a", seed) for seed in (1, 2, 3)]))
    counts = open_study(tmp_path / "a").table().frame["accuracy"].value_counts()
    assert counts.to_dict() == {1.0: 5, 2.0: 5, 3.0: 5}


def test_a_table_of_another_space_is_refused(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    other = space_from_dict(tiny_document(classes=4, name="other"))
    with pytest.raises(InvalidInput, match="'other'.*new study"):
        study.add_table(empty_table(other))
    assert not study.table_file.exists()


def test_a_truncated_table_is_one_sentence_and_stays(measured_study):
    content = measured_study.table_file.read_bytes()
    measured_study.table_file.write_bytes(content[:-100])
    with pytest.raises(InvalidInput, match=r"measurements\.parquet"):
        measured_study.table()
    with pytest.raises(InvalidInput):
        measured_study.append(measured_study.space.sample(1, seed=0), [row()])
    assert measured_study.table_file.read_bytes() == content[:-100]


def test_missing_parts_say_what_to_do(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    with pytest.raises(MissingPart, match="no supernet weights.*train"):
        study.load_checkpoint()
    with pytest.raises(MissingPart, match="no images.*train"):
        study.images()
    with pytest.raises(MissingPart, match="no study at"):
        open_study(tmp_path / "b")


def test_weights_of_another_space_are_refused(tiny_study, tmp_path):
    other = create_study(
        tmp_path / "b", space_from_dict(tiny_document(classes=4, name="other")), name="B"
    )
    other.checkpoint_file.write_bytes(tiny_study.checkpoint_file.read_bytes())
    with pytest.raises(InvalidInput, match="trained on space 'tiny'"):
        other.load_checkpoint()


def test_the_record_of_the_training_is_read_without_the_weights(tiny_study, tmp_path):
    assert tiny_study.training_record() == tiny_study.load_checkpoint().record
    assert create_study(tmp_path / "none", tiny_study.space, name="None").training_record() == {}


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_has_no_record_but_a_sentence(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "damaged", tiny_space, name="Damaged")
    study.checkpoint_file.write_bytes(content)
    with pytest.raises(InvalidInput, match="damaged or no FOX-NAS Studio checkpoint"):
        study.training_record()


def test_images_round_trip(tiny_study, tiny_dataset):
    calibration, held_out = tiny_study.images()
    assert (held_out.images == tiny_dataset.held_out.images).all()
    assert len(calibration) == 100


@pytest.mark.parametrize("search_id", ["../../etc/passwd", "ABCDEF123456", "", "0" * 12, "x" * 12])
def test_only_ids_of_kept_searches_are_read(tiny_study, search_id):
    with pytest.raises(MissingPart):
        tiny_study.kept(SEARCHES, search_id)


@pytest.mark.parametrize("search_id", ["../space", "../searches/0123456789ab", "0" * 12, "*", ""])
def test_only_ids_of_kept_searches_are_deleted(tiny_study, search_id):
    kept = tiny_study.folder / "searches" / "0123456789ab.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    with pytest.raises(MissingPart):
        tiny_study.forget(SEARCHES, search_id)
    assert kept.exists() and (tiny_study.folder / "space.json").exists()


def test_a_deleted_search_is_gone_even_if_it_was_damaged(tiny_study):
    folder = tiny_study.folder / "searches"
    folder.mkdir()
    for search_id in ("0123456789ab", "0123456789cd"):
        (folder / f"{search_id}.json").write_text("{}")
    tiny_study.forget(SEARCHES, "0123456789ab")
    assert tiny_study.ids(SEARCHES) == ["0123456789cd"]
    with pytest.raises(MissingPart):
        tiny_study.kept(SEARCHES, "0123456789ab")


def test_a_clock_that_was_set_back_misorders_no_search(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    numbers = CollectionKind[int](SEARCHES.file, int, "numbers", write=lambda n: {"n": n})
    ids = []
    for number in range(4):
        ids.append(study.keep(numbers, number))
        if number == 1:  # written by a clock that was ten years ahead
            ahead = time.time_ns() + 10**9 * 86400 * 3650
            os.utime(study.folder / "searches" / f"{ids[-1]}.json", ns=(ahead, ahead))
    assert len(set(ids)) == 4
    assert study.ids(SEARCHES) == ids[::-1]
    assert list(parts_of(study.folder))[-4:] == [f"searches/{i}.json" for i in ids]


def test_a_damaged_search_is_named(tiny_study):
    (tiny_study.folder / "searches").mkdir()
    (tiny_study.folder / "searches" / "0123456789ab.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"0123456789ab\.json is damaged"):
        tiny_study.kept(SEARCHES, "0123456789ab")


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"architecture": 3}', "[" * 100_000])
def test_a_broken_architecture_file_is_named(tiny_space, tmp_path, text):
    path = tmp_path / "architecture.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"architecture\.json"):
        read_architecture(path, tiny_space)


def test_architecture_files_come_bare_or_wrapped(tiny_space, tmp_path):
    architecture = tiny_space.sample(1, seed=0)[0]
    path = tmp_path / "architecture.json"
    own = {"id": "x", "architecture": architecture.to_dict()}
    for document in (architecture.to_dict(), own, {"best": own}, {"selected": own, "seed": 0}):
        path.write_text(json.dumps(document))
        assert read_architecture(path, tiny_space) == architecture


def test_a_broken_space_is_named_with_its_file(tmp_path):
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(classes=1)))
    with pytest.raises(InvalidInput, match=r"space\.json: 'classes'"):
        read_space(tmp_path / "space.json")


def test_trust_pairs_are_added_once_and_come_back(tiny_space, tmp_path):
    study = create_study(tmp_path / "new", tiny_space, name="New")
    assert study.record(TRUST) is None
    record = begun(tiny_space)
    one, other = pairs_of(tiny_space, [80, 82], [90, 91])
    add_pair(study, record, one)
    add_pair(study, record, other)
    kept = add_pair(study, record, replace(one, seconds=9.0))
    assert kept.pairs == (one, other) == study.record(TRUST).pairs
    with pytest.raises(InvalidInput, match="epochs from scratch"):
        add_pair(study, replace(record, settings=TrustSettings(1, 1)), one)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}', '{"format": 1}', "\xff"])
def test_damaged_trust_is_one_sentence(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "new", tiny_space, name="New")
    study.file(TRUST).write_text(content, encoding="latin-1")
    with pytest.raises(InvalidInput, match=r"trust\.json is damaged \(.+\); restore "):
        study.record(TRUST)


def test_trust_of_another_space_is_refused(tiny_space, tmp_path):
    study = create_study(tmp_path / "new", load_shipped("foxnas-mini"), name="New")
    with pytest.raises(InvalidInput, match="subnets of another space"):
        add_pair(study, begun(tiny_space), pairs_of(tiny_space, [1], [2])[0])
        study.record(TRUST)


def test_one_process_at_a_time_has_a_subnet(tiny_space, tmp_path):
    study = create_study(tmp_path / "new", tiny_space, name="New")
    with claim_trust(study, "one") as own, claim_trust(study, "other") as another:
        assert own != another and own.parent == study.folder / "trust"
        with claim_trust(Study(study.folder, "", "", tiny_space), "one") as taken:
            assert taken is None
    with claim_trust(study, "one") as own:
        assert own is not None


def test_hand_made_networks_come_back_as_they_were_kept(tiny_space, tmp_path):
    study = create_study(tmp_path / "new", tiny_space, name="New")
    assert study.record(HANDMADE) is None
    record = usual_record(tiny_space)
    study.save(HANDMADE, record)
    assert study.record(HANDMADE) == record
    study.save(HANDMADE, usual_record(load_shipped("foxnas-mini")))
    with pytest.raises(InvalidInput, match="subnets of another space"):
        study.record(HANDMADE)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}', '{"format": 1}', "\xff"])
def test_damaged_hand_made_networks_are_one_sentence(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "new", tiny_space, name="New")
    study.file(HANDMADE).write_text(content, encoding="latin-1")
    with pytest.raises(InvalidInput, match=r"handmade\.json is damaged \(.+\); restore "):
        study.record(HANDMADE)


def test_rounds_come_back_as_they_were_kept(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    assert study.record(ROUNDS) is None
    [architecture] = tiny_space.sample(1, seed=0)
    find = Find(architecture, 0.1, 0, {"accuracy": FindEstimate(60.0, 59.0, 61.0)})
    record = RoundsRecord("latency_ms", (0.1,), None, 3, (Round({}, (find,), {}, ()),))
    study.save(ROUNDS, record)
    kept = study.record(ROUNDS)
    assert ROUNDS.text(kept) == ROUNDS.text(record) and kept.rounds[0].finds == (find,)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 1, "latency": 3}', "\xff"])
def test_damaged_rounds_are_one_sentence(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    study.file(ROUNDS).write_text(content, encoding="latin-1")
    with pytest.raises(InvalidInput, match=r"rounds\.json is damaged \(.+\); restore "):
        study.record(ROUNDS)


def test_rounds_of_another_space_are_refused(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    other = hand_space().sample(1, seed=0)[0]
    find = Find(other, 0.1, 0, {})
    study.save(ROUNDS, RoundsRecord("latency_ms", (0.1,), None, 3, (Round({}, (find,), {}, ()),)))
    with pytest.raises(InvalidInput, match="of another space"):
        study.record(ROUNDS)


def test_the_images_of_the_training_are_told_by_the_weights_head(tiny_study, tmp_path):
    assert tiny_study.trained_on() == "stripes"
    whole = tiny_study.checkpoint_file.read_bytes()
    for content in (whole[:100], b"", b"x" * 50):
        tiny_study.checkpoint_file.write_bytes(content)
        assert tiny_study.trained_on() is None
    tiny_study.checkpoint_file.unlink()
    assert tiny_study.trained_on() is None
    assert open_study(DEMO).trained_on() == "Fashion-MNIST"


def test_claims_come_back_and_the_first_verdict_stands(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    assert study.record(CLAIMS).trials == ()
    stated = [trial_of(tiny_space, name, [claim_of()]) for name in ("one", "two")]
    study.change(CLAIMS, lambda kept: kept.with_stated(stated))
    again = trial_of(tiny_space, "one", [claim_of(value=70.0)])
    study.change(CLAIMS, lambda kept: kept.with_stated([again]))
    assert study.record(CLAIMS).trials == tuple(stated)
    settled = trial_of(tiny_space, "one", [claim_of()], [80.5])
    for one in (settled, trial_of(tiny_space, "one", [claim_of()], [99.0])):
        kept = study.change(CLAIMS, lambda kept, one=one: kept.with_settled(one))
        assert kept.by_id["one"] == settled
    assert study.record(CLAIMS).trials == (settled, stated[1])
    study.change(CLAIMS, lambda kept: kept.with_stated([stated[0]]))
    assert study.record(CLAIMS).trials == (settled, stated[1])


def _settle_some(arguments):
    folder, process = arguments
    study = open_study(folder)
    for number in range(5):
        name = f"{process}-{number}"
        stated = trial_of(study.space, name, [claim_of()])
        settled = trial_of(study.space, name, [claim_of()], [80.0])
        study.change(CLAIMS, lambda kept, stated=stated: kept.with_stated([stated]))
        study.change(CLAIMS, lambda kept, settled=settled: kept.with_settled(settled))


def test_processes_that_settle_at_once_lose_no_verdict(tiny_space, tmp_path):
    create_study(tmp_path / "a", tiny_space, name="A")
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_settle_some, [(tmp_path / "a", process) for process in range(3)]))
    trials = open_study(tmp_path / "a").record(CLAIMS).trials
    assert {t.id for t in trials} == {f"{p}-{n}" for p in range(3) for n in range(5)}
    assert all(t.done for t in trials) and len(trials) == 15


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 2}', '{"format": 1, "trials": [{}]}', "\xff"]
)
def test_damaged_claims_are_one_sentence_and_stay(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    study.file(CLAIMS).write_text(content, encoding="latin-1")
    for act in (
        lambda: study.record(CLAIMS),
        lambda: study.change(CLAIMS, lambda kept: kept),
    ):
        with pytest.raises(InvalidInput, match=r"claims\.json is damaged \(.+\); restore "):
            act()
    assert study.file(CLAIMS).read_text(encoding="latin-1") == content


def test_claims_of_another_space_are_refused(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    study.save(CLAIMS, Trials((trial_of(hand_space(), "one", [claim_of()]),)))
    with pytest.raises(InvalidInput, match="of another space"):
        study.record(CLAIMS)


def test_variants_survive_a_restart(tiny_space, tmp_path):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    small, large = tiny_space.extreme("smallest"), tiny_space.extreme("largest")
    assert study.record(VARIANTS) == Variants()
    study.change(VARIANTS, lambda kept: kept.having("small one", small))
    study.change(VARIANTS, lambda kept: kept.having("large", large))
    again = open_study(tmp_path / "a")
    assert [(v.name, v.architecture) for v in again.record(VARIANTS)] == [
        ("small one", small), ("large", large),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="already; take another name"):
        again.change(VARIANTS, lambda kept: kept.having("Large", small))
    again.change(VARIANTS, lambda kept: kept.without("small one"))
    assert [v.name for v in study.record(VARIANTS)] == ["large"]
    with pytest.raises(MissingPart, match="no variant 'small one'"):
        study.change(VARIANTS, lambda kept: kept.without("small one"))


def save_variant(folder: Path, number: int) -> None:
    study = open_study(folder)
    study.change(
        VARIANTS,
        lambda kept: kept.having(f"variant {number}", study.space.extreme("largest")),
    )


def test_processes_that_save_variants_at_once_lose_none(tiny_space, tmp_path):
    create_study(tmp_path / "a", tiny_space, name="A")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(save_variant, [tmp_path / "a"] * 8, range(8)))
    names = {v.name for v in open_study(tmp_path / "a").record(VARIANTS)}
    assert names == {f"variant {n}" for n in range(8)}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 1, "variants": 3}',
     '{"format": 1, "variants": [{"name": 3}]}',
     '{"format": 1, "variants": [{"name": "x", "choices": {"s9_depth": 1}}]}'],
)  # fmt: skip
def test_damaged_variants_are_one_sentence_and_stay(tiny_space, tmp_path, content):
    study = create_study(tmp_path / "a", tiny_space, name="A")
    study.file(VARIANTS).write_text(content)
    with pytest.raises(
        InvalidInput,
        match=r"variants\.json (is damaged \(.+\); restore|holds subnets of another)",
    ):
        study.record(VARIANTS)
    with pytest.raises(InvalidInput, match="damaged"):
        study.change(VARIANTS, lambda kept: kept.having("x", tiny_space.extreme("largest")))
    assert study.file(VARIANTS).read_text() == content
