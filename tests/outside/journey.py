"""Takes a study of ladders through commands, contracts and pages, as one would who installed them.

Run by `test_outside.py` in a process of its own, since what is registered stays registered:
`python journey.py FOLDER` prints what each step answered as one JSON document.
"""

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from conftest import run_page, sentences

from foxnas_core.__main__ import main


def asked(*arguments: object) -> dict[str, Any]:
    """What a command prints as JSON."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main([*map(str, arguments), "--json"])
    assert status == 0, f"{arguments}: {status}"
    return json.loads(printed.getvalue())


def journey(folder: Path) -> dict[str, Any]:
    study, space = folder / "ladders", folder / "space.json"
    space.write_text(json.dumps({"format": 1, "family": "ladders", "name": "ladders"}))
    own = ("--study", study)
    train = ("--task", "sides", "--epochs", 4, "--batch", 50, "--learning-rate", 0.01)
    told = {"train": asked("train", *own, "--space", space, *train, "--seed", 1)}
    # Untimed: whether latencies can be relied on hangs on what the machine does beside.
    told["measure"] = asked("measure", *own, "--count", 27, "--untimed")

    from foxnas_core.study import open_study

    frame = open_study(study).table().frame
    budget = float(frame["macs"].median())
    told["rows"] = json.loads(frame.to_json(orient="records"))
    told["fit"] = asked("fit", *own)
    question = ("--objective", "sidedness", "--cost", "macs")
    told["search"] = asked("search", *own, *question, "--budget", budget)
    told["select"] = asked("select", *own, "--method", "climbing", "--limit", f"macs={budget}")
    told["explain"] = asked("explain", *own, "--analysis", "coefficients-rungs")
    report = folder / "report.html"
    told["report"] = asked("report", *own, *question, "--architecture", "4x2x3", "--out", report)
    told["report text"] = report.read_text()
    told["contracts"] = contracts(study)
    told["pages"] = pages(folder, study.name)
    return told | {"budget": budget}


def contracts(study: Path) -> list[str]:
    """The suites that the system's parts pass."""
    from outside.ladders.brightness import Sidedness
    from outside.ladders.cards import RUNGS
    from outside.ladders.climbing import Climbing
    from outside.ladders.family import Ladders

    from foxnas_core.cards.given import Given
    from foxnas_core.families import family_of
    from foxnas_core.methods import Question
    from foxnas_core.study import open_study
    from foxnas_core.supernet.adapter import supernet_of
    from foxnas_core.testing.analyses import check_analysis
    from foxnas_core.testing.families import check_family
    from foxnas_core.testing.methods import check_method
    from foxnas_core.testing.supernets import check_supernet
    from foxnas_core.testing.tasks import check_judging, check_task

    opened = open_study(study)
    supernet, shape = supernet_of(opened.space), (1, 8, 8)
    check_supernet(supernet)
    dataset = Sidedness.load(None, shape)
    check_task(Sidedness, dataset, shape)
    labels = dataset.held_out.labels[:20]
    outputs = np.random.default_rng(0).normal(size=(20, 1))
    check_judging(Sidedness.of(dataset), outputs, 2.0 * labels[:, None] - 1, dataset)
    check_family(family_of(opened.space), opened.space)
    check_analysis(RUNGS, Given(opened))
    check_method(Climbing(), opened, Question("sidedness"))
    return [Ladders.name, RUNGS.key, Climbing.name, Sidedness.name]


def pages(folder: Path, study: str) -> dict[str, str]:
    """What pages say, and the first error or exception of each."""
    os.environ["FOXNAS_STUDIES"] = str(folder)
    told = {}
    for name in (
        "pages/1_Coefficients.py",
        "pages/2_What_if.py",
        "pages/2_What_if.py?view=layers",
        "pages/3_Search.py",
    ):
        page = run_page(name, study=study)
        wrong = [*page.exception, *page.error]
        assert not wrong, f"{name}: {wrong[0].value}"
        headers = [str(header.value) for header in page.header]
        numbers = [f"{metric.label}: {metric.value}" for metric in page.metric]
        told[name] = "\n".join([*headers, *numbers, sentences(page)])
    return told


if __name__ == "__main__":
    document = json.dumps(journey(Path(sys.argv[1])))
    print(document)
