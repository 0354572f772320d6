"""When two cells are the same network: which edges count, and a key under which equals meet."""

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cache

from foxnas_core.families.nasbench201.space import EDGES, NODES, NONE, POOL, SKIP

# The value of a node is a sum of terms: how often each occurs. A term is the input or the output of
# a convolution, which is named by its edge, and how often that is pooled: average pooling has no
# weights and is linear.
_INPUT = -1
_Value = Counter[tuple[int, int]]


def live_edges(operations: Sequence[str]) -> tuple[bool, ...]:
    """Which edges lie on a path from the input to the output on which no edge is `none`."""
    edges = [e for e, op in zip(EDGES, operations, strict=True) if op != NONE]
    reached, needed = {0}, {NODES - 1}
    for source, target in edges:  # in order of their targets
        if source in reached:
            reached.add(target)
    for source, target in sorted(edges, key=lambda edge: -edge[1]):
        if target in needed:
            needed.add(source)
    return tuple(e in edges and e[0] in reached and e[1] in needed for e in EDGES)


@cache
def canonical_key(operations: tuple[str, ...]) -> str:
    """A key that two cells share if and only if, with some matching of their convolutions, they
    compute the same from the same weights.

    Dead edges are left out, a skip is the sum it hands on, poolings that read the same are the
    same, and convolutions are numbered in the order that makes the key smallest. In a key x is the
    input and ' a pooling; "0" is the cell whose output does not depend on its input.
    """
    values: dict[int, _Value] = {0: Counter([(_INPUT, 0)])}
    reads: dict[int, _Value] = {}
    kinds: dict[int, str] = {}
    live = live_edges(operations)
    for edge, ((source, target), operation) in enumerate(zip(EDGES, operations, strict=True)):
        value = values.setdefault(target, Counter())
        if not live[edge]:
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
