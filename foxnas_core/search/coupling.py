"""Groups whose choices some prediction reads together, and what predictions are over them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import ClassVar

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression.features import Form
from foxnas_core.regression.link import Link
from foxnas_core.search.limits import AdditivePredictor, SummedGroup
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

Couplings = Mapping[str, tuple[str, ...]]


# Codes that are predicted together, so that a long listing needs no more memory than its values.
_TOGETHER = 1 << 16
# What no decision, group or slot of a space is named by, since names are printable.
_ALL = "\0"


def blocks_of(space: SearchSpace, *couplings: Couplings) -> SearchSpace:
    """The space with groups that are coupled, directly or through others, as one group; itself
    where none are."""
    read = [groups_of(space, names) for own in couplings for names in own.values()]
    coupled = tuple(groups for groups in read if len(groups) > 1)
    return _merged(space, coupled) if coupled else space


def groups_of(space: SearchSpace, names: Sequence[str]) -> tuple[str, ...]:
    """The groups of decisions, each once."""
    return tuple(dict.fromkeys(space.by_name[name].group for name in names))


@lru_cache(maxsize=64)
def _merged(space: SearchSpace, coupled: tuple[tuple[str, ...], ...]) -> SearchSpace:
    block = {group: {group} for group in space.additive_groups}
    for groups in coupled:
        together = set().union(*(block[group] for group in groups))
        block |= dict.fromkeys(together, together)
    names = {
        group: " + ".join(g for g in space.additive_groups if g in own)
        for group, own in block.items()
    }
    decisions = tuple(replace(d, group=names.get(d.group, d.group)) for d in space.decisions)
    return replace(space, decisions=decisions)


@lru_cache(maxsize=64)
def apart(space: SearchSpace, groups: tuple[str, ...]) -> SearchSpace:
    """The space with `groups` as many: those of decisions that conditions connect stay one, which
    the first of them gives its name."""
    first = {d.name: d.name for d in space.decisions}
    for decision in space.decisions:
        for condition in decision.conditions:
            joined = {first[decision.name], first[condition.decision]}
            least = min(joined, key=list(first).index)
            first |= {name: least for name, own in first.items() if own in joined}
    return replace(
        space,
        decisions=tuple(
            replace(d, group=f"{d.group}: {first[d.name]}") if d.group in groups else d
            for d in space.decisions
        ),
    )


def parted(
    predictor: AdditivePredictor, groups: tuple[str, ...]
) -> tuple[AdditivePredictor, Couplings]:
    """A predictor that tells the parts of `groups` as couplings, and its couplings; one that can't
    couples all of each."""
    by_part = getattr(predictor, "by_part", None)
    if by_part is not None and groups:
        predictor = by_part(groups)
        return predictor, predictor.couplings
    space = predictor.space
    whole = {group: tuple(d.name for d in space.in_group(group)) for group in groups}
    return predictor, {**predictor.couplings, **whole}


def block_values(
    predictor: AdditivePredictor, values: SummedGroup, block: Sequence[str], codes: np.ndarray
) -> np.ndarray:
    """What each option (options,) of a block, of the decisions of these names, adds to a
    prediction: the values of its groups and of the couplings among them.

    `codes` (options, all decisions of the space) are right in the columns of those decisions.
    """
    names = names_in(predictor, block)
    parts = []
    for start in range(0, len(codes), _TOGETHER):
        part = codes[start : start + _TOGETHER]
        # Not from 0 on, so that a sum of one is that very number.
        parts.append(reduce(np.add, [values.group_values(name, part) for name in names]))
    return np.concatenate(parts) if names else np.zeros(len(codes))


def names_in(coupled: AdditivePredictor | Form, block: Sequence[str]) -> list[str]:
    """The groups of these decisions, and the couplings among them."""
    space, within = coupled.space, set(block)
    groups = [g for g in space.additive_groups if {d.name for d in space.in_group(g)} <= within]
    return groups + [name for name, read in coupled.couplings.items() if set(read) <= within]


@dataclass(frozen=True, eq=False)
class JointPredictor:
    """A prediction that is no sum over groups: whatever `values` makes of the codes (rows,
    decisions) of whole architectures, (rows,) in the target's unit.

    It is taken for exact, so its intervals are as narrow as its values.
    """

    space: SearchSpace
    target: Metric
    values: Callable[[np.ndarray], np.ndarray]
    table_fingerprint: str = ""
    link: ClassVar[Link] = Link()

    @property
    def couplings(self) -> Couplings:
        context = self.space.context
        return {_ALL: tuple(d.name for d in self.space.decisions if d.group not in context)}

    def split(self, context: Mapping[str, Value]) -> "_Joint":
        return _Joint(self, context)

    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """As `Predictor.predict`."""
        values = np.asarray(self.values(self.space.encode(architectures)), dtype=float)
        columns = ("value", "low", "high", "prediction_low", "prediction_high")
        return pd.DataFrame(dict.fromkeys(columns, values))


@dataclass(frozen=True, eq=False)
class _Joint:
    predictor: JointPredictor
    context: Mapping[str, Value]
    constant: float = 0.0

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        if group != _ALL:
            return np.zeros(len(option_codes))
        space = self.predictor.space
        codes = option_codes.copy()
        for name, value in self.context.items():
            decision = space.by_name[name]
            codes[:, space.decisions.index(decision)] = decision.choices.index(value)
        found = np.asarray(self.predictor.values(codes), dtype=float)
        if found.shape != (len(codes),) or not np.isfinite(found).all():
            raise InvalidInput(
                f"The predictor of {self.predictor.target.column} must give one finite number for "
                f"each of {len(codes)} architectures of space {space.name!r}; mend it."
            )
        return found
