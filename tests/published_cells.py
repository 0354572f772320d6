"""The published measurements of NAS-Bench-201, where they lie beside the checkout."""

import pandas as pd
import pytest
from conftest import REPOSITORY

_FILE = REPOSITORY.parent / "shared" / "data" / "nb201_part.parquet"


def published_cells() -> pd.DataFrame:
    """All 15,625 rows in their published order; skips the test where the file is absent."""
    if not _FILE.exists():
        pytest.skip(f"{_FILE.name} is not beside the checkout")
    return pd.read_parquet(_FILE)
