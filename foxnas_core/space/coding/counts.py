"""What an architecture has so many of, as sums over its decisions: counted, not fitted."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.terms import Lookup, Term
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True)
class Cost:
    """What something in a network costs: numbers that are learnt, and multiply-accumulate
    operations on one image."""

    parameters: int = 0
    macs: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


def convolution(
    in_channels: int, out_channels: int, kernel: int, side: int, groups: int = 1
) -> Cost:
    """A convolution without bias to `side` pixels each way, and its batch norm."""
    return convolved(in_channels // groups, out_channels, kernel**2, side**2)


def convolved(read: int, out_channels: int, taps: int, places: int) -> Cost:
    """A convolution without bias that has `places` outputs a channel, each of `read` channels at
    `taps` places, and its batch norm, which has no multiplications of its own once it is folded."""
    weights = out_channels * read * taps
    return Cost(weights + 2 * out_channels, weights * places)


def linear(in_features: int, out_features: int) -> Cost:
    """A layer with bias that sees its input once."""
    return Cost((in_features + 1) * out_features, in_features * out_features)


def counted(
    space: SearchSpace, decisions: Sequence[Decision], cost: Callable[..., Cost], column: str
) -> Lookup:
    """The part of one term that is the `column` (`parameters` or `macs`) of what `decisions`
    decide, see `added`."""
    return added(space, decisions, lambda *chosen: getattr(cost(*chosen), column), column)


def added(
    space: SearchSpace, decisions: Sequence[Decision], cost: Callable[..., float], column: str
) -> Lookup:
    """The part of one term that is what `decisions` add to a sum: `cost` of a choice of each, by
    position.

    Those of the context come first, and are read where they make a difference; one that is -1
    stands for the mean of its choices. Without others the part is of the context; it is 0 while the
    others are inactive.
    """
    sizes = [len(d.choices) for d in decisions]
    table: np.ndarray = np.zeros([size + 1 for size in sizes])
    choices: list[tuple[Value, ...]] = [d.choices for d in decisions]
    for picked in itertools.product(*map(range, sizes)):
        chosen = [values[code] for values, code in zip(choices, picked, strict=True)]
        table[tuple(code + 1 for code in picked)] = cost(*chosen)
    read = list(decisions)
    for axis in reversed(range(sum(d.group in space.context for d in decisions))):
        of_choices = np.take(table, range(1, sizes[axis] + 1), axis)
        if (of_choices == of_choices.take([0], axis)).all():
            table = np.take(of_choices, 0, axis)
            del read[axis]
        else:
            table[(slice(None),) * axis + (0,)] = of_choices.mean(axis)
    own = [d for d in read if d.group not in space.context]
    group, slots = own[0].group if own else "", list(dict.fromkeys(d.slot for d in own if d.slot))
    name = f"{'*'.join(slots) or group or 'fixed'}_{column}"
    term = Term(name, group, slots[0] if len(slots) == 1 else "", "", "")
    reads = tuple(space.decisions.index(d) for d in read)
    shape = tuple(len(d.choices) for d in read)
    return Lookup((term,), (reads,), shape, table.reshape(-1, 1))
