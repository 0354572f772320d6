"""What a study's first visitor, and its first search, would wait for, made before:
`python -m foxnas_core.steps.prepare STUDY`."""

import sys
from pathlib import Path

from foxnas_core.errors import FoxnasError
from foxnas_core.steps.fit import fit_all, fit_each
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.search import search_problem
from foxnas_core.study import Study, open_study


def prepare(study: Study) -> bool:
    """Fit each target of the study, which is kept with it, and compile the annealer's inner loop,
    which is kept with the program; whether there was an objective and a cost to compile it for."""
    from foxnas_core.search.annealing import Annealer
    from foxnas_core.search.schedule import AnnealingSettings

    table, kept = study.table(), kept_fits(study)
    found, _ = fit_each(
        table.targets, lambda column: fit_all(table, targets=[column], kept=kept)[column]
    )
    objective, cost = study.objective.column, study.cost.column
    if objective not in found or cost not in found:
        return False
    try:
        bounds = {cost: float(table.frame[cost].median())}
        problem = search_problem(found, bounds, objective=objective)
        Annealer(problem, AnnealingSettings()).prepare()
    except FoxnasError:  # nothing is within the bound
        return False
    return True


if __name__ == "__main__":
    prepare(open_study(Path(sys.argv[1])))
