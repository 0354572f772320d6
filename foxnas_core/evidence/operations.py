"""What operations of a supernet's edges are worth, told in several ways, and how far these agree.

Ways are `WAYS`: what the supernet loses without an operation (Wang et al., arXiv 2108.04392), its
weight in the mixture (Liu et al., arXiv 1806.09055), the coefficient of a regression on measured
subnets, and the effect in a table that holds them all; the last two against `none`, the first
choice of each edge. More is better in all of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.evidence.trust.agreement import RankAgreement, agreement_of
from foxnas_core.search.selections import EdgeDecision, SupernetSelection
from foxnas_core.space.mixture import Mixture

WAYS = {
    "lost": "Lost by masking",
    "weight": "Weight in the mixture",
    "coefficient": "Coefficient of measured subnets",
    "effect": "Effect in the complete table",
}
WITHIN = "within edges"
# Operations that have no weights to learn with; a mixture may come to prefer them for that.
SKIP, NONE = "skip_connect", "none"
_DRAWS = 2000
_NOISE = 2.0  # standard errors that a loss must outweigh


def worth(selection: SupernetSelection, mixture: Mixture) -> pd.DataFrame:
    """One row an operation of an edge, or an edge of a node, in the order of decisions.

    Columns: place (of the decision, from 1), decision, option, kept, chance (whether chance made
    the decision), of_edge (whether it is an operation of an edge), taken (whether it may be kept),
    weight, lost and lost_error (NaN where nothing was masked), noise (whether the loss is within
    it).
    """
    rows = []
    for place, decision in enumerate(selection.decisions, 1):
        edge = mixture.by_name.get(decision.edge)
        kept = kept_options(decision, mixture)
        for one in decision.candidates:
            lost = np.nan if one.drop is None else one.drop
            error = np.nan if one.std_error is None else one.std_error
            rows.append(
                {
                    "place": place, "decision": decision.edge, "option": one.operation,
                    "kept": one.operation in kept, "chance": decision.by_chance,
                    "of_edge": edge is not None,
                    "taken": edge is None or one.operation not in edge.mixed_only,
                    "weight": one.weight, "lost": lost, "lost_error": error,
                    "noise": not abs(lost) > _NOISE * error,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def kept_options(decision: EdgeDecision, mixture: Mixture) -> tuple[str, ...]:
    """The operation, or the edges, that a decision kept."""
    for junction in mixture.junctions:
        if junction.name == decision.edge:
            return junction.options[decision.kept]
    return (decision.kept,)


def with_effects(table: pd.DataFrame, way: str, effects: pd.DataFrame, sign: float) -> pd.DataFrame:
    """`worth` with a further way and its standard error, of average effects of choices (see
    `explanation.averages`) on a column of which `sign` times more is better."""
    known = {
        (row["decision"], row["choice"]): (sign * row["effect"], row["std_error"])
        for row in effects.to_dict("records")
    }
    # The choice that all others of its decision are held against.
    known |= {(row.decision, row.reference): (0.0, 0.0) for row in effects.itertuples()}
    found = [
        known.get(key, (np.nan, np.nan))
        for key in zip(table["decision"], table["option"], strict=True)
    ]
    values, errors = np.array(found).reshape(-1, 2).T
    return table.assign(**{way: values, f"{way}_error": errors})


def agreements(table: pd.DataFrame, *, seed: int = 0) -> list[RankAgreement]:
    """Kendall's τ between each two ways, of operations of one edge each: all pairs of operations
    that an edge may keep, over all edges. NaN where a way orders none."""
    own = table[table["of_edge"] & table["taken"]]
    ways = [way for way in WAYS if way in own and own[way].notna().any()]
    found = []
    for first, second in combinations(ways, 2):
        both = own.dropna(subset=[first, second])
        edges = both["decision"].to_numpy()
        drawn = np.random.default_rng(seed).integers(len(both), size=(_DRAWS, len(both)))
        counted = edges[:, None] == edges[None, :]
        # Equal values may differ by rounding, which must not break their tie.
        x, y = (both[way].round(9).to_numpy() for way in (first, second))
        found.append(agreement_of(first, second, WITHIN, x, y, drawn, counted))
    return found


def comparable(
    selections: Mapping[str, SupernetSelection], shown: SupernetSelection
) -> dict[str, SupernetSelection]:
    """Those by the same method and settings of the same supernet, one an order, `shown` among
    them."""
    found: dict[int, tuple[str, SupernetSelection]] = {}
    for key, other in selections.items():
        if (other.method, other.settings) == (shown.method, shown.settings):
            found.setdefault(other.seed, (key, other))
    return dict(found.values())


def orders(selections: Sequence[SupernetSelection], shown: SupernetSelection) -> pd.DataFrame:
    """One row a decision of `shown`: decision, kept, agree (percent of the selections, that one
    among them, that keep the same), chance (in how many of them chance made it), and kept_by, how
    many keep what."""
    made = {own.seed: {one.edge: one for one in own.decisions} for own in selections}
    rows = []
    for decision in shown.decisions:
        others = [own[decision.edge] for own in made.values() if decision.edge in own]
        counts = Counter(own.kept for own in others)
        rows.append(
            {
                "decision": decision.edge, "kept": decision.kept,
                "agree": 100 * counts[decision.kept] / len(others),
                "chance": sum(own.by_chance for own in others),
                "kept_by": ", ".join(f"{name} {n}" for name, n in counts.most_common()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def course(epochs: Sequence[Mapping[str, Any]], mixture: Mixture) -> pd.DataFrame:
    """What mixtures came to prefer as they were trained, one row an epoch and operation: epoch,
    operation, edges (percent of them on which its weight is the greatest) and weight (its mean over
    edges, percent)."""
    rows = []
    for told in epochs:
        weights = {edge.name: np.asarray(told[edge.name], dtype=float) for edge in mixture.edges}
        first: Counter[str] = Counter()
        total: dict[str, list[float]] = {}
        for edge in mixture.edges:
            own = weights[edge.name]
            first[edge.operations[int(own.argmax())]] += 1
            for operation, weight in zip(edge.operations, own, strict=True):
                total.setdefault(operation, []).append(float(weight))
        rows += [
            {
                "epoch": int(told["epoch"]), "operation": operation,
                "edges": 100 * first[operation] / len(mixture.edges),
                "weight": 100 * float(np.mean(each)),
            }
            for operation, each in total.items()
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["epoch", "operation", "edges", "weight"])


def by_edge(epochs: Sequence[Mapping[str, Any]], mixture: Mixture) -> pd.DataFrame:
    """What each edge came to prefer, one row an epoch, edge and operation: epoch, edge, operation,
    weight (from 0 to 1)."""
    rows = [
        {"epoch": int(told["epoch"]), "edge": edge.name, "operation": name, "weight": float(weight)}
        for told in epochs
        for edge in mixture.edges
        for name, weight in zip(edge.operations, told[edge.name], strict=True)
    ]
    return pd.DataFrame(rows, columns=["epoch", "edge", "operation", "weight"])


def decided(weights: Mapping[str, float]) -> str | None:
    """The operation of an edge that weighs more than all others together; None where none does."""
    name = max(weights, key=lambda own: weights[own])
    return name if weights[name] > 0.5 else None


def weights_words(weights: Mapping[str, float]) -> str:
    """The weights of an edge as they are read: "undecided: .34 .33 .33"."""
    numbers = " ".join(f"{weight:.2f}".removeprefix("0") for weight in weights.values())
    return f"{decided(weights) or 'undecided'}: {numbers}"


def taken_over(table: pd.DataFrame, operation: str) -> int | None:
    """The epoch of a `course` from which on an operation leads on most edges to the end; None where
    it does not at the end."""
    own = table[table["operation"] == operation].sort_values("epoch")
    most = own["edges"].to_numpy() > 50
    if not len(most) or not most[-1]:
        return None
    last = np.flatnonzero(~most)
    return int(own["epoch"].iloc[0 if not len(last) else last[-1] + 1])
