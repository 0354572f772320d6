"""How quick an edit is: `python -m benchmarks.editing [--edits N] [--study DIR]`.

On the page What-if in Chromium, on a server of its own, for keys pressed in the picture:
milliseconds from the key to the request, to the new numbers drawn, and to the page's last word. The
server's share lies between the request and the answer that holds the new numbers. Beside it, the
time that the regressions alone take.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from benchmarks.common import DEMO, seen_by_chromium
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import Study, open_study
from tests.serving import wait_until_drawn

# Notes when a request leaves, and when the answer arrives that changes a number.
_WATCH = """
window.edits = {};
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (!this.watched) {
    this.watched = true;
    this.addEventListener("message", () => {
      if (!("drawn" in window.edits)) window.edits.received = performance.now();
    });
  }
  if (!("sent" in window.edits)) window.edits.sent = performance.now();
  return send.call(this, data);
};
"""
_PRESS = """
(cell, key) => new Promise(done => {
  const metrics = '[data-testid="stMetricValue"]';
  const numbers = () => [...document.querySelectorAll(metrics)].map(m => m.textContent).join();
  const before = numbers();
  cell.focus();
  window.edits = {};
  const start = performance.now();
  const observer = new MutationObserver(() => {
    if (numbers() === before) return;
    observer.disconnect();
    const { sent, received } = window.edits;
    window.edits.drawn = performance.now();
    done([sent - start, received - sent, window.edits.drawn - start]);
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  cell.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
})
"""
SELECTED = '.st-key-picture [data-cell][aria-selected="true"]'


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=30)
    parser.add_argument("--study", type=Path, default=DEMO)
    options = parser.parse_args(arguments)
    study = open_study(options.study)
    with seen_by_chromium(options.study) as (page, _):
        page.add_init_script(_WATCH)
        page.goto("/What_if?study=demo")
        page.wait_for_selector(SELECTED)
        wait_until_drawn(page)
        times = np.array([edit(page, number) for number in range(options.edits + 3)])[3:]
    print(f"{options.edits} edits, ms          median   95 %  worst")
    for name, column in zip(
        ("key to request", "server, to the numbers", "key to numbers drawn", "key to last word"),
        times.T,
        strict=True,
    ):
        high, worst = np.quantile(column, 0.95), column.max()
        print(f"  {name:22} {np.median(column):8.0f} {high:6.0f} {worst:6.0f}")
    print(f"  regressions alone      {predicting(study):8.1f}")


def edit(page: Page, number: int) -> list[float]:
    """Milliseconds of one edit: to the request, in the server, to the numbers, to the end."""
    begin = time.perf_counter()
    times = page.locator(SELECTED).evaluate(_PRESS, "ke"[number % 2])
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    whole = 1000 * (time.perf_counter() - begin)
    page.wait_for_timeout(300)
    return [*times, whole]


def predicting(study: Study, count: int = 50) -> float:
    """Milliseconds that predicting every target of one architecture takes."""
    predictors = list(fit_all(study.table()).values())
    architectures = study.space.sample(count, seed=0)
    begin = time.perf_counter()
    for architecture in architectures:
        for predictor in predictors:
            predictor.predict([architecture])
    return 1000 * (time.perf_counter() - begin) / count


if __name__ == "__main__":
    sys.exit(main())
