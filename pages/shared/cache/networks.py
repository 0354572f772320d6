"""Subnets as networks: their layers, and what these take here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.space.architecture import Architecture
from foxnas_core.study.storage import Study, open_study
from pages.shared.cache.versions import Stamp, stamp_of
from pages.shared.choices import as_text
from pages.shared.registry import MEASURING

if TYPE_CHECKING:
    from foxnas_core.profiling.result import Layer, LayerProfile

# Parts of a study that a subnet is built from.
_NETWORK = ("space.json", "supernet.safetensors", "images.npz")


def export_stamp(study: Study) -> Stamp:
    """Changes whenever a file that exported files are made of does."""
    return stamp_of(study, *_NETWORK)


def layers_of(study: Study, architecture: Architecture) -> "tuple[Layer, ...]":
    """One subnet's layers; raises as `subnet_layers`."""
    return _layers(str(study.folder), as_text(architecture), stamp_of(study, *_NETWORK))


@st.cache_resource(max_entries=32, show_spinner=False)
def _layers(folder: str, choices: str, stamp: Stamp) -> "tuple[Layer, ...]":
    from foxnas_core.steps.profile import subnet_layers

    study = open_study(Path(folder))
    return subnet_layers(study, study.space.architecture(json.loads(choices)))


def profile_of(study: Study, architecture: Architecture, precision: str) -> "LayerProfile":
    """What each of its layers takes on this machine; raises as `profile_subnet`."""
    stamp = stamp_of(study, *_NETWORK)
    return _profile(str(study.folder), as_text(architecture), precision, stamp)


@st.cache_resource(max_entries=16, show_spinner="Profiling the subnet, alone on one core …")
def _profile(folder: str, choices: str, precision: str, stamp: Stamp) -> "LayerProfile":
    from foxnas_core.steps.profile import profile_subnet

    study = open_study(Path(folder))
    with MEASURING:
        return profile_subnet(study, study.space.architecture(json.loads(choices)), precision)[1]
