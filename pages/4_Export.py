"""From an architecture to files that run, each checked against the subnet it came from."""

import json
import re
from contextlib import suppress
from importlib.util import find_spec

import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import live
from foxnas_core.figures.export import checks_table
from foxnas_core.figures.search import architecture_table
from foxnas_core.storage import Study
from pages.shared import cache, choices
from pages.shared.frame import page
from pages.shared.panel import panel
from pages.shared.picking import pick_architecture
from pages.shared.text import plain

FIRST = ("model.onnx", "model.pt2")
ABOUT = {
    "model.onnx": "ONNX, fp32",
    "model.pt2": "torch.export",
    "architecture.json": "its choices",
    "preprocessing.json": "how images go in",
    "labels.txt": "names of the classes",
    "model_card.md": "the card below",
}


def show_chosen(study: Study, architecture: Architecture) -> None:
    """The architecture as a grid, with its predictions, and as a file."""
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.markdown(f"Subnet **{architecture.id}**")
        grid = architecture_table(study.space, architecture)
        spec = live.architecture_spec(grid["row"].nunique())
        st.vega_lite_chart(grid, spec, key="architecture-chart")
    with right:
        # What is wrong with the measurements was said where the architecture is picked.
        with suppress(FoxnasError):
            predictors = cache.predictors_of(study)[0] if len(cache.table_of(study)) else {}
            for predictor in predictors.values():
                target = predictor.target
                row = predictor.predict([architecture]).iloc[0]
                value, low, high = (
                    target.text(row[name])
                    for name in ("value", "prediction_low", "prediction_high")
                )
                if target.column == "accuracy" or target.is_latency:
                    st.write(
                        f"{plain(target.label)}: **{value} {target.unit}** predicted "
                        f"[{low}, {high}]"
                    )
        st.download_button(
            "Architecture as JSON",
            json.dumps(architecture.to_dict(), indent=2),
            file_name=f"{architecture.id}.json",
            mime="application/json",
            key="architecture-download",
            on_click="ignore",
        )


def lacking(study: Study) -> str | None:
    """What keeps this study from exporting files, in a sentence."""
    if not study.checkpoint_file.exists():
        return (
            "This study has no supernet weights, so there are no files to build; train a supernet "
            "with 'python -m foxnas_core train', or copy yours to supernet.safetensors. The "
            "architecture can be downloaded all the same."
        )
    if not study.images_file.exists():
        return (
            "This study has no images, on which batch norms are recalibrated and files checked; "
            "'python -m foxnas_core train' stores them, or copy its images.npz into the study."
        )
    if find_spec("torch") is None or find_spec("onnxruntime") is None:
        return (
            "torch and onnxruntime, which exporting needs, are not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


def show_export(study: Study, architecture: Architecture) -> None:
    """Build the files, or take them from the cache, and offer them."""
    exported = cache.export_of(study, architecture)
    # Brings torch along, so it waits until something is exported.
    from foxnas_core.export.exporter import zip_export

    panel(
        "Checks",
        "Each model file was read back and run on real held-out images, and its answers compared "
        "with those of the subnet it came from.",
        checks_table(exported.checks),
        key="checks",
    )
    st.subheader("Files")
    names = [*FIRST, *(name for name in exported.files if name not in FIRST)]
    for start in range(0, len(names), 3):
        for place, name in zip(st.columns(3), names[start : start + 3], strict=False):
            place.download_button(
                name,
                exported.files[name],
                file_name=f"{exported.architecture_id}-{name}",
                key=f"file-{name}",
                on_click="ignore",
                width="stretch",
            )
            size = len(exported.files[name]) / 1000
            place.caption(f"{ABOUT.get(name, 'file')}, {size:,.1f} kB")
    st.download_button(
        "Download all files (ZIP)",
        zip_export(exported),
        file_name=f"{exported.architecture_id}.zip",
        mime="application/zip",
        key="file-zip",
        on_click="ignore",
        type="primary",
    )
    st.subheader("Model card")
    with st.container(border=True, key="model-card"):
        # A study's own words must not make the browser fetch pictures from elsewhere.
        card = exported.files["model_card.md"].decode().replace("![", r"!\[")
        # Its title stands below the page's.
        st.markdown(re.sub("^#", "###", card, flags=re.MULTILINE))


with page(
    "Export",
    "Write the chosen subnet as files that run elsewhere: ONNX and torch.export, with its "
    "preprocessing, labels, and a model card that has the measured values beside the predicted.",
) as study:
    architecture = pick_architecture(study)
    show_chosen(study, architecture)
    missing = lacking(study)
    if missing:
        st.info(plain(missing))
    else:
        st.button(
            "Build and check the files",
            key="build",
            type="primary",
            on_click=lambda: choices.remember("exported", (study.folder, architecture.id)),
        )
        st.caption(
            "Extracts the subnet, recalibrates its batch norms, measures it if the table has no "
            "row of it, writes the files and runs them again: about half a minute."
        )
        if choices.remembered("exported") == (study.folder, architecture.id):
            show_export(study, architecture)
