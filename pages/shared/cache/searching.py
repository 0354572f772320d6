"""Fronts, optima and what follows from them, and the searches that a study keeps."""

from typing import TYPE_CHECKING

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared.cache.given import front_of, predictor_of
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    from foxnas_core.explanation.reasons import Reasons


@cached(entries=64, spinner="Finding the reasons …")
def reasons_of(study: Study, latency: str, architecture: Architecture, budget: float) -> "Reasons":
    """Why an architecture has its blocks at a latency budget; raises as `front_of`."""
    from foxnas_core.explanation.reasons import reasons
    from foxnas_core.search.prices import front_prices

    return reasons(
        predictor_of(study, study.objective.column),
        predictor_of(study, latency),
        architecture=architecture,
        background=table_of(study).architectures(),
        price=front_prices(front_of(study, latency)).at(budget),
    )
