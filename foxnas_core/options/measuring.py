"""Options of the commands that train and measure."""

from pathlib import Path

from foxnas_core.options.shared import (
    ARCHITECTURE,
    Commands,
    add_goals,
    add_supernet,
    command,
    natural,
    positive,
)


def train(commands: Commands) -> None:
    train = command(commands, "train", "train a supernet, by the sandwich rule or another")
    train.add_argument("--space", help="a shipped space or a JSON file, for a new study")
    train.add_argument(
        "--data", type=Path, help="Fashion-MNIST's files, or one folder of pictures a class"
    )
    train.add_argument("--task", default="classification", help="what networks are trained for")
    train.add_argument("--update", default="sandwich", help="what a training step does")
    train.add_argument("--epochs", type=positive, help="over the training images")
    train.add_argument("--batch", type=positive, help="images a step, all processes")
    train.add_argument("--learning-rate", type=float, help="the highest, after the warm-up")
    train.add_argument("--random-subnets", type=natural, help="random subnets a step")
    train.add_argument("--largest-share", type=float, help="share of steps with the largest subnet")
    train.add_argument("--smallest-share", type=float, help="share of steps with the smallest one")
    train.add_argument("--seed", type=natural)
    train.add_argument("--threads", type=positive, default=1, help="threads of each process")
    train.add_argument("--resume", action="store_true", help="go on after a stop or a kill")


def measure(commands: Commands) -> None:
    measure = command(commands, "measure", "measure subnets and append them to the table")
    measure.add_argument(
        "--count",
        type=positive,
        help="how many of the seed's sampled subnets the table shall hold; with --architecture, "
        "how often to measure it (default: 1); with --device, how many at most (default: all)",
    )
    measure.add_argument("--architecture", metavar="FILE|ID|TEXT", help=ARCHITECTURE)
    measure.add_argument(
        "--next",
        type=positive,
        metavar="N",
        help="measure the N subnets that make the effects on --target known best",
    )
    measure.add_argument("--target", help="of --next (default: the study's objective)")
    measure.add_argument("--seed", type=natural, default=0)
    measure.add_argument(
        "--workers",
        type=positive,
        default=1,
        help="processes that share the work; latency is timed by one of them, on a core of its own",
    )
    measure.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="share the work with a Ray cluster (HOST:PORT or auto); latency is timed on the node "
        "that declares the resource latency-device, and --workers counts the others' processes",
    )
    add_supernet(measure)
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


def calibrate(commands: Commands) -> None:
    calibrate = command(
        commands, "calibrate", "measure optima of random budgets, by which searches are judged"
    )
    calibrate.add_argument("--count", type=positive, default=20, help="how many (default: 20)")
    add_goals(calibrate)
    calibrate.add_argument("--seed", type=natural, default=0)
    add_supernet(calibrate)


def trust(commands: Commands) -> None:
    trust = command(
        commands, "trust", "train subnets alone and compare their order with the supernet's"
    )
    trust.add_argument(
        "--count",
        type=positive,
        default=16,
        help="how many of the seed's sampled subnets to have trained (default: 16)",
    )
    trust.add_argument("--epochs", type=positive, help="from scratch (default: 12)")
    trust.add_argument(
        "--fine-tune-epochs", type=positive, help="from the inherited weights (default: 3)"
    )
    trust.add_argument(
        "--fine-tune-rate",
        type=float,
        help="learning rate of fine-tuning, as a share of the recipe's (default: 0.1)",
    )
    trust.add_argument("--data", type=Path, help="the images the supernet was trained on")
    trust.add_argument("--workers", type=positive, default=1, help="processes of one thread each")
    trust.add_argument("--seed", type=natural, default=0)


def verify(commands: Commands) -> None:
    verify = command(
        commands, "verify", "measure subnets and judge what was predicted of them before"
    )
    verify.add_argument("--architecture", metavar="FILE|ID|TEXT", help=ARCHITECTURE)
    verify.add_argument(
        "--against",
        metavar="FILE|ID|TEXT",
        help="the subnet it was edited from, measured beside it",
    )
    verify.add_argument(
        "--random", type=positive, metavar="N", help="test the seed's first N random edits"
    )
    verify.add_argument(
        "--images", type=positive, metavar="N", help="score N held-out images (default: all)"
    )
    verify.add_argument("--seed", type=natural, default=0)
    add_supernet(verify)


def handmade(commands: Commands) -> None:
    handmade = command(
        commands, "handmade", "train networks designed by hand and searched ones, and time them all"
    )
    handmade.add_argument("--epochs", type=positive, help="of every network (default: 10)")
    handmade.add_argument(
        "--widths",
        type=float,
        nargs="+",
        metavar="SHARE",
        help="of each design, as shares of the published one (default: 0.1 0.15 0.2)",
    )
    handmade.add_argument(
        "--searched",
        type=positive,
        help="subnets of each latency's front, chosen when it is begun (default: 6)",
    )
    handmade.add_argument("--data", type=Path, help="the images the supernet was trained on")
    handmade.add_argument("--seed", type=natural, default=0)


def fine_tune(commands: Commands) -> None:
    tune = command(
        commands, "fine-tune", "fine-tune an architecture's subnet, and score it in int8"
    )
    tune.add_argument("--architecture", required=True, metavar="FILE|ID|TEXT", help=ARCHITECTURE)
    tune.add_argument("--out", type=Path, required=True, help="a new folder")
    tune.add_argument("--data", type=Path, help="the images that the supernet was trained on")
    tune.add_argument(
        "--quantization-aware",
        action="store_true",
        help="round as int8 does while training, so that it loses less by it",
    )
    tune.add_argument("--epochs", type=positive, help="over the training images (default: 2)")
    tune.add_argument("--batch", type=positive, help="images a step (default: 128)")
    tune.add_argument("--learning-rate", type=float, help="at the start (default: 0.001)")
    tune.add_argument("--seed", type=natural)


def weights(commands: Commands) -> None:
    weights = command(
        commands, "import-weights", "begin a study with weights in once-for-all's published layout"
    )
    weights.add_argument("file", type=Path, help="a .safetensors file")
    weights.add_argument("--space", help="a space or a JSON file (default: ofa-mobilenetv3)")
    weights.add_argument(
        "--data", type=Path, required=True, help="one folder of pictures a class, or an images.npz"
    )
