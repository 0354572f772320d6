"""How many claims were tested, and how many held: the honesty of the explanations, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from foxnas_core.evidence.verification.claims import (
    AVERAGE_EDIT,
    CHOSEN,
    KINDS,
    THIS_EDIT,
    Claim,
    Trial,
    Verdict,
)
from foxnas_core.evidence.verification.judging import wilson
from foxnas_core.table.metrics import metric_of

COLUMNS = [
    "kind", "target", "chosen", "tested", "held", "share", "low", "high", "stated",
    "not counted", "within scatter", "held on average", "directions", "directions right",
]  # fmt: skip
_MEASURED = {"measured": "measured", "measured low": "low", "measured high": "high"}
_AVERAGE, _JUDGED = ("average low", "average high"), ("judged low", "judged high")
_CLAIMED, _PREDICTED = ((name, f"{name} low", f"{name} high") for name in ("claimed", "predicted"))
_NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """`table` has one row for each kind of claim, target, way of choosing and confidence:

    kind, target, chosen; how many were `tested` and `held`; the `share` that held with its Wilson
    interval `low` to `high` (95 %), and the `stated` confidence, all in percent; how many were
    measured but `not counted`. A difference holds where the interval of this edit of this subnet
    holds it (`within scatter`, the same number); for how many the average edit's does as well
    (`held on average`), and of those whose average interval and whose measurement both tell a
    direction (`directions`) for how many it is the same one (`directions right`). `pending` claims
    were stated and not measured yet.
    """

    table: pd.DataFrame
    pending: int

    @property
    def tested(self) -> int:
        return int(self.table["tested"].sum())

    @property
    def held(self) -> int:
        return int(self.table["held"].sum())

    def sentences(self) -> list[str]:
        """What it comes to, in words."""
        if not self.tested:
            said = "No claim was tested yet" + (
                ", but for some that do not count." if len(self.table) else "."
            )
            return [said, *self._pending()]
        stated = " or ".join(f"{s:g} %" for s in sorted(set(self.table["stated"])))
        sentences = [
            f"{self.held} of {self.tested} tested claims held, {100 * self.held / self.tested:.0f} "
            f"%; stated were {stated}."
        ]
        counted = self.table[self.table["tested"] > 0]
        fewer = counted[counted["high"] < counted["stated"]]
        for words, named in (
            (fewer[fewer["kind"] == "value"], "fewer than stated, so its intervals are too narrow"),
            (fewer[fewer["kind"] == "difference"], "fewer than stated, so its intervals are too "
             "narrow"),
            (counted[counted["low"] > counted["stated"]], "more than stated, so its intervals are "
             "wider than need be"),
        ):  # fmt: skip
            sentences += [f"{_row_name(row)}: {named}." for _, row in words.iterrows()]
        if len(sentences) == 1:
            sentences.append(
                "Every share's interval has the stated confidence in it, so nothing speaks against "
                "the intervals."
            )
        average = counted[counted["kind"] == "difference"]
        if len(average):
            sentences.append(
                f"Of {average['tested'].sum()} edits, {average['held'].sum()} are within the "
                f"interval of {THIS_EDIT}, and {average['held on average'].sum()} within that of "
                f"{AVERAGE_EDIT}, which promises less: a mean over all such subnets."
            )
        told, right = (int(self.table[c].sum()) for c in ("directions", "directions right"))
        if told:
            sentences.append(
                f"Where an effect was claimed with a sign and the measurement tells one, {right} "
                f"of {told} have the sign that was claimed."
            )
        return [*sentences, *self._pending()]

    def _pending(self) -> list[str]:
        if not self.pending:
            return []
        return [f"{self.pending} claims were stated and are not measured yet."]


def scoreboard(trials: Sequence[Trial]) -> Scoreboard:
    """The scoreboard of these trials, random ones first."""
    judged = [(trial, *pair) for trial in trials for pair in trial.judged]
    groups: dict[tuple[str, str, str, float], list[tuple[Trial, Claim, Verdict]]] = {}
    order = [(kind, chosen) for chosen in CHOSEN for kind in KINDS]
    judged.sort(key=lambda x: order.index((x[1].kind, x[0].chosen)))
    for trial, claim, verdict in judged:
        key = (claim.kind, claim.target, trial.chosen, trial.level)
        groups.setdefault(key, []).append((trial, claim, verdict))
    rows = [_row(key, own) for key, own in groups.items()]
    pending = sum(len(trial.claims) for trial in trials if not trial.done)
    return Scoreboard(pd.DataFrame(rows, columns=COLUMNS), pending)


def scoreboard_document(board: Scoreboard) -> dict[str, Any]:
    """What `verify --json` prints of it; missing numbers are null."""
    rows = board.table.astype(object).where(board.table.notna(), None).to_dict("records")
    return {"scoreboard": rows, "pending": board.pending, "sentences": board.sentences()}


def _row(
    key: tuple[str, str, str, float], own: Sequence[tuple[Trial, Claim, Verdict]]
) -> dict[str, object]:
    kind, target, chosen, level = key
    counted = [judged for judged in own if not judged[2].reason]
    held = sum(trial.holds(claim, verdict) for trial, claim, verdict in counted)
    low, high = wilson(held, len(counted))
    differences = counted if kind == "difference" else []
    told = [(c, v) for _, c, v in differences if c.clear and v.clear]
    return {
        "kind": kind,
        "target": target,
        "chosen": chosen,
        "tested": len(counted),
        "held": held,
        "share": 100 * held / len(counted) if counted else float("nan"),
        "low": 100 * low,
        "high": 100 * high,
        "stated": 100 * level,
        "not counted": len(own) - len(counted),
        "within scatter": held if differences else 0,
        "held on average": sum(v.inside for _, _, v in differences),
        "directions": len(told),
        "directions right": sum(v.measured * c.value > 0 for c, v in told),
    }


def _row_name(row: pd.Series) -> str:
    target = metric_of(row["target"]).label
    return f"{target}, {KINDS[row['kind']]}, {CHOSEN[row['chosen']]}"


def trials_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """One row a claim, in the order of the trials: all that was stated and measured."""
    rows = [
        {
            "trial": trial.id,
            "made": trial.made,
            "chosen": trial.chosen,
            "seed": trial.seed,
            "subnet": trial.edited.id,
            "edited from": trial.subnets[0].id if len(trial.subnets) == 2 else "",
            "edit": trial.edit,
            "kind": claim.kind,
            "target": claim.target,
            "stated (%)": 100 * trial.level,
            **dict(zip(_CLAIMED, claim.headline, strict=True)),
            **dict(zip(_PREDICTED, _predicted(claim), strict=True)),
            **dict(zip(_AVERAGE, _average(claim), strict=True)),
            **{name: getattr(verdict, own, float("nan")) for name, own in _MEASURED.items()},
            **dict(zip(_JUDGED, _interval(trial, claim, verdict), strict=True)),
            "verdict": _verdict_word(trial, claim, verdict),
            "not counted": verdict.reason if verdict else "",
            "images": trial.circumstances.images if trial.circumstances else 0,
            "device": trial.circumstances.device if trial.circumstances else "",
            "fit": claim.fit.estimates,
            "fitted table": claim.fit.table,
        }
        for trial in trials
        for claim, verdict in trial.judged or [(claim, None) for claim in trial.claims]
    ]
    return pd.DataFrame(rows)


def _predicted(claim: Claim) -> tuple[float, float, float]:
    """The plain prediction behind the claim; of a difference there is none."""
    if claim.kind == "difference":
        return (float("nan"), *_NOTHING)
    return claim.value, claim.low, claim.high


def _average(claim: Claim) -> tuple[float, float]:
    """The interval of the average edit; of a value there is none."""
    return (claim.low, claim.high) if claim.kind == "difference" else _NOTHING


def _interval(trial: Trial, claim: Claim, verdict: Verdict | None) -> tuple[float, float]:
    return _NOTHING if verdict is None else trial.interval(claim, verdict)


def _verdict_word(trial: Trial, claim: Claim, verdict: Verdict | None) -> str:
    if verdict is None:
        return "not measured"
    return "inside" if trial.holds(claim, verdict) else "outside"
