"""Tables that no sum over decisions can tell: their regression's optimum is none."""

from pathlib import Path

import numpy as np
from hand import choice_space, table_of

from foxnas_core.study import Study, create_study
from foxnas_core.table.measurements import MeasurementTable

SPACE = choice_space({f"e{i}": (0, 1, 2) for i in range(4)})
CODES = SPACE.option_codes(SPACE.decisions)
ONES = (CODES == 1).sum(axis=1)
LATENCY = 2 + 0.5 * CODES.sum(axis=1)


def tricky_table(kept: np.ndarray | None = None, **columns: np.ndarray) -> MeasurementTable:
    """Ones are good alone and spoil each other; of all 81 architectures, or of those `kept`."""
    accuracy = 60 + 3.0 * np.minimum(ONES, 3) - 5.0 * (ONES == 4)
    told = {"accuracy": accuracy + CODES @ (0.1, 0.11, 0.12, 0.13), "latency_ms": LATENCY}
    chosen = np.ones(len(CODES), dtype=bool) if kept is None else kept
    return table_of(SPACE, CODES[chosen], **{n: v[chosen] for n, v in (told | columns).items()})


def tricky_study(folder: Path, kept: np.ndarray | None = None, **columns: np.ndarray) -> Study:
    return create_study(folder, SPACE, name="Tricky", table=tricky_table(kept, **columns))
