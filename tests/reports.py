"""A small study to report on, and its fits, which are made once."""

import base64
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from hand import hand_space, saturating_table

from foxnas_core.regression import Predictor, fit
from foxnas_core.reporting.layout import Figure
from foxnas_core.study import Study, create_study, open_study

SPACE = hand_space(resolutions=(12, 24))
TABLE = saturating_table(SPACE, 150)


@functools.cache
def _fitted(link: str) -> dict[str, Predictor]:
    return {
        "accuracy": fit(TABLE, "accuracy", "per_layer", link),
        "latency_ms": fit(TABLE, "latency_ms", "per_layer"),
    }


def fitted(link: str = "saturating") -> dict[str, Predictor]:
    return dict(_fitted(link))


def study_of(folder: Path, **about: str) -> Study:
    """A study of `TABLE`, created in `folder` once."""
    path = folder / "study"
    if path.exists():
        return open_study(path)
    return create_study(path, SPACE, **{"name": "Report me", **about}, table=TABLE)


def measure_optima(study: Study) -> None:
    """Give it optima that take a tenth longer than predicted, more or less."""
    found = SPACE.sample(8, seed=5, exclude=list(TABLE.frame["id"].unique()))
    predicted = {c: p.predict(found)["value"] for c, p in fitted().items()}
    late = predicted["latency_ms"] * np.linspace(1.08, 1.12, len(found))
    rows = [
        {"accuracy": a, "latency_ms": ms, "budget": ms, "searched_latency": "latency_ms"}
        for a, ms in zip(predicted["accuracy"], late, strict=True)
    ]
    study.append(found, rows, optima=True)


def points_of(figure: Figure) -> list[int]:
    """How many points each trace of a figure of the file has."""
    return [_count(trace["x"]) for trace in json.loads(figure.drawn)["data"]]


def _count(values: Any) -> int:
    """Of a list, or of numbers as Plotly encodes them."""
    if isinstance(values, list):
        return len(values)
    return len(np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]))
