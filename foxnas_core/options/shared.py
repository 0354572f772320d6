"""What several commands' options share: parts of parsers, and the kinds of numbers they take."""

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # the commands of a parser, to which each adds its own
ARCHITECTURE = "a JSON file, the id of a measured subnet, or an architecture written out"


def add_studies(parser: argparse.ArgumentParser, further: str = "") -> None:
    parser.add_argument(
        "--studies",
        type=Path,
        help="the folder of studies (default: that of FOXNAS_STUDIES, else foxnas-studies in the "
        f"home{further})",
    )


def add_goals(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--objective", metavar="COLUMN", help="what shall be best (default: as the study names it)"
    )
    parser.add_argument(
        "--cost",
        "--latency-target",
        metavar="COLUMN",
        help="what that is traded against (default: as the study names it)",
    )


def add_supernet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supernet",
        metavar="MODULE:FUNCTION",
        help="code of your own that builds the study's supernet, which is then run",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        type=a_number,
        action="append",
        default=[],
        metavar="COLUMN=NUMBER",
        help="a column that must be at most this, such as parameters or latency_ms:int8, or at "
        "least this where more is better; as often as needed",
    )
    for name, what in (("--allow", "may take these choices alone"), ("--forbid", "may not take")):
        parser.add_argument(
            name,
            type=a_choice,
            action="append",
            default=[],
            metavar="DECISION=CHOICE[,CHOICE]",
            help=f"decisions of this name or pattern {what}, such as 's2*_kernel=3'",
        )


def command(
    commands: "Commands[argparse.ArgumentParser]", name: str, help_: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=f"{help_.capitalize()}.")
    parser.add_argument("--study", type=Path, required=True, help="the study's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document to stdout")
    return parser


def pair(text: str, form: str = "NAME=COLUMN") -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
    return name, value


def a_choice(text: str) -> tuple[str, str]:
    return pair(text, "DECISION=CHOICE")


def a_number(text: str) -> tuple[str, float]:
    name, value = pair(text, "COLUMN=NUMBER")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} in {text!r} is not a number") from None


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return value


def a_share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share above 0 and below 1")
    return value


def percentage(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not a percentage from 0 to 100")
    return value


def natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 0")
    return value
