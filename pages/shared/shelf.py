"""What makes studies, brings them in or back, and removes them, for the page Studies."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.cards import library as cards
from foxnas_core.errors import FoxnasError
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.study import library, new_study_folder
from pages.shared import choices
from pages.shared.cards import draw
from pages.shared.frame import errors_as_cards, may_write, studies_folder
from pages.shared.text import plain


def do(act: Callable[[], object], done: str, study: str | None = None) -> None:
    """Do something, then draw the page anew, with what was done at its top and with that study
    chosen."""
    with errors_as_cards():
        act()
        choices.remember("studies-done", done)
        if study is not None:
            choices.update(study=study)
            choices.remember("studies-chosen", study)
        st.rerun()


def tell_done() -> None:
    """Say what was done last, once."""
    if done := choices.remembered("studies-done"):
        st.success(plain(done))
        choices.remember("studies-done", None)


def new_name(label: str, key: str, value: str = "") -> str | None:
    """Ask for the name of a folder; None, and why, where it can't be one."""
    name = st.text_input(
        label, value, key=key, max_chars=64, width=420,
        help="1 to 64 letters, digits, hyphens and underscores; it is the folder's name.",
    )  # fmt: skip
    try:
        if name:
            new_study_folder(studies_folder(), name)
    except FoxnasError as error:
        st.warning(plain(str(error)))
        return None
    return name or None


def show_import() -> None:
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

    def act() -> None:
        library.bring_in(studies_folder(), uploaded, label=uploaded.name, name=name)
        choices.remember("zips", count + 1)  # so that the file is not offered again

    with errors_as_cards():
        found = library.content_of(uploaded, uploaded.name)
        size = sum(found.sizes.values()) / 1e6
        st.caption(plain(f"It holds {found.study}: {len(found.sizes)} files, {size:.1f} MB."))
        name = new_name("Name of the study here", f"import-{count}", found.study[:64])
        if st.button("Import", key="import", type="primary", disabled=name is None):
            do(act, f"{name} was imported from {uploaded.name}.", name)


def show_new() -> None:
    """A study of a shipped space, without rows."""
    space = st.selectbox("Search space", shipped_spaces(), key="new-space", width=420)
    name = new_name("Name of the new study", "new-name")
    st.caption(
        "It has neither rows nor weights yet: 'python -m foxnas_core train' and 'measure' make "
        "them, or an imported table has them. A space of your own comes with a table, too."
    )
    if st.button("Create", key="create", disabled=name is None):
        do(
            lambda: library.create(studies_folder(), name, load_shipped(space)),
            f"{name} was created.",
            name,
        )


def show_trash(items: list[library.Trashed]) -> None:
    """What was deleted, to restore or to remove for good."""
    draw(cards.trash(items))
    if not may_write("nothing can be restored or removed"):
        return
    names, by_key = cards.trash_names(items), {item.key: item.name for item in items}
    key = st.selectbox(
        "Deleted study", list(names), format_func=names.get, key="trashed", width=420
    )
    name = new_name("Restore as", f"restore-{key}", by_key[key])
    if st.button("Restore", key="restore", disabled=name is None):
        do(lambda: library.restore(studies_folder(), key, name), f"{name} is back.", name)
    sure = st.checkbox("I know that nothing brings it back", key=f"sure-{key}")
    if st.button("Remove it for good", key="discard", disabled=not sure):
        gone = f"{by_key[key]} was removed for good."
        do(lambda: library.discard(studies_folder(), key, confirmed=key), gone)
