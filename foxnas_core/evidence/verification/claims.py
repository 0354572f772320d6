"""What was claimed before measuring, and what was measured: plain values that a study keeps.

A trial is one act of measuring: an edited subnet, alone or with the one that it was edited from.
Its claims are frozen by fits that have not seen either subnet, and are kept before anything is
measured; its verdicts come after.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from foxnas_core.records import RecordKind, Stored
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor

Kind = Literal["value", "difference"]
Chosen = Literal["random", "picked", "regression", "trees"]
# The two kinds of interval that a difference has.
THIS_EDIT, AVERAGE_EDIT = "this edit of this subnet", "the average edit"
KINDS: Mapping[str, str] = {"value": "a subnet's value", "difference": "what an edit changes"}
CHOSEN: Mapping[str, str] = {
    "random": "drawn at random",
    "picked": "picked by hand",
    "regression": "found by the regression",
    "trees": "found by boosted trees",
}


@dataclass(frozen=True)
class FitRecord:
    """Which fit a claim is of: its form, the rows it read, the fingerprint of the table it was
    fitted on (without the claim's own subnets) and that of its estimates."""

    form: str
    rows: int
    table: str
    estimates: str

    @classmethod
    def of(cls, predictor: "Predictor") -> "FitRecord":
        digest = hashlib.sha256(predictor.form.name.encode())
        digest.update(predictor.estimates.tobytes())
        digest.update(predictor.covariance.tobytes())
        digest.update(json.dumps([predictor.link.center, predictor.link.rate]).encode())
        return cls(
            predictor.form.name,
            predictor.rows,
            predictor.table_fingerprint,
            digest.hexdigest()[:12],
        )


@dataclass(frozen=True)
class Claim:
    """A prediction with its interval, of one target, in the target's unit.

    - of kind "value": the edited subnet's value; `low` to `high` is the prediction interval. Of one
      that was searched for, `expected` is what it is expected to measure, by what optima did, and
      `expected_low` to `expected_high` its interval.
    - of kind "difference": the edited subnet's value less that of the one it was edited from;
      `low` to `high` is the confidence interval of the average edit, over all such subnets.

    `scatter_low` to `scatter_high` is the interval of this edit of this subnet, of which measured
    differences scatter about the fit; for a value that is the prediction interval. `quantile` is
    how many standard errors an interval reaches to either side. See `judging`.
    """

    kind: Kind
    target: str
    value: float
    low: float
    high: float
    scatter_low: float
    scatter_high: float
    quantile: float
    fit: FitRecord
    expected: Annotated[float | None, Stored(omitted=True)] = None
    expected_low: Annotated[float | None, Stored(omitted=True)] = None
    expected_high: Annotated[float | None, Stored(omitted=True)] = None

    def __post_init__(self) -> None:
        metric_of(self.target)
        if len({end is None for end in (self.expected, self.expected_low, self.expected_high)}) > 1:
            raise ValueError("what is expected has no interval")

    @property
    def headline(self) -> tuple[float, float, float]:
        """What is held against the measurement: what is expected where optima told, else the value,
        with the ends of its interval."""
        if self.expected is None or self.expected_low is None or self.expected_high is None:
            return self.value, self.scatter_low, self.scatter_high
        return self.expected, self.expected_low, self.expected_high

    @property
    def clear(self) -> bool:
        """Whether the stated interval tells the sign."""
        return self.low * self.high > 0


@dataclass(frozen=True)
class Verdict:
    """What was measured of one claim.

    `low` to `high` bound the measured value itself, at the trial's confidence; a latency's are the
    range of its rounds. `judged_low` to `judged_high` is the claim's `low` to `high`, widened as
    `judging` says, and `inside` whether that holds it; of a difference that is a test of the
    average edit (see `Trial.holds`).
    `reason` says why a verdict does not count, "" where it does.
    """

    measured: float
    std_error: float
    low: float
    high: float
    judged_low: float
    judged_high: float
    reason: str = ""

    @property
    def inside(self) -> bool:
        return self.judged_low <= self.measured <= self.judged_high

    @property
    def clear(self) -> bool:
        """Whether the measurement tells the sign."""
        return self.low * self.high > 0


def widened(value: float, low: float, high: float, further: float) -> tuple[float, float]:
    """The ends of an interval about a value with a further half width, added as squares."""
    if further == 0:
        return low, high
    return value - math.hypot(value - low, further), value + math.hypot(high - value, further)


@dataclass(frozen=True)
class Circumstances:
    """How a trial was measured: on `images` of all `held_out`; `rows` counts those appended to the
    study's table; `latency_device` is where that table's latencies are from, "" if unknown."""

    images: int
    held_out: int
    device: str
    latency_device: str
    campaign: str
    rows: int
    measured: str  # UTC, as in Trial.made


@dataclass(frozen=True)
class Trial:
    """Claims on one or two subnets and, once measured, a verdict for each of them.

    `subnets` are the edited one alone, or the one it was edited from first; `edit` says what
    differs. `chosen` says by whom they were, `seed` with which seed. `parents` holds the
    fingerprints of space, measurements, checkpoint and images when the claims were made, at `made`
    (UTC), and `left_out` how many rows of these subnets the fits did not see.
    """

    id: str
    subnets: tuple[Architecture, ...]
    edit: str
    chosen: Chosen
    seed: int
    level: float
    parents: dict[str, str]
    made: str
    left_out: int
    claims: tuple[Claim, ...]
    verdicts: tuple[Verdict, ...] = ()
    circumstances: Circumstances | None = None

    def __post_init__(self) -> None:
        if (
            not self.claims
            or len(self.subnets) not in (1, 2)
            or len(self.verdicts) not in (0, len(self.claims))
            or self.done != (self.circumstances is not None)
        ):
            raise ValueError("claims, subnets, verdicts and circumstances do not belong together")
        if not 0 < self.level < 1:
            raise ValueError(f"level {self.level}")
        if not {"space", "measurements", "checkpoint", "images"} <= set(self.parents):
            raise ValueError("a parent is missing")

    @property
    def done(self) -> bool:
        return bool(self.verdicts)

    @property
    def judged(self) -> tuple[tuple[Claim, Verdict], ...]:
        return tuple(zip(self.claims, self.verdicts, strict=True)) if self.done else ()

    @property
    def edited(self) -> Architecture:
        return self.subnets[-1]

    @property
    def title(self) -> str:
        """Which subnets, in a few words."""
        return f"{self.edited.id}: {self.edit}" if self.edit else self.edited.id

    def interval(self, claim: Claim, verdict: Verdict) -> tuple[float, float]:
        """What a claim of this subnet, or of this edit of it, is held against: its own interval,
        wider where fewer than all images were scored."""
        if claim.kind == "value" and claim.expected is None:
            return verdict.judged_low, verdict.judged_high
        how = self.circumstances
        left = 1.0 - how.images / how.held_out if how and metric_of(claim.target).quality else 0.0
        further = claim.quantile * verdict.std_error * math.sqrt(left)
        return widened(*claim.headline, further)

    def holds(self, claim: Claim, verdict: Verdict) -> bool:
        """Whether what was measured lies in `interval`."""
        low, high = self.interval(claim, verdict)
        return low <= verdict.measured <= high

    def sentences(self) -> list[str]:
        """Each verdict in words."""
        return [self._sentence(claim, verdict) for claim, verdict in self.judged]

    def _sentence(self, claim: Claim, verdict: Verdict) -> str:
        target = metric_of(claim.target)
        signed = claim.kind == "difference"
        unit = target.difference_unit if signed else target.unit

        def told(value: float) -> str:
            return target.text(value, signed=signed)

        value, *own = claim.headline
        low, high = self.interval(claim, verdict)
        ends = target.interval_text(*own, signed=signed)
        if signed:
            average = target.interval_text(claim.low, claim.high, signed=signed)
            ends = f"{THIS_EDIT}: {ends}; {AVERAGE_EDIT}: {average}"
        how, plain = "claimed" if signed else "predicted", ""
        if claim.expected is not None:
            around = target.interval_text(claim.low, claim.high)
            how, plain = "expected to measure", f", predicted {told(claim.value)} ({around})"
        sentence = (
            f"{target.label}: {how} {told(value)} {unit} ({ends}){plain}, measured "
            f"{told(verdict.measured)} {unit} ({told(verdict.low)} to {told(verdict.high)}), which "
            f"is {'inside' if self.holds(claim, verdict) else 'outside'} "
        )
        if [low, high] == own:
            sentence += f"the interval of {THIS_EDIT}." if signed else "the stated interval."
        else:
            sentence += f"{told(low)} to {told(high)}, that interval widened by the fewer images."
        if signed:
            sentence += (
                f" That of {AVERAGE_EDIT}, widened by the error of measuring both to "
                f"{told(verdict.judged_low)} to {told(verdict.judged_high)}, "
                f"{'holds' if verdict.inside else 'does not hold'} it."
            )
        if signed and claim.clear:
            if not verdict.clear:
                sentence += " The measurement alone does not tell the direction."
            elif verdict.measured * claim.value > 0:
                sentence += " The direction is as claimed."
            else:
                sentence += " The direction is the opposite."
        return f"{sentence} Not counted: {verdict.reason}." if verdict.reason else sentence


@dataclass(frozen=True)
class Trials:
    """All trials of a study, the oldest first."""

    trials: tuple[Trial, ...] = ()

    @property
    def by_id(self) -> dict[str, Trial]:
        return {trial.id: trial for trial in self.trials}

    def with_stated(self, stated: Sequence[Trial]) -> "Trials":
        """With claims before they are measured; one whose id is there already stays as it is."""
        known = self.by_id
        return Trials((*self.trials, *(trial for trial in stated if trial.id not in known)))

    def with_settled(self, settled: Trial) -> "Trials":
        """With a measured trial in the place of its claims; the first verdict on a claim stands."""
        known = self.by_id
        if settled.id not in known or not known[settled.id].done:
            known[settled.id] = settled
        return Trials(tuple(known.values()))


CLAIMS = RecordKind[Trials](
    "claims.json", Trials, "claims made before measuring, and what was measured", Trials()
)
