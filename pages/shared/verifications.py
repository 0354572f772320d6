"""Claims that are tested in this server, in a thread, whichever page looks at it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from foxnas_core.evidence.verification.claims import Chosen, Trial
from foxnas_core.progress import Progress
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.verify import verify, verify_finds, verify_random
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.registry import Work
from pages.shared.running import show_progress, to_go
from pages.shared.text import plain


class Verification(Work[list[Trial]]):
    """One subnet or one edit that is measured, what was found in several ways, or the first `count`
    random edits of a seed; one at a time, as latencies are timed. Stopped, it measures to its end
    what is being measured."""

    name, what, most_unfinished, most_kept = "verification", "verification runs", 1, 16

    def __init__(
        self,
        study: Study,
        *,
        subnets: Sequence[Architecture] = (),
        finds: Mapping[Chosen, Architecture] | None = None,
        count: int = 0,
        seed: int = 0,
        images: int | None = None,
    ) -> None:
        super().__init__(str(study.folder))
        self.subnets, self.count, self.seed = tuple(subnets), count, seed
        self.finds = dict(finds or {})
        self.progress = Progress(0, count or len(self.finds) or 1, stage="Starting")
        self._told = time.monotonic()
        self._opened, self._images = study, images

    def told(self) -> tuple[float, str]:
        """How far it is: the share that is done, and in words."""
        now = self.progress
        which = f"{now.done} of {now.total} done; " if now.total > 1 else ""
        rest = max(now.seconds_left - (time.monotonic() - self._told), 0.0)
        stage = "stopping after what is being measured" if self.stopping else now.stage
        text = f"{which}{stage}{'' if self.stopping else to_go(rest)}"
        return now.share, text[0].upper() + text[1:]

    def _work(self) -> list[Trial] | None:
        how: dict[str, Any] = {"images": self._images, "seed": self.seed}
        how |= {"report": self._tell, "stop": self._stop.is_set, "alone": self.alone()}
        if self.finds:
            trials = verify_finds(self._opened, self.finds, **how)
        elif self.count:
            trials = verify_random(self._opened, self.count, **how)
        else:
            trials = [verify(self._opened, self.subnets, **how)]
        return trials if all(trial.done for trial in trials) else None

    def _tell(self, progress: Progress) -> None:
        self.progress, self._told = progress, time.monotonic()


def show_job(study: Study) -> bool:
    """How far the study's run is, drawn again while it runs, and the page once it has ended; what
    came of the last one where none runs. Returns whether one does."""
    job = cache.works().latest(Verification, str(study.folder))
    if job is not None and not job.ended:
        show_progress(job, job.told)
        return True
    if job is not None and job.failed:
        st.error(plain(job.note))
    elif job is not None and job.state == "stopped":
        st.info(
            "Stopped. What was measured is kept; claims that were not measured stand, and are "
            "measured when they are tested again."
        )
    return False
