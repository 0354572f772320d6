"""A space small enough to compute with by hand, and tables whose truth is known."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from foxnas_core.families import space_from_dict
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable, table_from_frame


def hand_document(*, resolutions: tuple[int, ...] = ()) -> dict:
    """Two stages: `p` of one or two blocks (p1, p2), `q` of one block (q1); three kernels."""
    only_deep = [{"decision": "p_depth", "values": [2]}]

    def kernel(group: str, slot: str, conditions: list) -> dict:
        return {
            "name": f"{slot}_kernel", "group": group, "role": "kernel", "choices": [3, 5, 7],
            "slot": slot, "conditions": conditions,
        }  # fmt: skip

    resolution = {
        "name": "resolution", "group": "input", "role": "resolution",
        "choices": list(resolutions),
    }  # fmt: skip
    return {
        "format": 1,
        "family": "listed",
        "name": "hand",
        "context": ["input"] if resolutions else [],
        "decisions": [
            *([resolution] if resolutions else []),
            {"name": "p_depth", "group": "p", "role": "depth", "choices": [1, 2]},
            kernel("p", "p1", []),
            kernel("p", "p2", only_deep),
            kernel("q", "q1", []),
        ],
    }


def hand_space(*, resolutions: tuple[int, ...] = ()) -> SearchSpace:
    return space_from_dict(hand_document(resolutions=resolutions))


def two_block_space() -> SearchSpace:
    """Two stages of one block each (p1, q1) that are always there; three kernels."""
    return space_from_dict(
        {
            "format": 1,
            "family": "listed",
            "name": "two blocks",
            "decisions": [
                {"name": f"{group}1_kernel", "group": group, "role": "kernel",
                 "choices": [3, 5, 7], "slot": f"{group}1"}
                for group in "pq"
            ],
        }
    )  # fmt: skip


def choice_space(choices: Mapping[str, tuple]) -> SearchSpace:
    """A space of unconditioned operations, each a group of its own."""
    return space_from_dict(
        {
            "format": 1,
            "family": "listed",
            "name": "choices",
            "decisions": [
                {"name": name, "group": name, "role": "operation", "choices": list(values)}
                for name, values in choices.items()
            ],
        }
    )


def table_of(
    space: SearchSpace, codes: np.ndarray, *, ordered: bool = True, **targets: np.ndarray
) -> MeasurementTable:
    """A table of the architectures of `codes` with these target columns."""
    frame = pd.DataFrame([a.to_dict() for a in space.decode(codes)], columns=list(space.by_name))
    return table_from_frame(space, frame.assign(**targets), ordered=ordered)


def noisy_table(
    space: SearchSpace, rows: int, *, seed: int = 0, noise: float = 0.2, ordered: bool = True
) -> MeasurementTable:
    """Accuracy and latency that every decision's code moves, with noise of a known size."""
    codes = space.random_codes(rows, seed=seed)
    rng = np.random.default_rng(seed)
    weights = 1 + np.arange(codes.shape[1]) / 10
    total = (codes + 1) @ weights
    return table_of(
        space,
        codes,
        ordered=ordered,
        accuracy=50 + 30 * total / total.max() + rng.normal(0, noise, rows),
        latency_ms=10 + total + rng.normal(0, noise, rows),
    )


def saturating_table(space: SearchSpace, rows: int, *, seed: int = 0) -> MeasurementTable:
    """`noisy_table` with an accuracy that nears a ceiling of 90 %."""
    table = noisy_table(space, rows, seed=seed)
    accuracy = Link(65.0, 1 / 25).inverse(table.values("accuracy"))
    return table_of(space, table.codes, accuracy=accuracy, latency_ms=table.values("latency_ms"))


def rows(**changes: object) -> pd.DataFrame:
    """A shallow and a deep architecture with all their targets."""
    frame = pd.DataFrame(
        {
            "p_depth": [1, 2],
            "p1_kernel": [3, 5],
            "p2_kernel": [np.nan, 7],
            "q1_kernel": [7, 3],
            "accuracy": [70.5, 71.0],
            "latency_ms": [1.5, 2.5],
        }
    )
    return frame.assign(**changes)


def same(first: MeasurementTable, second: MeasurementTable) -> bool:
    pd.testing.assert_frame_equal(first.frame, second.frame)
    return (
        np.array_equal(first.codes, second.codes)
        and first.targets == second.targets
        and dict(first.record) == dict(second.record)
        and first.ordered == second.ordered
        and first.fingerprint == second.fingerprint
    )


def corner(space: SearchSpace, position: int) -> Architecture:
    """The architecture of everyone's first (0) or last (-1) choice, sizes or none."""
    return space.architecture({d.name: d.choices[position] for d in space.decisions})
