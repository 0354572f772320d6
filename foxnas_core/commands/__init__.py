"""What each command of the command line does, from options to an answer.

Each function returns what `--json` prints, or an `Answer` of it and of cards for people; progress
and messages go to stderr. A command imports its own module alone, and heavy packages where it needs
them, so that what is wrong is refused at once.
"""

import argparse
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from foxnas_core.commands.printing import Answer
from foxnas_core.errors import MissingPart
from foxnas_core.tasks.dataset import check_first_pictures

# Module and function.
_PLACES = {
    "train": "training.train",
    "measure": "measuring.measure",
    "fit": "searching.fit",
    "bench": "benchmarking.bench",
    "make-device": "measuring.make_device",
    "calibrate": "measuring.calibrate",
    "search": "searching.search",
    "select": "selecting.select",
    "counterfactual": "searching.counterfactual",
    "judge": "judging.judge",
    "trust": "judging.trust",
    "verify": "judging.verify",
    "handmade": "judging.handmade",
    "export": "takeaway.export",
    "profile": "takeaway.profile",
    "fine-tune": "training.fine_tune",
    "explain": "explaining.explain",
    "query": "explaining.query",
    "report": "takeaway.report",
    "import": "importing.import_table",
    "import-weights": "importing.import_weights",
    "study": "studies.study",
    "app": "studies.app",
}


def _run(place: str, options: argparse.Namespace) -> Answer | dict[str, Any]:
    module, _, function = place.partition(".")
    command = getattr(import_module(f"{__name__}.{module}"), function)
    found: Answer | dict[str, Any] = command(options)
    return found


COMMANDS: dict[str, Callable[[argparse.Namespace], Answer | dict[str, Any]]] = {
    name: partial(_run, place) for name, place in _PLACES.items()
}


def answer(options: argparse.Namespace) -> Answer:
    """What the command that the options name answers.

    Raises as that, and `MissingPart` where nothing is where its images should be, `InvalidInput`
    where the first ones are broken, before what trains on them is imported.
    """
    data = getattr(options, "data", None)
    if isinstance(data, Path) and not data.exists():
        raise MissingPart(f"There are no images at {data}; name others with --data.")
    if isinstance(data, Path):
        check_first_pictures(data)
    made = COMMANDS[options.command](options)
    return made if isinstance(made, Answer) else Answer(made)
