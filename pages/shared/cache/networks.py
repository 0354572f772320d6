"""Subnets as networks: their layers, and what these take here."""

from typing import TYPE_CHECKING

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared.cache.versions import Stamp, cached, stamp_of
from pages.shared.registry import MEASURING

if TYPE_CHECKING:
    from foxnas_core.profiling.result import LayerProfile

# Parts of a study that a subnet is built from.
_NETWORK = ("space.json", "supernet.safetensors", "images.npz")


def export_stamp(study: Study) -> Stamp:
    """Changes whenever a file that exported files are made of does."""
    return stamp_of(study, *_NETWORK)


@cached(*_NETWORK, table=False, spinner="Profiling the subnet, alone on one core …")
def profile_of(study: Study, architecture: Architecture, precision: str) -> "LayerProfile":
    """What each of its layers takes on this machine; raises as `steps.profile.profile_subnet`."""
    from foxnas_core.steps.profile import profile_subnet

    with MEASURING:
        return profile_subnet(study, architecture, precision)[1]
