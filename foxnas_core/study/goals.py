"""What a study is about: the metric that a network shall be best in, and the cost it is to keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.table.metrics import SIZES, Metric, is_metric, known_names

NAMES = ("objective", "cost")


@dataclass(frozen=True)
class Goals:
    """The columns of a study's objective and main cost, None where `study.json` names none.

    Raises `InvalidInput` for a column that is no known metric, and where both are one.
    """

    objective: str | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        for name in NAMES:
            column = getattr(self, name)
            if column is not None and not (isinstance(column, str) and is_metric(column)):
                raise InvalidInput(
                    f"The {name} {column!r} is no known metric; name one of {known_names()}."
                )
        if self.objective is not None and self.objective == self.cost:
            raise InvalidInput(
                f"{self.cost!r} can't be both the objective and the cost; name another for one."
            )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Goals":
        """Those that a `study.json` names."""
        return cls(document.get("objective"), document.get("cost"))

    def to_dict(self) -> dict[str, str]:
        """What `study.json` says of them."""
        return {n: column for n in NAMES if (column := getattr(self, n)) is not None}


NO_GOALS = Goals()


def stand_in_sentence(objective: Metric) -> str:
    """What can be asked where no quality was measured; "" where the objective is one."""
    if objective.column not in SIZES:
        return ""
    return (
        "This table has no accuracy of its networks, so their size, which is counted, stands in "
        "for it: ask for the least cost at a floor of MACs, or of parameters (the objective "
        "size:parameters), or import a column of accuracies of your own and search by it."
    )
