"""What an export can be written as, and what running each file takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.export.runners import EXECUTORCH, LITERT, ONNX, TORCH, Runner
from foxnas_core.measurement.environments import RUNTIMES, Runtime

INT8_FLOOR = 90.0
"""Least share of held-out images, in percent, on which the int8 file must name the class that the
fp32 file names.

It bounds what accuracy can be lost: at most 100 less this, in points. Subnets of the shipped study
agree on 97 to 99 % and those of its variant with h-swish and squeeze-and-excitation on 95 to 97 %;
with ranges from images of half the brightness on 82 to 88 %, with ranges from black ones on 54 to
76 %. A thousand classes, where more images lie between two of them, may need a lower one.
"""
SCORING = "score on held-out images"


@dataclass(frozen=True)
class Format:
    """A model file, by its name on the command line.

    `runner` says what a picture shows with that file. `seconds` is about how long writing and
    checking took for the shipped study's largest subnet.
    """

    name: str
    title: str
    file: str
    runner: Runner
    runtime: Runtime
    seconds: float

    @property
    def suits(self) -> str:
        """What the file is for."""
        return _SUITS[self.name]

    def command(self, sample: str) -> str:
        """How the script is run on a file."""
        named = f" {self.file}" if self.name == "onnx-int8" else ""
        return f"python {self.runner.script} {sample}{named}"


@dataclass(frozen=True)
class FileCheck:
    """A written file run on `images` real images: its greatest difference from the subnet's
    logits, and the share of images, in percent, on which both name the same class.

    `score` is the task's objective on all held-out images, for files that were run on all of them.
    """

    file: str
    images: int
    max_difference: float
    agreement: float
    score: float | None = None


_SUITS = {
    "onnx": "a server, a desktop or a board, where ONNX Runtime and many others run it",
    "onnx-int8": "the same where int8 is faster and loses little, which the page Devices tells",
    "torch": "a server that runs PyTorch",
    "executorch": "a phone, Android or iOS, within an app of your own",
    "litert": "an Android phone or a small board",
}
_HERE = RUNTIMES["onnxruntime"]  # in the app's own environment, as torch is
FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format("onnx", "ONNX, fp32", "model.onnx", ONNX, _HERE, 1),
        Format("onnx-int8", "ONNX, int8 (QDQ)", "model_int8.onnx", ONNX, _HERE, 6),
        Format("torch", "torch.export, fp32", "model.pt2", TORCH, _HERE, 4),
        Format(
            "executorch",
            "ExecuTorch with XNNPACK, fp32",
            "model.pte",
            EXECUTORCH,
            RUNTIMES["executorch"],
            35,
        ),
        Format("litert", "LiteRT, fp32", "model.tflite", LITERT, RUNTIMES["litert"], 30),
    )
}


def lacking(name: str) -> str | None:
    """A sentence that says why a format can't be written here, and how to mend it."""
    try:
        FORMATS[name].runtime.python()
    except MissingPart as error:
        return str(error)
    return None


def formats_of(names: Sequence[str] | None) -> tuple[list[Format], list[str]]:
    """The formats of these names in the order of `FORMATS`, by default all that can be written
    here, with a sentence for each that can't.

    Raises `InvalidInput` for an unknown name or none, and `MissingPart` for one that was asked for
    and can't be written here.
    """
    if names is None:
        missing = {name: lacking(name) for name in FORMATS}
        can = [FORMATS[name] for name, why in missing.items() if why is None]
        return can, [why for why in missing.values() if why is not None]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise InvalidInput(
            f"{', '.join(map(repr, unknown)) or 'Nothing'} is no format of an export; take one or "
            f"more of {', '.join(FORMATS)}."
        )
    for name in names:
        if why := lacking(name):
            raise MissingPart(why)
    return [own for name, own in FORMATS.items() if name in names], []


def step_seconds(formats: Sequence[Format]) -> dict[str, float]:
    """The steps of writing and checking them, with about how many seconds each takes."""
    return {SCORING: 4.0, **{own.title: own.seconds for own in formats}}
