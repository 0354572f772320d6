"""From an architecture to files that run, each checked against the subnet it came from."""

import json

import pandas as pd
import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.storage import Study
from pages.shared import cache, choices
from pages.shared.editor import architecture_picker
from pages.shared.frame import page, plain
from pages.shared.latency import latency_picker
from pages.shared.panel import panel

_FIRST = ("model.onnx", "model.pt2")


def show_export(study: Study, architecture: Architecture) -> None:
    """Build the files (or take them from the cache) and offer them."""
    from foxnas_core.export.exporter import zip_export

    exported = cache.export_of(study, architecture)
    panel(
        "Checks",
        "Each model file was run again after writing, on real held-out images, and compared with "
        "the subnet it came from.",
        pd.DataFrame(
            [
                {
                    "file": check.file,
                    "images": check.images,
                    "greatest logit difference": check.max_difference,
                    "same class (%)": check.agreement,
                }
                for check in exported.checks
            ]
        ),
        key="checks",
    )
    st.subheader("Files")
    names = [*_FIRST, *(n for n in exported.files if n not in _FIRST)]
    for place, name in zip(st.columns(len(names)), names, strict=True):
        place.download_button(
            name,
            exported.files[name],
            file_name=f"{exported.architecture_id}-{name}",
            key=f"file-{name}",
            on_click="ignore",
            width="stretch",
        )
        place.caption(f"{len(exported.files[name]) / 1000:,.0f} kB")
    st.download_button(
        "All files (zip)",
        zip_export(exported),
        file_name=f"{exported.architecture_id}.zip",
        mime="application/zip",
        key="file-zip",
        on_click="ignore",
        type="primary",
    )
    with st.container(border=True):
        st.markdown(exported.files["model_card.md"].decode())


with page(
    "Export",
    "Write the chosen subnet as files that run elsewhere: ONNX and torch.export, with its "
    "preprocessing, labels and a model card that has the measured values beside the predicted.",
) as study:
    latency = latency_picker(cache.table_of(study))
    architecture = architecture_picker(study, latency)
    st.write(f"Chosen: subnet **{architecture.id}**.")
    with st.expander("Its choices"):
        st.json(architecture.to_dict())
    st.download_button(
        "Download the architecture (JSON)",
        json.dumps(architecture.to_dict(), indent=2),
        file_name=f"{architecture.id}.json",
        mime="application/json",
        key="architecture-download",
    )
    lacking = [
        sentence
        for path, sentence in (
            (
                study.checkpoint_file,
                "This study has no supernet weights, so there is nothing to export but the "
                "architecture; train a supernet with 'python -m foxnas_core train'.",
            ),
            (
                study.images_file,
                "This study has no images, which batch norms are recalibrated and files checked "
                "on; train with 'python -m foxnas_core train', which stores them.",
            ),
        )
        if not path.exists()
    ]
    for sentence in lacking:
        st.info(plain(sentence))
    if not lacking:
        wanted = st.button("Build and check the files", key="build", type="primary")
        if wanted:
            choices.remember("exported", architecture.id)
        if choices.remembered("exported") == architecture.id:
            show_export(study, architecture)
