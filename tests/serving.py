"""The app as users have it: a Streamlit server of its own process, seen by Debian's Chromium."""

import os
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
