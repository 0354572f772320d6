"""The documents' examples, run as a reader runs them, in a folder with a copy of the demo."""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DEMO, REPOSITORY
from mdblocks import FILES, Block, blocks_of, prose_of

from foxnas_core.__main__ import main
from foxnas_core.study import open_study
from tests.test_main import budget_of

# Has a test of its own, which says more of what comes out.
OWN_TEST = REPOSITORY / "docs" / "own-supernet.md"
CORE = re.compile(r"(python -m foxnas_core|foxnas) ")
COMMAND = re.compile(r"^(    |\t)+(python|pip|make|foxnas|docker|\.venv/bin/)\b", re.M)


def examples_of(path):
    return [block for block in blocks_of(path) if block.is_example]


RUN = [p for p in FILES if p != OWN_TEST and any(not b.why_not for b in examples_of(p))]


def of(path):
    return str(path.relative_to(REPOSITORY))


@pytest.fixture
def folder(tmp_path, monkeypatch, fixed_latencies):
    """The reader's folder."""
    shutil.copytree(DEMO, tmp_path / "data" / "demo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return tmp_path


def run_line(line: str) -> str:
    """What a line of shell prints. Commands of ours run in this process, which has loaded what they
    need; MEDIAN stands for a budget that half of a study's measured subnets keep."""
    if line.startswith("cd "):
        os.chdir(line.removeprefix("cd "))
        return ""
    if not CORE.match(line):
        line = line.replace("python", shlex.quote(sys.executable), 1)
        done = subprocess.run(line, shell=True, check=True, capture_output=True, text=True)
        return done.stdout + done.stderr
    arguments, _, out = CORE.sub("", line, count=1).partition(" > ")
    words = shlex.split(arguments, comments=True)
    if "MEDIAN" in words:
        study = open_study(Path(words[words.index("--study") + 1]))
        words[words.index("MEDIAN")] = str(budget_of(study))
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        status = main(words)
    assert status == 0, f"{line}: {told.getvalue()}"
    if out:
        with open(out, "w") as file:
            file.write(said.getvalue())
    return said.getvalue() + told.getvalue()


def run(block: Block, names: dict) -> str:
    if block.language == "python":
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.tested, f"{block.path}, line {block.line}", "exec"), names)
        return printed.getvalue()
    lines = block.tested.replace("\\\n", " ").splitlines()
    return "".join(run_line(line) for line in lines if line and not line.startswith("#"))


def masked(text: str) -> str:
    """Without what differs from machine to machine: numbers."""
    return re.sub(r"\d+(\.\d+)?", "#", " ".join(text.split()))


def keys_of(text: str) -> set[str]:
    """The keys of the outermost object in a document's outline."""
    depth, keys = 0, set()
    for mark in re.finditer(r'[{\[]|[}\]]|"([^"]*)"(?=\s*[:,}])', text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark[0], 0)
        if depth == 1 and mark[1]:
            keys.add(mark[1])
    return keys


def test_the_keys_of_an_outline():
    assert keys_of('{"a", "b": [{"c", "d"}],\n "e": {"f": 1}}') == {"a", "b", "e"}


@pytest.mark.parametrize("path", RUN, ids=of)
def test_examples_run(path, folder):
    """What stands below one is what it prints: words, but for numbers, or the keys of its JSON."""
    names, said = {}, ""
    for block in blocks_of(path):
        if block.file:
            (folder / block.file).write_text(block.text)
        elif block.is_example:
            os.chdir(folder)
            said = "" if block.why_not else run(block, names)
        elif block.printed:
            for line in block.text.splitlines():
                assert masked(line).removesuffix("…").strip() in masked(said), block.line
        elif block.language == "text" and said.startswith("{"):
            document, _ = json.JSONDecoder().raw_decode(said)
            assert keys_of(block.text) == set(document), block.line
            said = ""


@pytest.mark.parametrize("path", FILES, ids=of)
def test_no_command_hides_from_the_test(path):
    """Commands stand in blocks that say what they are; those that are not run say why."""
    text = re.sub(r"<!-- generated: .*?<!-- end -->", "", prose_of(path), flags=re.S)
    hidden = COMMAND.search(text)
    assert not hidden, hidden
    for block in blocks_of(path):
        assert block.language, f"line {block.line} does not say what it holds"
        assert not block.why_not or len(block.why_not) > 10


def test_few_examples_are_not_run():
    examples = [block for path in FILES for block in examples_of(path)]
    assert sum(bool(block.why_not) for block in examples) < len(examples) / 2
