"""Whether inner loops run as plain Python or compiled, from one source and equal to the last bit.

Importing the compiler takes longer than the proposals of one common search, and compiling, which
the first search on a machine would wait for, far longer.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

# About as many proposals take as long here as loading what was compiled before.
FEW = 1_000_000
_made = 0.0


def compiling_pays(proposals: int, options: int) -> bool:
    """Whether this process, about to make so many further proposals among so many options, is
    better off compiling."""
    global _made
    _made += proposals
    return max(_made, 10 * options) > FEW


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` compiled by numba, kept on disk where the package's folder can be written."""
    from numba import njit

    global _made
    _made = math.inf  # whoever compiled once only gains by it from here on
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


def compiled_together(
    functions: Sequence[Callable[..., Any]], given: Mapping[str, Any]
) -> Callable[..., Any]:
    """The last of some functions of a module, compiled; each may call those before it, and what is
    `given` by name stands for what the module has. The module itself keeps its plain ones."""
    known = {**functions[0].__globals__, **given}
    for function in functions:
        assert isinstance(function, FunctionType)
        known[function.__name__] = compiled(FunctionType(function.__code__, known))
    return known[functions[-1].__name__]
