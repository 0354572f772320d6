"""The table of an export's checks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.export.formats import FileCheck


def checks_table(checks: Sequence[FileCheck]) -> pd.DataFrame:
    """One row a file that was run again: how far its answers lie from the subnet's, and its
    score where it was run on all held-out images."""
    return pd.DataFrame(
        [
            {
                "file": check.file,
                "images compared": check.images,
                "greatest logit difference": check.max_difference,
                "same class (%)": check.agreement,
                "score": np.nan if check.score is None else check.score,
            }
            for check in checks
        ]
    )
