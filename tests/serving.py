"""The app as users have it: a Streamlit server of its own process, seen by Debian's Chromium."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Download,
    Error,
    Locator,
    Page,
    TimeoutError,
    ViewportSize,
    expect,
    sync_playwright,
)

CHROMIUM = Path("/usr/bin/chromium")
REPOSITORY = Path(__file__).parents[1]
# The environment of a server that times and draws anew briefly: journeys measure, and are not to
# wait until a busy machine's clock settles.
BRIEFLY = {
    "FOXNAS_PLUGINS": "timed_briefly,few_draws",
    "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "tests"), os.environ.get("PYTHONPATH", "")]),
}
# Rows that are fitted at once, and whose figures need no WebGL.
FEW = 100
# Slow machines that do other work as well are slow, not broken.
PATIENCE = 180_000
VIEWPORT: ViewportSize = {"width": 1440, "height": 1200}

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

# What a page still shows of its drawing before. What has the focus Streamlit keeps for longer
# ([data-retained]), which is not waited for.
_LEFT = '[data-stale="true"]'
_AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'
_DRAWING = 'html[data-drawing] [data-testid="stApp"]'

# Marks the page from when it asks the server to draw until all of that was drawn and nothing is
# left of what it showed before: Streamlit shows neither before the server has begun. What a page
# asks by a clock does not count. The numbers are those of Streamlit's messages:
# BackMsg.rerun_script with ClientState.fragment_id and .is_auto_rerun, ForwardMsg.new_session and
# .script_finished, whose 3 is the end of a fragment.
_MARKED = (
    f"""
(() => {{
  const AT_REST = '{_AT_REST}', LEFT = '{_LEFT}';
"""
    + """
  const drawing = { asked: 0, begun: 0, done: 0, fragment: false };
  // The signs of rest, one after the other: a clock may begin anew between two of them.
  const signs = [
    () => drawing.done === drawing.asked,
    () => document.querySelector(AT_REST),
    () => !document.querySelector(LEFT),
  ];
  let seen = signs.length;
  const look = () => {
    while (seen < signs.length && signs[seen]()) seen += 1;
    document.documentElement?.toggleAttribute("data-drawing", seen < signs.length);
  };
  setInterval(look, 20);
  const fields = (bytes) => {
    const found = {};
    let at = 0;
    const number = () => {
      let value = 0, place = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * place;
        place *= 128;
      } while (byte & 128);
      return value;
    };
    while (at < bytes.length) {
      const tag = number(), kind = tag % 8, field = (tag - kind) / 8;
      if (kind === 0) { found[field] = number(); continue; }
      const size = kind === 2 ? number() : kind === 1 ? 8 : 4;
      found[field] = bytes.subarray(at, (at += size));
    }
    return found;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        const { 4: begun, 6: end } = fields(new Uint8Array(data));
        if (begun) drawing.begun = drawing.asked;
        if (end === 0 || (end === 3 && drawing.fragment)) drawing.done = drawing.begun;
      });
    }
    send(data) {
      const { 11: run } = fields(new Uint8Array(data));
      const { 5: fragment, 6: by_clock } = fields(run ?? []);
      if (run && !by_clock) {
        drawing.asked += 1;
        drawing.fragment = fragment?.length > 0;
        seen = 0;
        look();
      }
      super.send(data);
    }
  };
})();
"""
)


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
    own = script == REPOSITORY / "app.py"
    started = (REPOSITORY / "serve.py",) if own else ("-m", "streamlit", "run", script)
    command = [
        sys.executable, *map(str, started), "--server.port", str(port),
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


def context_of(browser: Browser, server: Server, **options: Any) -> BrowserContext:
    """Of somebody without history, on whose pages `wait_until_drawn` can wait."""
    context = browser.new_context(base_url=server.url, **{"viewport": VIEWPORT} | options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_AT_ONCE)
    context.add_init_script(_MARKED)
    return context


@contextmanager
def visit(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of a visitor without history, in a tab of its own; see `Tab`."""
    with closing(Tab(browser, server)) as tab, tab.visit() as page:
        yield page


class Tab:
    """A tab that visitors have one after the other, each without history. In a tab of its own a
    browser compiles anew what Streamlit draws pages with, longer than most pages take to be drawn.

    A visit's page must neither log an error nor be refused a file. Whatever is done on it with a
    locator (`click`, `fill`, `press`), and whatever is expected of one, waits until the page is
    drawn: a click on what is being drawn anew is lost, and what is drawn anew may be there twice
    for a moment, where a locator of one element fails at once. What is merely read (`inner_text`,
    `count`, `input_value`, `evaluate`) does not: `wait_until_drawn` before it.
    """

    def __init__(self, browser: Browser, server: Server) -> None:
        self._browser, self._server = browser, server
        self._page: Page | None = None

    @contextmanager
    def visit(self) -> Iterator[Page]:
        page = self._page = self._page or self._opened()
        wrong: list[str] = []

        def note(what: str, url: str) -> None:
            if not _PROBE.search(url):
                wrong.append(f"{what} {url}")

        noted = {
            "console": lambda m: note(m.text, m.location["url"]) if m.type == "error" else None,
            "pageerror": lambda error: wrong.append(str(error)),
            "response": lambda r: note(str(r.status), r.url) if r.status >= 400 else None,
        }
        for event, do in noted.items():
            page.on(event, do)
        try:
            yield page
        finally:
            for event, do in noted.items():
                page.remove_listener(event, do)
            try:
                _forget(page)
            except Error:  # whatever a journey that failed left of it
                self.close()
        assert not wrong, wrong

    def close(self) -> None:
        if self._page:
            self._page.context.close()
        self._page = None

    def _opened(self) -> Page:
        page = context_of(self._browser, self._server).new_page()
        page.add_locator_handler(page.locator(_DRAWING), lambda: None)
        return page


def _forget(page: Page) -> None:
    """Leave of the visit on this page what a new tab has."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.goto("/_stcore/health")  # whose origin is that of all pages
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.context.clear_cookies()
    page.set_viewport_size(VIEWPORT)
    page.emulate_media(media="null", color_scheme="light")
    page.mouse.move(0, 0)


def wait_until_drawn(page: Page) -> None:
    """Wait until the page has its title, the server has drawn all that it was asked for, and
    nothing is left on it of what it showed before."""
    page.wait_for_selector("h1", timeout=PATIENCE)
    for selector, state in ((_DRAWING, "detached"), (_AT_REST, "attached"), (_LEFT, "detached")):
        page.wait_for_selector(selector, state=state)


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


def until_it_acts(act: Callable[[float], None]) -> None:
    """Do what a page loses that is drawn anew at that moment, expecting for so many ms what it
    brings about; again where that fails, as a visitor would."""
    last = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            return act(PATIENCE / 30)
        except (AssertionError, TimeoutError):
            if time.monotonic() > last:
                raise


def open_list(page: Page, widget: str, option: Locator) -> None:
    """Open a list so that the option is seen; again where it closed because the page below it
    moved."""
    field = page.locator(f"{widget} input")

    def click(patience: float) -> None:
        if field.get_attribute("aria-expanded") != "true":
            field.click()
        expect(option).to_be_visible(timeout=patience)

    until_it_acts(click)


def choose(page: Page, widget: str, option: str) -> None:
    """Choose in a list, again where the page moved under the click."""
    field, listed = (
        page.locator(f"{widget} input"),
        page.get_by_role("option", name=option, exact=True),
    )

    def click(patience: float) -> None:
        open_list(page, widget, listed)
        listed.click(timeout=patience)
        expect(field).to_have_value(option, timeout=patience)

    until_it_acts(click)
    wait_until_drawn(page)


def choose_view(page: Page, name: str) -> None:
    """Choose one of the page's views by what it is called."""
    choose_part(page, "view", name)


def choose_part(page: Page, control: str, name: str) -> None:
    """Choose a part of what a page shows in the control of that key, by what it is called."""
    page.locator(f".st-key-{control}").get_by_role("radio", name=name, exact=True).click()
    wait_until_drawn(page)
