"""What each block and choice is worth, by several lenses."""

import json
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.space.architecture import Architecture
from foxnas_core.study.storage import Study
from pages.shared.cache.fits import cached_predictor
from pages.shared.cache.versions import Version, cached_table, version_of
from pages.shared.choices import as_text

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.permutation import PermutationImportance
    from foxnas_core.explanation.second_opinion import SecondOpinion
    from foxnas_core.explanation.shapley import BlockShapley


def shapley_of(study: Study, column: str, architecture: Architecture | None) -> "BlockShapley":
    """Shapley values of one architecture's blocks, or of those of every measured subnet, against
    all measured subnets."""
    return _shapley(str(study.folder), column, _text_of(architecture), version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Computing Shapley values …")
def _shapley(_folder: str, column: str, choices: str | None, stamp: Version) -> "BlockShapley":
    from foxnas_core.explanation.shapley import block_shapley

    table = cached_table(_folder, stamp)
    background = table.architectures()
    one = choices and [table.space.architecture(json.loads(choices))]
    return block_shapley(
        cached_predictor(_folder, column, "auto", "auto", stamp),
        architectures=one or background,
        background=background,
    )


def block_effects_of(
    study: Study, column: str, architecture: Architecture | None
) -> "pd.DataFrame":
    """The coefficients' share of each block in one architecture, or over all measured subnets."""
    return _block_effects(str(study.folder), column, _text_of(architecture), version_of(study))


@st.cache_resource(max_entries=64, show_spinner=False)
def _block_effects(
    _folder: str, column: str, choices: str | None, stamp: Version
) -> "pd.DataFrame":
    from foxnas_core.explanation.block_effects import block_effects, mean_block_effects

    table = cached_table(_folder, stamp)
    predictor = cached_predictor(_folder, column, "auto", "auto", stamp)
    background = table.architectures()
    if choices is None:
        return mean_block_effects(predictor, background=background)
    one = table.space.architecture(json.loads(choices))
    return block_effects(predictor, architecture=one, background=background)


def dependence_of(study: Study, column: str, architecture: Architecture | None) -> "pd.DataFrame":
    """Partial dependence on one architecture's blocks, or on every choice."""
    return _dependence(str(study.folder), column, _text_of(architecture), version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Computing partial dependence …")
def _dependence(_folder: str, column: str, choices: str | None, stamp: Version) -> "pd.DataFrame":
    from foxnas_core.explanation.permutation import block_dependence, partial_dependences

    table = cached_table(_folder, stamp)
    predictor = cached_predictor(_folder, column, "auto", "auto", stamp)
    background = table.architectures()
    if choices is None:
        return partial_dependences(predictor, background=background)
    one = table.space.architecture(json.loads(choices))
    return block_dependence(predictor, architecture=one, background=background)


def permutation_of(study: Study, column: str) -> "PermutationImportance":
    """Permutation importance of each block on the measured subnets."""
    return _permutation(str(study.folder), column, version_of(study))


@st.cache_resource(
    max_entries=16, show_spinner="Shuffling each block 30 times, which takes a few seconds …"
)
def _permutation(_folder: str, column: str, stamp: Version) -> "PermutationImportance":
    from foxnas_core.explanation.permutation import permutation_lens

    return permutation_lens(
        cached_predictor(_folder, column, "auto", "auto", stamp), cached_table(_folder, stamp)
    )


def second_opinion_of(study: Study, column: str) -> "SecondOpinion":
    """Boosted trees fitted to the measured subnets; raises as `second_opinion`."""
    return _second_opinion(str(study.folder), column, version_of(study))


@st.cache_resource(
    max_entries=8,
    show_spinner="Fitting boosted trees six times, which takes about 10 to 20 seconds …",
)
def _second_opinion(_folder: str, column: str, stamp: Version) -> "SecondOpinion":
    from foxnas_core.explanation.second_opinion import second_opinion

    return second_opinion(
        cached_predictor(_folder, column, "auto", "auto", stamp), cached_table(_folder, stamp)
    )


def block_prices_of(study: Study, column: str, architecture: Architecture) -> "pd.DataFrame":
    """What each of its blocks adds to a target; raises as `predictor_of`."""
    return _block_prices(str(study.folder), column, as_text(architecture), version_of(study))


@st.cache_resource(max_entries=64, show_spinner=False)
def _block_prices(_folder: str, column: str, choices: str, stamp: Version) -> "pd.DataFrame":
    from foxnas_core.explanation.block_effects import block_prices

    predictor = cached_predictor(_folder, column, "auto", "auto", stamp)
    one = predictor.space.architecture(json.loads(choices))
    return block_prices(predictor, architecture=one)


def _text_of(architecture: Architecture | None) -> str | None:
    return None if architecture is None else as_text(architecture)
