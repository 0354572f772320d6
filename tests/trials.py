"""Trials as a study keeps them, made by hand."""

from foxnas_core.evidence.verification.claims import (
    Circumstances,
    Claim,
    FitRecord,
    Trial,
    Verdict,
    widened,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

FIT = FitRecord("per_layer", 100, "a" * 12, "b" * 12)


def claim_of(kind="value", target="accuracy", value=80.0, half=1.0, scatter=None) -> Claim:
    """A claim with as much to either side."""
    wide = half if scatter is None else scatter
    ends = (value - half, value + half, value - wide, value + wide)
    return Claim(kind, target, value, *ends, 1.96, FIT)


def verdict_of(claim: Claim, measured: float, half=0.2, reason="") -> Verdict:
    """What measuring it to so many either side says."""
    error = half / 1.96
    further = claim.quantile * error if claim.kind == "difference" else 0.0
    judged = widened(claim.value, claim.low, claim.high, further)
    return Verdict(measured, error, measured - half, measured + half, *judged, reason)


def trial_of(
    space: SearchSpace,
    name: str,
    claims: list[Claim],
    measured: list[float] | None = None,
    *,
    chosen="random",
    reason="",
    checkpoint="c" * 12,
    subnets: tuple[Architecture, ...] | None = None,
) -> Trial:
    """A trial of two subnets, measured where values are given."""
    pair = subnets or tuple(space.sample(2, seed=0))
    verdicts = tuple(
        verdict_of(claim, value, reason=reason)
        for claim, value in zip(claims, measured or [], strict=bool(measured))
    )
    return Trial(
        id=name,
        subnets=pair,
        edit="p1 kernel 3 → 5" if len(pair) == 2 else "",
        chosen=chosen,
        seed=3,
        level=0.95,
        parents={
            "space": space.fingerprint, "measurements": "d" * 12,
            "checkpoint": checkpoint, "images": "e" * 12,
        },
        made="2026-01-02T03:04:05+00:00",
        left_out=0,
        claims=tuple(claims),
        verdicts=verdicts if measured else (),
        circumstances=Circumstances(
            2000, 2000, "here", "here", "verify-1", 2, "2026-01-02T03:05:05+00:00"
        )
        if measured
        else None,
    )  # fmt: skip
