"""Two devices of one table beside each other."""

from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from pages.shared.cache.fits import predictor_of
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    from foxnas_core.devices.comparison import DeviceComparison
    from foxnas_core.devices.curve import TransferCurve
    from foxnas_core.devices.reversals import RankReversals
    from foxnas_core.regression import Predictor


@cached(spinner="Fitting both devices …")
def pair_of(study: Study, first: str, second: str) -> "tuple[Predictor, Predictor]":
    """Two devices' fits on the subnets that both measured; raises as `fit_pair`."""
    from foxnas_core.devices.common import fit_pair

    return fit_pair(table_of(study), first, second)


@cached()
def comparison_of(study: Study, first: str, second: str) -> "DeviceComparison":
    """How two devices' effects differ; raises as `fit_pair`."""
    from foxnas_core.devices.comparison import compare_devices

    return compare_devices(*pair_of(study, first, second), table=table_of(study))


@cached(spinner="Comparing every pair of subnets …")
def reversals_of(study: Study, first: str, second: str) -> "RankReversals":
    """Which subnets swap their order between two devices; raises as `rank_reversals`."""
    from foxnas_core.devices.reversals import rank_reversals

    residual_sds = None
    with suppress(FoxnasError):  # the measurements' own noise needs no fit
        one, other = pair_of(study, first, second)
        residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
    return rank_reversals(table_of(study), first, second, residual_sds=residual_sds)


@cached(spinner="Calibrating from few rows, many times …")
def curve_of(study: Study, source: str, target: str) -> "TransferCurve":
    """The error of a calibration by its rows; raises as `transfer_curve`."""
    from foxnas_core.devices.curve import transfer_curve

    return transfer_curve(predictor_of(study, source), table=table_of(study), target=target)
