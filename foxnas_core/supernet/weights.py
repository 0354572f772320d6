"""Weights that somebody else made: safetensors, or a file of torch's, which is opened by a process
of its own; this one imports torch once there is something to load."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from foxnas_core.errors import InvalidInput, MissingPart

if TYPE_CHECKING:
    from torch import Tensor

TORCH = (".pth", ".pt", ".bin", ".ckpt", ".tar")
_MEMORY, _SECONDS = 6 << 30, 120  # address space, of which torch itself takes some
_MOST_BYTES = 2 << 30
_MOST_NAME = 80
_OLDER = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")  # torch.serialization.MAGIC_NUMBER


def load_weights(path: Path, part: str = "") -> "dict[str, Tensor]":
    """The tensors of a safetensors file, or of a state dict in a file of torch's: of several that
    it has, such as weights and their moving average, that called `part`.

    Raises `MissingPart` where it is absent, `InvalidInput` for another kind of file, and where
    `part` has to be told.
    """
    if not path.exists():
        raise MissingPart(f"There are no weights at {path}; name a .safetensors or .pth file.")
    if not path.is_file():
        raise InvalidInput(f"{path} is no regular file; name a .safetensors or .pth file.")
    if path.suffix.lower() in TORCH:
        return _of_torch(path, part)
    if part:
        raise InvalidInput(f"{path} has no parts; leave --part out, which is of torch's files.")
    return _of_safetensors(path)


def _of_safetensors(path: Path) -> "dict[str, Tensor]":
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InvalidInput(
            f"{path} is no safetensors file, or damaged; name a .safetensors file, or one of "
            f"torch's, which ends in {', '.join(TORCH[:-1])} or {TORCH[-1]}."
        ) from error


def _of_torch(path: Path, part: str) -> "dict[str, Tensor]":
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise InvalidInput(
            f"{path} has {size >> 20:,} MB, more than the {_MOST_BYTES >> 20:,} MB of a file of "
            "torch's that is read; save its state dict alone, as safetensors."
        )
    told: dict[str, Any] = {"broken": "it is no whole zip, pickle or tar of torch's"}
    if _begins_as_torchs(path):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "weights.safetensors"
            told = _opened(path, target, part)
            if told.get("written"):
                return _of_safetensors(target)
    mend = "save the state dict alone, as torch.save(net.state_dict(), FILE)"
    if "refused" in told:
        raise InvalidInput(
            f"{path} asks for {_plain(told['refused'])}, which is code and no weights, so it was "
            f"not opened; {mend}."
        )
    if "broken" in told:
        raise InvalidInput(
            f"{path} can't be read as a file of torch's ({_plain(told['broken'])}); {mend}."
        )
    parts = [repr(one[:_MOST_NAME]) for one in told["parts"] if one]
    if not parts:
        raise InvalidInput(f"{path} holds no state dict of names and tensors; {mend}.")
    raise InvalidInput(
        f"{path} holds {'no ' + repr(part) + ', but ' if part else ''}{', '.join(parts[:8])}; say "
        "which of them is meant (--part NAME)."
    )


def _begins_as_torchs(path: Path) -> bool:
    """Whether it is worth a process that imports torch: a zip that was written to its end, a pickle
    of torch's older files, which begin with a number of their own, or a tar."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(b"PK\x03\x04"):
        return zipfile.is_zipfile(path)
    return (head.startswith(b"\x80") and _OLDER in head[:40]) or head[257:262] == b"ustar"


def _opened(path: Path, target: Path, part: str) -> dict[str, Any]:
    reader = str(Path(__file__).with_name("opened.py"))
    command = [sys.executable, "-I", reader, str(_MEMORY), str(_SECONDS)]
    try:
        done = subprocess.run(
            [*command, str(path.resolve()), str(target), part], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=3 * _SECONDS,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"},
        )  # fmt: skip
        return dict(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):
        return {"broken": f"not within {_SECONDS} s and {_MEMORY >> 30} GB"}


def _plain(said: str) -> str:
    """What the file says, as it may stand in a sentence."""
    return "".join(sign if sign.isprintable() else "?" for sign in said[:_MOST_NAME]).rstrip(".")
