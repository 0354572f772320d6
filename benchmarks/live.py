"""Whether a search can be watched at ten frames a second: `python -m benchmarks.live`.

A search is drawn out over a minute and watched in Chromium for some seconds, then paused. Printed
are the frames drawn of those wanted, the part of the time between two frames that the server works
on one (what it works while the search is paused, taken off), what one frame sends beside what the
page sent when it was opened, and the seconds until the page says that a run which nears its end is
paused, and stopped.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, WebSocket

from benchmarks.common import seen_by_chromium
from tests.serving import PATIENCE, Server, choose, wait_until_drawn

WANTED = 10.0  # frames a second
WARM_UP = 3.0  # seconds

# Counts the frames in which the sentence with the number of proposals was drawn anew.
_COUNT = """() => {
  window.frames_drawn = 0;
  const said = document.querySelector('.st-key-progress');
  let last = said.innerText;
  new MutationObserver(() => {
    if (said.innerText !== last) { last = said.innerText; window.frames_drawn += 1; }
  }).observe(said, {subtree: true, childList: true, characterData: true});
}"""

# Presses a button and tells after how many seconds the page says so.
_ANSWER = """([key, word]) => new Promise(tell => {
  const begun = performance.now();
  const look = () => {
    const seconds = (performance.now() - begun) / 1000;
    const said = document.querySelector('.st-key-progress')?.innerText ?? '';
    if (said.includes(word)) tell(seconds);
    else if (said.includes('Finished') || seconds > 30) tell(NaN);
    else requestAnimationFrame(look);
  };
  document.querySelector(`.st-key-${key} button`).click();
  look();
})"""
_NEAR_ITS_END = r"""() => {
  const said = document.querySelector('.st-key-progress')?.innerText.match(/([\d,]+) of ([\d,]+)/);
  const [made, all] = said ? said.slice(1).map(n => +n.replaceAll(',', '')) : [0, 1];
  return made > 0.8 * all;
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to watch")
    seconds = parser.parse_args(arguments).seconds
    received: list[int] = []
    with seen_by_chromium() as (page, server):
        page.on("websocket", lambda socket: count_bytes(socket, received))
        page.goto("/Search")
        wait_until_drawn(page)
        opened = sum(received)
        choose(page, ".st-key-pace", "over a minute")
        page.locator(".st-key-start button").click()
        page.wait_for_selector(".st-key-pause button", timeout=5 * PATIENCE)
        page.wait_for_selector("text=Running", timeout=5 * PATIENCE)
        page.wait_for_timeout(1000 * WARM_UP)
        page.evaluate(_COUNT)
        wall, work = watch(page, server, seconds, received)
        frames = page.evaluate("window.frames_drawn")
        sent, messages = sum(received), len(received)
        page.locator(".st-key-pause button").click()
        wait_until_drawn(page)
        idle_wall, idle_work = watch(page, server, seconds / 2, received)
        choose(page, ".st-key-pace", "over 20 seconds")
        page.locator(".st-key-resume button").click()
        page.wait_for_function(_NEAR_ITS_END, timeout=5 * PATIENCE)
        paused = page.evaluate(_ANSWER, ["pause", "Paused"])
        wait_until_drawn(page)
        choose(page, ".st-key-pace", "over a minute")  # so that some of it is left
        page.locator(".st-key-resume button").click()
        page.wait_for_selector(".st-key-pause button")
        stopped = page.evaluate(_ANSWER, ["stop", "Stopped"])
    busy = work / wall - idle_work / idle_wall
    print(f"frames drawn of those wanted     {frames / wall / WANTED:6.2f}")
    print(f"server's work of a frame's time  {busy / (frames / wall) * WANTED:6.2f}")
    print(f"sent by a frame of the opening   {sent / frames / opened:6.3f}")
    print(f"seconds until it says paused     {paused:6.2f}")
    print(f"seconds until it says stopped    {stopped:6.2f}")
    print(
        f"({frames / wall:.1f} frames/s, {1000 * busy * wall / frames:.0f} ms of the server and "
        f"{sent / frames / 1024:.1f} KiB in {messages / frames:.0f} messages a frame)"
    )


def watch(page: Page, server: Server, seconds: float, received: list[int]) -> tuple[float, float]:
    """Seconds that passed and that the server worked while the page was left alone."""
    received.clear()
    begin, before = time.perf_counter(), processor_time(server)
    page.wait_for_timeout(1000 * seconds)
    return time.perf_counter() - begin, processor_time(server) - before


def count_bytes(socket: WebSocket, received: list[int]) -> None:
    socket.on("framereceived", lambda payload: received.append(len(payload)))


def processor_time(server: Server) -> float:
    """Seconds that the server's process has worked."""
    stat = Path(f"/proc/{server.process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
