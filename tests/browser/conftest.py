"""A server on a copy of the shipped study, and pages whose every error in the console counts."""

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from serving import CHROMIUM, PATIENCE, REPOSITORY, Server, chromium, serve

from foxnas_core.study import Study, open_study

# On a deep link Streamlit's own front end asks below the page's path first, then at the root.
PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")

# What fades in or slides looks for a moment as it never stays, and keeps slow machines busy.
AT_ONCE = """
addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style");
  style.textContent =
    "*, ::before, ::after { transition: none !important; animation: none !important }";
  document.head.append(style);
});
"""

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A copy of the shipped study, and beside it one of its table alone, "table-only"."""
    studies = tmp_path_factory.mktemp("studies")
    shipped = REPOSITORY / "data" / "demo"
    parts = ("study.json", "space.json", "measurements.parquet")
    for name, files in (
        ("demo", (*parts, "supernet.safetensors", "images.npz")),
        ("table-only", parts),
    ):
        (studies / name).mkdir()
        for file in files:
            shutil.copy(shipped / file, studies / name / file)
    return open_study(studies / "demo")


@pytest.fixture(scope="session")
def server(demo: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve(REPOSITORY / "app.py", log, demo.folder.parent) as running:
        yield running
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        # Where the suite counts, journeys not made must not pass for journeys that went well.
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"{CHROMIUM} is missing; 'make browser' installs it.")
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of a visitor without history. It must neither log an error nor be refused a file."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1440, "height": 1200}, accept_downloads=True
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(AT_ONCE)
    page = context.new_page()
    wrong: list[str] = []

    def note(what: str, url: str) -> None:
        if not PROBE.search(url):
            wrong.append(f"{what} {url}")

    page.on("console", lambda m: note(m.text, m.location["url"]) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda r: note(str(r.status), r.url) if r.status >= 400 else None)
    yield page
    context.close()
    assert not wrong
