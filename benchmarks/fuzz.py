"""What broken and hostile inputs do at every door: `python -m benchmarks.fuzz --count 20000`.

The doors, what breaks what comes in by them, and the numbers that the breaking is drawn by, are
those of `tests/fuzz`, of which the tests try the first. Counted are refusals, what was accepted as
what it says it is, errors that are no refusals, refusals that left something behind, and those that
are no sentence; told is which refusal computed longest, and the most memory that the process ever
had, from its start, in which all that is imported and made counts.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.serving import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests"))  # where the doors look for what they are made of

from tests.fuzz.brought import EVERY
from tests.fuzz.doors import Door
from tests.fuzz.trying import Doorway


@dataclass
class Tally:
    counted: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    worst: tuple[float, str] = (0.0, "")

    def add(self, door: Door, doorway: Doorway, number: int) -> None:
        named = f"{door.name} {number}"
        self.counted["inputs"] += 1
        try:
            outcome = doorway.tried(number)
        except Exception:
            self.counted["tracebacks"] += 1
            self.problems.append(f"{named}: {traceback.format_exc(limit=-3)}")
            return
        refused = outcome.is_refusal
        self.counted["refused" if refused else "accepted"] += 1
        if refused:
            self.worst = max(self.worst, (outcome.seconds, named))
        for what, wrong in (
            ("left behind", outcome.left),
            ("no sentence", refused and not outcome.is_sentence),
        ):
            if wrong:
                self.counted[what] += 1
                self.problems.append(f"{named}: {what}: {outcome.said[:300]!r}")

    def told(self) -> dict[str, object]:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            **{name: 0 for name in ("tracebacks", "left behind", "no sentence")},
            **self.counted,
            "longest refusal (CPU s)": round(self.worst[0], 2),
            "that was": self.worst[1],
            "most memory (MiB)": round(most),
            "CPU s in all": round(time.process_time()),
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="inputs, at all doors together")
    parser.add_argument("--seconds", type=float, default=900, help="of computing, at most")
    parser.add_argument("--door", help="one door alone")
    options = parser.parse_args(arguments)
    doors = [door for door in EVERY if options.door in (None, door.name)]
    tally, shares = Tally(), sum(door.share for door in doors)
    with (
        tempfile.TemporaryDirectory() as temporary,
        mock.patch("os.fsync"),  # thousands of writes need not wait for the disk
    ):
        ways = {
            door: Doorway(Path(temporary) / door.name.replace("/", "-"), door) for door in doors
        }
        turn = 0
        with suppress(KeyboardInterrupt):  # what was counted until then is told
            while tally.counted["inputs"] < options.count and time.process_time() < options.seconds:
                for door, doorway in ways.items():
                    for number in range(turn * door.share, (turn + 1) * door.share):
                        tally.add(door, doorway, number)
                turn += 1
    print(f"{turn} rounds of {shares} inputs at {len(doors)} doors", file=sys.stderr)
    for problem in tally.problems[:40]:
        print(problem, file=sys.stderr)
    print(json.dumps(tally.told(), indent=1))


if __name__ == "__main__":
    main()
