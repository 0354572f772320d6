"""What happens where the app is slower than who uses it: several actions in one message."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from conftest import DEMO, REPOSITORY
from serving import Server, serve
from websockets.asyncio.client import connect

from benchmarks.common import resident
from benchmarks.load import Findings, Visitor, socket_of
from foxnas_core.search.result import SEARCHES
from foxnas_core.study import open_study


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("load")
    study = folder / "studies" / "demo"
    study.mkdir(parents=True)
    for name in ("study.json", "space.json"):
        shutil.copy(DEMO / name, study / name)
    table = pd.read_parquet(DEMO / "measurements.parquet")
    # Two targets are fitted sooner than all.
    table.drop(columns=[c for c in table if ":" in c]).to_parquet(study / "measurements.parquet")
    with serve(REPOSITORY / "app.py", folder / "log", folder / "studies") as running:
        yield running
    assert "Traceback" not in running.log.read_text()


def visited(server: Server, do: Callable[[Visitor], Awaitable[None]]) -> Findings:
    findings = Findings()

    async def visiting() -> None:
        async with connect(socket_of(server), max_size=None) as socket:
            await Visitor(socket, 0, findings).use(do)

    asyncio.run(visiting())
    return findings


def test_a_visitor_edits_searches_and_sees_no_error(server: Server) -> None:
    async def do(visitor: Visitor) -> None:
        await visitor.open("What_if")
        await visitor.edit()
        await visitor.search(watched=1)
        await visitor.edit()

    findings = visited(server, do)
    assert not findings.errors
    assert len(findings.times["edit: numbers"]) == 2 == len(findings.times["edit: last word"])
    assert len(findings.times["start a search: last word"]) == 1
    assert resident(server.process) > 50


def test_an_edit_and_another_budget_in_one_message(server: Server) -> None:
    """A busy server takes both at once: the picture that was edited is no longer there."""

    async def do(visitor: Visitor) -> None:
        await visitor.open("What_if")
        visitor.press()
        visitor.slide()
        await visitor.act("both")
        await visitor.edit()

    findings = visited(server, do)
    assert not findings.errors
    assert {"both: last word", "edit: last word"} <= set(findings.times)


def test_the_workbench_alone_is_drawn_with_another_budget(server: Server) -> None:
    """What a browser asks for while the budget moves may be the edited part of the page only."""

    async def do(visitor: Visitor) -> None:
        await visitor.open("What_if")
        visitor.slide()
        await visitor.act("part", fragment=visitor.widgets["picture"][1])

    findings = visited(server, do)
    assert not findings.errors and findings.times["part: last word"]


@pytest.mark.parametrize(("first", "other"), [("Search", "What_if"), ("What_if", "Search")])
def test_a_budget_is_taken_along_to_another_page(server: Server, first: str, other: str) -> None:
    shown: list[list[float]] = []

    async def do(visitor: Visitor) -> None:
        visitor.query = "study=demo&budget=0.07"
        await visitor.open(first)
        await visitor.open(other)
        slider = visitor.widgets["budget"][2]
        shown.append(list(slider.value if slider.set_value else slider.default))

    findings = visited(server, do)
    assert not findings.errors and shown == [[0.07]]


def test_two_servers_on_one_study_keep_what_both_do(server: Server, tmp_path: Path) -> None:
    # A study of its own: a search that equals a kept one is kept once.
    studies = server.log.parent / "studies"
    shutil.copytree(studies / "demo", studies / "shared", ignore=shutil.ignore_patterns("searches"))
    study = open_study(studies / "shared")
    budgets = []

    async def do(visitor: Visitor) -> None:
        visitor.query = "study=shared"
        await visitor.open("What_if")
        await visitor.edit()
        budgets.append(await visitor.search(watched=1))
        await visitor.edit()

    async def visiting(servers: list[Server], findings: Findings) -> None:
        async def one(seed: int) -> None:
            async with connect(socket_of(servers[seed % 2]), max_size=None) as socket:
                await Visitor(socket, seed, findings).use(do)

        await asyncio.gather(*(one(seed) for seed in range(2)))

    findings = Findings()
    with serve(REPOSITORY / "app.py", tmp_path / "log", studies) as other:
        asyncio.run(visiting([server, other], findings))
        # Searches go on when they are left, and are kept when they end, in whichever server.
        last = time.monotonic() + 300
        while len(kept := study.ids(SEARCHES)) < 2 and time.monotonic() < last:
            time.sleep(0.1)
        assert "Traceback" not in other.log.read_text()
    assert not findings.errors and len(findings.times["edit: numbers"]) == 4
    searched = [study.kept(SEARCHES, search_id).limits[0][1] for search_id in kept]
    assert sorted(searched) == pytest.approx(sorted(budgets))
