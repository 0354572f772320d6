"""What an export has built: its checks, its files and its card."""

import re

import streamlit as st

from foxnas_core.cards.export import checks_card
from foxnas_core.export.formats import FORMATS
from foxnas_core.export.written import ExportedModel, zip_export
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared.cards import draw

COLUMNS = 4
ABOUT = {
    "architecture.json": "its choices",
    "preprocessing.json": "how images go in",
    "labels.txt": "names of the classes",
    "sample.png": "a held-out image to try",
    "sample.npy": "a held-out volume to try",
    "model_card.md": "the card below",
}


def download_untrained(study: Study, architecture: Architecture) -> None:
    """The button that builds an architecture's network with random weights, and gives it."""

    def built() -> bytes:
        from foxnas_core.export.untrained import FILE, export_untrained

        return export_untrained(study.space, architecture).files[FILE]

    st.download_button(
        "ONNX with random weights",
        built,
        file_name=f"{architecture.id}-random-weights.onnx",
        mime="application/octet-stream",
        key="untrained-download",
        on_click="ignore",
        type="primary",
    )
    st.caption(
        "Built when you click, which takes some seconds. Nothing was taught to its weights, as its "
        "name and its metadata say: measure what it costs on your device, and ask it for nothing "
        "else."
    )


def show_export(study: Study, exported: ExportedModel) -> None:
    """What was built: its checks, its files and its card."""
    st.download_button(
        "Download all files (ZIP)",
        lambda: zip_export(exported),
        file_name=f"{exported.architecture_id}.zip",
        mime="application/zip",
        key="file-zip",
        on_click="ignore",
        type="primary",
    )
    draw(checks_card(exported), study)
    st.header("Files")
    about = ABOUT | {own.file: own.title for own in FORMATS.values()}
    for own in FORMATS.values():
        runs = [other.file for other in FORMATS.values() if other.runner == own.runner]
        about[own.runner.script] = f"runs {' and '.join(runs)}"
    names = list(exported.files)
    for start in range(0, len(names), COLUMNS):
        row = names[start : start + COLUMNS]
        for place, name in zip(st.columns(COLUMNS), row, strict=False):
            place.download_button(
                name,
                exported.files[name],
                file_name=f"{exported.architecture_id}-{name}",
                key=f"file-{name}",
                on_click="ignore",
                width="stretch",
            )
            size = len(exported.files[name]) / 1000
            place.caption(f"{about.get(name, 'file')}, {size:,.1f} kB")
    st.header("Model card")
    with st.container(border=True, key="model-card"):
        # A study's own words must not make the browser fetch pictures from elsewhere.
        card = exported.files["model_card.md"].decode().replace("![", r"!\[")
        # Its title stands below the page's.
        st.markdown(re.sub("^#", "###", card, flags=re.MULTILINE))
