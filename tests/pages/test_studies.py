"""The page of studies, and what other pages say of a study that others change."""

import io
import shutil
import zipfile
from multiprocessing import get_context

import pytest
from conftest import DEMO, run_page, sentences, tiny_document
from hand import hand_space, noisy_table
from zips import zipped

from foxnas_core.errors import NotWritable
from foxnas_core.families import space_from_dict
from foxnas_core.study import create_study, library, list_studies, open_study
from foxnas_core.study.locks import writing

PAGE = "pages/20_Studies.py"
BRING = f"{PAGE}?view=bring"
LIGHT = f"{PAGE}?view=table"  # reads the table, and fits nothing
HAND = hand_space()


def plainly(page) -> str:
    return sentences(page).replace("\\", "")


def names(studies) -> list[str]:
    return [path.name for path in list_studies(studies)]


def click(page, key: str):
    page = page.button(key=key).click().run()
    assert not page.exception
    return page


def submit(page, label: str):
    [button] = [button for button in page.button if button.label == label]
    page = button.click().run()
    assert not page.exception
    return page


def typed(page, key: str, text: str):
    page = page.text_input(key=key).set_value(text).run()
    assert not page.exception
    return page


def shelf(page):
    return page.dataframe[0].value.set_index("study")


@pytest.fixture
def hand(studies):
    return create_study(
        studies / "hand", HAND, name="<b>Hand</b>", description="*Small*",
        table=noisy_table(HAND, 40),
    )  # fmt: skip


def test_the_page_lists_what_each_study_holds(studies, hand):
    shutil.copy(DEMO / "supernet.safetensors", studies / "demo")
    page = run_page(PAGE)
    assert not page.exception and not page.error
    table = shelf(page)
    assert table.index.tolist() == ["demo", "hand"]
    assert table["rows"].tolist() == [len(open_study(studies / "demo").table()), 40]
    assert table["weights"].tolist() == ["yes", "no"]
    assert table["space"].tolist() == ["foxnas-mini", "hand"]
    with hand.in_use():
        assert shelf(page.run())["state"].tolist() == ["", "being written"]


def test_a_study_is_opened(studies):
    create_study(studies / "empty", HAND, name="<b>Empty</b>", description="*Small*")
    page = run_page(PAGE)
    page = page.selectbox(key="studies-chosen").set_value("empty").run()
    assert "\\*Small\\*" in sentences(page)
    page = click(page, "open")
    assert page.title[0].value == "Study" and page.selectbox(key="study").value == "empty"
    assert "\\<b\\>Empty\\</b\\>" in page.header[0].value


def test_a_study_is_described_duplicated_and_renamed(studies, hand):
    page = run_page(PAGE, study="hand")
    page.text_input(key="shown-hand").set_value("A new name")
    page.text_area(key="text-hand").set_value("Two\nlines")
    page = submit(page, "Save")
    assert "hand is described anew." in plainly(page)
    assert open_study(hand.folder).name == "A new name"
    assert page.button(key="duplicate").disabled
    page = click(typed(page, "copy-hand", "second"), "duplicate")
    assert "second is a copy of hand." in plainly(page)
    assert open_study(studies / "second").name == "A new name (copy)"
    assert page.selectbox(key="study").value == "second"
    page = click(typed(page, "rename-second", "third"), "rename")
    assert "second is called third now." in plainly(page)
    assert names(studies) == ["demo", "hand", "third"]
    assert page.selectbox(key="study").value == "third" and not page.warning
    page.run()
    assert "is called" not in plainly(page)


@pytest.mark.parametrize(
    ("name", "words"),
    [("demo", "There is a 'demo' in"), ("../x", "can't name a study"), ("con", "on Windows"),
     ("<b>x</b>", "can't name a study")],
)  # fmt: skip
@pytest.mark.parametrize("what", ["copy", "rename"])
def test_a_name_that_can_not_be_is_said(studies, hand, what, name, words):
    page = typed(run_page(PAGE, study="hand"), f"{what}-hand", name)
    assert words in plainly(page) and "<b>" not in sentences(page).replace("\\<b\\>", "")
    assert page.button(key={"copy": "duplicate", "rename": "rename"}[what]).disabled


def seen(page, view: str):
    """Another view of the page."""
    [control] = [group for group in page.get("button_group") if group.key == "view"]
    return control.set_value(view).run()


def test_a_deleted_study_is_restored_or_after_a_second_word_removed(studies, hand):
    page = run_page(PAGE, study="hand")
    page = click(page, "delete")
    assert "hand is in the trash." in plainly(page) and names(studies) == ["demo"]
    [item] = library.trashed(studies)
    page = seen(page, "trash")
    assert page.button(key="discard").disabled
    page = click(page, "restore")
    assert "hand is back." in plainly(page) and names(studies) == ["demo", "hand"]
    assert "trashed" not in {box.key for box in page.selectbox}
    page = seen(page, "list")
    page = page.selectbox(key="studies-chosen").set_value("hand").run()
    page = click(page, "delete")
    [item] = library.trashed(studies)
    page = seen(page, "trash")
    page = page.checkbox(key=f"sure-{item.key}").check().run()
    page = click(page, "discard")
    assert "hand was removed for good." in plainly(page)
    assert library.trashed(studies) == [] and names(studies) == ["demo"]


def test_a_study_comes_in_from_a_zip(studies, hand):
    content = library.pack(hand)
    page = run_page(BRING)
    page = page.file_uploader(key="zip-0").set_value(("theirs.zip", content, "")).run()
    assert not page.exception and "It holds hand: 3 files" in plainly(page)
    assert "There is a 'hand' in" in plainly(page) and page.button(key="import").disabled
    page = click(typed(page, "import-0", "theirs"), "import")
    assert "theirs was imported from theirs.zip." in plainly(page)
    found = open_study(studies / "theirs")
    assert found.table().fingerprint == hand.table().fingerprint
    assert page.selectbox(key="study").value == "theirs"
    assert "import" not in {button.key for button in page.button}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no zip", "damaged or no zip"), (b"", "damaged or no zip"),
     ("<i>x</i>", "which no study has")],
)  # fmt: skip
def test_a_zip_that_is_none_is_one_sentence(studies, content, words):
    if isinstance(content, str):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(content, "x")
        content = buffer.getvalue()
    page = run_page(BRING)
    page = page.file_uploader(key="zip-0").set_value(("<b>.zip", content, "")).run()
    assert not page.exception and len(page.error) == 1
    assert words in page.error[0].value.replace("\\", "")
    assert "\\<b\\>" in page.error[0].value and "<i>" not in page.error[0].value
    assert "import" not in {button.key for button in page.button}


def test_a_zip_whose_parts_do_not_fit_is_one_sentence_and_nothing_is_seen(studies, hand):
    with zipfile.ZipFile(io.BytesIO(library.pack(hand))) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    del files["manifest.json"]
    other = create_study(studies / "other", space_from_dict(tiny_document()), name="Other")
    files["space.json"] = (other.folder / "space.json").read_bytes()
    page = run_page(BRING)
    page = page.file_uploader(key="zip-0").set_value(("x.zip", zipped(files), "")).run()
    page = click(typed(page, "import-0", "mixed"), "import")
    assert len(page.error) == 1 and "holds subnets of space 'hand'" in plainly(page)
    assert names(studies) == ["demo", "hand", "other"] and not list(studies.glob(".new-*"))


def test_an_empty_study_is_created(studies):
    page = run_page(BRING)
    page = page.selectbox(key="new-space").set_value("foxnas-cpu").run()
    page = click(typed(page, "new-name", "cpu"), "create")
    assert "cpu was created." in plainly(page)
    assert open_study(studies / "cpu").space.name == "foxnas-cpu"


def test_without_any_study_one_can_be_created_or_brought_in(studies, hand):
    content = library.pack(hand)
    shutil.rmtree(studies)
    page = run_page(BRING)
    assert not page.exception
    assert "There is no study in" in plainly(page)
    page = page.file_uploader(key="zip-0").set_value(("hand.zip", content, "")).run()
    page = click(page, "import")
    assert names(studies) == ["hand"] and page.selectbox(key="study").value == "hand"
    assert not page.error


def test_a_damaged_study_is_told_and_can_be_deleted(studies, hand):
    (hand.folder / "space.json").write_text("{")
    page = run_page(PAGE)
    assert shelf(page)["state"].tolist() == ["", "damaged"]
    page = page.selectbox(key="studies-chosen").set_value("hand").run()
    assert "It can't be opened: " in plainly(page) and page.button(key="open").disabled
    click(page, "delete")
    assert names(studies) == ["demo"]


def test_a_study_in_use_stays(studies, hand):
    page = run_page(PAGE, study="hand")
    with hand.in_use():
        page = click(page, "delete")
        assert "is being written to by a campaign or a training" in plainly(page)
        page = click(typed(page, "rename-hand", "other"), "rename")
        assert "is being written to by a campaign or a training" in plainly(page)
    assert names(studies) == ["demo", "hand"]


def test_a_folder_that_can_not_be_written_is_one_sentence(studies, hand, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    page = typed(run_page(PAGE, study="hand"), "copy-hand", "second")
    monkeypatch.setattr("foxnas_core.study.library.placing.tempfile.NamedTemporaryFile", refuse)
    page = click(page, "duplicate")
    assert len(page.error) == 1 and "can't be written (Permission denied)" in plainly(page)


# Read-only mode


def files_of(studies) -> dict:
    found = {path: path.stat() for path in studies.rglob("*")}
    return {path: (status.st_mtime_ns, status.st_size) for path, status in found.items()}


@pytest.mark.parametrize("name", [PAGE, LIGHT, "pages/14_Measurements.py"])
def test_read_only_pages_work_and_offer_nothing_that_writes(studies, hand, monkeypatch, name):
    library.delete(studies, library.duplicate(studies, "hand", "gone").folder.name)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    before = files_of(studies)
    page = run_page(name, study="hand")
    assert not page.exception and not page.error
    assert "Read-only: nothing is changed here." in sentences(page)
    keys = {element.key for element in (*page.button, *page.checkbox, *page.text_input)}
    assert not keys & {"delete", "rename", "duplicate", "import", "create", "restore", "discard"}
    assert not page.get("file_uploader")
    if name in (PAGE, LIGHT):
        assert "This studio is read-only, so" in sentences(page)
    assert files_of(studies) == before
    with pytest.raises(NotWritable), writing(studies):
        pass


# Others who use the same folder


def append_elsewhere(study, rows: int) -> None:
    """Rows of another process, as of a campaign or of a second server."""

    def append() -> None:
        for architecture in study.space.sample(rows, seed=0):
            study.append([architecture], [{"accuracy": 70.0, "latency_ms": 0.1}])

    process = get_context("fork").Process(target=append)
    process.start()
    process.join()
    assert process.exitcode == 0


def test_rows_of_another_process_are_noticed_by_every_session(studies, hand):
    one, other = run_page(LIGHT, study="hand"), run_page(LIGHT, study="hand")
    assert "new row" not in plainly(one) + plainly(other)
    append_elsewhere(hand, 3)
    one.run()
    assert "hand has 3 new rows since you last looked" in plainly(one)
    assert "has 43 measured subnets" in plainly(one)
    one.run()
    assert "new row" not in plainly(one)
    append_elsewhere(hand, 1)
    other.run()
    assert "hand has 4 new rows since you last looked" in plainly(other)
    assert "has 44 measured subnets" in plainly(other)
    one.run()
    assert "hand has 1 new row since you last looked" in plainly(one)


def test_a_table_that_changes_while_a_page_is_drawn_is_noticed_at_its_end(
    studies, hand, monkeypatch
):
    """All that the page shows is of the table that it began with."""
    from pages.shared import frame

    watch, rows = frame._watch, HAND.sample(2, seed=1)

    def late(study, new):
        hand.append(rows, [{"accuracy": 71.0, "latency_ms": 0.2}] * 2)
        watch(study, new)

    monkeypatch.setattr(frame, "_watch", late)
    page = run_page(LIGHT, study="hand")
    assert not page.exception and not page.error
    assert "hand has 2 new rows since this page was drawn" in plainly(page)
    assert "has 40 measured subnets" in plainly(page)
    monkeypatch.undo()
    monkeypatch.setenv("FOXNAS_STUDIES", str(studies))
    page = click(page, "show-changed")
    assert "has 42 measured subnets" in plainly(page)


def test_values_that_were_added_or_removed_are_noticed(studies, hand):
    page = run_page(LIGHT, study="hand")
    hand.amend(lambda table: table.rows(table.frame.index.to_numpy() < 38))
    page.run()
    assert "hand has 2 fewer rows since you last looked" in plainly(page)
    hand.amend(lambda table: noisy_table(HAND, len(table), seed=5))
    page.run()
    assert "hand has other values in its table since you last looked" in plainly(page)
    hand.table_file.write_bytes(hand.table_file.read_bytes())  # the same content
    page.run()
    assert "since you last looked" not in plainly(page)


@pytest.mark.parametrize("act", ["rename", "delete"])
@pytest.mark.parametrize("name", ["hand", "demo"])
def test_a_study_that_others_renamed_or_deleted_is_said_to_be_gone(studies, hand, act, name):
    page = run_page(LIGHT, study=name)
    if act == "rename":
        library.rename(studies, name, "moved")
    else:
        library.delete(studies, name)
    page.run()
    assert not page.exception and not page.error
    left = names(studies)[0]
    assert f"There is no study '{name}' here (any more); this is {left}." in plainly(page)
    assert page.selectbox(key="study").value == left
    assert page.selectbox(key="study").options == names(studies)
    page.run()
    assert not page.warning


def test_a_page_that_stays_open_says_when_its_study_is_gone(studies, hand, monkeypatch):
    from pages.shared import frame

    watch = frame._watch

    def late(study, new):
        library.rename(studies, "hand", "moved")
        watch(study, new)

    monkeypatch.setattr(frame, "_watch", late)
    page = run_page(LIGHT, study="hand")
    assert "hand was renamed or deleted; this page shows what was read" in plainly(page)


def test_a_duplicate_shows_up_in_the_pickers_of_others(studies, hand):
    page = run_page(LIGHT, study="hand")
    library.duplicate(studies, "hand", "second")
    page.run()
    assert page.selectbox(key="study").options == ["demo", "hand", "second"]
    assert page.selectbox(key="study").value == "hand" and not page.warning
