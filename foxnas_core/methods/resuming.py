"""A method's run with its state in a file, from which it goes on after it was stopped."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foxnas_core import documents
from foxnas_core.errors import Collapsed, InvalidInput
from foxnas_core.files import write_atomically
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.progress import Stopped
from foxnas_core.study import Study

# Seconds between two states that are written.
_EVERY = 10.0


def run_kept(
    method: Method,
    study: Study,
    question: Question,
    *,
    seed: int = 0,
    file: Path | None = None,
    report: Callable[[Run], None] = lambda run: None,
    parts: int = 100,
) -> Selection:
    """As `Method.run`, with the state in `file` while it runs: where it was stopped, the same call
    goes on from there, also where `report` raised `Stopped`. The file is gone once all is done,
    or once the run has collapsed.

    Raises as `Method.run`, and `InvalidInput` where the file holds another run or can't be written.
    """
    if file is None:
        return method.run(study, question, seed=seed, report=report, parts=parts)
    asked = {
        "format": 1, "method": method.name, "seed": seed, "question": question.to_dict(),
        "space": study.space.fingerprint, "table": study.table().fingerprint,
        **method.identity(study),
    }  # fmt: skip
    written = time.monotonic()

    def kept(run: Run) -> None:
        nonlocal written
        if time.monotonic() - written >= _EVERY:
            _write(file, asked, run.state())
            written = time.monotonic()
        try:
            report(run)
        except Stopped:
            _write(file, asked, run.state())
            raise

    state = _read(file, asked) if file.exists() else None
    _write(file, asked, state)
    try:
        selection = method.run(study, question, seed=seed, state=state, report=kept, parts=parts)
    except Collapsed:
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)
    return selection


def _write(file: Path, asked: dict[str, Any], state: bytes | None) -> None:
    text = None if state is None else base64.b64encode(state).decode()
    try:
        write_atomically(file, json.dumps(asked | {"state": text}))
    except OSError as error:
        raise InvalidInput(
            f"The state of the run can't be kept in {file} ({error.strerror or error}); name a "
            "file in a place where this user may write."
        ) from error


def _read(file: Path, asked: dict[str, Any]) -> bytes | None:
    try:
        document = documents.parse_json(file.read_bytes())
        other = [name for name, value in asked.items() if document.get(name) != value]
        text = document.get("state")
        state = None if text is None else base64.b64decode(text, validate=True)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"{file} holds no state of a run; name another file, or delete it."
        ) from error
    if other:
        raise InvalidInput(
            f"{file} holds the state of another run (another {other[0]}); name another file, or "
            "delete it."
        )
    return state
