"""The parts of a form as plain values, from which a program without this package computes rows.

Numbers are those that `Form.matrix` computes with, so both come to the same columns.
"""

from typing import Any

import numpy as np

from foxnas_core.regression.features.terms import Aggregates, Lookup, Part


def portable_part(part: Part) -> dict[str, Any]:
    """A part as JSON values; `kind` is "lookup", "aggregates" or "product", the rest is as in the
    class of that name."""
    if isinstance(part, Lookup):
        return {
            "kind": "lookup",
            "reads": [list(read) for read in part.reads],
            "sizes": list(part.sizes),
            "table": _numbers(part.table),
        }
    if isinstance(part, Aggregates):
        return {
            "kind": "aggregates",
            "names": list(part.names),
            "slots": [list(pair) for pair in part.slots],
            "kernels": _numbers(part.kernels),
            "expands": _numbers(part.expands),
        }
    return {
        "kind": "product",
        "left": portable_part(part.left),
        "right": portable_part(part.right),
        "kept": list(part.kept),
        "left_center": _numbers(part.left_center),
        "right_center": _numbers(part.right_center),
    }


def _numbers(values: np.ndarray) -> list[Any]:
    """Lists in which whole numbers are written without a fraction, since most are 0 or 1."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [int(value) if value.is_integer() else value for value in values.tolist()]
