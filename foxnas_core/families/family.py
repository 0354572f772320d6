"""The contract of a family of search spaces: all that is known of one kind of network.

A family is a folder beside this file, or a class anywhere that `register_family` is given. Every
other room sees decisions, groups and slots only, and asks the family of a space for the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.coding.terms import Lookup, Part
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace

Extreme = Literal["smallest", "largest"]


@dataclass(frozen=True)
class FamilyForm:
    """A regression form that only spaces of a family can have.

    `parts` gives those of one group of a space, of a quality or (False) of a cost. `order_free`
    says whether it reads only how many blocks of each type a group has after its first. `costs`,
    where it is given, has those of what is measured relatively (`Metric.errs_relatively`) instead:
    columns that only ever add to it, more than rows could tell apart without knowing that.
    """

    title: str
    parts: Callable[[SearchSpace, str, bool], list[Part]]
    order_free: bool = False
    costs: Callable[[SearchSpace, str], list[Part]] | None = None


@dataclass(frozen=True)
class Coding:
    """What it tells that data pick a form, within a sentence: where they are a quality, and where
    they are the cost of running a network."""

    of_quality: str
    of_cost: str


@dataclass(frozen=True)
class Edge:
    """An edge of a cell, from one node to a later one: the editor's cell that decides it, what it
    computes in words, whether that lies `live` on a path from the input to the output, and whether
    it computes anything at all (`is_none` where it does not)."""

    source: int
    target: int
    cell: str
    operation: str
    live: bool
    is_none: bool


@dataclass(frozen=True)
class Graph:
    """A cell as a directed graph. `nodes` are told in the order of computation, the first `inputs`
    of them from outside, and the last `outputs` of them what goes out; each edge goes from an
    earlier node to a later one. `title` tells it from other cells of the same architecture."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    title: str = ""
    inputs: int = 1
    outputs: int = 1

    @classmethod
    def of(
        cls,
        nodes: tuple[str, ...],
        edges: Iterable[tuple[int, int, str, str]],
        *,
        none: str,
        title: str = "",
        inputs: int = 1,
        outputs: int = 1,
    ) -> "Graph":
        """The graph of edges, each a source, a target, a cell of the editor and an operation,
        which computes nothing where it is `none`."""
        each = list(edges)
        computing = [edge for edge in each if edge[3] != none]
        reached, needed = set(range(inputs)), set(range(len(nodes) - outputs, len(nodes)))
        for _ in nodes:
            reached |= {target for source, target, *_ in computing if source in reached}
            needed |= {source for source, target, *_ in computing if target in needed}
        return cls(
            nodes,
            tuple(
                Edge(s, t, cell, o, o != none and s in reached and t in needed, o == none)
                for s, t, cell, o in each
            ),
            title, inputs, outputs,
        )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A place in the networks of a space, which one block fills or none.

    `blocks` names what fills it by the choices of its `decisions`, in their order; of no decisions
    there is one. A name tells all that makes a block, so that equal blocks, wherever they stand,
    have one name and others another.
    """

    name: str
    decisions: tuple[str, ...]
    blocks: Mapping[tuple[Value, ...], str]

    def block(self, architecture: Architecture) -> str | None:
        """What fills it in an architecture's network; None where nothing does."""
        chosen = tuple(architecture[name] for name in self.decisions if name in architecture)
        return self.blocks.get(chosen)


@dataclass(frozen=True)
class Row:
    """A row of a picture: its title, the editor's cells in it, each with its column from 1, and
    whether a skip connection leads past what is between them to the last column."""

    title: str
    places: tuple[tuple[str, int], ...]
    skip: bool = False


@dataclass(frozen=True)
class Layout:
    """How the blocks of a picture stand: the titles of its columns, and its rows from the top."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class Family(ABC):
    """One kind of search space. What is not abstract has a sensible default."""

    name: str
    forms: ClassVar[Mapping[str, FamilyForm]] = {}
    # By the names of its forms, which read a network otherwise than general ones; "" is of those.
    codings: ClassVar[Mapping[str, Coding]] = {}
    # How an architecture is written, in words, where that is otherwise than as JSON.
    notation: str = ""
    # Whether benchmarks of the family give choices by their place in `Decision.choices`, from 0.
    numbered: ClassVar[bool] = False
    # What its networks do, by name, where nothing else is asked for.
    task: str = "classification"
    # The lists of choices that tools write an architecture as, and whether one is always there.
    lists: ClassVar[Mapping[str, bool]] = {}
    # A supernet's module, as "package.module:factory", where networks of the family can be trained;
    # it is imported where it is used only.
    supernet: str = ""
    # What builds the network of an architecture with random weights, so that its cost can be
    # measured, of a space and an architecture: "package.module:function", imported as the supernet.
    network: str = ""

    @abstractmethod
    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        """The space that a document's further fields describe; raises `InvalidInput` naming the
        field that is missing or wrong."""

    def extremes(self, space: SearchSpace) -> dict[Extreme, Architecture]:
        """The smallest and the largest architecture; none where choices have no sizes."""
        if not space.is_sized:
            return {}
        return {"smallest": space.extreme("smallest"), "largest": space.extreme("largest")}

    def reference(self, space: SearchSpace) -> Architecture:
        """The architecture that others are held against where none was chosen: the largest, or of
        choices without sizes the last ones."""
        largest = self.extremes(space).get("largest")
        return largest or space.architecture({d.name: d.choices[-1] for d in space.decisions})

    def landmarks(self, space: SearchSpace) -> dict[str, Architecture]:
        """Architectures to start from, by name: the extremes, or else the reference."""
        found: dict[str, Architecture] = {n: a for n, a in self.extremes(space).items()}
        return found or {"reference": self.reference(space)}

    def canonical(self, space: SearchSpace, architecture: Architecture) -> str | None:
        """A key under which networks meet that compute the same from the same weights; None, for
        each architecture alike, where those that differ never do.

        It groups qualities, never costs: a device may run what a network's output doesn't need.
        """
        return None

    def keys(self, space: SearchSpace, codes: np.ndarray) -> list[str | None]:
        """The `canonical` keys of codes (rows, decisions), which a family may tell faster."""
        return [self.canonical(space, architecture) for architecture in space.decode(codes)]

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        """What networks of a space have of `column` ("parameters" or "macs", of one image), told
        without building them: parts, each of one term that reads decisions of one group and the
        context at most, whose columns add up to whole numbers; none where it can't be told.

        They are those of the family's own networks, as `measurement.cost` counts them.
        """
        return ()

    def places(self, space: SearchSpace) -> tuple[Place, ...]:
        """The places of the space's networks, whose blocks are measured one by one and added up;
        none where a network is no chain of blocks, or they are too many.

        Those that an architecture fills are the `parts` of its network, in their order, and each
        reads one group and the context at most.
        """
        return ()

    def keyed_places(self, space: SearchSpace) -> tuple[tuple[Place, ...], ...]:
        """The places of the space's networks, in each way in which tables of others name their
        blocks: what those tables cost can be summed, whether or not `places` are measured here."""
        return ()

    def totals(self, space: SearchSpace, codes: np.ndarray, column: str) -> np.ndarray | None:
        """What the networks of codes (rows, decisions) have of `column` (rows,), by `counts`; None
        where it can't be told."""
        parts = self.counts(space, column)
        return np.hstack([part.columns(codes) for part in parts]).sum(axis=1) if parts else None

    def mixture(self, space: SearchSpace) -> Mixture | None:
        """Where the family's supernet has operations side by side (`networks.MixtureSupernet`);
        None where it is no mixture."""
        return None

    def graphs(self, space: SearchSpace, architecture: Architecture | None) -> tuple[Graph, ...]:
        """The cells of the architecture as graphs, with the edges that it has; without one those of
        the family's mixture, with every edge there may be and no operations. Empty where it is
        drawn as a grid of blocks."""
        return ()

    def layout(self, space: SearchSpace) -> Layout | None:
        """Where the blocks stand that are drawn as a grid, each once; None for a row a group."""
        return None

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        """The architecture as a line of text that `read` understands; "" without a notation."""
        return ""

    def read(self, space: SearchSpace, text: str) -> Architecture:
        """The inverse of `write`; raises `InvalidInput` where the text is no architecture."""
        raise InvalidInput(
            f"Architectures of family {self.name!r} are written as JSON only, as "
            '{"DECISION": CHOICE, …}.'
        )

    def from_lists(self, space: SearchSpace, lists: Mapping[str, Any]) -> dict[str, Any]:
        """The choices, those of inactive decisions included, that `lists` hold, some of the
        family's; raises `InvalidInput` where they can't be those of one architecture."""
        raise NotImplementedError

    def from_list(self, space: SearchSpace, values: Sequence[Any]) -> dict[str, Any]:
        """The choices of a list: one for each decision, in the space's order, or what `read` takes
        with commas between. Raises `InvalidInput` where it is neither."""
        if self.notation:
            return self.read(space, ",".join(map(str, values))).to_dict()
        if len(values) != len(space.decisions):
            raise InvalidInput(
                f"It is a list of {len(values)}, and the space {space.name!r} has "
                f"{len(space.decisions)} decisions; give one choice for each, in their order: "
                f"{', '.join(space.by_name)}."
            )
        return dict(zip(space.by_name, values, strict=True))

    def number(self, space: SearchSpace, architecture: Architecture) -> int | None:
        """The architecture's number in the benchmark that published the space, which `read`
        understands; None without one."""
        return None

    def dataset(self, space: SearchSpace) -> str:
        """What the benchmark that published the space calls the images of its networks; "" for
        others than it has."""
        return ""

    def configuration(
        self, space: SearchSpace, architecture: Architecture
    ) -> dict[str, Any] | None:
        """What tells the network of an architecture, as that benchmark writes it; None without."""
        return None


_Settings = TypeVar("_Settings")
MOST_NUMBERS = 16
"""How many a setting that is a list may have."""


def whole_settings(kind: type[_Settings], name: str, settings: Mapping[str, Any]) -> _Settings:
    """Settings of whole numbers up to 10,000, or lists of some, as fields of the dataclass `kind`,
    of the space `name`. Where a field's default is a tuple its value is one, and numbers are at
    least what its metadata call "least", by default 1.

    Raises `InvalidInput` naming the wrong field.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    found = {}
    for field, value in settings.items():
        if field not in known:
            raise InvalidInput(
                f"Space {name!r} has the unknown field {field!r}; known: {', '.join(known)}."
            )
        least, many = known[field].metadata.get("least", 1), type(known[field].default) is tuple
        numbers = value if many else [value]
        if not isinstance(numbers, list) or not (0 < len(numbers) <= MOST_NUMBERS) or any(
            type(number) is not int or not least <= number <= 10_000 for number in numbers
        ):  # fmt: skip
            what = f"a list of at most {MOST_NUMBERS} whole numbers" if many else "a whole number"
            raise InvalidInput(
                f"{field!r} of space {name!r} must be {what} from {least:,} to 10,000, not "
                f"{value!r:.80}."
            )
        found[field] = tuple(numbers) if many else value
    return kind(**found)
