"""A server on copies of the shipped study, and its visitors."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from cell_study import cell_study
from conftest import copy_of_demo
from device_cells import device_study
from playwright.sync_api import Browser, Page, expect
from serving import BRIEFLY, CHROMIUM, FEW, PATIENCE, REPOSITORY, Server, Tab, chromium, serve

from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.parts import parts_of

expect.set_options(timeout=PATIENCE)


# A journey that fails is made again, at most twice: a browser waits for no machine that does other
# work.
AGAIN = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=AGAIN))


def study_of_demo(folder: Path, *more: str) -> Study:
    copy_of_demo(folder, *more)
    return open_study(folder)


WITH_NETWORKS = ("supernet.safetensors", "images.npz")


def few_rows(demo: Study, folder: Path) -> Study:
    table = demo.table()
    few = table.rows(np.arange(len(table)) < FEW)
    return create_study(folder, demo.space, name="Table only", table=few)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A copy of the shipped study, which no journey changes, and beside it one of its table's first
    rows alone, "table-only": so few that figures need no WebGL, which takes long without a graphics
    card."""
    studies = tmp_path_factory.mktemp("studies")
    demo = study_of_demo(studies / "demo", *WITH_NETWORKS)
    few_rows(demo, studies / "table-only")
    return demo


@pytest.fixture(scope="session")
def cells(demo: Study) -> Study:
    """A study of NAS-Bench-201's cells beside the demo, which no journey changes."""
    return cell_study(demo.folder.parent / "nas")


@pytest.fixture(scope="session")
def devices(demo: Study) -> Study:
    """The same on several devices."""
    return device_study(demo.folder.parent / "devices")


@pytest.fixture(scope="session")
def unused(demo: Study) -> Callable[[str], str]:
    """Names for studies beside the demo, each given once: a journey that is made once more finds
    nothing of what its first try left."""
    numbers = count(1)
    return lambda name: f"{name}-{next(numbers)}"


@pytest.fixture
def own(demo: Study, unused: Callable[[str], str]) -> Study:
    """A copy of the shipped study for this try alone, which it may change; addresses name it."""
    return study_of_demo(demo.folder.parent / unused("own"), *WITH_NETWORKS)


@pytest.fixture
def few(demo: Study, unused: Callable[[str], str]) -> Study:
    """The same of "table-only", of which a server remembers nothing."""
    return few_rows(demo, demo.folder.parent / unused("few"))


@pytest.fixture(scope="package")
def server(demo: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve(REPOSITORY / "app.py", log, demo.folder.parent, **BRIEFLY) as running:
        yield running
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        # Where the suite counts, journeys not made must not pass for journeys that went well.
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"{CHROMIUM} is missing; 'make browser' installs it.")
    with chromium() as running:
        yield running


def stamps(study: Study) -> dict[str, int]:
    """By part of the study, when it was written last."""
    return {name: path.stat().st_mtime_ns for name, path in parts_of(study.folder).items()}


@pytest.fixture(scope="package")
def tab(browser: Browser, server: Server) -> Iterator[Tab]:
    with closing(Tab(browser, server)) as tab:
        yield tab


@pytest.fixture
def page(tab: Tab, demo: Study) -> Iterator[Page]:
    """A page of a visitor without history."""
    before = stamps(demo)
    with tab.visit() as page:
        yield page
    assert stamps(demo) == before, "A journey that changes a study takes one of its `own`."
