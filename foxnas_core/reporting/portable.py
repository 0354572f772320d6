"""A predictor and its space as plain values, from which the report's script predicts.

The script computes what `Predictor.predict_codes` does, from the same numbers to the last digit.
"""

import base64
import json
import math
from typing import Any

import numpy as np
from markupsafe import Markup

from foxnas_core.regression import Predictor
from foxnas_core.space.search_space import SearchSpace


def portable_space(space: SearchSpace, titles: dict[str, str]) -> dict[str, Any]:
    """Decisions with their choices, in order; conditions as positions and codes. `titles` are the
    groups' names as they are read."""
    positions = {decision.name: number for number, decision in enumerate(space.decisions)}
    return {
        "groups": [{"name": group, "title": titles[group]} for group in space.groups],
        "decisions": [
            {
                "name": d.name,
                "group": d.group,
                "role": d.role,
                "slot": d.slot,
                "choices": list(d.choices),
                "conditions": [
                    [
                        positions[c.decision],
                        [space.by_name[c.decision].choices.index(value) for value in c.values],
                    ]
                    for c in d.conditions
                ],
            }
            for d in space.decisions
        ],
    }


def portable_predictor(predictor: Predictor) -> dict[str, Any]:
    """All that a prediction with its 95 % intervals is computed from.

    `estimates` (terms,), `covariance` (the lower triangle, row by row) and the ceiling's `pull`
    (terms,) are base64 of little-endian doubles.
    """
    target, ceiling = predictor.target, predictor.ceiling
    both = (predictor.covariance + predictor.covariance.T) / 2
    return {
        "column": target.column,
        "label": target.label,
        "unit": target.unit,
        "difference_unit": target.difference_unit,
        "digits": target.digits,
        "bounds": [
            end if math.isfinite(end) else None for end in target.within([-math.inf, math.inf])
        ],
        "form": predictor.form.portable(),
        "estimates": _packed(predictor.estimates),
        "covariance": _packed(both[np.tril_indices(len(both))]),
        "residual_variance": predictor.residual_variance,
        "counted": predictor.is_counted,
        "relative": predictor.weights is not None,
        "quantile": predictor.quantile(),
        "link": {"center": predictor.link.center, "rate": predictor.link.rate},
        "ceiling": ceiling
        and {"pull": _packed(ceiling.pull), "rate_variance": ceiling.rate_variance},
    }


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def embedded(document: Any) -> Markup:
    """JSON that nothing inside can end the script element of, or be read as markup in it.

    Raises `ValueError` for numbers that are not finite.
    """
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))  # ASCII only
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)
