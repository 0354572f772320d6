"""Predictors of a study's table, and how sure one may be of them."""

from foxnas_core.space.called import called
from foxnas_core.study import Study
from pages.shared.cache.versions import cached, table_of


@cached()
def measured_labels_of(study: Study, latency: str) -> dict[str, str]:
    """The measured subnets by id, the best first, with what they measured."""
    table = table_of(study)
    objective = study.objective
    targets = [t for t in table.targets if t.column in (objective.column, latency)]
    rows = table.frame.drop_duplicates("id")
    if objective.column in rows:
        least_first = objective.direction == "min"
        rows = rows.sort_values(objective.column, ascending=least_first, kind="stable")
    return {
        row["id"]: " · ".join(
            [called(row["id"]), *(f"{t.text(row[t.column])} {t.unit}" for t in targets)]
        )
        for row in rows[["id", *(t.column for t in targets)]].to_dict("records")
    }


def middle_of(study: Study, column: str) -> float:
    """The middle of what was measured, to three digits."""
    return float(f"{table_of(study).frame[column].median():.3g}")
