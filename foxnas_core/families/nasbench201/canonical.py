"""When two cells are the same network: which edges count, and a key under which equals meet."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from foxnas_core.families.nasbench201.space import EDGES, NODES, NONE, POOL, SKIP

# The value of a node is a sum of terms: how often each occurs. A term is the input or the output of
# a convolution, which is named by its edge, and how often that is pooled: average pooling has no
# weights and is linear.
_INPUT = -1
_Value = Counter[tuple[int, int]]


def flows(on: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Of the edges, each `on` where it is not `none` (a truth value, or an array of them): which
    the input reaches, and from which the output is reached."""
    each = list(on)
    at_node: list[Any] = [True, *(False for _ in range(1, NODES))]
    reached = []
    for (source, target), own in zip(EDGES, each, strict=True):  # in order of their targets
        reached.append(own & at_node[source])
        at_node[target] = at_node[target] | reached[-1]
    at_node = [*(False for _ in range(1, NODES)), True]
    needed = []
    for (source, target), own in reversed(list(zip(EDGES, each, strict=True))):
        needed.append(own & at_node[target])
        at_node[source] = at_node[source] | needed[-1]
    return reached, needed[::-1]


def live_edges(operations: Sequence[str]) -> tuple[bool, ...]:
    """Which edges lie on a path from the input to the output on which no edge is `none`."""
    reached, needed = flows(operation != NONE for operation in operations)
    return tuple(into and onward for into, onward in zip(reached, needed, strict=True))


def canonical_key(operations: Sequence[str]) -> str:
    """A key that two cells share if and only if, with some matching of their convolutions, they
    compute the same from the same weights.

    Dead edges are left out, a skip is the sum it hands on, poolings that read the same are the
    same, and convolutions are numbered in the order that makes the key smallest. In a key x is the
    input and ' a pooling; "0" is the cell whose output does not depend on its input.
    """
    live = live_edges(operations)
    return live_key(tuple(o if alive else NONE for o, alive in zip(operations, live, strict=True)))


@cache
def live_key(operations: tuple[str, ...]) -> str:
    """`canonical_key` of a cell whose dead edges are `none`."""
    values: dict[int, _Value] = {0: Counter([(_INPUT, 0)])}
    reads: dict[int, _Value] = {}
    kinds: dict[int, str] = {}
    for edge, ((source, target), operation) in enumerate(zip(EDGES, operations, strict=True)):
        value = values.setdefault(target, Counter())
        if operation == NONE:
            continue
        if operation == SKIP:
            value += values[source]
        elif operation == POOL:
            value += Counter({(e, n + 1): times for (e, n), times in values[source].items()})
        else:
            kinds[edge], reads[edge] = operation, values[source]
            value += Counter([(edge, 0)])
    # Convolutions that read and do the like, told without their numbers, may change places; others
    # can't, so that few orders are left to try.
    likes: dict[int, str] = {}
    for edge in reads:
        likes[edge] = f"{kinds[edge]}({_written(reads[edge], likes)})"
    alike = [
        list(group)
        for _, group in itertools.groupby(sorted(reads, key=lambda e: likes[e]), likes.__getitem__)
    ]
    return min(
        _numbered(list(itertools.chain(*order)), kinds, reads, values[NODES - 1])
        for order in itertools.product(*map(itertools.permutations, alike))
    )


def _numbered(
    order: list[int],
    kinds: dict[int, str],
    reads: dict[int, _Value],
    output: _Value,
) -> str:
    names = {edge: str(number) for number, edge in enumerate(order)}
    parts = [f"{names[e]}={kinds[e]}({_written(reads[e], names)})" for e in order]
    return "; ".join([*parts, _written(output, names)])


def _written(value: _Value, names: dict[int, str]) -> str:
    terms = sorted(
        ("x" if edge == _INPUT else f"[{names[edge]}]") + "'" * pools
        for edge, pools in value.elements()
    )
    return "+".join(terms) or "0"
