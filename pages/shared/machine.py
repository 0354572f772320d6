"""This machine as a device of a study, made one in this server, whichever page looks at it."""

import time
from functools import partial

import streamlit as st

from foxnas_core.cards import machine
from foxnas_core.cards.given import Given
from foxnas_core.devices.transfer import LEAST_ROWS
from foxnas_core.progress import Progress
from foxnas_core.steps.make_device import USUAL, MadeDevice, made_columns, make_device
from foxnas_core.study import Study
from foxnas_core.study.locks import is_read_only
from foxnas_core.table.machine import device_columns
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards
from pages.shared.registry import Work
from pages.shared.running import show_progress, to_go
from pages.shared.text import plain

MOST = 400


class Making(Work[MadeDevice]):
    """Measurements by which this machine becomes a device; one at a time, as latencies are timed.
    Stopped, it keeps what is measured."""

    name, what, most_unfinished, most_kept = "device", "machine is made a device", 1, 16

    def __init__(self, study: Study, *, count: int, seed: int) -> None:
        super().__init__(str(study.folder))
        self._opened, self._count, self._seed = study, count, seed
        self.progress = Progress(0, count, stage="Starting")
        self._told = time.monotonic()

    def told(self) -> tuple[float, str]:
        """How far it is: the share that is done, and in words."""
        now = self.progress
        rest = max(now.seconds_left - (time.monotonic() - self._told), 0.0)
        stage = "stopping after what is being measured" if self.stopping else now.stage
        text = f"{now.done:g} of {now.total:g} done; {stage[:1].lower()}{stage[1:]}"
        return now.share, text + ("" if self.stopping else to_go(rest))

    def _work(self) -> MadeDevice:
        how = {"count": self._count, "seed": self._seed}
        return make_device(self._opened, report=self._tell, alone=self.alone(), **how)

    def _tell(self, progress: Progress) -> None:
        self._told = time.monotonic()
        self.report(progress)


def show_machine(given: Given, *, settings: bool = False) -> None:
    """Where the cost's latencies are of another machine, what makes this one a device of the study,
    with its `settings`, or what takes its latencies once it is one."""
    seat = machine.looked_at(given)
    if seat is None or _show_job(given.study) or (seat.is_here and not settings):
        return
    made = made_columns(given.table)
    if made and seat.own and not seat.is_here:
        st.button(
            "Take this machine's latencies",
            key="machine-take",
            on_click=partial(choices.update, latency=seat.own, budget=None),
        )
    wanted = not made or (settings and made != device_columns(None))
    if wanted and not is_read_only() and machine.can_measure(given) is None:
        _show_button(given.study, settings)


def _show_button(study: Study, settings: bool) -> None:
    count, seed = USUAL, 0
    if settings:
        left, right = st.columns(2)
        count = left.number_input(
            "Subnets to measure", LEAST_ROWS, MOST, USUAL, key="machine-count",
            help="Of those that are measured, spread over the other machine's latency. What is "
            "measured is not measured again.",
        )  # fmt: skip
        seed = right.number_input("Seed", 0, 2**31 - 1, 0, key="machine-seed")
    st.button("Make this machine a device", key="machine-make", on_click=choices.ask("machine"))
    if choices.asked("machine"):
        with errors_as_cards():
            job = cache.works().start(Making(study, count=count, seed=seed))
            choices.remember("machine", job.id)
            st.rerun()


def _show_job(study: Study) -> bool:
    """How far the study's run is, and once it has ended what came of it; whoever started it has
    this machine's latencies from then on. Returns whether one runs."""
    job = cache.works().latest(Making, str(study.folder))
    if job is None:
        return False
    if not job.ended:
        show_progress(job, job.told)
        return True
    if job.failed:
        st.error(plain(job.note))
    elif job.result is None:
        st.info("Stopped. What was measured is kept, and the button goes on.")
    elif choices.remembered("machine") == job.id:
        choices.remember("machine", None)
        choices.update(latency=next(iter(job.result.rows)), budget=None)
        st.rerun()
    return False
