import json

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, run_page, sentences, tiny_document
from hand import hand_document, hand_space, noisy_table

from foxnas_core.families import family_of, load_shipped
from foxnas_core.steps.bring import sample_rows
from foxnas_core.study import create_study, open_study
from foxnas_core.table.sums import kept_sums
from tests.published_file import pickled

PAGE = "pages/20_Studies.py?view=table"
HAND = hand_space()
TABLE = noisy_table(HAND, 40)
OWN = TABLE.frame.drop(columns="id")
FOREIGN = OWN.assign(accuracy=OWN["accuracy"] / 100, latency_ms=OWN["latency_ms"] / 1000).rename(
    columns={"p_depth": "P-Depth", "q1_kernel": "kernel of q", "accuracy": "Top-1",
             "latency_ms": "seconds"}
)  # fmt: skip


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.fixture
def hand(studies):
    """An empty study of the hand space."""
    return create_study(studies / "hand", HAND, name="Hand")


def uploaded(content: bytes, name: str = "t.csv", study: str = "hand"):
    page = run_page(PAGE, study=study)
    assert not page.exception
    return page.file_uploader(key="upload").set_value((name, content, "")).run()


def plainly(page) -> str:
    return sentences(page).replace("\\", "")


def widget(page, kind: str, name: str):
    """The one widget of a kind that asks for this name: its key has the file's digest, too."""
    [found] = [w for w in page.get(kind) if f"-{name}-" in f"{w.key}-"]
    return found


def ready(page) -> bool:
    return not page.button(key="import").disabled


def answer(page, unit: str = "percent"):
    return widget(page, "radio", "accuracy").set_value(unit).run()


def press(page):
    return page.button(key="import").click().run()


def test_without_a_file_the_page_says_what_the_study_holds(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "has 800 measured subnets" in plainly(page)
    assert "import" not in {b.key for b in page.button}


def test_a_table_by_its_names_is_appended(hand):
    page = uploaded(csv(OWN))
    assert not page.exception and not page.error
    assert "a column for each of the 4 decisions" in plainly(page)
    assert not ready(page) and "Say the unit of 'accuracy'." in plainly(page)
    # No unit is chosen beforehand, and latency's stands in its name.
    assert widget(page, "radio", "accuracy").value is None
    assert "In ms, by its name." in plainly(page)
    # With no column left, none is asked for.
    assert not [s for s in page.selectbox if s.key.startswith("map-")]
    page = answer(page)
    assert not page.error and ready(page)
    assert page.dataframe[-1].value["id"].tolist() == TABLE.frame["id"].tolist()[:5]
    page = press(page)
    assert not page.exception and not page.error
    assert "Added 40 rows to hand, which now has 40." in plainly(page)
    assert hand.table().fingerprint == TABLE.fingerprint
    # The same file is not offered again by accident, only on purpose.
    assert "import" not in {b.key for b in page.button}
    page = answer(page.button(key="import-again").click().run())
    assert "All 40 rows are in the study already" in plainly(page) and not ready(page)
    page = page.checkbox(key="again").check().run()
    assert "which now has 80." in plainly(press(page))
    page = page.button(key="open-imported").click().run()
    assert not page.exception and page.title[0].value == "Study"


def test_columns_of_other_names_are_mapped_and_their_units_asked(hand):
    page = uploaded(csv(FOREIGN))
    assert not page.exception and not page.error
    # What differs in case and separators only is filled in, as are synonyms; nothing else is.
    assert widget(page, "selectbox", "p_depth").value == "P-Depth"
    assert widget(page, "selectbox", "accuracy").value == "Top-1"
    assert widget(page, "selectbox", "q1_kernel").value is None
    assert widget(page, "selectbox", "latency_ms").value is None
    assert "Choose the columns of q1_kernel." in plainly(page) and not ready(page)
    page = widget(page, "selectbox", "q1_kernel").set_value("kernel of q").run()
    page = widget(page, "selectbox", "latency_ms").set_value("seconds").run()
    assert "Say the unit of 'Top-1'. Say the unit of 'seconds'." in plainly(page)
    page = widget(page, "radio", "latency_ms").set_value("s").run()
    assert not ready(page)
    page = answer(page, "fraction")
    assert ready(page) and not page.error
    press(page)
    found = hand.table()
    np.testing.assert_array_equal(found.codes, TABLE.codes)
    np.testing.assert_allclose(found.values("accuracy"), TABLE.values("accuracy"), rtol=1e-12)
    np.testing.assert_allclose(found.values("latency_ms"), TABLE.values("latency_ms"), rtol=1e-12)


def test_a_latency_on_a_further_device_has_its_own_name_and_unit(hand):
    page = answer(uploaded(csv(OWN.assign(phone=OWN["latency_ms"] * 1000))))
    [further] = page.multiselect
    page = further.set_value(["phone"]).run()
    assert "Say the unit of 'phone'." in plainly(page) and not ready(page)
    page = widget(page, "text_input", "phone").set_value("my phone").run()
    page = widget(page, "radio", "latency_ms:my phone").set_value("us").run()
    press(page)
    found = hand.table()
    np.testing.assert_allclose(
        found.values("latency_ms:my phone"), TABLE.values("latency_ms"), rtol=1e-12
    )


def test_a_wrong_unit_is_told_by_the_files_own_column_and_value(hand):
    page = uploaded(csv(FOREIGN.rename(columns={"kernel of q": "q1_kernel"})))
    page = answer(page, "percent")
    assert "looks like fractions" in page.error[0].value and not ready(page)
    page = uploaded(csv(OWN))
    page = answer(page, "fraction")
    said = page.error[0].value.replace("\\", "")
    assert "t.csv, line 2, has accuracy = " in said and "a fraction from 0 to 1" in said
    assert not ready(page) and not hand.table_file.exists()


def test_a_wrong_cell_is_told_and_nothing_is_written(hand):
    wrong = OWN.astype({"q1_kernel": object})
    wrong.loc[3, "q1_kernel"] = "<b>4</b>"
    page = answer(uploaded(csv(wrong)))
    assert not page.exception and len(page.error) == 1
    assert "line 5, 'q1_kernel' is '<b>4</b>'; allowed: 3, 5, 7." in plainly(page)
    assert "<b>" not in page.error[0].value
    assert not ready(page) and not hand.table_file.exists()


@pytest.mark.parametrize("name", ["t.jsonl", "t.json", "t.csv"])
def test_json_architectures_are_imported(hand, name):
    choices = [architecture.to_dict() for architecture in TABLE.architectures()]
    frame = OWN[["accuracy", "latency_ms"]]
    if name == "t.csv":
        content = csv(frame.assign(architecture=[json.dumps(own) for own in choices]))
    else:
        content = frame.assign(architecture=choices).to_json(
            orient="records", lines=name == "t.jsonl", double_precision=15
        )
    page = uploaded(content if isinstance(content, bytes) else content.encode(), name)
    assert not page.exception and not page.error
    assert "JSON objects of choices in the column architecture" in plainly(page)
    press(answer(page))
    np.testing.assert_array_equal(hand.table().codes, TABLE.codes)


def test_a_column_of_json_architectures_is_chosen(hand):
    texts = [json.dumps(architecture.to_dict()) for architecture in TABLE.architectures()]
    page = answer(uploaded(csv(OWN[["accuracy"]].assign(genes=texts))))
    assert "Choose the columns of p_depth, p1_kernel, q1_kernel." in plainly(page)
    [layout] = [w for w in page.radio if w.key.startswith("layout-")]
    page = layout.set_value("json").run()
    assert "Choose the column that holds the JSON" in plainly(page) and not ready(page)
    page = widget(page, "selectbox", "architecture").set_value("genes").run()
    press(page)
    np.testing.assert_array_equal(hand.table().codes, TABLE.codes)


def test_a_parquet_file_is_imported(hand, tmp_path):
    OWN.to_parquet(tmp_path / "t.parquet")
    page = answer(uploaded((tmp_path / "t.parquet").read_bytes(), "t.parquet"))
    press(page)
    assert hand.table().fingerprint == TABLE.fingerprint


def test_another_space_needs_a_new_study(studies):
    page = uploaded(csv(OWN), study="demo")
    page = page.selectbox(key="import-space").set_value("file").run()
    assert "Upload the JSON file of the search space" in plainly(page)
    document = json.dumps(hand_document()).encode()
    page = page.file_uploader(key="space-file").set_value(("hand.json", document, "")).run()
    assert not page.exception and not page.error
    page = answer(page)
    assert page.radio(key="destination").options == ["a new study"]
    assert "Name the new study." in plainly(page) and not ready(page)
    for wrong, words in (("../x", "can't name a study"), ("demo", "There is a 'demo' in")):
        page = page.text_input(key="new-study").set_value(wrong).run()
        assert words in plainly(page) and not ready(page)
    page = page.text_input(key="new-study").set_value("mine").run()
    assert ready(page)
    page = press(page)
    study = open_study(studies / "mine")
    assert (study.name, study.table().fingerprint) == ("mine", TABLE.fingerprint)
    assert "Added 40 rows to mine, which now has 40." in plainly(page)
    page = page.button(key="open-imported").click().run()
    assert page.query_params["study"] in ("mine", ["mine"])
    assert page.selectbox(key="study").value == "mine"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[", "hand.json is no valid JSON"), (b"{}", "hand.json: The search space has format None")],
)
def test_a_broken_space_is_one_sentence(hand, content, words):
    page = uploaded(csv(OWN))
    page = page.selectbox(key="import-space").set_value("file").run()
    page = page.file_uploader(key="space-file").set_value(("hand.json", content, "")).run()
    assert not page.exception and len(page.error) == 1
    assert words in plainly(page)


def test_a_shipped_space_is_chosen(studies):
    other = load_shipped("foxnas-cpu")
    page = uploaded(csv(noisy_table(other, 10).frame), study="demo")
    page = page.selectbox(key="import-space").set_value("shipped:foxnas-cpu").run()
    page = answer(page.text_input(key="new-study").set_value("cpu").run())
    press(page)
    assert open_study(studies / "cpu").space == other


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "t.csv can't be read as CSV"),
        ("t.parquet", b"PAR1 and no more", "t.parquet can't be read as parquet"),
        ("t.jsonl", b'{"a": 1}\n{', "t.jsonl, line 2, is no valid JSON"),
        ("<b>x</b>.json", b"3", "must hold a list of JSON objects"),
    ],
)
def test_a_broken_file_is_one_sentence(hand, name, content, words):
    page = uploaded(content, name)
    assert not page.exception and len(page.error) == 1
    assert words in plainly(page)
    assert "<b>" not in page.error[0].value
    assert "import" not in {b.key for b in page.button}


def test_column_names_are_shown_as_they_are(hand):
    frame = OWN.rename(columns={"accuracy": "**acc** [x](http://x)"})
    page = uploaded(csv(frame))
    page = widget(page, "selectbox", "accuracy").set_value("**acc** [x](http://x)").run()
    assert not page.exception
    label = widget(page, "radio", "accuracy").label
    assert "**" not in label and "](" not in label
    assert "](" not in sentences(page)


def test_a_folder_that_cannot_be_written_is_one_sentence(hand):
    page = answer(uploaded(csv(OWN)))
    # No table can take the place of a folder, whoever writes.
    (hand.folder / ".lock").mkdir()
    page = press(page)
    assert not page.exception and len(page.error) == 1
    assert "can't be written" in plainly(page)
    assert not hand.table_file.exists()


def test_a_name_that_was_taken_meanwhile_is_refused(studies, hand):
    page = answer(uploaded(csv(OWN)))
    page = page.radio(key="destination").set_value("a new study").run()
    page = page.text_input(key="new-study").set_value("mine").run()
    create_study(studies / "mine", HAND, name="Other")
    page = press(page)
    assert not page.exception
    assert "There is a 'mine' in" in plainly(page)
    assert open_study(studies / "mine").name == "Other"


PUBLISHED = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no published table at {PUBLISHED}")
def test_the_published_table_brings_its_space_and_units(studies):
    page = uploaded(PUBLISHED.read_bytes(), "foxnas.csv", study="demo")
    assert not page.exception and not page.error
    assert "FOX-NAS's published columns" in plainly(page)
    assert not [r for r in page.radio if r.key.startswith("unit")]
    page = page.text_input(key="new-study").set_value("published").run()
    press(page)
    table = open_study(studies / "published").table()
    assert len(table) == 300 and not table.ordered


def test_a_broken_table_of_the_study_does_not_keep_from_a_new_one(hand, studies):
    hand.table_file.write_bytes(b"PAR1")
    page = answer(uploaded(csv(OWN)))
    assert "measurements.parquet" in plainly(page)
    page = page.radio(key="destination").set_value("a new study").run()
    press(page.text_input(key="new-study").set_value("mine").run())
    assert open_study(studies / "mine").table().fingerprint == TABLE.fingerprint


def test_a_space_is_needed_that_fits(hand):
    space = tiny_document()
    page = uploaded(csv(OWN))
    page = page.selectbox(key="import-space").set_value("file").run()
    content = json.dumps(space).encode()
    page = page.file_uploader(key="space-file").set_value(("tiny.json", content, "")).run()
    page = answer(page)
    assert "Choose the columns of resolution, s1_depth" in plainly(page) and not ready(page)


def test_columns_that_are_no_metric_are_named_beside_what_is_stored(hand):
    page = answer(uploaded(csv(OWN.assign(perplexity=3.5, note="fine"))))
    assert not page.exception and not page.error and ready(page)
    assert "The columns 'perplexity', 'note' are no known metric" in plainly(page)
    press(page)
    assert open_study(hand.folder).table().unknown == ("perplexity", "note")
    page = run_page("pages/14_Measurements.py", study="hand")
    assert not page.exception
    assert "The columns 'perplexity', 'note' are no known metric" in plainly(page)


def test_a_share_is_asked_for_its_unit_whatever_its_name(hand):
    page = uploaded(csv(OWN.drop(columns="accuracy").assign(dice=OWN["accuracy"] / 100)))
    assert not ready(page) and "Say the unit of 'dice'." in plainly(page)
    page = widget(page, "radio", "dice").set_value("fraction").run()
    assert not page.error and ready(page)


def test_the_sample_file_of_measured_rows_can_be_imported(studies, hand):
    measured = create_study(studies / "measured", HAND, name="Measured", table=TABLE)
    page = answer(uploaded(csv(sample_rows(measured))))
    assert not page.exception and not page.error and ready(page)
    press(page)
    assert open_study(hand.folder).table().frame["id"].tolist() == TABLE.frame["id"].tolist()[:5]


def test_the_sample_of_an_empty_study_has_columns_to_fill_in(hand):
    sample = sample_rows(hand)
    assert list(sample.columns) == [*HAND.by_name, "accuracy", "latency_ms"]
    filled = sample.assign(accuracy=80.0, latency_ms=0.1)
    page = answer(uploaded(csv(filled)))
    assert not page.exception and not page.error and ready(page)


def test_without_a_study_the_sample_becomes_the_first(studies, monkeypatch, tmp_path):
    monkeypatch.setenv("FOXNAS_STUDIES", str(tmp_path))
    page = run_page(PAGE)
    assert "sample-download" in {b.key for b in page.get("download_button")}
    sample = sample_rows(None).assign(accuracy=80.0, latency_ms=0.1)
    page = answer(page.file_uploader(key="upload").set_value(("t.csv", csv(sample), "")).run())
    page = page.text_input(key="new-study").set_value("first").run()
    assert not page.exception and ready(page)
    press(page)
    assert len(open_study(tmp_path / "first").table()) == 5


def test_a_published_benchmark_is_what_it_holds_of_the_space(studies):
    layers = load_shipped("fbnet-cifar100")
    create_study(studies / "layers", layers, name="Layers")
    page = uploaded(pickled(), "HW-NAS-Bench-v1_0.pickle", study="layers")
    assert not page.exception and not page.error and ready(page)
    page = press(page)
    assert not page.exception and "to layers, which now has 477." in plainly(page)
    assert len(kept_sums(open_study(studies / "layers").table())) == 8
    other = uploaded(pickled(), "theirs.pickle", study="demo")
    assert "'foxnas-mini' is no such space: name a shipped one" in plainly(other)


def test_a_column_of_cells_is_found_by_what_it_holds(studies):
    cells = load_shipped("nasbench201")
    create_study(studies / "cells", cells, name="Cells")
    texts = [family_of(cells).write(cells, one) for one in cells.sample(12, seed=0)]
    frame = pd.DataFrame({"text": texts, "index": range(12), "latency_ms": 1.5})
    page = uploaded(csv(frame), study="cells")
    assert not page.exception and not page.error and ready(page)
    assert "Added 12 rows to cells" in plainly(press(page))
