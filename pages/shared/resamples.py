"""Fronts of resampled coefficients that are solved in this server, each in a thread of its own."""

from collections.abc import Hashable

from foxnas_core.search.exact import Front
from foxnas_core.search.result import forms_in
from foxnas_core.search.stability import DRAWS, ResampledFronts, resampled_fronts
from pages.shared.registry import Registry, Work


class Resampling(Work[ResampledFronts]):
    """The front of coefficients drawn anew, `draws` times; its progress is how many are solved."""

    name, what, most_unfinished, most_kept = "resampling", "fronts are resampled", 2, 8

    def __init__(self, study: str, front: Front, draws: int = DRAWS) -> None:
        super().__init__(study, identity(front))
        self.front, self.draws = front, draws

    def _work(self) -> ResampledFronts:
        return resampled_fronts(self.front, draws=self.draws, report=self.report)


def identity(front: Front) -> Hashable:
    """What a front was found from: those of the same fits and choices are resampled alike."""
    problem = front.problem
    predictors = (problem.objective, problem.limits[0].predictor)
    fits = [(p.target.column, p.table_fingerprint) for p in predictors]
    forms = tuple(forms_in(problem).items())
    return problem.space.fingerprint, *fits, forms, tuple(problem.allowed.items())


def resample(registry: Registry, study: str, front: Front, draws: int = DRAWS) -> Resampling:
    """Start to resample a front, or join in where that is under way or finished already; raises
    `ServerBusy` where too many are under way."""
    present = registry.latest(Resampling, study, identity(front))
    if present is not None and present.state in ("starting", "running", "finished"):
        return present
    return registry.start(Resampling(study, front, draws))
