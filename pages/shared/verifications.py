"""Claims that are tested in this server, in a thread, whichever page looks at it."""

import math
import time
from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from foxnas_core.evidence.verification.claims import Trial
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.trials import VerifyProgress
from foxnas_core.steps.verify import verify, verify_random
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.frame import errors_as_cards
from pages.shared.registry import MEASURING, Registry, Work
from pages.shared.text import plain

State = Literal["running", "stopped", "finished", "failed"]


class Verification(Work):
    """One subnet or one edit that is measured, or the first `count` random edits of a seed.

    `trials` are those that were measured, once it has ended; `progress` says how far it is.
    """

    name = "verification"

    def __init__(
        self,
        study: Study,
        *,
        subnets: Sequence[Architecture] = (),
        count: int = 0,
        seed: int = 0,
        images: int | None = None,
    ) -> None:
        super().__init__(str(study.folder))
        self.subnets, self.count, self.seed = tuple(subnets), count, seed
        self.trials: list[Trial] = []
        self.progress = VerifyProgress(0, count or 1, "Starting", math.nan)
        self._told = time.monotonic()
        self._opened, self._images = study, images
        self._thread.start()

    @property
    def state(self) -> State:
        if not self.ended:
            return "running"
        if self.failed:
            return "failed"
        wanted = self.count or 1
        return "finished" if sum(t.done for t in self.trials) == wanted else "stopped"

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop, and a measurement still has to come to its end."""
        return self._stop.is_set() and not self.ended

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes; NaN before anything tells."""
        return max(self.progress.seconds_left - (time.monotonic() - self._told), 0.0)

    def sentence(self) -> str:
        """How far it is, in words."""
        now, left = self.progress, self.seconds_left
        which = f"{now.done} of {now.total} done; " if now.total > 1 else ""
        stage = "stopping after what is being measured" if self.stopping else now.stage
        told = not (math.isnan(left) or self.stopping)
        text = f"{which}{stage}{f', about {max(1, round(left)):,} s to go' if told else ''}"
        return text[0].upper() + text[1:]

    def _work(self) -> None:
        study = self._opened
        how: dict[str, Any] = {"images": self._images, "seed": self.seed}
        how |= {"report": self._report, "stop": self._stop.is_set, "alone": MEASURING}
        if self.count:
            trials = verify_random(study, self.count, **how)
        else:
            trials = [verify(study, self.subnets, **how)]
        self.trials = [trial for trial in trials if trial.done]

    def _report(self, progress: VerifyProgress) -> None:
        self.progress, self._told = progress, time.monotonic()


class Verifications(Registry[Verification]):
    """The registry of claims under test: one at a time, as latencies are timed."""

    most_unfinished, most_kept, what = 1, 16, "verification runs"

    def start(self, study: Study, **how: object) -> Verification:
        """Start one, as in `Verification`; raises `ServerBusy` where one is under way."""
        return self.add(lambda: Verification(study, **how))  # type: ignore[arg-type]

    def of(self, study: str) -> Verification | None:
        """The latest of a study, if it is still remembered."""
        own = [run.id for run in list(self._runs.values()) if run.study == study]
        return self.get(own[-1], study) if own else None


def show_job(study: Study) -> bool:
    """How far the study's run is, drawn again while it runs, and the page once it has ended; what
    came of the last one where none runs. Returns whether one does."""
    job = cache.verifications().of(str(study.folder))
    if job is None or job.ended:
        if job is not None and job.failed:
            st.error(plain(job.note))
        elif job is not None and job.state == "stopped":
            st.info(
                "Stopped. What was measured is kept; claims that were not measured stand, and are "
                "measured when they are tested again."
            )
        return False

    @st.fragment(run_every=0.5)
    @errors_as_cards()
    def draw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.verifications().get(job.id, job.study)
        st.progress(job.progress.done / job.progress.total, job.sentence())
        if job.ended:
            st.rerun()

    with st.container(border=True, key="verification"):
        draw()
        st.button("Stop", key="verification-stop", on_click=job.stop)
    return True
