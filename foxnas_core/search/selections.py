"""What a supernet was discretised to, decision by decision, as it is kept and written."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from foxnas_core.records import CHOICES, CollectionKind, Stored
from foxnas_core.space.architecture import Architecture


@dataclass(frozen=True)
class MaskedOperation:
    """An operation of an edge, or an edge of a node.

    `weight` is that in the mixture, of an edge its strongest operation's; `accuracy` is the
    supernet's objective without it, and `drop` how much worse that is than with it, with the
    standard error of the mean paired difference. None where nothing was masked.
    """

    operation: str
    weight: float
    accuracy: float | None = None
    std_error: float | None = None
    drop: float | None = None


@dataclass(frozen=True)
class EdgeDecision:
    """What the decision `edge` was given, by what.

    `base` is the supernet's objective before, and `after` once only `kept` was left there and the
    weights were fine-tuned. `margin` is by how much more the last one kept was missed than the
    first one that was not, with the standard error of the mean paired difference.
    """

    edge: str
    kept: str
    candidates: tuple[MaskedOperation, ...]
    base: float | None = None
    after: float | None = None
    margin: float | None = None
    margin_error: float | None = None

    @property
    def by_chance(self) -> bool:
        """Whether the margin is under two standard errors, or nothing."""
        return self.margin is not None and not self.margin > 2 * (self.margin_error or 0)


@dataclass(frozen=True)
class SelectedCell:
    """An architecture with its id, and as its family writes it."""

    id: str
    architecture: Annotated[Architecture, Stored(read=CHOICES.read, write=CHOICES.write)]
    string: str


@dataclass(frozen=True)
class SupernetSelection:
    """A selection by a supernet: the order of its decisions, each with what spoke for it.

    `settings` are the method's, with hashes of the checkpoint and the images; `course` is what it
    has to say of its way beside its decisions, by name.
    """

    method: str
    seed: int
    order: tuple[str, ...]
    decisions: tuple[EdgeDecision, ...]
    selected: SelectedCell
    settings: dict[str, Any]
    course: Annotated[dict[str, Any], Stored(omitted=True)] = field(default_factory=dict)


SELECTIONS = CollectionKind[SupernetSelection](
    "selections", SupernetSelection, "selections by the supernet", most=2 << 20, one="selection"
)
