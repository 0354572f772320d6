"""Searches of this session: started, changed while they run, replayed, and joined by others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from foxnas_core.cards.course import Proven
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import cost_of, drawable, predictors_of, quest_of
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.search.events import Event
from foxnas_core.search.guard import GUARD, OFF, share_of
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES, SearchResult, forms_in
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.annealing import chosen_of, chosen_settings
from pages.shared.cards import given_of
from pages.shared.jobs import Job, replayed
from pages.shared.limits import as_choices, kept_of

# What identifies a search beside its id.
_VIEW = ("latency", "goal", "budget", "floor", "guard", "limits", "allowed", "annealing")


def chosen_job(study: Study) -> Job | None:
    """The search under way that the address names; the address of one that was kept gives its
    place to that of the kept search, which lasts."""
    chosen, folder = choices.current().search, str(study.folder)
    if search_id := cache.works().kept_as(chosen, folder):
        choices.update(search=search_id)
        return None
    return cache.works().get(Job, chosen, folder)


def under_way(job: Job | None) -> bool:
    return job is not None and not job.ended


# What was moved while a search runs


def touch(**moved: Any) -> None:
    """Note what was moved in a control, until a page that is drawn acts on it."""
    choices.remember("touched", {**touched(), **moved})


def touched() -> dict[str, Any]:
    """What was moved, and not acted on yet: where drawing is broken off, the next one does."""
    return choices.remembered("touched") or {}


def leave_be() -> None:
    """Let what was moved act on nothing any more."""
    choices.remember("touched", None)


def follow(study: Study, job: Job | None, moved: Mapping[str, Any]) -> None:
    """Let the controls show what a search has that was opened: whoever joins sees one budget. One
    that has ended is left where another is asked for."""
    name, active = choices.current().search, under_way(job)
    if name is None:
        return
    view = job.view if job is not None else _view_of_kept(study, name)
    if not view:
        return
    if choices.remembered("followed") != name or (active and not moved):
        choices.remember("followed", name)
        if any(getattr(choices.current(), each) != value for each, value in view.items()):
            choices.update(**view)
    elif not active and any(
        getattr(choices.current(), each) != value
        for each, value in view.items()
        if each != "annealing"
    ):
        choices.update(search=None)


def _view_of_kept(study: Study, search_id: str) -> dict[str, Any]:
    """The choices with which a kept search is looked for anew; none where a page can't."""
    try:
        result = study.kept(SEARCHES, search_id)
    except (FoxnasError, OSError):
        return {}
    return view_of(study, result) if drawable(study, result) else {}


def view_of(study: Study, result: SearchResult) -> dict[str, Any]:
    own = result.objective == study.objective.column
    bounds = result.asked_for
    further = zip((column for column, _ in result.limits[1:]), bounds[1:], strict=True)
    guard = OFF if result.guard is None else result.guard
    return {
        "latency": cost_of(study, result),
        "goal": "accuracy" if own else "latency",
        "budget" if own else "floor": bounds[0],
        "guard": None if guard == GUARD else guard,
        **as_choices(further, kept_of(study.space, result.allowed)),
        "annealing": chosen_of(result.settings, chosen_settings().pace).text,
    }


# Runs


def start(quest: Quest, settings: AnnealingSettings, seconds: float) -> Job:
    """Start a search, which the address then names."""
    study = quest.given.study

    def keep(result: SearchResult) -> str:
        return study.keep(SEARCHES, told(result, job.quest or quest))

    job = Job(
        str(study.folder), quest.problem, settings, seconds=seconds, keep=keep, quest=quest,
        proven={quest.searched: quest.solution().proven}, view=view_now(),
    )  # fmt: skip
    return _begun(job)


def told(result: SearchResult, quest: Quest) -> SearchResult:
    """A search with what was asked for, where a guard made that tighter."""
    if not quest.is_guarded:
        return result
    asked = tuple(bound for _, bound, _ in quest.asked)
    return replace(result, asked=asked, guard=share_of(quest.given.guard))


def move(job: Job, quest: Quest, moved: Mapping[str, Any]) -> None:
    """Let what was moved in the controls act on a search that runs; raises as `Job.act`."""
    cooling = {name: value for name, value in moved.items() if name != "bound"}
    try:
        bound = quest.searched if "bound" in moved else None
        if bound == job.problem.limits[0].bound:
            bound = None
        proven = {} if bound is None else {bound: quest.solution().proven}
    except FoxnasError:
        leave_be()
        raise
    view = view_now()
    # The last moment in which drawing can be broken off.
    leave_be()
    if bound is None and not cooling:
        job.quest, job.view = quest, view
        return
    asked = None if bound is None or bound == quest.bound else quest.bound
    job.act(Event(bound=bound, asked=asked, **cooling), proven, quest=quest, view=view)


def replay(study: Study, search_id: str, seconds: float) -> Job:
    """Start a kept search again from its seed, if what it searched is still the same."""
    kept = study.kept(SEARCHES, search_id)
    allowed = tuple(kept.allowed.items())
    problem = cache.problem_of(study, kept.objective, kept.begun_limits, allowed)
    if tuple(limit.side for limit in problem.limits) != kept.sides:
        raise InvalidInput("This search can't be replayed: a page limits costs from above only.")
    if not is_present(problem, kept):
        raise InvalidInput(
            "The measurements have changed since this search, or another form of the regression "
            "is chosen, so it can't be replayed; start it anew."
        )
    proven = {bound: proven_for(study, kept, bound) for bound in _bounds_of(kept)}
    view = view_of(study, kept) if drawable(study, kept) else {}
    quest = quest_of(given_of(study), kept) if drawable(study, kept) else None
    job = Job(
        str(study.folder), problem, kept.settings, seconds=seconds, keep=replayed(search_id, kept),
        replays=search_id, events=kept.events, proven=proven, view=view, quest=quest,
    )  # fmt: skip
    return _begun(job)


def is_present(problem: SearchProblem, kept: SearchResult) -> bool:
    """Whether a kept search read the measurements that there are now, by the same forms."""
    now = {p.target.column: p for p in predictors_of(problem)}
    same = all(kept.fingerprints[c] == p.table_fingerprint for c, p in now.items())
    return same and kept.forms in ({}, forms_in(problem))


def proven_for(study: Study, kept: SearchResult, bound: float) -> Proven:
    """The optimum of a kept search under a number of its first limit, or a bound on it."""
    (first, last), *others = kept.limits
    if bound == last:
        return kept.exact, kept.bound
    limits = ((first, bound), *others)
    allowed = tuple(kept.allowed.items())
    return given_of(study, guard=OFF).solution_of(kept.objective, limits, allowed).proven


def _bounds_of(kept: SearchResult) -> list[float]:
    moved = [event.bound for event in kept.events if event.bound is not None]
    return [kept.begun_limits[0][1], *moved]


def view_now() -> dict[str, Any]:
    """The choices of this session for what it searches."""
    return {name: getattr(choices.current(), name) for name in _VIEW}


def _begun(job: Job) -> Job:
    cache.works().start(job)
    choices.update(search=job.id)
    choices.remember("followed", job.id)
    return job
