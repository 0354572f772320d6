"""Two devices of one table beside each other."""

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.study.storage import Study
from pages.shared.cache.fits import cached_predictor
from pages.shared.cache.versions import Version, cached_table, version_of

if TYPE_CHECKING:
    from foxnas_core.devices.comparison import DeviceComparison
    from foxnas_core.devices.curve import TransferCurve
    from foxnas_core.devices.reversals import RankReversals
    from foxnas_core.regression import Predictor


def pair_of(study: Study, first: str, second: str) -> "tuple[Predictor, Predictor]":
    """Two devices' fits on the subnets that both measured; raises as `fit_pair`."""
    return _pair(str(study.folder), first, second, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Fitting both devices …")
def _pair(_folder: str, first: str, second: str, stamp: Version) -> "tuple[Predictor, Predictor]":
    from foxnas_core.devices.common import fit_pair

    return fit_pair(cached_table(_folder, stamp), first, second)


def comparison_of(study: Study, first: str, second: str) -> "DeviceComparison":
    """How two devices' effects differ; raises as `fit_pair`."""
    return _comparison(str(study.folder), first, second, version_of(study))


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(_folder: str, first: str, second: str, stamp: Version) -> "DeviceComparison":
    from foxnas_core.devices.comparison import compare_devices

    pair = _pair(_folder, first, second, stamp)
    return compare_devices(*pair, table=cached_table(_folder, stamp))


def reversals_of(study: Study, first: str, second: str) -> "RankReversals":
    """Which subnets swap their order between two devices; raises as `rank_reversals`."""
    return _reversals(str(study.folder), first, second, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Comparing every pair of subnets …")
def _reversals(_folder: str, first: str, second: str, stamp: Version) -> "RankReversals":
    from foxnas_core.devices.reversals import rank_reversals

    residual_sds = None
    with suppress(FoxnasError):  # the measurements' own noise needs no fit
        one, other = _pair(_folder, first, second, stamp)
        residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
    return rank_reversals(cached_table(_folder, stamp), first, second, residual_sds=residual_sds)


def curve_of(study: Study, source: str, target: str) -> "TransferCurve":
    """The error of a calibration by its rows; raises as `transfer_curve`."""
    return _curve(str(study.folder), source, target, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Calibrating from few rows, many times …")
def _curve(_folder: str, source: str, target: str, stamp: Version) -> "TransferCurve":
    from foxnas_core.devices.curve import transfer_curve

    predictor = cached_predictor(_folder, source, "auto", "auto", stamp)
    return transfer_curve(predictor, table=cached_table(_folder, stamp), target=target)
