"""Measured subnets from a file: what its columns mean, in which units, and where they go."""

import streamlit as st

from foxnas_core.cards import bringing
from foxnas_core.errors import FoxnasError
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.steps.bring import SAMPLED, Brought, bring, sample_rows
from foxnas_core.study import Study, create_study, new_study_folder, parse_space
from foxnas_core.table.files import as_csv
from foxnas_core.table.importing import SUFFIXES, ForeignFile, published_space
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.whole import already_in
from pages.shared import cache, cards, choices
from pages.shared.frame import errors_as_cards, may_write, studies_folder
from pages.shared.mapping import map_columns
from pages.shared.text import plain

SENTENCE = (
    "Bring measured subnets from a file: one column a decision, one JSON architecture a row, or "
    "what FOX-NAS or HW-NAS-Bench published. Units are asked, never guessed."
)


def pick_space(study: Study | None) -> SearchSpace | None:
    """The space of the file's architectures, or None while its own file is awaited."""
    names = {"file": "one from a JSON file"}
    if study is not None:
        names = {"study": f"this study's ({study.space.name})"} | names
    shipped = [f"shipped:{name}" for name in sorted(shipped_spaces(), key=lambda n: n != SAMPLED)]
    chosen = st.selectbox(
        "Search space of the subnets in it",
        [*(name for name in names if name == "study"), *shipped, "file"],
        format_func=lambda option: names.get(option) or option.removeprefix("shipped:"),
        key="import-space",
    )
    if chosen == "study" and study is not None:
        return study.space
    if chosen != "file":
        return load_shipped(chosen.removeprefix("shipped:"))
    uploaded = st.file_uploader("The space's JSON file", type=["json"], key="space-file")
    if uploaded is None:
        return None
    return parse_space(uploaded.name, uploaded.getvalue())


def pick_destination(study: Study | None, space: SearchSpace) -> tuple[str | None, str]:
    """The name of a new study, or None for this one, and what is wrong with it in a sentence."""
    new = "a new study"
    options = [new]
    if study is None:
        st.caption("There is no study yet, so the subnets become one.")
    elif space.fingerprint == study.space.fingerprint:
        options.insert(0, f"this study ({study.folder.name}), after its rows")
    else:
        st.caption("The subnets are of another space than this study's, so they need a new one.")
    if st.radio("Import into", options, format_func=plain, key="destination") != new:
        return None, ""
    name = st.text_input("Name of the new study", key="new-study", max_chars=64)
    try:
        new_study_folder(studies_folder(), name)
    except FoxnasError as error:
        return name, str(error) if name else "Name the new study."
    return name, ""


def bring_in(
    study: Study | None, new: str | None, table: MeasurementTable, file: str, again: bool
) -> tuple[str, Brought]:
    """Write the rows; returns the name of their study, and what became of them."""
    if new is None and study is not None:
        return study.folder.name, bring(study, table, again=again)
    # Checked once more: somebody may have taken the name meanwhile.
    folder, new = new_study_folder(studies_folder(), new or ""), new or ""
    about = f"Imported from {file}; there is no supernet."
    create_study(folder, table.space, name=new, description=about, table=table)
    return new, Brought(len(table), 0, len(table))


def show_imported(name: str, done: Brought) -> None:
    cards.draw(bringing.brought(name, done), header=False)
    row = st.container(horizontal=True)
    if row.button("Open the study", key="open-imported", type="primary"):
        choices.update(study=name)
        st.switch_page("app.py")
    row.button(
        "Import this file once more",
        key="import-again",
        on_click=lambda: choices.remember("imported", None),
    )


def ask_again(study: Study, table: MeasurementTable) -> tuple[bool, int]:
    """Whether rows that the study has already are added once more, and how many are to be added."""
    already = int(already_in(cache.table_of(study), table).sum())
    if not already:
        return False, len(table)
    again = st.checkbox(
        f"Add the {already:,} of {len(table):,} rows that are in the study already, with the same "
        "values, once more",
        key="again",
    )
    left = len(table) if again else len(table) - already
    if not left:
        cards.draw(bringing.nothing_new(len(table)), header=False)
    return again, left


def show_file(study: Study | None, foreign: ForeignFile, upload: cache.Upload) -> None:
    """Ask what the file leaves open, show its rows as they will be stored, and import them."""
    space: SearchSpace | None
    if foreign.published:
        space, mapping, missing = published_space(), None, []
        cards.draw(bringing.PUBLISHED, header=False)
    else:
        space = pick_space(study)
        if space is None:
            st.info("Upload the JSON file of the search space first.")
            return
        foreign = foreign.of(space)
        key = f"{upload.digest[:8]}-{space.fingerprint}"
        mapping, missing = map_columns(foreign, space, key=key)
    st.header("Where it goes")
    new, wrong = pick_destination(study, space)
    table, again, count = None, False, len(foreign)
    if not missing:
        with errors_as_cards():
            table = cache.imported_of(upload, space, mapping)
    if table is not None:
        read = foreign.columns_read(table, mapping)
        cards.draw(bringing.stored(table, read, foreign.findings(table)))
        if new is None and study is not None:
            again, count = ask_again(study, table)
    missing += [wrong] if wrong else []
    if missing:
        st.info(plain(" ".join(missing)))
    pressed = st.button(
        f"Import {count:,} rows",
        key="import",
        type="primary",
        disabled=bool(missing) or table is None or not count,
    )
    if pressed and table is not None:
        done = bring_in(study, new, table, upload.name, again)
        choices.remember("imported", (upload.digest, *done))
        st.rerun()


def show_sample(study: Study | None) -> None:
    """A file as it can be imported, to begin one's own from."""
    st.download_button(
        "Download a sample file (CSV)",
        lambda: as_csv(sample_rows(study)),
        file_name="sample.csv",
        mime="text/csv",
        key="sample-download",
        on_click="ignore",
    )
    of = f"the shipped space {SAMPLED}" if study is None else "this study's space"
    st.caption(f"Some subnets of {of}: keep the header, fill in what you measured.")


def show(study: Study | None) -> None:
    if study is not None:
        with errors_as_cards():
            cards.draw(bringing.held(study, len(cache.table_of(study))), header=False)
    if not may_write("no table can be imported"):
        return
    uploaded = st.file_uploader(
        "File of measured subnets", type=[s.removeprefix(".") for s in SUFFIXES], key="upload"
    )
    if uploaded is None:
        show_sample(study)
        return
    upload = cache.Upload(uploaded.name, uploaded.getvalue())
    imported = choices.remembered("imported")
    if imported and imported[0] == upload.digest:
        show_imported(*imported[1:])
    else:
        show_file(study, cache.foreign_of(upload), upload)
