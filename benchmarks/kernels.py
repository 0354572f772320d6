"""Whether one kernel of 7 beats two of 3 in unseen domains and loses to them in seen ones, in the
rows of a study.

    python -m benchmarks.kernels [--study data/letters]

Rows in which a stage has one block of kernel 7 are compared with those in which it has two of
kernel 3, stage by stage and all together: least squares on which it is, the logarithm of MACs and
the stage, with 95 % intervals that allow for unequal spread (HC3). A row counts in every stage in
which it has either, and intervals of all stages together are clustered by rows.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from foxnas_core.study import open_study
from foxnas_core.tasks.domain_split import DOMAINS, IID, OOD

ONE, TWO = "one of 7", "two of 3"


def compared(frame: pd.DataFrame, stage: str) -> pd.DataFrame:
    """The rows in which a stage has either, with which of them."""
    first, second = (frame[f"{stage}b{place}_kernel"] for place in (1, 2))
    depth = frame[f"{stage}_depth"]
    names = np.select(
        [(depth == 1) & (first == 7), (depth == 2) & (first == 3) & (second == 3)], [ONE, TWO], ""
    )
    return frame.assign(stage=stage, which=names)[names != ""]


def difference(rows: pd.DataFrame, column: str, *, at_size: bool) -> str:
    """What `ONE` has more of a column than `TWO`, with its 95 % interval."""
    x = pd.get_dummies(rows["stage"], drop_first=True).astype(float)
    x["one"] = (rows["which"] == ONE).astype(float)
    if at_size:
        x["macs"] = np.log2(rows["macs"])
    model = sm.OLS(rows[column].to_numpy(float), sm.add_constant(x))
    several = rows["stage"].nunique() > 1
    groups = {"groups": pd.factorize(rows["id"])[0]}
    fit = model.fit(cov_type="cluster", cov_kwds=groups) if several else model.fit(cov_type="HC3")
    low, high = fit.conf_int().loc["one"]
    return f"{fit.params['one']:+.2f} ({low:+.2f} to {high:+.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("data/letters"))
    study = open_study(parser.parse_args(arguments).study)
    frame, split = study.table().frame, study.record(DOMAINS)
    head = study.objective.head
    names = (IID, OOD, *(split.names if split else ()))
    stages = [
        name.removesuffix("_depth") for name in study.space.by_name if name.endswith("_depth")
    ]
    parts = {stage: compared(frame, stage) for stage in stages}
    parts["all"] = pd.concat(parts.values())
    for at_size in (True, False):
        print("at equal MACs" if at_size else "as drawn")
        told = [
            {
                "stage": stage,
                ONE: int((rows["which"] == ONE).sum()),
                TWO: int((rows["which"] == TWO).sum()),
                **{name: difference(rows, f"{head}:{name}", at_size=at_size) for name in names},
            }
            for stage, rows in parts.items()
        ]
        print(pd.DataFrame(told).to_string(index=False))


if __name__ == "__main__":
    main()
