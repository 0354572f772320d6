"""How quick and how large the app is: `python -m benchmarks.app [--rounds N]`.

- Cold start: from starting the server to the first page drawn in Chromium (the study's facts), to
  its answer (the best subnet) and to its last word (the fits), beside a Streamlit app of one line,
  in turns. Both are compiled and the study is fitted, as `make run` leaves them.
- What-if: time of the server from an edit to the page's last word.
- Memory: of the server's process after all pages were visited, and after an export.

Times depend on the machine and on what else it does, so read the ratios.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks.common import copied, resident, seen_by_chromium
from foxnas_core.study import open_study
from tests.serving import PATIENCE, REPOSITORY, chromium, serve, wait_until_drawn

PAGES = ("", "Coefficients", "Diagnostics", "What_if", "Search", "Export", "Studies?view=table")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="cold starts of each app")
    rounds = parser.parse_args(arguments).rounds
    with copied() as folder, chromium() as browser:
        empty = folder / "empty.py"
        empty.write_text('import streamlit as st\n\nst.title("Empty")\n')
        scripts = {
            "empty app": (empty, "h1", "h1"),
            "this app": (
                REPOSITORY / "app.py",
                '[data-testid="stMetricValue"]',
                ".st-key-home-what-if button",
            ),
        }
        starts: dict[str, list[tuple[float, ...]]] = {name: [] for name in scripts}
        for number in range(rounds + 1):
            for name, (script, *drawn) in scripts.items():
                times = cold_start(script, drawn, folder, browser)
                starts[name] += [times] if number else []
        for moment, what in enumerate(("the first page drawn", "its answer", "its last word")):
            seconds = {name: [times[moment] for times in starts[name]] for name in scripts}
            middle = {name: median(times) for name, times in seconds.items()}
            print(f"cold start to {what} (s)")
            for name, times in seconds.items():
                print(f"  {name:10} {middle[name]:6.2f}   {' '.join(f'{s:.2f}' for s in times)}")
            print(f"  ratio      {middle['this app'] / middle['empty app']:6.2f}", flush=True)

        edits = what_if_edits(folder / "studies")
        print(f"what-if edit, server time (ms): median {median(edits):.0f}, worst {max(edits):.0f}")

    print("memory of the server's process (MiB)")
    with seen_by_chromium() as (page, server):
        for path in PAGES:
            page.goto(f"/{path}")
            wait_until_drawn(page)
        print(f"  all pages visited {resident(server.process):6.0f}")
        page.goto("/Export")
        wait_until_drawn(page)
        page.locator(".st-key-build button").first.click()
        page.wait_for_selector(".st-key-file-zip", timeout=4 * PATIENCE)
        print(f"  subnet exported   {resident(server.process):6.0f}")


def cold_start(
    script: Path, drawn: Sequence[str], folder: Path, browser: Browser
) -> tuple[float, ...]:
    """Seconds from starting the server to what each of `drawn` selects and to the page's last
    word, in a browser without a cache."""
    context = browser.new_context()
    begin = time.perf_counter()
    compiled = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    with serve(script, folder / "log", folder / "studies", **compiled) as server:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.url)
        times = []
        for selector in drawn:
            page.wait_for_selector(selector)
            times.append(time.perf_counter() - begin)
        wait_until_drawn(page)
        times.append(time.perf_counter() - begin)
    context.close()
    return tuple(times)


def what_if_edits(studies: Path, count: int = 20) -> list[float]:
    """Milliseconds that the What-if page takes to run after each of some single edits."""
    from streamlit.testing.v1 import AppTest

    os.environ["FOXNAS_STUDIES"] = str(studies)
    page = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    page.switch_page("pages/2_What_if.py").run()
    space = open_study(studies / "demo").space
    times = []
    for number, architecture in enumerate(space.sample(count, seed=0)):
        # Alternating edits of one block, so that none finds its result in a cache.
        choices = {**architecture.to_dict(), "s1b1_kernel": (3, 5, 7)[number % 3]}
        edited = space.architecture(choices)
        page.query_params["architecture"] = json.dumps(edited.to_dict(), separators=(",", ":"))
        begin = time.perf_counter()
        page.run()
        times.append(1000 * (time.perf_counter() - begin))
        assert not page.exception
    return times


if __name__ == "__main__":
    sys.exit(main())
