"""Runs in a process of its own: a file of torch's, opened with weights_only so that no code of it
runs, becomes safetensors; what it holds is told as JSON on stdout.

Arguments: bytes and seconds that it may take, the file, the file to write, and which of several
state dicts is meant, or nothing.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from safetensors.torch import save_file
from torch import Tensor

from foxnas_core.pickles.reader import bound

_ASKED = re.compile(r"(?:GLOBAL|class|global)\s+([\w.]+)")


def state_dicts(found: Any) -> dict[str, dict[str, Tensor]]:
    """The state dicts of a file, by the name of each in it, "" for a file that is one."""
    if not isinstance(found, dict):
        return {}
    if _is_state_dict(found):
        return {"": found}
    return {str(name): own for name, own in found.items() if _is_state_dict(own)}


def _is_state_dict(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items()
    )  # fmt: skip


def answer(source: str, target: str, part: str) -> dict[str, Any]:
    """What there is, and whether it was written; or why it was not read."""
    try:
        found = state_dicts(torch.load(source, map_location="cpu", weights_only=True))
        wanted = found.get(part) if part else next(iter(found.values()), None)
        if wanted is not None and (part or len(found) == 1):
            # Tensors that share memory, or are views, are stored each by itself.
            save_file({name: t.detach().clone().contiguous() for name, t in wanted.items()}, target)
        return {"parts": list(found), "written": Path(target).exists()}
    except MemoryError:
        return {"broken": "it takes more memory than it may"}
    except Exception as error:  # any at all: what a file's bytes can do to its reader
        said = str(error)
        if "weights_only" in said and (asked := _ASKED.search(said)):
            return {"refused": asked[1]}
        line = said.strip().partition("\n")[0]
        return {"broken": f"{type(error).__name__}{': ' if line else ''}{line}"[:200]}


if __name__ == "__main__":
    bound(int(sys.argv[1]), int(sys.argv[2]))
    torch.set_num_threads(1)
    json.dump(answer(*sys.argv[3:]), sys.stdout)
