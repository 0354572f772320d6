"""Records of hand-made and searched networks, made up for tests: real designs and architectures,
given figures."""

from collections.abc import Mapping, Sequence

from foxnas_core.evidence.handmade.designs import DESIGNS
from foxnas_core.evidence.handmade.record import (
    ALONE,
    INHERITED,
    PRECISIONS,
    SEARCHED,
    Contender,
    HandmadeRecord,
    Latency,
    Result,
)
from foxnas_core.evidence.trust.pairs import Score
from foxnas_core.space.search_space import SearchSpace

CIRCUMSTANCES = {
    "device": "a processor", "runtime": "ONNX Runtime 1", "threads": 1, "rounds": 9, "seed": 1,
}  # fmt: skip
RECIPE = {
    "epochs": 5, "batch": 128, "learning_rate": 3e-3, "weight_decay": 0.01, "warmup": 0.03,
}  # fmt: skip
Point = tuple[float, float]
"""A latency (ms) and an accuracy (%)."""


def result(accuracy: float, *, way: str = ALONE, seed: int = 1, std_error: float = 0.2) -> Result:
    """The accuracy in fp32; a point less in int8."""
    scores = {"": Score(accuracy, std_error), ":int8": Score(accuracy - 1, std_error)}
    return Result(way, seed, scores, 60.0, "a processor", "2")


def latency(value: float, spread: float = 0.02) -> Mapping[str, Latency]:
    """Equal in both precisions."""
    times = Latency(value, value * (1 - spread), value * (1 + spread), 0.01)
    return dict.fromkeys(PRECISIONS, times)


def record_of(
    space: SearchSpace,
    searched: Sequence[Point],
    made: Mapping[str, Sequence[Point]],
    *,
    inherited_less: float = 3.0,
    std_error: float = 0.2,
    spread: float = 0.02,
) -> HandmadeRecord:
    """Hand-made networks of the designs named, at widths .1, .2, …, and searched ones, whose
    inherited accuracy is by so much less than that trained alone."""
    contenders = [
        Contender(
            name=f"{name}-{(k + 1) / 10:g}", family=name, width=(k + 1) / 10,
            resolution=28, parameters=1e4, macs=1e6,
            results=(result(accuracy, std_error=std_error),), latency=latency(time, spread),
        )
        for name, points in made.items()
        for k, (time, accuracy) in enumerate(points)
    ]  # fmt: skip
    contenders += [
        Contender(
            name=f"searched-{architecture.id}", family=SEARCHED, architecture=architecture,
            resolution=18, parameters=2e4, macs=5e5,
            chosen="best predicted accuracy within 1 ms", latency=latency(time, spread),
            results=(
                result(accuracy - inherited_less, way=INHERITED, std_error=std_error),
                result(accuracy, std_error=std_error),
            ),
        )
        for architecture, (time, accuracy) in zip(
            space.sample(len(searched), seed=0), searched, strict=True
        )
    ]  # fmt: skip
    parents = {"space": "s", "checkpoint": "c", "measurements": "m"}
    return HandmadeRecord(
        parents, "stripes", 400, 300, dict(RECIPE), CIRCUMSTANCES, tuple(contenders)
    )


def usual_record(space: SearchSpace) -> HandmadeRecord:
    """Every design at two widths: the narrow ones at 85 and 88 % in twice and 1.5 times the time
    of searched networks as accurate, the wide ones more accurate than any."""
    searched = [(0.02, 84.0), (0.04, 88.0), (0.08, 90.0), (0.06, 86.0)]
    points = [(0.08, 88.0), (0.12, 92.0)]
    return record_of(space, searched, {design.name: points for design in DESIGNS})
