"""What the regression's coefficients say of whole blocks, against the average measured subnet.

A block contributes (x - x̄)·b over its own terms, on the scale of the predictor's link: in the
target's unit, for a subnet of average value. Where a resolution scales a block's columns, its share
of the block is in the block's contribution.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import Block, apart, belonging, blocks_of
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision


def block_effects(
    predictor: Predictor,
    *,
    architecture: Architecture,
    background: Sequence[Architecture],
    level: float = 0.95,
) -> pd.DataFrame:
    """One row a block: block, value, low, high, the contribution to one architecture's prediction.

    Raises `InvalidInput` where `background` is empty.
    """
    predictor = apart(predictor)
    x, rows = _rows(predictor, [architecture], background)
    difference = x[0] - rows.mean(axis=0)
    return _table(predictor, difference * belonging(predictor.form), level)


def common_block_effects(
    predictors: Sequence[Predictor],
    *,
    architecture: Architecture,
    background: Sequence[Architecture],
    level: float = 0.95,
) -> pd.DataFrame:
    """The contributions to one architecture in several predictions, block by block.

    Forms may split an architecture differently; a block here is the least that is one or several
    whole blocks in each of them. Columns: block, decisions (positions in the space), and for each
    target its column, with `_low` and `_high`. Raises `InvalidInput` where `background` is empty.
    """
    units = _common([blocks_of(predictor.form) for predictor in predictors])
    columns: dict[str, object] = {
        "block": [" + ".join(names) for names, _ in units],
        "decisions": [decisions for _, decisions in units],
    }
    for predictor in map(apart, predictors):
        x, rows = _rows(predictor, [architecture], background)
        blocks = blocks_of(predictor.form)
        own = np.array(
            [[set(b.decisions) <= set(d) for b in blocks] for _, d in units], dtype=float
        )
        belongs = own.reshape(len(units), len(blocks)) @ belonging(predictor.form)
        value, std_error = predictor.combine((x[0] - rows.mean(axis=0)) * belongs)
        half = predictor.quantile(level) * std_error
        name = predictor.target.column
        columns |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return pd.DataFrame(columns)


def _common(every: Sequence[Sequence[Block]]) -> list[tuple[list[str], tuple[int, ...]]]:
    """Names and decisions of the finest blocks that no form splits, in the space's order."""
    units: list[tuple[list[str], set[int]]] = []
    for blocks in every:
        for block in blocks:
            decisions = set(block.decisions)
            touched = [unit for unit in units if unit[1] & decisions]
            joined = decisions.union(*(unit[1] for unit in touched))
            # What holds all of it lends its name.
            whole = [unit[0] for unit in [*touched, ([block.name], decisions)] if unit[1] == joined]
            apart_names = [name for unit in touched for name in unit[0]] + [block.name]
            names = whole[0] if whole else list(dict.fromkeys(apart_names))
            units = [unit for unit in units if unit not in touched] + [(names, joined)]
    ordered = sorted(units, key=lambda unit: min(unit[1]))
    return [(names, tuple(sorted(decisions))) for names, decisions in ordered]


def mean_block_effects(
    predictor: Predictor, *, background: Sequence[Architecture], level: float = 0.95
) -> pd.DataFrame:
    """One row a block: block, value, low, high, the mean absolute contribution over `background`.

    With the signs s of the contributions it is the combination Σ s (x - x̄) / n of terms, whose
    standard error leaves out that signs may change. Raises `InvalidInput` where `background` is
    empty.
    """
    predictor = apart(predictor)
    _, rows = _rows(predictor, [], background)
    differences = rows - rows.mean(axis=0)
    belongs = belonging(predictor.form)
    signs = np.sign(differences @ (belongs * predictor.estimates).T)
    table = _table(predictor, signs.T @ differences / len(rows) * belongs, level)
    return table.assign(low=table["low"].clip(lower=0.0))


def block_prices(
    predictor: Predictor, *, architecture: Architecture, level: float = 0.95
) -> pd.DataFrame:
    """One row a block that the architecture has, those of the context left out: block, slots,
    against, whole, value, low, high; what its choices add against the block being off.

    A block that every subnet has is held `against` its decisions' first choices, so that its value
    is not its `whole` price. The last row, without a block, is what is left of the prediction when
    all whole prices are taken away. `slots` are the slots that the block is made of, or its group
    where that has none.
    """
    predictor = apart(predictor)
    form, space = predictor.form, predictor.space
    [codes] = space.encode([architecture])
    rows: list[dict[str, object]] = []
    differences = []
    for block in blocks_of(form):
        own = list(block.decisions)
        if block.group in space.context or (codes[own] < 0).all():
            continue
        decisions = [space.decisions[position] for position in own]
        changed = codes.copy()
        changed[own] = [-1 if decision.conditions else 0 for decision in decisions]
        difference = np.zeros(predictor.parameters)
        terms = list(block.terms)
        matrix = form.matrix(np.stack([codes, changed]))
        difference[terms] = (matrix[0] - matrix[1])[terms]
        differences.append(difference)
        rows.append(
            {
                "block": block.name,
                "slots": tuple(dict.fromkeys(d.slot or d.group for d in decisions)),
                "against": _against(decisions, block.name),
                "whole": all(decision.conditions for decision in decisions),
            }
        )
    left = form.matrix(codes[np.newaxis])[0]
    left = left - sum(d for d, row in zip(differences, rows, strict=True) if row["whole"])
    rows.append({"block": "", "slots": (), "against": "", "whole": False})
    value, std_error = predictor.combine(np.stack([*differences, left]))
    half = predictor.quantile(level) * std_error
    return pd.DataFrame(rows).assign(value=value, low=value - half, high=value + half)


def _against(decisions: Sequence[Decision], block: str) -> str:
    """What a block is held against, in words."""
    if all(decision.conditions for decision in decisions):
        return "off"
    parts: dict[str, list[str]] = {}
    for decision in decisions:
        told = "off" if decision.conditions else f"{decision.role} {decision.choices[0]}"
        parts.setdefault(decision.slot, []).append(told)
    return "; ".join(
        (f"{slot} " if slot != block and len(parts) > 1 else "") + ", ".join(dict.fromkeys(told))
        for slot, told in parts.items()
    )


def _rows(
    predictor: Predictor, explained: Sequence[Architecture], background: Sequence[Architecture]
) -> tuple[np.ndarray, np.ndarray]:
    if not background:
        raise InvalidInput("Contributions need at least one background architecture; give some.")
    form, space = predictor.form, predictor.space
    return form.matrix(space.encode(explained)), form.matrix(space.encode(background))


def _table(predictor: Predictor, combinations: np.ndarray, level: float) -> pd.DataFrame:
    value, std_error = predictor.combine(combinations)
    half = predictor.quantile(level) * std_error
    names = [block.name for block in blocks_of(predictor.form)]
    return pd.DataFrame({"block": names, "value": value, "low": value - half, "high": value + half})
