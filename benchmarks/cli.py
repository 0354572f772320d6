"""How much CPU a whole search from the command line takes: `python -m benchmarks.cli`.

CPU seconds (user and system) of a process, as multiples of those of a process that only imports
what any such tool does, measured side by side, the middle of some rounds. The first search after
an installation finds neither compiled modules nor kept fits; a warm one finds both.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import pandas as pd

from benchmarks.common import DEMO, ran
from tests.serving import REPOSITORY

IMPORTS = ["-c", "import pandas, scipy.optimize, statsmodels.api"]
SEARCH = ["-m", "foxnas_core", "search", "--latency-budget", ".07", "--json", "--study"]
FIT = ["-m", "foxnas_core", "fit", "--json", "--study"]


def measure(study: Path, rounds: int) -> Mapping[str, list[float]]:
    """CPU seconds of each kind of process, a number a round."""
    names = ("imports", "search, first", "search, warm", "fit, first", "fit, warm")
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            new, own = Path(folder, "new"), Path(folder, "study")
            left_out = shutil.ignore_patterns("__pycache__", ".fits", ".lock")
            shutil.copytree(REPOSITORY / "foxnas_core", new / "foxnas_core", ignore=left_out)
            shutil.copytree(study, own, ignore=left_out)
            found["imports"].append(ran(IMPORTS, new).work)
            for name, command in (("search", SEARCH), ("fit", FIT)):
                for when in ("first", "warm"):
                    found[f"{name}, {when}"].append(ran([*command, str(own)], new).work)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=DEMO)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    found = measure(options.study, options.rounds)
    imports = found["imports"]
    rows = {}
    for name, seconds in found.items():
        ratio = median(own / other for own, other in zip(seconds, imports, strict=True))
        rows[name] = {"CPU seconds": f"{median(seconds):.2f}", "times the imports": f"{ratio:.2f}"}
    print(pd.DataFrame(rows).T.to_string())


if __name__ == "__main__":
    main()
