"""The command line: `python -m foxnas_core COMMAND`.

Progress and messages go to stderr. Stdout has the answer as text or, with `--json`, as one JSON
document, as described in docs/command-line.md. Exit status: 0, or 2 with a sentence for bad input.
"""

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from foxnas_core.errors import FoxnasError, InvalidInput, sentence_of
from foxnas_core.options import build_parser
from foxnas_core.plugins import load_plugins


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
    except (FoxnasError, OSError) as error:
        told = sentence_of(error)
        if not told and isinstance(error, OSError):
            told = str(InvalidInput(
                f"{error.filename or 'A file'} can't be used ({error.strerror or error}); check "
                "its name, and whether this user may use it."
            ))  # fmt: skip
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


if __name__ == "__main__":
    sys.exit(main())
