"""The options of the command line: what each command takes, as commands.txt tells.

There a command stands with what it does and, indented below it, its options: how one is called, its
value if that has a name, in parentheses of what kind it is, and what help says of it. Kinds are the
names of `KINDS` or choices apart by bars, with = before what it is by default; `flag`, `needed`,
`each` (as often as one likes), `several` (values after each other), `goal` (one of those is needed)
and `as` with the name that the program knows it by. `+NAME` stands for the options of a group. A
command without any has actions, which follow it.
"""

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from foxnas_core.options import kinds

KINDS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "path": Path,
    "number": float,
    "amount": kinds.amount,
    "positive": kinds.positive,
    "natural": kinds.natural,
    "guard": kinds.guard,
    "percentage": kinds.percentage,
    "limit": kinds.limit,
    "list": lambda text: text.split(","),
}
_OPTION = re.compile(r"([-a-z\d, ]*[-a-z\d])(?: ([A-Z][^a-z ]*))?(?: \((.*?)\))?:(?: (.*))?")
_DESCRIPTIONS = {"study": "Whole studies of a folder."}


class _Parser(argparse.ArgumentParser):
    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        for given in sys.argv[1:] if args is None else args:
            # Which Python takes for no value, and makes a list of.
            if re.fullmatch("--[-a-z0-9]+=--", given):
                self.error(f"argument {given[:-3]}: expected one argument")
        return super().parse_args(args, namespace)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the reference in docs/command-line.md follows it."""
    parser = _Parser(
        prog="foxnas" if Path(sys.argv[0]).stem == "foxnas" else "python -m foxnas_core",
        description="Choose a subnet of a weight-sharing supernet for a device, and know why.",
    )
    places = {"": parser.add_subparsers(dest="command", required=True, metavar="COMMAND")}
    groups: dict[str, list[str]] = {}
    for head, lines in _sections().items():
        if head.startswith("+"):
            groups[head] = lines
            continue
        name, _, help_ = head.partition(": ")
        within, _, own = name.rpartition(" ")
        description = _DESCRIPTIONS.get(name, f"{help_.capitalize()}.")
        made = places[within].add_parser(own, help=help_, description=description)
        if not lines:
            places[name] = made.add_subparsers(dest="action", required=True, metavar="ACTION")
            continue
        made.set_defaults(json=False)
        # One that is needed may not be empty.
        goals = made.add_mutually_exclusive_group(required=True) if "goal)" in str(lines) else made
        for line in lines:
            for each in groups.get(line, [line]):
                _add(made, goals, each)
    return parser


def _sections() -> dict[str, list[str]]:
    """The heads of the table, each with its options in one line each."""
    found: dict[str, list[str]] = {}
    for line in (files(__package__) / "commands.txt").read_text("utf-8").splitlines():
        if not line.startswith(" "):
            own = found[line] = []
        elif line.startswith("   "):
            own[-1] += f" {line.strip()}"
        else:
            own.append(line.strip())
    return found


def _add(parser: argparse.ArgumentParser, goals: argparse._ActionsContainer, line: str) -> None:
    """Add the option of a line."""
    found = _OPTION.fullmatch(line)
    assert found, line
    called, metavar, how, help_ = found.groups()
    told: dict[str, Any] = {"help": help_} | ({"metavar": metavar} if metavar else {})
    place: argparse._ActionsContainer = parser
    for word in (how or "text").split(", "):
        kind, _, default = word.partition("=")
        if word == "flag":
            told["action"] = "store_true"
        elif word == "needed":
            told["required"] = True
        elif word == "each":
            told |= {"action": "append", "default": []}
        elif word == "several":
            told["nargs"] = "+"
        elif word == "goal":
            place = goals
        elif word.startswith("as "):
            told["dest"] = word.removeprefix("as ")
        elif "|" in kind:
            told |= {"choices": tuple(kind.split("|")), "default": default or None}
        elif kind == "pair":
            told["type"] = partial(kinds.pair, form=metavar)
        else:
            told["type"] = KINDS[kind]
            if default != word and "=" in word:
                told["default"] = KINDS[kind](default)
    place.add_argument(*called.split(", "), **told)
