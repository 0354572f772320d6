"""Many visitors at once: `python -m benchmarks.load [--visitors N] [--servers S] [--minutes M]`.

Each visitor is a session of its own over the app's web socket, in the messages that a browser sends
and receives, without a browser's drawing. All edit in What-if, move its budget, and now and then
start a search and watch it, with pauses between; what a page redraws by itself they ask for as a
browser does. Of several servers, on one folder of studies, each visitor stays with one, as behind a
proxy with sticky sessions. First one visitor alone, then all at once: milliseconds to the new
numbers and to the page's last word, errors shown or logged, and the servers' memory over time.
"""

import argparse
import asyncio
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.common import DEMO, app_on, copied, resident
from tests.serving import Server

PAUSE = 3.0  # seconds between two actions of a visitor, in the mean
PATIENCE = 60.0
WATCHED = 10.0  # seconds that a search is watched at most
# How often a visitor does what; the rest of the actions are edits.
MOVES, SEARCHES = 0.15, 0.05
KEPT_EVENTS = 20


@dataclass
class Findings:
    """Seconds of each action, what went wrong, and the servers' resident memory (MiB) by second."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


class Visitor:
    """One session: what it was shown last, and what it may do with it."""

    def __init__(self, socket: ClientConnection, seed: int, findings: Findings) -> None:
        self.socket = socket
        self.rng = random.Random(seed)
        self.findings = findings
        self.pages: dict[str, str] = {}
        self.page = self.wanted = ""
        self.query = ""
        # The last state of each widget, by its key, and the fragment that drew it.
        self.widgets: dict[str, tuple[str, str, Any]] = {}
        self.states: dict[str, WidgetState] = {}
        self.events: list[dict[str, Any]] = []
        self.numbers = asyncio.Event()
        self.redrawing: dict[str, asyncio.Task[None]] = {}
        self.finished: dict[str, asyncio.Event] = {}
        self.count = itertools.count()

    async def listen(self) -> None:
        async for data in self.socket:
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.begin(message)
            elif kind == "navigation":
                pages = message.navigation.app_pages
                self.pages = {page.url_pathname: page.page_script_hash for page in pages}
            elif kind == "delta":
                self.take(message.delta)
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "auto_rerun":
                self.redraw(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            elif kind == "stop_auto_rerun":
                self.stop_redrawing(message.stop_auto_rerun.fragment_id)
            elif kind == "script_finished":
                self.finish(message)

    def begin(self, message: ForwardMsg) -> None:
        if not message.metadata.run.fragment_ids:
            self.page = message.new_session.page_script_hash
            self.stop_redrawing()

    def finish(self, message: ForwardMsg) -> None:
        """Mark what a run has drawn; one of the whole page draws every fragment, too."""
        fragments: Sequence[str] = message.metadata.run.fragment_ids
        if not fragments:
            # That of a page which was left, or that gave way to another, draws nothing asked for.
            early = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            if early or self.wanted not in ("", self.page):
                return
        for name in fragments or list(self.finished):
            if name in self.finished:
                self.finished[name].set()

    def take(self, delta: Any) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        kind = delta.new_element.WhichOneof("type")
        element = getattr(delta.new_element, kind)
        if kind == "metric":
            self.numbers.set()
        elif kind == "exception" or (kind == "alert" and element.format == element.ERROR):
            self.findings.errors.append(str(element)[:300])
        name = getattr(element, "id", "")
        if name and "-" in name:
            key = name.rsplit("-", 1)[-1]
            self.widgets[key] = (name, delta.fragment_id, element)
            if key in self.states and kind == "slider" and element.set_value:
                self.states[key].double_array_value.data[:] = element.value

    def redraw(self, fragment: str, interval: float) -> None:
        """Ask for a fragment again and again, as a browser does where a page wants that."""
        self.stop_redrawing(fragment)

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                await self.send(fragment=fragment, by_itself=True)

        self.redrawing[fragment] = asyncio.create_task(again())

    def stop_redrawing(self, fragment: str | None = None) -> None:
        for name in [fragment] if fragment is not None else list(self.redrawing):
            if task := self.redrawing.pop(name, None):
                task.cancel()

    async def send(
        self,
        *,
        page: str | None = None,
        fragment: str = "",
        by_itself: bool = False,
        trigger: str = "",
    ) -> None:
        message = BackMsg()
        run = message.rerun_script
        run.page_script_hash = self.page if page is None else page
        run.query_string = self.query
        run.fragment_id = fragment
        run.is_auto_rerun = by_itself
        run.widget_states.widgets.extend(self.states.values())
        if trigger:
            run.widget_states.widgets.append(WidgetState(id=trigger, trigger_value=True))
        await self.socket.send(message.SerializeToString())

    async def act(self, name: str, *, fragment: str = "", **sent: Any) -> None:
        """Send and wait for the new numbers and the last word; both are timed."""
        done = self.finished[fragment] = asyncio.Event()
        self.numbers.clear()
        begun = time.monotonic()
        await self.send(fragment=fragment, **sent)
        numbers = asyncio.create_task(self.numbers.wait())
        try:
            async with asyncio.timeout(PATIENCE):
                waited = asyncio.create_task(done.wait())
                await asyncio.wait({numbers, waited}, return_when=asyncio.FIRST_COMPLETED)
                if numbers.done():
                    self.findings.times[f"{name}: numbers"].append(time.monotonic() - begun)
                await waited
            self.findings.times[f"{name}: last word"].append(time.monotonic() - begun)
        except TimeoutError:
            self.findings.errors.append(f"{name}: no answer within {PATIENCE:.0f} s")
        finally:
            numbers.cancel()

    async def open(self, page: str) -> None:
        self.states.clear()
        self.wanted = self.pages[page]
        await self.act(f"open {page}", page=self.wanted)

    def press(self) -> str:
        """Press a key in the picture: the next choice of a random cell; returns its fragment."""
        name, fragment, element = self.widgets["picture"]
        data = json.loads(element.json or element.mixed.json)
        cells = [cell["name"] for group in data["groups"] for cell in group["cells"] if cell["on"]]
        self.events.append(
            {
                "kind": "step",
                "cells": [self.rng.choice(cells)],
                "role": self.rng.choice(list(data["keys"].values())),
                "by": self.rng.choice((-1, 1)),
                "id": f"load-{next(self.count)}",
            }
        )
        del self.events[:-KEPT_EVENTS]
        self.states["picture"] = WidgetState(
            id=name, json_value=json.dumps({"events": self.events})
        )
        return fragment

    def slide(self) -> str:
        """Move the budget somewhere else; returns its fragment."""
        name, fragment, slider = self.widgets["budget"]
        steps = round((slider.max - slider.min) / slider.step)
        value = slider.min + slider.step * self.rng.randint(steps // 4, steps)
        state = WidgetState(id=name)
        state.double_array_value.data.append(value)
        self.states["budget"] = state
        return fragment

    async def edit(self) -> None:
        await self.act("edit", fragment=self.press())

    async def move_budget(self) -> None:
        await self.act("move the budget", fragment=self.slide())

    async def search(self, watched: float) -> float:
        """Start a search at another budget, watch it (seconds), and go back to editing; returns
        the budget."""
        await self.open("Search")
        await self.move_budget()
        [budget] = self.states["budget"].double_array_value.data
        name, fragment, _ = self.widgets["start"]
        await self.act("start a search", fragment=fragment, trigger=name)
        await asyncio.sleep(watched)
        await self.open("What_if")
        return budget

    async def stay(self, until: float) -> None:
        """Do this and that until a time of the monotonic clock."""
        await self.open("What_if")
        while time.monotonic() < until:
            await asyncio.sleep(min(self.rng.expovariate(1 / PAUSE), 4 * PAUSE))
            lot = self.rng.random()
            if lot < SEARCHES:
                await self.search(self.rng.uniform(0.3, 1) * WATCHED)
            elif lot < SEARCHES + MOVES:
                await self.move_budget()
            else:
                await self.edit()

    async def use(self, do: Callable[["Visitor"], Awaitable[None]]) -> None:
        """Open the app, `do` something in it, and leave."""
        listening = asyncio.create_task(self.listen())
        try:
            await self.act("open Study")
            await do(self)
        finally:
            self.stop_redrawing()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def visit(servers: Sequence[Server], visitors: int, seconds: float) -> Findings:
    """Send `visitors` to the servers for so long; raises what a visitor stumbled over."""
    findings = Findings()
    begun = time.monotonic()

    async def one(seed: int) -> None:
        # They come one after the other, as people do.
        await asyncio.sleep(seed * min(1.0, seconds / 4 / visitors))
        server = servers[seed % len(servers)]
        async with connect(socket_of(server), max_size=None) as socket:
            await Visitor(socket, seed, findings).use(lambda v: v.stay(begun + seconds))

    async def weigh() -> None:
        while True:
            weight = sum(resident(server.process) for server in servers)
            findings.memory.append((time.monotonic() - begun, weight))
            await asyncio.sleep(2)

    weighing = asyncio.create_task(weigh())
    try:
        await asyncio.gather(*(one(seed) for seed in range(visitors)))
    finally:
        weighing.cancel()
    return findings


def socket_of(server: Server) -> str:
    """The address at which the app's sessions are served."""
    return server.url.replace("http", "ws") + "/_stcore/stream"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--servers", type=int, default=1, help="as many as the machine has cores")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--study", type=Path, default=DEMO)
    options = parser.parse_args(arguments)
    with copied(options.study) as folder, ExitStack() as stack:
        servers = [stack.enter_context(app_on(folder, n)) for n in range(options.servers)]
        alone = asyncio.run(visit(servers, 1, min(60.0, 15 * options.minutes)))
        together = asyncio.run(visit(servers, options.visitors, 60 * options.minutes))
        logs = [server.log.read_text(errors="replace") for server in servers]
        logged = [part for log in logs for part in log.split("Traceback")[1:]]
    print_times(alone, together, options.visitors)
    memory = np.array(together.memory)
    thirds = [part[:, 1].mean() for part in np.array_split(memory, 3)]
    print("servers' memory (MiB) by thirds of the time:", " ".join(f"{m:.0f}" for m in thirds))
    wrong = alone.errors + together.errors
    print(f"errors shown: {len(wrong)}; logged: {len(logged)}")
    for error in dict.fromkeys([*wrong, *logged]):
        print(f"  {error}")


def print_times(alone: Findings, together: Findings, visitors: int) -> None:
    print(f"{'ms':32} {'1 visitor':>9} {'95 %':>6} {visitors:>6} visitors {'95 %':>6} {'worst':>6}"
          f" {'count':>6} {'ratio':>6}")  # fmt: skip
    for name in sorted(together.times):
        many = 1000 * np.array(together.times[name])
        one = 1000 * np.array(alone.times.get(name, [np.nan]))
        print(
            f"{name:32} {np.median(one):9.0f} {np.quantile(one, 0.95):6.0f} "
            f"{np.median(many):15.0f} {np.quantile(many, 0.95):6.0f} {many.max():6.0f} "
            f"{len(many):6} {np.median(many) / np.median(one):6.1f}"
        )


if __name__ == "__main__":
    main()
