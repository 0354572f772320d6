"""The app as users have it: a Streamlit server of its own process, seen by Debian's Chromium."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Download, Page, TimeoutError, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
REPOSITORY = Path(__file__).parents[1]
# Slow machines that do other work as well are slow, not broken.
PATIENCE = 60_000

_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip

# On a deep link Streamlit's own front end asks below the page's path first, then at the root.
_PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")

# What fades in or slides looks for a moment as it never stays, and keeps slow machines busy.
_AT_ONCE = """
addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style");
  style.textContent =
    "*, ::before, ::after { transition: none !important; animation: none !important }";
  document.head.append(style);
});
"""


@dataclass(frozen=True)
class Server:
    url: str
    process: int
    log: Path


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serve(
    script: Path,
    log: Path,
    studies: Path | None = None,
    *options: str,
    port: int | None = None,
    **variables: str,
) -> Iterator[Server]:
    """A Streamlit server of `script` on a port, free unless named, up and answering; with further
    options of its own, and variables of its environment."""
    port = port or free_port()
    environment = os.environ | variables
    if studies is not None:
        environment["FOXNAS_STUDIES"] = str(studies)
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
        "--server.headless", "true", "--server.fileWatcherType", "none",
        "--browser.gatherUsageStats", "false", *options,
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://localhost:{port}"
    try:
        _wait_for(f"{url}/_stcore/health", process, log)
        yield Server(url, process.pid, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < last and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start: {log.read_text()[-2000:]}")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of a visitor without history. It must neither log an error nor be refused a file."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1440, "height": 1200}, accept_downloads=True
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_AT_ONCE)
    page = context.new_page()
    wrong: list[str] = []

    def note(what: str, url: str) -> None:
        if not _PROBE.search(url):
            wrong.append(f"{what} {url}")

    page.on("console", lambda m: note(m.text, m.location["url"]) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda r: note(str(r.status), r.url) if r.status >= 400 else None)
    try:
        yield page
    finally:
        context.close()
    assert not wrong


def wait_until_drawn(page: Page) -> None:
    """Wait until the page has its title, the server has nothing more to say about it, and nothing
    is left on it of what it showed before."""
    page.wait_for_selector("h1", timeout=PATIENCE)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_selector('[data-stale="true"]', state="detached")


def download_by(page: Page, button: str) -> Download:
    """Take a file away; the button is clicked again where the page was drawn anew under the click,
    which revokes what the click asked for."""
    for _ in range(2):
        try:
            with page.expect_download(timeout=PATIENCE / 6) as started:
                page.locator(button).first.click()
            return started.value
        except TimeoutError:
            wait_until_drawn(page)
    with page.expect_download() as started:
        page.locator(button).first.click()
    return started.value


def choose(page: Page, widget: str, option: str) -> None:
    """Choose in a list; it is opened again where it closed because the page below it moved."""
    listed = page.get_by_role("option", name=option, exact=True)
    page.locator(f"{widget} input").click()
    try:
        listed.click(timeout=PATIENCE / 6)
    except TimeoutError:
        page.locator(f"{widget} input").click()
        listed.click()
    wait_until_drawn(page)
