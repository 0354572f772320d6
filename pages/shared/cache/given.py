"""What cards are made of, kept for all sessions."""

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import choices
from pages.shared.cache.versions import cached, table_of
from pages.shared.registry import MEASURING

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.result import SearchResult


class Cached(Given):
    """What the pages' cache keeps, so that cards of one page, and of all sessions, share it."""

    @property
    def table(self) -> MeasurementTable:
        if ("table",) not in self._results:
            self._results["table",] = table_of(self.study)
        return self._results["table",]

    def kept(self, method: Callable[..., Any], *arguments: Any) -> Any:
        how = getattr(method, "shared", None)
        if how is None:
            return super().kept(method, *arguments)
        fits = (self.form, self.link) if how.fits else ("auto", "auto")
        key = (method, fits, *arguments)
        # One page shows one table to its end; whatever else there is may change meanwhile.
        if how.files or not how.table or key not in self._results:
            self._results[key] = _keeper(method)(self.study, fits, *arguments)
        return self._results[key]


@functools.cache
def _keeper(method: Callable[..., Any]) -> Callable[..., Any]:
    """What keeps the results of a method that tells of the study alone."""

    how = method.shared  # type: ignore[attr-defined]

    def computed(study: Study, fits: tuple[str, str], *arguments: Any) -> Any:
        form, link = fits
        with MEASURING if how.alone else nullcontext():
            return method(Cached(study, form=form, link=link), *arguments)

    # By which its results are told from others'.
    computed.__qualname__ = f"{method.__module__}.{method.__qualname__}"
    files = how.files if how.table else ("space.json", *how.files)
    return cached(*files, table=how.table, entries=how.entries, spinner=how.spinner)(computed)


def looked_at(study: Study, **view: Any) -> Cached:
    """A study as this session looks at it, by the form and the link that it has chosen and with its
    guard; `view` are fields of `Given`."""
    chosen = choices.current()
    own = {"form": chosen.form, "link": chosen.link, "guard": chosen.guard}
    return Cached(study, **{**own, **view})


def calibrations_of(study: Study, cost: str) -> "dict[str, SearchCalibration]":
    """As `Given.calibrations_of`."""
    return looked_at(study).calibrations_of(cost)


def front_of(study: Study, cost: str, allowed: Allowed = ()) -> "Front":
    """As `Given.front_of`."""
    return looked_at(study).front_of(cost, allowed)


def problem_of(
    study: Study, objective: str, limits: Limits, allowed: Allowed = ()
) -> "SearchProblem":
    """As `Given.problem_of`."""
    return looked_at(study).problem_of(objective, limits, allowed)


def searches_of(study: Study) -> "dict[str, SearchResult]":
    """As `Given.searches`."""
    return looked_at(study).searches()
