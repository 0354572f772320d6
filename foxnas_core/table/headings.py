"""How a column of a table is headed where people read it; files keep the column's own name."""

from foxnas_core.table.metrics import STD_ERROR, is_metric, metric_of

_WORDS = {"p_adjusted": "p, adjusted", "df": "degrees of freedom", "id": "subnet"}


def heading_of(column: str) -> str:
    """A metric by its label and unit, `s1b1_kernel` as "s1b1 kernel", and what was made of a
    metric, such as `low_latency_ms`, as "low: Latency (ms)"; terms of a regression likewise."""
    if column in _WORDS:
        return _WORDS[column]
    if is_metric(column):
        return metric_of(column).named
    if column.endswith(STD_ERROR) and is_metric(head := column.removesuffix(STD_ERROR)):
        return f"{metric_of(head).named}, standard error"
    parts = column.split("_")
    for at in range(1, len(parts)):
        if is_metric(rest := "_".join(parts[at:])):
            return f"{' '.join(parts[:at])}: {metric_of(rest).named}"
    return " ".join(parts).replace("*", " × ")
