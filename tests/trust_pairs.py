"""Trust pairs made up for tests: real architectures, given accuracies."""

from collections.abc import Sequence

from foxnas_core.evidence.trust.pairs import (
    Score,
    TrustPair,
    TrustRecord,
    TrustSettings,
    spread_sample,
)
from foxnas_core.space.search_space import SearchSpace


def pairs_of(
    space: SearchSpace,
    inherited: Sequence[float],
    alone: Sequence[float],
    *,
    fine_tuned: Sequence[float] | None = None,
    unrecalibrated: Sequence[float] | None = None,
    std_error: float = 0.1,
) -> list[TrustPair]:
    """A pair for each entry; fine-tuned as alone and unrecalibrated as inherited unless given."""
    rows = zip(
        spread_sample(space, len(inherited), seed=0),
        inherited,
        unrecalibrated or inherited,
        alone,
        fine_tuned or alone,
        strict=True,
    )
    return [
        TrustPair(
            architecture, 1000.0 + k, 1e5 * (k + 1),
            *(Score(float(value), std_error) for value in values),
            seed=0, seconds=1.0, device="a processor", torch="2",
        )
        for k, (architecture, *values) in enumerate(rows)
    ]  # fmt: skip


def begun(space: SearchSpace) -> TrustRecord:
    parents = {"space": "s", "checkpoint": "c"}
    return TrustRecord(parents, "stripes", 400, TrustSettings(12, 3))
