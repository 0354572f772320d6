"""The documents as a reader sees them: their code blocks, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conftest import REPOSITORY

FILES = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "data/README.md")),
        *(REPOSITORY / "docs").glob("*.md"),
    ]
)
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.S)
_IN_TEST = re.compile(r"<!-- in the test: (.+?) -->", re.S)
_INSTEAD = re.compile(r'"([^"]+)" is "([^"]*)"')
_FILE = re.compile(r"`([\w-]+\.(?:py|jsonl?|ya?ml|csv))`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    `why_not` says why its example is not run, `instead` what stands in its place in the test,
    `printed` that it is what the example before it prints, `file` that it is a file of that name.
    """

    path: Path
    line: int
    language: str
    text: str
    why_not: str = ""
    instead: tuple[tuple[str, str], ...] = ()
    printed: bool = False
    file: str = ""

    @property
    def is_example(self) -> bool:
        return self.language in ("sh", "python") and not self.file

    @property
    def tested(self) -> str:
        """Its text, with what the test has in place of what takes long."""
        text = self.text
        for full, reduced in self.instead:
            assert full in text, f"{self.path}, line {self.line}, has no {full!r}"
            text = text.replace(full, reduced)
        return text


def blocks_of(path: Path) -> Iterator[Block]:
    """The fenced blocks of a document, in order."""
    lines = path.read_text().splitlines()
    start = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        before = _paragraph(lines[:start])
        reason, reduced = _NOT_RUN.search(before), _IN_TEST.search(before)
        told = _FILE.match(before)
        yield Block(
            path,
            start + 1,
            lines[start].removeprefix("```").strip(),
            "\n".join(lines[start + 1 : number]) + "\n",
            reason[1] if reason else "",
            tuple(_INSTEAD.findall(reduced[1])) if reduced else (),
            "<!-- prints -->" in before,
            told[1] if told else "",
        )
        start = None
    assert start is None, f"{path} has a block without end"


def _paragraph(lines: list[str]) -> str:
    """What stands right before: the last paragraph, and the comments after it."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and lines[begin - 1].strip():
        begin -= 1
    return "\n".join(lines[begin:end])


def prose_of(path: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)


def links_of(path: Path) -> list[str]:
    """The targets of all links and pictures."""
    text = re.sub(r"`[^`\n]+`", "`code`", prose_of(path))
    return [link or picture for link, picture in _LINK.findall(text)]


def anchors_of(path: Path) -> set[str]:
    """What a link to a heading of the document may end in, as GitHub and GitLab make it."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose_of(path), flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = "".join(c for c in plain if c.isalnum() or c in " -_").replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found
