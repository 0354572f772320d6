"""Options of the commands that bring studies in, and take what was chosen away."""

import argparse
from pathlib import Path

from foxnas_core.options.shared import (
    ARCHITECTURE,
    Commands,
    a_share,
    add_goals,
    add_studies,
    add_supernet,
    command,
    pair,
    percentage,
    positive,
)


def profile(commands: Commands) -> None:
    profile = command(commands, "profile", "tell an architecture's layers and what each takes")
    profile.add_argument("--architecture", required=True, metavar="FILE|ID|TEXT", help=ARCHITECTURE)
    profile.add_argument("--precision", default="fp32", help="fp32 or int8 (default: fp32)")
    profile.add_argument("--out", type=Path, metavar="CSV", help="write the table to this file")
    add_supernet(profile)


def export(commands: Commands) -> None:
    export = command(commands, "export", "write an architecture's subnet as files that run")
    export.add_argument("--architecture", required=True, metavar="FILE|ID|TEXT", help=ARCHITECTURE)
    export.add_argument("--out", type=Path, required=True, help="a new folder or .zip file")
    export.add_argument(
        "--formats",
        type=lambda text: text.split(","),
        metavar="FORMAT[,FORMAT]",
        help="onnx, onnx-int8, torch, executorch, litert (default: all that are installed)",
    )
    export.add_argument(
        "--fine-tune", type=positive, metavar="EPOCHS", help="train the inherited weights on first"
    )
    export.add_argument(
        "--quantization-aware",
        action="store_true",
        help="of --fine-tune: round as int8 does while training",
    )
    export.add_argument(
        "--data", type=Path, help="of --fine-tune: the images that the supernet was trained on"
    )
    export.add_argument(
        "--int8-floor",
        type=percentage,
        metavar="PERCENT",
        help="of held-out images on which int8 must name the class that fp32 names (default: 90)",
    )
    add_supernet(export)


def report(commands: Commands) -> None:
    report = command(commands, "report", "write the study as one HTML file that needs no server")
    report.add_argument("--out", type=Path, required=True, help="the file, such as report.html")
    report.add_argument(
        "--architecture",
        metavar="FILE|ID|TEXT",
        help=f"the chosen subnet: {ARCHITECTURE} (default: the best within the budget)",
    )
    add_goals(report)
    report.add_argument(
        "--budget",
        "--latency-budget",
        type=float,
        metavar="X",
        help="of the cost (default: what the chosen architecture is predicted to take, else the "
        "middle of the front)",
    )
    report.add_argument(
        "--guard", type=a_share, metavar="P", help="as of search; needs 'calibrate' first"
    )
    report.add_argument("--rationale", default="", metavar="TEXT", help="your reasons, in words")
    report.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PART",
        choices=("what-if", "coefficients", "diagnostics", "measurements"),
        help="leave out what-if, coefficients, diagnostics or measurements; as often as needed",
    )


def import_table(commands: Commands) -> None:
    importing = command(commands, "import", "append a table of one's own to a study")
    importing.add_argument("file", type=Path, help="a .csv, .parquet, .jsonl or .json file")
    importing.add_argument("--space", help="a shipped space or a JSON file, for a new study")
    importing.add_argument(
        "--map",
        type=pair,
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="the file's column that holds a decision, a target, its NAME_std_error, or "
        "'architecture' (JSON objects of choices, or what their family writes); as often as needed",
    )
    importing.add_argument(
        "--join",
        action="store_true",
        help="add another device's latencies, by id, to the rows that the study has",
    )
    add_goals(importing)
    importing.add_argument(
        "--accuracy-unit", metavar="UNIT", help="percent or fraction, of every mapped accuracy"
    )
    importing.add_argument(
        "--latency-unit", metavar="UNIT", help="ms, s or us, of every mapped latency"
    )
    importing.add_argument(
        "--unit",
        type=lambda text: pair(text, "TARGET=UNIT"),
        action="append",
        default=[],
        metavar="TARGET=UNIT",
        help="the unit of any target's numbers, such as dice=percent; what its bounds say to be a "
        "share may be in percent or fraction",
    )


def study(commands: Commands) -> None:
    study_actions(
        commands.add_parser(
            "study",
            help="list, create, copy, rename, delete, export and import whole studies",
            description="Whole studies of a folder.",
        )
    )


def app(commands: Commands) -> None:
    app = commands.add_parser("app", help="start the app", description="Start the app.")
    add_studies(app, ", which begins with the demo")
    app.add_argument("--address", help="to listen on (default: localhost)")
    app.add_argument("--port", type=positive, help="default: 8501")
    app.set_defaults(json=False)


def study_actions(parser: argparse.ArgumentParser) -> None:
    """The actions on whole studies, each with its own options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_: str, *names: str) -> argparse.ArgumentParser:
        one = actions.add_parser(name, help=help_, description=f"{help_.capitalize()}.")
        for own in names:
            one.add_argument(own)
        add_studies(one)
        one.add_argument("--json", action="store_true", help="print one JSON document to stdout")
        return one

    listing = action("list", "what each study holds")
    listing.add_argument("--trash", action="store_true", help="what was deleted")
    create = action("create", "begin a study without rows", "name")
    create.add_argument("--space", required=True, help="a shipped space or a JSON file")
    create.add_argument("--description", default="", help="what the first page says of it")
    add_goals(create)
    describe = action("describe", "change what a study is called on its pages", "name")
    describe.add_argument("--title", help="its name on its pages")
    describe.add_argument("--description", help="what the first page says of it")
    add_goals(describe)
    describe.add_argument(
        "--clear",
        action="append",
        choices=("objective", "cost"),
        default=[],
        help="name none any more, so that the table's own tells; as often as needed",
    )
    duplicate = action("duplicate", "copy a study", "name", "new")
    duplicate.add_argument("--title", help="what the copy is called on its pages")
    action("rename", "give a study's folder another name", "name", "new")
    action("delete", "put a study in the trash", "name")
    restore = action("restore", "take a study out of the trash", "key")
    restore.add_argument("--as", dest="new", metavar="NAME", help="another name than it had")
    discard = action("discard", "remove what is in the trash for good", "key")
    discard.add_argument("--confirm", default="", metavar="KEY", help="the key once more")
    export = action("export", "write a study as one zip", "name")
    export.add_argument("file", type=Path, help="a new file")
    bring = action("import", "make a study of such a zip")
    bring.add_argument("file", type=Path)
    bring.add_argument("--as", dest="new", metavar="NAME", help="another name than it had")
