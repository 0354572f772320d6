"""The command line: `python -m foxnas_core COMMAND`.

Progress and messages go to stderr. Stdout has the answer as text or, with `--json`, as one JSON
document, as described in docs/command-line.md. Exit status: 0, or 2 with a sentence for bad input.
"""

import argparse
import ctypes
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.plugins import load_plugins

_ARCHITECTURE = "a JSON file, the id of a measured subnet, or an architecture written out"


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        load_plugins()
    except FoxnasError as error:
        print(f"foxnas: {error}", file=sys.stderr)
        return 2
    options = build_parser().parse_args(arguments)
    # Imported late, so that --help answers at once.
    from foxnas_core.commands import answer as answered
    from foxnas_core.commands.printing import print_answer

    try:
        with _stray_output_to_stderr():
            answer = answered(options)
    except FoxnasError as error:
        print(f"foxnas {options.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        told = InvalidInput(
            f"{error.filename or 'A file'} can't be used ({error.strerror or error}); check its "
            "name, and whether this user may use it."
        )
        print(f"foxnas {options.command}: {told}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"foxnas {options.command}: stopped; what was saved is kept.", file=sys.stderr)
        return 130
    # Under torchrun only the first process has something to say.
    if not answer.document:
        return 0
    if not options.json:
        print_answer(answer)
        return 0
    for sentence in filter(None, (card.sentence for card in answer.cards)):
        print(sentence, file=sys.stderr)
    print(json.dumps(answer.document, indent=2, allow_nan=False))
    return 0


@contextmanager
def _stray_output_to_stderr() -> Iterator[None]:
    """Keep stdout for the document: compiled libraries (HiGHS) print to the process's own."""
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of them is closed
        yield
        return
    try:
        yield
    finally:
        if os.name == "posix":
            ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the reference in docs/command-line.md follows it."""
    parser = argparse.ArgumentParser(
        prog="foxnas" if Path(sys.argv[0]).stem == "foxnas" else "python -m foxnas_core",
        description="Choose a subnet of a weight-sharing supernet for a device, and know why.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = _command(commands, "train", "train a supernet, by the sandwich rule or another")
    train.add_argument("--space", help="a shipped space or a JSON file, for a new study")
    train.add_argument(
        "--data", type=Path, help="Fashion-MNIST's files, or one folder of pictures a class"
    )
    train.add_argument("--task", default="classification", help="what networks are trained for")
    train.add_argument("--update", default="sandwich", help="what a training step does")
    train.add_argument("--epochs", type=_positive, help="over the training images")
    train.add_argument("--batch", type=_positive, help="images a step, all processes")
    train.add_argument("--learning-rate", type=float, help="the highest, after the warm-up")
    train.add_argument("--random-subnets", type=_natural, help="random subnets a step")
    train.add_argument("--largest-share", type=float, help="share of steps with the largest subnet")
    train.add_argument("--smallest-share", type=float, help="share of steps with the smallest one")
    train.add_argument("--seed", type=_natural)
    train.add_argument("--threads", type=_positive, default=1, help="threads of each process")
    train.add_argument("--resume", action="store_true", help="go on after a stop or a kill")

    measure = _command(commands, "measure", "measure subnets and append them to the table")
    measure.add_argument(
        "--count",
        type=_positive,
        help="how many of the seed's sampled subnets the table shall hold; with --architecture, "
        "how often to measure it (default: 1); with --device, how many at most (default: all)",
    )
    measure.add_argument("--architecture", metavar="FILE|ID|TEXT", help=_ARCHITECTURE)
    measure.add_argument(
        "--next",
        type=_positive,
        metavar="N",
        help="measure the N subnets that make the effects on --target known best",
    )
    measure.add_argument("--target", help="of --next (default: the study's objective)")
    measure.add_argument("--seed", type=_natural, default=0)
    measure.add_argument(
        "--workers",
        type=_positive,
        default=1,
        help="processes that share the work; latency is timed by one of them, on a core of its own",
    )
    measure.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="share the work with a Ray cluster (HOST:PORT or auto); latency is timed on the node "
        "that declares the resource latency-device, and --workers counts the others' processes",
    )
    _supernet(measure)
    measure.add_argument("--weights", type=Path, help="of --supernet: a .safetensors file")
    measure.add_argument("--space", help="a shipped space or a JSON file, for a new study")
    measure.add_argument(
        "--data",
        type=Path,
        help="for a new study: a study's images.npz, Fashion-MNIST's files, or one folder of "
        "pictures a class",
    )
    measure.add_argument(
        "--energy", action="store_true", help="measure energy too, where the processor tells it"
    )
    measure.add_argument(
        "--memory", action="store_true", help="measure peak memory too, in a process a subnet"
    )
    measure.add_argument(
        "--device",
        metavar="DEVICE",
        help="add this device's latencies to rows that lack them: onnxruntime, openvino, "
        "executorch, litert, ssh:HOST, ssh:HOST/RUNTIME or adb:SERIAL",
    )
    measure.add_argument("--device-name", metavar="NAME", help="what its columns are called")
    measure.add_argument(
        "--device-python", default="python3", metavar="PYTHON", help="of an SSH device"
    )
    measure.add_argument(
        "--device-program",
        type=Path,
        metavar="FILE",
        help="LiteRT's benchmark_model, built for an Android device",
    )

    fit = _command(commands, "fit", "fit the regression of every target")
    fit.add_argument(
        "--form",
        default="auto",
        help="auto, per_layer, block_state, choice_counts, stage_counts, foxnas, interactions or "
        "count_interactions (default: auto)",
    )
    fit.add_argument(
        "--link",
        default="auto",
        help="of the accuracy: auto, none or saturating (default: auto)",
    )
    fit.add_argument("--target", metavar="COLUMN", help="of one target, with its coefficients")

    calibrate = _command(
        commands, "calibrate", "measure optima of random budgets, by which searches are judged"
    )
    calibrate.add_argument("--count", type=_positive, default=20, help="how many (default: 20)")
    _goals(calibrate)
    calibrate.add_argument("--seed", type=_natural, default=0)
    _supernet(calibrate)

    search = _command(commands, "search", "anneal under limits, beside the exact optimum")
    _goals(search)
    search.add_argument(
        "--budget", "--latency-budget", type=float, metavar="X", help="the limit on the cost"
    )
    search.add_argument(
        "--rounds",
        type=_positive,
        metavar="N",
        help="search, measure the finds on this machine and fit anew, until the study has N rounds",
    )
    search.add_argument(
        "--per-round", type=_positive, metavar="K", help="finds of a round (default: 8)"
    )
    _limits(search)
    search.add_argument(
        "--floor",
        "--accuracy-floor",
        type=float,
        metavar="X",
        help="look for the least cost at an objective as good as this, instead of the best one",
    )
    search.add_argument(
        "--guard",
        type=_share,
        metavar="P",
        help="search under a smaller budget, so that the measured cost keeps the given one with "
        "this probability; needs 'calibrate' first",
    )
    search.add_argument("--steps", type=_positive, help="proposals of a chain")
    search.add_argument("--chains", type=_positive, help="chains for each resolution")
    search.add_argument("--restarts", type=_natural, help="how often each chain begins anew")
    search.add_argument("--mode", help="full or teaching")
    search.add_argument("--start-temperature", type=float, help="in the objective's unit")
    search.add_argument("--end-temperature", type=float, help="in the objective's unit")
    search.add_argument("--schedule", help="geometric, linear, logarithmic or adaptive")
    search.add_argument("--seed", type=_natural)
    search.add_argument("--save", action="store_true", help="keep the search with the study")
    _supernet(search)

    select = _command(commands, "select", "select an architecture by a method, and say why")
    select.add_argument(
        "--method", metavar="NAME", help="such as regression or table (default: list them all)"
    )
    select.add_argument(
        "--objective", metavar="COLUMN", help="what is to be best (default: the study's objective)"
    )
    _limits(select)
    select.add_argument("--seed", type=_natural, default=0)
    select.add_argument(
        "--state", type=Path, metavar="FILE", help="kept while it runs, to go on from when stopped"
    )

    counterfactual = _command(
        commands, "counterfactual", "find the fewest and the cheapest edits that reach a goal"
    )
    counterfactual.add_argument(
        "--architecture", required=True, metavar="FILE|ID|TEXT", help=_ARCHITECTURE
    )
    goal = counterfactual.add_mutually_exclusive_group(required=True)
    goal.add_argument("--save", type=float, metavar="X", help="so much less of the cost")
    goal.add_argument("--gain", type=float, metavar="X", help="so much better an objective")
    goal.add_argument(
        "--budget", "--latency-budget", type=float, metavar="X", help="at most this cost"
    )
    goal.add_argument(
        "--floor",
        "--accuracy-floor",
        type=float,
        metavar="X",
        help="an objective as good as this",
    )
    _goals(counterfactual)
    counterfactual.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="DECISION",
        help="decisions of this name or pattern stay as they are, such as 's1*'",
    )
    counterfactual.add_argument(
        "--why-not",
        type=_choice,
        metavar="DECISION=CHOICE",
        help="why the architecture does not have this choice, within --budget",
    )

    trust = _command(
        commands, "trust", "train subnets alone and compare their order with the supernet's"
    )
    trust.add_argument(
        "--count",
        type=_positive,
        default=16,
        help="how many of the seed's sampled subnets to have trained (default: 16)",
    )
    trust.add_argument("--epochs", type=_positive, help="from scratch (default: 12)")
    trust.add_argument(
        "--fine-tune-epochs", type=_positive, help="from the inherited weights (default: 3)"
    )
    trust.add_argument(
        "--fine-tune-rate",
        type=float,
        help="learning rate of fine-tuning, as a share of the recipe's (default: 0.1)",
    )
    trust.add_argument("--data", type=Path, help="the images the supernet was trained on")
    trust.add_argument("--workers", type=_positive, default=1, help="processes of one thread each")
    trust.add_argument("--seed", type=_natural, default=0)

    verify = _command(
        commands, "verify", "measure subnets and judge what was predicted of them before"
    )
    verify.add_argument("--architecture", metavar="FILE|ID|TEXT", help=_ARCHITECTURE)
    verify.add_argument(
        "--against",
        metavar="FILE|ID|TEXT",
        help="the subnet it was edited from, measured beside it",
    )
    verify.add_argument(
        "--random", type=_positive, metavar="N", help="test the seed's first N random edits"
    )
    verify.add_argument(
        "--images", type=_positive, metavar="N", help="score N held-out images (default: all)"
    )
    verify.add_argument("--seed", type=_natural, default=0)
    _supernet(verify)

    handmade = _command(
        commands, "handmade", "train networks designed by hand and searched ones, and time them all"
    )
    handmade.add_argument("--epochs", type=_positive, help="of every network (default: 10)")
    handmade.add_argument(
        "--widths",
        type=float,
        nargs="+",
        metavar="SHARE",
        help="of each design, as shares of the published one (default: 0.1 0.15 0.2)",
    )
    handmade.add_argument(
        "--searched",
        type=_positive,
        help="subnets of each latency's front, chosen when it is begun (default: 6)",
    )
    handmade.add_argument("--data", type=Path, help="the images the supernet was trained on")
    handmade.add_argument("--seed", type=_natural, default=0)

    export = _command(commands, "export", "write an architecture's subnet as files that run")
    export.add_argument("--architecture", required=True, metavar="FILE|ID|TEXT", help=_ARCHITECTURE)
    export.add_argument("--out", type=Path, required=True, help="a new folder or .zip file")
    export.add_argument(
        "--formats",
        type=lambda text: text.split(","),
        metavar="FORMAT[,FORMAT]",
        help="onnx, onnx-int8, torch, executorch, litert (default: all that are installed)",
    )
    export.add_argument(
        "--fine-tune", type=_positive, metavar="EPOCHS", help="train the inherited weights on first"
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
        type=_percentage,
        metavar="PERCENT",
        help="of held-out images on which int8 must name the class that fp32 names (default: 90)",
    )
    _supernet(export)

    profile = _command(commands, "profile", "tell an architecture's layers and what each takes")
    profile.add_argument(
        "--architecture", required=True, metavar="FILE|ID|TEXT", help=_ARCHITECTURE
    )
    profile.add_argument("--precision", default="fp32", help="fp32 or int8 (default: fp32)")
    profile.add_argument("--out", type=Path, metavar="CSV", help="write the table to this file")
    _supernet(profile)

    tune = _command(
        commands, "fine-tune", "fine-tune an architecture's subnet, and score it in int8"
    )
    tune.add_argument("--architecture", required=True, metavar="FILE|ID|TEXT", help=_ARCHITECTURE)
    tune.add_argument("--out", type=Path, required=True, help="a new folder")
    tune.add_argument("--data", type=Path, help="the images that the supernet was trained on")
    tune.add_argument(
        "--quantization-aware",
        action="store_true",
        help="round as int8 does while training, so that it loses less by it",
    )
    tune.add_argument("--epochs", type=_positive, help="over the training images (default: 2)")
    tune.add_argument("--batch", type=_positive, help="images a step (default: 128)")
    tune.add_argument("--learning-rate", type=float, help="at the start (default: 0.001)")
    tune.add_argument("--seed", type=_natural)

    explain = _command(commands, "explain", "tell what an analysis finds in a study")
    explain.add_argument(
        "--analysis", metavar="KEY", help="such as coefficients-choices (default: list them all)"
    )
    _goals(explain)
    explain.add_argument(
        "--target", metavar="COLUMN", help="that is looked into alone (default: the objective)"
    )
    explain.add_argument(
        "--option",
        type=lambda text: _pair(text, "NAME=VALUE"),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the analysis's own; as often as needed",
    )
    explain.add_argument("--form", default="auto", help="of the regression, as of fit")
    explain.add_argument(
        "--link", default="auto", choices=("auto", "none", "saturating"), help="as of fit"
    )
    explain.add_argument(
        "--intervals",
        default="ordinary",
        choices=("ordinary", "simultaneous", "hc3", "bootstrap"),
        help="how effects are bounded",
    )
    explain.add_argument("--budget", type=float, metavar="X", help="of the cost")
    explain.add_argument(
        "--architecture", help="the chosen one: a JSON file, or a measured subnet's id"
    )
    explain.add_argument("--beside", type=Path, metavar="STUDY", help="a second study's folder")
    explain.add_argument(
        "--campaign", metavar="NAME", help="whose rows are looked at (default: all of them)"
    )

    report = _command(commands, "report", "write the study as one HTML file that needs no server")
    report.add_argument("--out", type=Path, required=True, help="the file, such as report.html")
    report.add_argument(
        "--architecture",
        metavar="FILE|ID|TEXT",
        help=f"the chosen subnet: {_ARCHITECTURE} (default: the best within the budget)",
    )
    _goals(report)
    report.add_argument(
        "--budget",
        "--latency-budget",
        type=float,
        metavar="X",
        help="of the cost (default: what the chosen architecture is predicted to take, else the "
        "middle of the front)",
    )
    report.add_argument(
        "--guard", type=_share, metavar="P", help="as of search; needs 'calibrate' first"
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

    importing = _command(commands, "import", "append a table of one's own to a study")
    importing.add_argument("file", type=Path, help="a .csv, .parquet, .jsonl or .json file")
    importing.add_argument("--space", help="a shipped space or a JSON file, for a new study")
    importing.add_argument(
        "--map",
        type=_pair,
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
    _goals(importing)
    importing.add_argument("--accuracy-unit", metavar="UNIT", help="percent or fraction")
    importing.add_argument(
        "--latency-unit", metavar="UNIT", help="ms, s or us, of every mapped latency"
    )
    importing.add_argument(
        "--unit",
        type=lambda text: _pair(text, "TARGET=UNIT"),
        action="append",
        default=[],
        metavar="TARGET=UNIT",
        help="the unit of a target's numbers, such as dice=percent",
    )

    weights = _command(
        commands, "import-weights", "begin a study with weights in once-for-all's published layout"
    )
    weights.add_argument("file", type=Path, help="a .safetensors file")
    weights.add_argument("--space", help="a space or a JSON file (default: ofa-mobilenetv3)")
    weights.add_argument(
        "--data", type=Path, required=True, help="one folder of pictures a class, or an images.npz"
    )

    _study_actions(
        commands.add_parser(
            "study",
            help="list, create, copy, rename, delete, export and import whole studies",
            description="Whole studies of a folder.",
        )
    )

    app = commands.add_parser("app", help="start the app", description="Start the app.")
    _studies(app, ", which begins with the demo")
    app.add_argument("--address", help="to listen on (default: localhost)")
    app.add_argument("--port", type=_positive, help="default: 8501")
    app.set_defaults(json=False)
    return parser


def _study_actions(parser: argparse.ArgumentParser) -> None:
    """The actions on whole studies, each with its own options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_: str, *names: str) -> argparse.ArgumentParser:
        one = actions.add_parser(name, help=help_, description=f"{help_.capitalize()}.")
        for own in names:
            one.add_argument(own)
        _studies(one)
        one.add_argument("--json", action="store_true", help="print one JSON document to stdout")
        return one

    listing = action("list", "what each study holds")
    listing.add_argument("--trash", action="store_true", help="what was deleted")
    create = action("create", "begin a study without rows", "name")
    create.add_argument("--space", required=True, help="a shipped space or a JSON file")
    create.add_argument("--description", default="", help="what the first page says of it")
    _goals(create)
    describe = action("describe", "change what a study is called on its pages", "name")
    describe.add_argument("--title", help="its name on its pages")
    describe.add_argument("--description", help="what the first page says of it")
    _goals(describe)
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


def _studies(parser: argparse.ArgumentParser, further: str = "") -> None:
    parser.add_argument(
        "--studies",
        type=Path,
        help="the folder of studies (default: that of FOXNAS_STUDIES, else foxnas-studies in the "
        f"home{further})",
    )


def _goals(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--objective", metavar="COLUMN", help="what shall be best (default: as the study names it)"
    )
    parser.add_argument(
        "--cost",
        "--latency-target",
        metavar="COLUMN",
        help="what that is traded against (default: as the study names it)",
    )


def _supernet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supernet",
        metavar="MODULE:FUNCTION",
        help="code of your own that builds the study's supernet, which is then run",
    )


def _limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        type=_number,
        action="append",
        default=[],
        metavar="COLUMN=NUMBER",
        help="a column that must be at most this, such as parameters or latency_ms:int8, or at "
        "least this where more is better; as often as needed",
    )
    for name, what in (("--allow", "may take these choices alone"), ("--forbid", "may not take")):
        parser.add_argument(
            name,
            type=_choice,
            action="append",
            default=[],
            metavar="DECISION=CHOICE[,CHOICE]",
            help=f"decisions of this name or pattern {what}, such as 's2*_kernel=3'",
        )


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=f"{help_.capitalize()}.")
    parser.add_argument("--study", type=Path, required=True, help="the study's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document to stdout")
    return parser


def _pair(text: str, form: str = "NAME=COLUMN") -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
    return name, value


def _choice(text: str) -> tuple[str, str]:
    return _pair(text, "DECISION=CHOICE")


def _number(text: str) -> tuple[str, float]:
    name, value = _pair(text, "COLUMN=NUMBER")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} in {text!r} is not a number") from None


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share above 0 and below 1")
    return value


def _percentage(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not a percentage from 0 to 100")
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
