"""The studies of this folder: open, take away, copy, rename, describe and delete."""

import streamlit as st

from foxnas_core.cards import library as cards
from foxnas_core.study import Study, library, open_study
from pages.shared import choices
from pages.shared.cards import draw
from pages.shared.frame import may_write, studies_folder
from pages.shared.picked import picked
from pages.shared.shelf import do, new_name, tell_done
from pages.shared.text import plain

# More than this is not packed in the memory of a server.
MOST_TAKEN = 200e6

SENTENCE = (
    "The studies of this folder: open one, take it away as one file, copy, rename, describe or "
    "delete it."
)


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


def show_changes(entry: library.Entry) -> None:
    """Describe, duplicate, rename and delete."""
    name, damaged = entry.folder.name, bool(entry.problem)
    folder = studies_folder()
    describe, duplicate, rename, delete = st.tabs(["Describe", "Duplicate", "Rename", "Delete"])
    with describe, st.form(f"describe-{name}", border=False):
        title = st.text_input("Name that is shown", entry.name, key=f"shown-{name}", max_chars=100)
        text = st.text_area(
            "Description", entry.description, key=f"text-{name}", max_chars=2000, height=100
        )
        if st.form_submit_button("Save", disabled=damaged):
            words = {"name": title.strip(), "description": text.strip()}
            do(lambda: open_study(entry.folder).describe(**words), f"{name} is described anew.")
    with duplicate:
        copy = new_name("Name of the copy", f"copy-{name}")
        if st.button("Duplicate", key="duplicate", disabled=copy is None or damaged):
            shown = f"{entry.name[:90]} (copy)"
            copied = f"{copy} is a copy of {name}."
            do(lambda: library.duplicate(folder, name, copy, shown=shown), copied, copy)
    with rename:
        new = new_name("New name", f"rename-{name}")
        if st.button("Rename", key="rename", disabled=new is None or damaged):
            do(lambda: library.rename(folder, name, new), f"{name} is called {new} now.", new)
    with delete:
        st.write(
            "It goes to the trash, from where it can be restored. Links to it lead nowhere "
            "meanwhile."
        )
        if st.button(f"Move {plain(name)} to the trash", key="delete"):
            do(lambda: library.delete(folder, name), f"{name} is in the trash.")


def show(study: Study | None) -> None:
    tell_done()
    entries = {entry.folder.name: entry for entry in library.shelf(studies_folder())}
    if not entries:
        st.info("There is none yet: create one, bring one in, or import a table.")
        return
    draw(cards.shelf(list(entries.values())))
    st.header("One of them")
    # The one that is open, unless another is taken.
    now, key = choices.current().study, "studies-chosen"
    usual = now if now in entries else next(iter(entries))
    name = picked(
        st.selectbox, "Study to work on", entries.keys(), key=key, default=usual, width=420
    )
    show_one(entries[name], study is None and name == now)
    if may_write("studies can be neither brought in nor changed"):
        show_changes(entries[name])
