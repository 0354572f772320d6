"""Selections by a supernet that run in this server, and how one is started."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from foxnas_core.cards import operations
from foxnas_core.cards.given import Given
from foxnas_core.cards.kept_selections import kept_selections
from foxnas_core.errors import FoxnasError
from foxnas_core.files import typed
from foxnas_core.methods import Method, Question, Run
from foxnas_core.methods.method import Telling
from foxnas_core.methods.on_supernet import mixture_file
from foxnas_core.methods.selecting import select_kept, state_file
from foxnas_core.progress import Progress
from foxnas_core.search.selections import SELECTIONS, SupernetSelection
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study, list_studies, open_study
from foxnas_core.table.sums import tells
from pages.shared import cache, choices
from pages.shared.cards import given_of
from pages.shared.commands import show_command
from pages.shared.cost import chosen_cost, in_unit
from pages.shared.frame import errors_as_cards, may_write, studies_folder
from pages.shared.limits import limited_targets, step_of
from pages.shared.picked import picked
from pages.shared.registry import PausableWork
from pages.shared.running import show_progress, to_go
from pages.shared.text import plain
from pages.shared.views import go

LOOK_EVERY = 1.0  # seconds between two looks at what a run would select
# Studies that are laid beside one where nobody chose.
_BESIDE = 3


class Selecting(PausableWork[str]):
    """One selection, which is kept with its study; stopped, it can be gone on with.

    `so_far` is what it would select, of a method that tells on its way, as it was when it was
    looked at last.
    """

    name, what, most_unfinished, most_kept = "selection", "selections run", 2, 16

    def __init__(self, study: Study, method: Method, question: Question, seed: int) -> None:
        super().__init__(str(study.folder), method.name)
        self.method, self.question, self.seed = method, question, seed
        self.progress = Progress(0, 1, stage="Starting")
        self.so_far: SupernetSelection | None = None
        self._opened, self._told = study, time.monotonic()
        self._looked = -LOOK_EVERY

    def told(self) -> tuple[float, str]:
        """How far it is: the share that is done, and in words."""
        now = self.progress
        if self.stopping:
            return now.share, "Stopping after this step"
        done = f"{now.done:.0f} of {now.total:.0f} steps" if now.total > 1 else now.stage
        if self.state == "paused":
            return now.share, f"Seed {self.seed}: {done}, paused"
        rest = now.seconds_left - (time.monotonic() - self._told)
        return now.share, f"Seed {self.seed}: {done}{to_go(max(rest, 0.0))}"

    def _work(self) -> str:
        _, self.kept = select_kept(
            self._opened, self.method, self.question, seed=self.seed, report=self._tell,
            watch=self._watch,
        )  # fmt: skip
        return self.kept

    def _watch(self, run: Run) -> None:
        """Look at the run, at most so often but always where it is held or ends, and hold it."""
        due = time.monotonic() - self._looked >= LOOK_EVERY
        if isinstance(run, Telling) and (due or self._paused.is_set() or self._stop.is_set()):
            self.so_far, self._looked = run.so_far(), time.monotonic()
        self.hold()

    def _tell(self, progress: Progress) -> None:
        self._told = time.monotonic()
        self.report(progress)


def show_method(study: Study, method: Method) -> bool:
    """Run a method, or say what it needs; returns whether there is anything else to tell of it."""
    if sentence := _lacking(study, method):
        st.info(plain(sentence))
        return bool(study.ids(SELECTIONS))
    _show_run(study, method)
    return True


def _show_run(study: Study, method: Method) -> None:
    """How far a run is, and, behind its label where it was run before, how one is begun."""
    job = cache.works().latest(Selecting, str(study.folder), method.name)
    if job is not None and job.failed:
        st.error(plain(job.note))
    elif job is not None and job.state == "stopped":
        st.info("Stopped. What was decided is kept; with the same seed it goes on from there.")
    kept = kept_selections(given_of(study)).values()
    opened = all(own.method != method.name for own in kept) or (job is not None and not job.kept)
    with st.expander(f"Run {plain(method.title)} on this study", expanded=opened):
        # While one runs too: a browser forgets what a control that is gone had shown.
        seed, own = _settings(method)
        question = _question(study, method)
        if job is None or job.ended:
            show_command(study, _command(study, own, method, question, seed))
            if may_write("nothing can be selected and kept"):
                _buttons(study, own, question, seed)
    if job is not None and not job.ended:
        show_progress(job, job.told)


def _lacking(study: Study, method: Method) -> str:
    """What there is to do before anything is selected."""
    if not method.trains and not mixture_file(study).exists():
        return (
            "This study has no supernet, and so nothing to select by; train one with 'python -m "
            "foxnas_core train', or bring yours with 'python -m foxnas_core import-weights'. The "
            "page Search finds subnets by the measurements alone."
        )
    return method.needs(study) or ""


def _settings(method: Method) -> tuple[int, Method]:
    """Draw the seed and the method's own settings; returns it with these."""
    row = st.container(horizontal=True)
    seed = picked(
        row.number_input, "Seed", key=f"{method.name}-seed", default=0, min_value=0,
        max_value=2**31 - 1, width=160, help="Edges are decided in an order that it draws.",
    )  # fmt: skip
    given: dict[str, Any] = {}
    for name, label in method.settings.items():
        given[name] = picked(
            row.number_input, label, key=f"{method.name}-{name}", default=getattr(method, name),
            min_value=int(name == "images"), max_value=10**6, width=260,
        )  # fmt: skip
    return seed, replace(method, **given) if given else method  # type: ignore[type-var]


def _question(study: Study, method: Method) -> Question:
    """Draw what the selection is to keep within, where the method can keep limits and the table has
    costs."""
    found, table = Question(study.objective.column), cache.table_of(study)
    costs = {target.column: target for target in limited_targets(table, "")}
    if not (method.keeps_limits and costs and tells(table)):
        return found
    row, own = st.container(horizontal=True), chosen_cost(study)
    names = {"": "nothing: no limit", **{column: costs[column].label for column in costs}}
    column = picked(
        row.selectbox, "Keep within a limit on", names, key=f"{method.name}-limited",
        default=own if own in costs else "", width=340,
    )  # fmt: skip
    if not column:
        return found
    usual = choices.current().budget if column == own else None
    most = picked(
        row.number_input, in_unit(f"{costs[column].title} at most", costs[column]),
        key=f"{method.name}-most-{column}", default=usual or cache.middle_of(study, column),
        step=step_of(cache.middle_of(study, column)), format="%.6g", width=260,
        help="As measured: what predicts it keeps as much tighter as the guard says.",
    )  # fmt: skip
    return replace(found, limits={column: float(most)})


def _command(study: Study, method: Method, usual: Method, question: Question, seed: int) -> str:
    """What does the same on the command line."""
    told = [f"select --study {typed(study.folder)} --method {method.name}"]
    told += [f"--seed {seed}"] if seed else []
    for name in method.settings:
        value = getattr(method, name)
        told += [f"--{name} {value}"] if value != getattr(usual, name) else []
    told += [f"--limit {column}={most:.6g}" for column, most in question.limits.items()]
    return " ".join(told)


def _buttons(study: Study, method: Method, question: Question, seed: int) -> None:
    """Begin, go on with what was stopped, or begin that anew."""
    file = state_file(study, method, seed)
    row = st.container(horizontal=True)
    begun = file.exists()
    row.button(
        f"Go on with seed {seed}" if begun else "Select", key="select", type="primary",
        on_click=choices.ask("select"),
    )  # fmt: skip
    if begun:
        row.button("Begin it anew", key="select-anew", on_click=choices.ask("select-anew"))
    anew = choices.asked("select-anew")
    if anew or choices.asked("select"):
        with errors_as_cards():
            if anew:
                file.unlink(missing_ok=True)
            cache.works().start(Selecting(study, method, question, seed))
            st.rerun()


def pick_kept(options: Mapping[str, str]) -> str:
    """Draw the choice of a kept selection of those by id, where there are several; "" for none."""
    if len(options) < 2:
        return next(iter(options), "")
    # A new one is shown at once: a new key takes the new default.
    key = f"kept-{next(iter(options))}"
    return picked(st.selectbox, "Kept selection", options, key=key, width=460)


def ways_on(architecture: Architecture) -> None:
    """Draw buttons that open what was selected elsewhere."""
    row = st.container(horizontal=True)
    for verb, title, view in (
        ("Open in What-if", "What-if", "editor"), ("Verify it", "Trust", "verify"),
        ("Export it", "Export", ""),
    ):  # fmt: skip
        if row.button(verb, key=f"selected-to-{title.lower()}"):
            choices.set_architecture(architecture)
            go(title, view)


def with_others(study: Study) -> Given:
    """The study beside others of the same cells, which are picked: their tables tell what
    operations are worth, and their supernets what each selects."""
    given, others, beside = given_of(study), {}, None
    for folder in list_studies(studies_folder()):
        if folder == study.folder:
            continue
        try:
            other = open_study(folder)
            if operations.same_choices(given, given_of(other)):
                others[folder.name] = other
        except FoxnasError as error:
            st.caption(f"{plain(folder.name)} is left out: {plain(str(error))}")
    if not others:
        return given
    names = picked(
        st.multiselect, "Beside other studies of these cells", list(others), key="select-beside",
        value=kept if (kept := choices.remembered("select-beside")) is not None
        else list(others)[:_BESIDE],
        help="Their measured tables say what operations are worth, their supernets what they "
        "select.",
    )  # fmt: skip
    for name in reversed(names):
        if name in others:
            beside = given_of(others[name], beside=beside)
    return given_of(study, beside=beside)
