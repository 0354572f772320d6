"""The figures in the documents that the shipped studies give within seconds.

Each has the command that gives it, and is made here by what that command runs: a table stands
between `<!-- generated: NAME -->` and `<!-- end -->`, a number within a sentence between
`<!-- figure: NAME -->` and `<!-- end -->`. `python -m docs.generate`, or `make reference`, renews
them, and a test holds that they are what the studies give.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.evidence.handmade.record import PRECISIONS
from foxnas_core.evidence.trust.agreement import ALL
from foxnas_core.evidence.trust.report import TrustReport
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import MOST_SPREAD, failed_rows

DATA = Path(__file__).parents[1] / "data"
_STUDY = "--study data/demo"
FP32, INT8 = PRECISIONS
_RUNTIMES = {"ONNX Runtime": "ONNX Runtime", "openvino": "OpenVINO"}


@dataclass(frozen=True)
class Figure:
    """What `python -m foxnas_core COMMAND` gives, or that of another `module`, as `make` writes
    it."""

    command: str
    make: Callable[[], str]
    module: str = "foxnas_core"


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """As the documents write it: no 0 before the point."""
    text = f"{value:{'+' if signed else ''}z.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and digits else text


def between(row: Any, name: str, digits: int = 2) -> str:
    """A value with the ends of its interval."""
    low, high = number(row["low"], digits), number(row["high"], digits)
    return f"{number(row[name], digits)} ({low} to {high})"


@cache
def demo() -> Given:
    return Given(open_study(DATA / "demo"), beside=Given(open_study(DATA / "demo-cpu")))


@cache
def told(key: str, **options: str) -> pd.DataFrame:
    """The table of an analysis of the demo."""
    return analysis_of(key).compute(demo(), **options).table


def _lines(header: list[str], body: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(c) + " |" for c in (header, ["---"] * len(header), *body))


# Trust


def _trust() -> str:
    every = told("trust-verdict").set_index(["subnets", "compared with", "inherited"])
    columns = [
        ("trained from scratch", "with recalibration"),
        ("fine-tuned", "with recalibration"),
        ("trained from scratch", "without recalibration"),
    ]
    body = []
    for name in dict.fromkeys(every.index.get_level_values(0)):
        rows = [every.loc[(name, *column)] for column in columns]
        label = name.removesuffix(" subnets")
        label = f"{label.split()[1]} pixels" if label.startswith("resolution") else label
        body.append([label, f"{rows[0]['number']:.0f}", *(between(row, "tau") for row in rows)])
    header = ["subnets", "number", "tau, from scratch", "tau, fine-tuned"]
    return _lines([*header, "from scratch, without recalibration"], body)


@cache
def _report() -> TrustReport:
    from foxnas_core.cards.trust import report_of

    return report_of(demo())


def _tau(subnets: str, what: str) -> str:
    every = told("trust-verdict").set_index(["subnets", "compared with", "inherited"])
    row = every.loc[(subnets, "trained from scratch", "with recalibration")]
    if what == "ends":
        return f"{number(row['low'])} to {number(row['high'])}"
    return between(row, "tau") if what == "both" else number(row["tau"])


def _adds(trained: str = "alone", scope: str = ALL, unit: str = " points") -> str:
    return f"{number(_report().offset(trained, scope).mean, 1)}{unit}"


def _adds_ends(trained: str = "alone") -> str:
    found = _report().offset(trained)
    return f"{number(found.low, 1)} to {number(found.high, 1)}"


def _in_order() -> str:
    return f"{math.floor(100 - 100 * _report().reversed_share['alone'])} of 100"


def _spread_at_18() -> str:
    subnets = _report().subnets
    own = subnets[subnets["resolution"] == 18]
    apart = own["inherited"].max() - own["inherited"].min()
    error = own["inherited_std_error"].mean()
    return f"{number(apart, 1)} points at a standard error of {number(error)}"


def _scored(extreme: str) -> str:
    return f"{demo().study.load_checkpoint().record['accuracy'][extreme]:.1f} %"


# Guard and edits


@cache
def _guarded() -> tuple[pd.DataFrame, float]:
    """The latency's budgets, and the share of its optima that keep what the others promise."""
    from benchmarks.guard import kept_of_measured, priced

    column = demo().study.cost.column
    given = Given(demo().study, cost=column)
    return priced(given, 60), kept_of_measured(given.calibrations_of(column)[column])


@cache
def _edits(target: str) -> pd.Series:
    from benchmarks.coverage import edit_coverage

    return edit_coverage(demo().study.table(), target)


def _edits_held(kind: str) -> str:
    targets = ("accuracy", "latency_ms", "latency_ms:int8")
    first, *rest = (f"{100 * _edits(target)[kind]:.0f}" for target in targets)
    return f"{first}, {rest[0]} and {rest[1]} %"


# int8


def _costs(study: str, runtime: str = "") -> pd.Series:
    table = told("quantization-costs")
    return table[(table["study"] == study) & (table["runtime"] == runtime)].iloc[0]


def _int8() -> str:
    body = []
    for study in ("demo", "demo-cpu"):
        row = _costs(study)
        low, high = number(-row["high"]), number(-row["low"])
        body.append([
            f"{study}, accuracy ({row['subnets']} subnets)", f"{row['fp32']:.2f} %",
            f"{row['int8']:.2f} %", f"{number(-row['value'])} points ({low} to {high})",
        ])  # fmt: skip
    for runtime, name in _RUNTIMES.items():
        for study in ("demo", "demo-cpu"):
            row = _costs(study, runtime)
            ends = f"{-row['high']:+.0f} to {-row['low']:+.0f}"
            sizes = (f"{row[p]:#.3g}".replace("0.", ".", 1) for p in ("fp32", "int8"))
            body.append([
                f"{study}, {name} ({row['subnets']})", *(f"{size} ms" for size in sizes),
                f"{-row['value']:+.0f} % ({ends})",
            ])  # fmt: skip
    return _lines(["", "fp32", "int8", "int8 changes"], body)


def _slower(runtime: str) -> str:
    return f"{-_costs('demo', runtime)['value']:.0f} %"


# Networks designed by hand


def _handmade() -> str:
    int8, fp32 = (told("hand-designed-ratios", precision=p) for p in (INT8, FP32))
    body, before = [], ""
    for row, other in zip(int8.to_dict("records"), fp32.to_dict("records"), strict=True):
        family = "" if row["family"] == before else str(row["family"])
        before = row["family"]
        latency = f"{row['latency (ms)']:.3f}".replace("0.", ".", 1)
        body.append([
            family, number(row["width"]).rstrip("0"), f"{row['accuracy']:.2f} %", f"{latency} ms",
            *(_ratio(one) for one in (row, other)),
        ])  # fmt: skip
    header = ["design", "width", "accuracy, int8", "latency, int8", "over the searched, int8"]
    return _lines([*header, "the same in fp32"], body)


def _ratio(row: Any) -> str:
    if row["at least"]:
        return f"≥ {row['ratio']:.1f}"
    return f"{row['ratio']:.1f} ({row['ratio low']:.1f} to {row['ratio high']:.1f})"


def _failed(column: str) -> str:
    return str(failed_rows(demo().table, column))


@cache
def _ranges() -> np.ndarray:
    """How far the rounds of each latency of the two studies range, as a share of it."""
    found = []
    for table in (demo().table, demo().beside.table):  # type: ignore[union-attr]
        for target in table.targets:
            if target.timed:
                low, high = (table.frame[f"{end}_{target.column}"] for end in ("low", "high"))
                found.append(((high - low) / table.frame[target.column]).dropna().to_numpy())
    return np.concatenate(found)


_TRUST = f"explain {_STUDY} --analysis trust-verdict"
_COSTS = f"explain {_STUDY} --beside data/demo-cpu --analysis quantization-costs"
_SPREAD = f"explain {_STUDY} --analysis measurements-spread"
_BADGES = f"explain {_STUDY} --analysis measurements-checks --cost"


def _blocks() -> str:
    found = analysis_of("devices-block-sums").compute(Given(open_study(DATA / "fbnet"))).table
    kept = [c for c in found if c not in ("blocks", "rounds", "networks")]
    return _lines(
        kept, [[str(value) for value in row] for row in found[kept].itertuples(index=False)]
    )


def _judged(study: str, cell: Callable[[Any], str], analysis: str = "select-judged") -> Figure:
    """A row a choice, a column a seed: what `cell` writes of a judged network."""

    def make() -> str:
        found = analysis_of(analysis).compute(Given(open_study(DATA / study))).table
        seeds = sorted(set(found["seed"]))
        body = []
        for chosen in dict.fromkeys(found["chosen"]):
            own = found[found["chosen"] == chosen].set_index("seed")
            body.append([chosen, *(cell(own.loc[seed]) for seed in seeds)])
        return _lines(["network", *(f"seed {seed}" for seed in seeds)], body)

    return Figure(f"explain --study data/{study} --analysis {analysis}", make)


def _ranked(network: Any) -> str:
    """Its accuracy, and its rank by CIFAR-10."""
    return f"{network['accuracy']:.2f} % ({int(network['rank']):,})"


def _outside(network: Any) -> str:
    """Its accuracy in unseen domains, and its weights."""
    return f"{network['accuracy:ood']:.2f} ({network['parameters'] / 1000:.1f} k)"


def _depths(network: Any) -> str:
    """Its Dice, and how deep its cells are, once where all are alike."""
    cells = network["network"].split(",")
    return f"{number(network['dice'], 3)} ({' '.join(cells if len(set(cells)) > 1 else cells[:1])})"


TABLES = {
    "judged cells": _judged("cells", _ranked),
    "judged letters": _judged("letters", _outside, "select-judged-outside"),
    "judged scans": _judged("hippocampus", _depths),
    "judged phantoms": _judged("volumes", _depths),
    "sums of blocks": Figure("explain --study data/fbnet --analysis devices-block-sums", _blocks),
    "trust of the demo": Figure(_TRUST, _trust),
    "int8 in both spaces": Figure(_COSTS, _int8),
    "hand-made networks": Figure(f"explain {_STUDY} --analysis hand-designed-ratios", _handmade),
}
_TRAIN = f"train {_STUDY} --space foxnas-mini --seed 1"  # the weights hold what it printed
_OFFSETS = f"explain {_STUDY} --analysis trust-offsets"
NUMBERS = {
    "tau": Figure(_TRUST, lambda: _tau("all subnets", "value")),
    "tau ends": Figure(_TRUST, lambda: _tau("all subnets", "ends")),
    "tau within": Figure(_TRUST, lambda: _tau("within a resolution", "both")),
    "tau at 18": Figure(_TRUST, lambda: _tau("resolution 18", "value")),
    "training adds": Figure(_TRUST, _adds),
    "training adds ends": Figure(_TRUST, _adds_ends),
    "fine-tuning adds": Figure(_OFFSETS, lambda: _adds("fine_tuned", unit="")),
    "fine-tuning adds ends": Figure(_OFFSETS, lambda: _adds_ends("fine_tuned")),
    **{
        f"training adds at {pixels}": Figure(
            _OFFSETS, lambda pixels=pixels: _adds(scope=str(pixels), unit="")
        )
        for pixels in (12, 18, 28)
    },
    "pairs in order": Figure(_TRUST, _in_order),
    "inherited at 18": Figure(f"explain {_STUDY} --analysis trust-pairs", _spread_at_18),
    "recalibration adds": Figure(_TRUST, lambda: f"{_report().recalibration_gain:.0f} points"),
    "largest of the demo": Figure(_TRAIN, lambda: _scored("largest")),
    "smallest of the demo": Figure(_TRAIN, lambda: _scored("smallest")),
    "budgets kept": Figure("", lambda: number(_guarded()[0]["kept"].mean(), 3), "benchmarks.guard"),
    "price of the guard": Figure(
        "", lambda: f"{number(-_guarded()[0]['price'].mean())} points", "benchmarks.guard"
    ),
    "optima kept": Figure("", lambda: number(_guarded()[1], 3), "benchmarks.guard"),
    "edits held": Figure("--edits", lambda: _edits_held("this_edit"), "benchmarks.coverage"),
    "average edits held": Figure(
        "--edits", lambda: _edits_held("average_edit"), "benchmarks.coverage"
    ),
    "int8 slower": Figure(_COSTS, lambda: _slower("ONNX Runtime")),
    "int8 slower in OpenVINO": Figure(_COSTS, lambda: _slower("openvino")),
    "latencies": Figure(_SPREAD, lambda: f"{len(_ranges()):,}"),
    "usual range": Figure(_SPREAD, lambda: f"{100 * np.quantile(_ranges(), 0.9):.1f} %"),
    "wide ranges": Figure(_SPREAD, lambda: str((_ranges() > MOST_SPREAD).sum())),
    "widest range": Figure(_SPREAD, lambda: f"{100 * _ranges().max():.0f} %"),
    "failed in fp32": Figure(f"{_BADGES} latency_ms", lambda: _failed("latency_ms")),
    "failed in int8": Figure(f"{_BADGES} latency_ms:int8", lambda: _failed("latency_ms:int8")),
}
