"""The studies of this folder: open, take away, copy, rename, describe, bring in and delete."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.study import library, new_study_folder, open_study
from foxnas_core.study.locks import is_read_only
from pages.shared import choices
from pages.shared.frame import errors_as_cards, may_write, page_without_study, studies_folder
from pages.shared.panel import panel
from pages.shared.text import plain

# More than this is not packed in the memory of a server.
MOST_TAKEN = 200e6
_TIME = "%Y-%m-%d %H:%M"


def finish(sentence: str, study: str | None = None) -> None:
    """Draw the page anew, with what was done at its top and with that study chosen."""
    choices.remember("studies-done", sentence)
    if study is not None:
        choices.update(study=study)
        choices.remember("studies-chosen", study)
    st.rerun()


def show_done() -> None:
    sentence = choices.remembered("studies-done")
    if sentence:
        st.success(plain(sentence))
        choices.remember("studies-done", None)


def megabytes(size: int) -> float:
    return round(size / 1e6, 2)


def shelf_table(entries: list[library.Entry]) -> pd.DataFrame:
    """One row a study: what it holds, when it was changed and whether it can be used."""
    return pd.DataFrame(
        [
            {
                "study": entry.folder.name,
                "name": entry.name,
                "state": "damaged" if entry.problem else "being written" if entry.in_use else "",
                "rows": entry.rows,
                "space": entry.space,
                "weights": "yes" if entry.has_weights else "no",
                "size (MB)": megabytes(entry.size),
                "last change (UTC)": f"{datetime.fromtimestamp(entry.changed, UTC):{_TIME}}",
            }
            for entry in entries
        ]
    )


def trash_table(items: list[library.Trashed]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "study": item.name,
                "name": item.entry.name,
                "rows": item.entry.rows,
                "size (MB)": megabytes(item.entry.size),
                "deleted (UTC)": f"{item.when:{_TIME}}",
            }
            for item in items
        ]
    )


def new_name(label: str, key: str, value: str = "") -> str | None:
    """Ask for the name of a folder; None, and why, where it can't be one."""
    name = st.text_input(
        label, value, key=key, max_chars=64, width=420,
        help="1 to 64 letters, digits, hyphens and underscores; it is the folder's name.",
    )  # fmt: skip
    if not name:
        return None
    try:
        new_study_folder(studies_folder(), name)
    except FoxnasError as error:
        st.warning(plain(str(error)))
        return None
    return name


def pick(entries: list[library.Entry]) -> library.Entry:
    """The study that the buttons below are about: the one that is open, unless another is taken."""
    names = [entry.folder.name for entry in entries]
    chosen = choices.remembered("studies-chosen")
    if chosen not in names:
        chosen = choices.current().study
    choices.show("studies-chosen", chosen if chosen in names else names[0])
    name = st.selectbox(
        "Study to work on",
        names,
        key="studies-chosen",
        width=420,
        on_change=choices.on_change(
            "studies-chosen", lambda name: choices.remember("studies-chosen", name)
        ),
    )
    return entries[names.index(name)]


def show_one(entry: library.Entry, told: bool) -> None:
    """What can be done with a study, whether or not it may be changed; `told` where the page says
    already why it can't be opened."""
    name = entry.folder.name
    if entry.problem:
        if not told:
            st.error(plain(f"It can't be opened: {entry.problem}"))
    elif entry.description:
        st.caption(plain(entry.description))
    row = st.container(horizontal=True)
    if row.button("Open", key="open", type="primary", disabled=bool(entry.problem)):
        choices.update(study=name)
        st.switch_page("app.py")
    if entry.size > MOST_TAKEN:
        st.caption(
            f"It has {entry.size / 1e6:,.0f} MB, more than a browser takes well; on the command "
            f"line, 'python -m foxnas_core study export {name} FILE' writes it as one file."
        )
        return
    row.download_button(
        "Download as one zip",
        lambda: library.pack(open_study(entry.folder)),
        file_name=f"{name}.zip",
        mime="application/zip",
        key="take",
        disabled=bool(entry.problem),
        on_click="ignore",
    )


def show_changes(studies: Path, entry: library.Entry) -> None:
    """Describe, duplicate, rename and delete."""
    name = entry.folder.name
    describe, duplicate, rename, delete = st.tabs(["Describe", "Duplicate", "Rename", "Delete"])
    with describe, st.form(f"describe-{name}", border=False):
        shown = st.text_input("Name that is shown", entry.name, key=f"shown-{name}", max_chars=100)
        text = st.text_area(
            "Description", entry.description, key=f"text-{name}", max_chars=2000, height=100
        )
        if st.form_submit_button("Save", disabled=bool(entry.problem)):
            with errors_as_cards():
                open_study(entry.folder).describe(name=shown.strip(), description=text.strip())
                finish(f"{name} is described anew.")
    with duplicate:
        copy = new_name("Name of the copy", f"copy-{name}", "")
        ready = copy is not None and not entry.problem
        if st.button("Duplicate", key="duplicate", disabled=not ready):
            with errors_as_cards():
                library.duplicate(studies, name, copy, shown=f"{entry.name[:90]} (copy)")
                finish(f"{copy} is a copy of {name}.", copy)
    with rename:
        new = new_name("New name", f"rename-{name}", "")
        ready = new is not None and not entry.problem
        if st.button("Rename", key="rename", disabled=not ready):
            with errors_as_cards():
                library.rename(studies, name, new)
                finish(f"{name} is called {new} now.", new)
    with delete:
        st.write(
            "It goes to the trash below, from where it can be restored. Links to it lead nowhere "
            "meanwhile."
        )
        if st.button(f"Move {plain(name)} to the trash", key="delete"):
            with errors_as_cards():
                library.delete(studies, name)
                finish(f"{name} is in the trash.")


def show_import(studies: Path) -> None:
    """A study from a zip that was downloaded here or elsewhere."""
    count = choices.remembered("zips") or 0
    uploaded = st.file_uploader("A study's zip; drag it here", type=["zip"], key=f"zip-{count}")
    if uploaded is None:
        st.caption(
            f"At most {st.get_option('server.maxUploadSize')} MB; on the command line, 'python -m "
            "foxnas_core study import FILE' takes larger ones. Whatever is in it is checked before "
            "the study appears."
        )
        return
    content = None
    with errors_as_cards():
        content = library.content_of(uploaded, uploaded.name)
    if content is None:
        return
    size = sum(content.sizes.values())
    st.caption(plain(f"It holds {content.study}: {len(content.sizes)} files, {size / 1e6:.1f} MB."))
    name = new_name("Name of the study here", f"import-{count}", content.study[:64])
    if st.button("Import", key="import", type="primary", disabled=name is None):
        with errors_as_cards():
            library.bring_in(studies, uploaded, label=uploaded.name, name=name)
            choices.remember("zips", count + 1)  # so that the file is not offered again
            finish(f"{name} was imported from {uploaded.name}.", name)


def show_new(studies: Path) -> None:
    """A study of a shipped space, without rows."""
    space = st.selectbox("Search space", shipped_spaces(), key="new-space", width=420)
    name = new_name("Name of the new study", "new-name")
    st.caption(
        "It has neither rows nor weights yet: 'python -m foxnas_core train' and 'measure' make "
        "them, or the page Import brings a table. A space of your own comes with a table, too."
    )
    if st.button("Create", key="create", disabled=name is None):
        with errors_as_cards():
            library.create(studies, name, load_shipped(space))
            finish(f"{name} was created.", name)


def show_trash(studies: Path, items: list[library.Trashed]) -> None:
    """What was deleted, to restore or to remove for good."""
    panel("Trash", "Deleted studies, the last first.", trash_table(items), key="trash")
    if not may_write("nothing can be restored or removed"):
        return
    labels = {item.key: f"{item.name}, deleted {item.when:{_TIME}}" for item in items}
    key = st.selectbox(
        "Deleted study", list(labels), format_func=lambda k: labels[k], key="trashed", width=420
    )
    item = next(item for item in items if item.key == key)
    name = new_name("Restore as", f"restore-{key}", item.name)
    if st.button("Restore", key="restore", disabled=name is None):
        with errors_as_cards():
            library.restore(studies, key, name)
            finish(f"{name} is back.", name)
    sure = st.checkbox("I know that nothing brings it back", key=f"sure-{key}")
    if st.button("Remove it for good", key="discard", disabled=not sure):
        with errors_as_cards():
            library.discard(studies, key, confirmed=key)
            finish(f"{item.name} was removed for good.")


with page_without_study(
    "Studies",
    "The studies of this folder: open one, take it away as one file, copy, rename, describe or "
    "delete it, and bring others in.",
) as study:
    show_done()
    studies = studies_folder()
    entries = library.shelf(studies)
    if entries:
        panel(
            "What there is",
            "Rows are measured subnets; a study without weights predicts and searches, and can "
            "neither measure nor export.",
            shelf_table(entries),
            key="shelf",
        )
        st.header("One of them")
        chosen = pick(entries)
        show_one(chosen, study is None and chosen.folder.name == choices.current().study)
        if not is_read_only():
            show_changes(studies, chosen)
    st.header("Bring in or begin")
    if may_write("studies can be neither brought in nor changed"):
        from_zip, new, from_table = st.tabs(["From a zip", "From a space", "From a table"])
        with from_zip:
            show_import(studies)
        with new:
            show_new(studies)
        with from_table:
            st.write("A CSV, parquet or JSON table of measured subnets makes a study, too.")
            if st.button("Import a table", key="to-import"):
                st.switch_page("pages/8_Import.py")
    items = library.trashed(studies)
    if items:
        show_trash(studies, items)
