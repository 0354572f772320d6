"""How long a refusal takes and what memory it needs, at worst: `python -m benchmarks.fuzz COUNT`.

So many broken inputs (default: 20,000) go in by the doors of `tests.fuzz.doors`; for each door the
table says how many were refused, and of these the longest processor time (s) and the largest growth
of the process's memory (MB). What goes wrong is printed with its seed, and makes the exit status 1.
"""

import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from foxnas_core import files
from foxnas_core.errors import FoxnasError
from foxnas_core.study.library import placing
from tests.fuzz.doors import DOORS, Door, Refused, own_study
from tests.fuzz.test_doors import is_one_sentence, state

MOST_SECONDS, MOST_MB = 2.0, 500.0


def memory() -> float:
    """The most memory (MB) that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(door: Door, count: int) -> tuple[int, float, float, int]:
    """Refusals, worst seconds, worst growth (MB) and defects of `count` inputs."""
    refused, seconds, grown, defects = 0, 0.0, 0.0, 0
    folder = Path(tempfile.mkdtemp())
    own_study(folder)
    before = state(folder)
    for number in range(count):
        broken = door.make(Random(f"{door.name} {number}"))
        had, begun, wrong = memory(), time.process_time(), ""
        try:
            door.enter(folder, broken)
            was_refused = False
        except (FoxnasError, Refused) as error:
            was_refused = True
            if isinstance(error, FoxnasError) and not is_one_sentence(str(error)):
                wrong = f"no sentence: {str(error)[:200]!r}"
            elif state(folder) != before:
                wrong = "something was changed"
        except Exception:
            was_refused, wrong = False, traceback.format_exc(limit=-2)
        took, grew = time.process_time() - begun, memory() - had
        if was_refused:
            refused += 1
            # The first of a kind loads packages, which is no part of refusing.
            if number:
                seconds, grown = max(seconds, took), max(grown, grew)
                if took > MOST_SECONDS or grew > MOST_MB:
                    wrong = f"{took:.1f} s, {grew:.0f} MB"
        if wrong:
            defects += 1
            print(f"{door.name} {number}: {wrong}", flush=True)
        if state(folder) != before:
            shutil.rmtree(folder)
            folder = Path(tempfile.mkdtemp())
            own_study(folder)
            before = state(folder)
    shutil.rmtree(folder)
    return refused, seconds, grown, defects


def main(count: int) -> int:
    warnings.simplefilter("ignore")
    for room in (files, placing):
        room.os.fsync = lambda _: None
    shares = sum(door.share for door in DOORS)
    print("| door | inputs | refused | worst s | worst MB |\n|---|---|---|---|---|")
    defects = 0
    for door in DOORS:
        own = max(1, count * door.share // shares)
        refused, seconds, grown, wrong = run(door, own)
        defects += wrong
        print(f"| {door.name} | {own:,} | {refused:,} | {seconds:.2f} | {grown:.0f} |", flush=True)
    return int(defects > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
