"""What several benchmarks do alike."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page

from tests.serving import PATIENCE, REPOSITORY, Server, chromium, serve

DEMO = REPOSITORY / "data" / "demo"


@contextmanager
def copied(study: Path = DEMO) -> Iterator[Path]:
    """A folder with a copy of a study in `studies/demo`, since the app keeps what it finds."""
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(study, Path(temporary, "studies", "demo"))
        yield Path(temporary)


@contextmanager
def app_on(folder: Path, number: int = 0) -> Iterator[Server]:
    """The app on the studies of such a folder."""
    with serve(REPOSITORY / "app.py", folder / f"log-{number}", folder / "studies") as server:
        yield server


@contextmanager
def seen_by_chromium(study: Path = DEMO) -> Iterator[tuple[Page, Server]]:
    """A page of the app on a copy of a study, and its server."""
    with chromium() as browser, copied(study) as folder, app_on(folder) as server:
        page = browser.new_page(viewport={"width": 1440, "height": 1200}, base_url=server.url)
        page.set_default_timeout(PATIENCE)
        yield page, server


def resident(process: int) -> float:
    """A process's resident memory (MiB)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Ran(NamedTuple):
    """Seconds by the clock and of processors, children included, and what was printed."""

    wall: float
    work: float
    printed: str


def ran(arguments: Sequence[str], folder: Path = REPOSITORY) -> Ran:
    """A Python process with these arguments, on one thread, in a folder."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, check=True, capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": ""},
    )  # fmt: skip
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(wall, work, done.stdout)
