"""Two architectures side by side, decision by decision."""

import pandas as pd

from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.changes import changes_between
from foxnas_core.space.search_space import SearchSpace

OFF = "off"


def diff_table(
    space: SearchSpace,
    first: Architecture,
    second: Architecture,
    *,
    names: tuple[str, str] = ("a", "b"),
) -> pd.DataFrame:
    """One row a decision in which two architectures differ, in the space's order.

    Columns: block (its slot, or the group), decision, and the choice of each architecture under its
    name, as text, "off" where it lacks the block.
    """
    rows = [
        {
            "block": change.decision.slot or change.decision.group,
            "decision": change.decision.name,
            names[0]: OFF if change.before is None else str(change.before),
            names[1]: OFF if change.after is None else str(change.after),
        }
        for change in changes_between(space, first, second)
    ]
    return pd.DataFrame(rows, columns=["block", "decision", *names], dtype=str)
