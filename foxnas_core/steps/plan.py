"""Which subnets to measure next."""

from typing import TYPE_CHECKING

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study

if TYPE_CHECKING:
    from foxnas_core.planning.plan import MeasurementPlan


def not_yet_measured(study: Study, count: int, seed: int) -> list[Architecture]:
    """Those of the seed's first `count` sampled architectures that have no row yet.

    The plan depends on the seed alone, so a killed campaign goes on where it was.
    """
    done = set(study.table().frame["id"])
    return [a for a in study.space.sample(count, seed=seed) if a.id not in done]


def plan_measurements(
    study: Study, target: str, count: int, *, form: str = "auto", seed: int = 0
) -> "MeasurementPlan":
    """The next batch that makes the effects on `target` known best; measured optima are left out.

    Raises as `planning.plan.plan_next`.
    """
    from foxnas_core.planning.plan import plan_next

    optima = study.optima()
    return plan_next(study.table(), target, count, form=form, seed=seed, taken=optima.codes)
