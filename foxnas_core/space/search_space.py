"""The search space: named categorical decisions in groups, some active only under conditions.

Nothing here knows of convolutions. A family (`foxnas_core.families`) turns its own settings into
decisions; every other room sees decisions, groups and slots only.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value, id_of_json
from foxnas_core.space.decisions import (
    NOTHING_PINNED,
    Allowed,
    Decision,
    allowed_codes,
    check_choice,
    check_decisions,
    count_options,
    decision_dict,
    is_active,
    listed,
    merged,
    options,
)
from foxnas_core.space.shares import Sampling, shares_of

# Strings of combinations of choices that are kept at once while ids are computed.
_MOST_COMBINATIONS = 4096


@dataclass(frozen=True)
class SearchSpace:
    """Named decisions in groups, plus the family's own settings.

    Conditions name decisions of their own group that come earlier in `decisions`. Decisions of
    the groups in `context` (the input resolution) may scale the terms of every other group: a
    prediction is a sum over groups for each fixed choice of the context.
    """

    name: str
    family: str
    decisions: tuple[Decision, ...]
    context: tuple[str, ...] = ()
    settings_json: str = field(default="{}", repr=False)

    def __post_init__(self) -> None:
        check_decisions(self.name, self.decisions, self.context)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The family's own settings, as read from JSON."""
        return json.loads(self.settings_json)

    @cached_property
    def by_name(self) -> dict[str, Decision]:
        return {decision.name: decision for decision in self.decisions}

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """All groups in order of appearance, context included."""
        return tuple(dict.fromkeys(decision.group for decision in self.decisions))

    @cached_property
    def additive_groups(self) -> tuple[str, ...]:
        """The groups that a prediction is summed over: all but the context."""
        return tuple(group for group in self.groups if group not in self.context)

    @cached_property
    def slots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(d.slot for d in self.decisions if d.slot))

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change whenever a decision or a setting changes.

        The space's name is left out: two spaces that differ in name only are the same space.
        """
        content = {
            "family": self.family,
            "settings": self.settings,
            "context": self.context,
            "decisions": [decision_dict(decision) for decision in self.decisions],
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def in_group(self, group: str) -> tuple[Decision, ...]:
        return self._by_group.get(group, ())

    def in_slot(self, slot: str) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.slot == slot)

    @cached_property
    def _by_group(self) -> dict[str, tuple[Decision, ...]]:
        return {g: tuple(d for d in self.decisions if d.group == g) for g in self.groups}

    # Architectures

    def architecture(self, choices: Mapping[str, Any]) -> Architecture:
        """The canonical architecture of `choices`: inactive decisions dropped, the rest checked.

        Raises `InvalidInput` naming the decision, its value and the allowed ones.
        """
        unknown = [name for name in choices if name not in self.by_name]
        if unknown:
            raise InvalidInput(
                f"{unknown[0]!r} is no decision of space {self.name!r}; its decisions are "
                f"{', '.join(self.by_name)}."
            )
        kept: dict[str, Value] = {}
        for decision in self.decisions:
            if not is_active(decision, kept):
                continue
            if decision.name not in choices:
                raise InvalidInput(
                    f"The architecture lacks a choice for {decision.name!r}; "
                    f"allowed: {listed(decision.choices)}."
                )
            kept[decision.name] = check_choice(decision, choices[decision.name])
        return Architecture.from_mapping(kept)

    def is_member(self, architecture: Architecture) -> bool:
        try:
            return self.architecture(architecture.to_dict()) == architecture
        except InvalidInput:
            return False

    def extreme(self, which: Literal["largest", "smallest"]) -> Architecture:
        """Each decision at its greatest or least number.

        Raises `InvalidInput` where some choices are no numbers, and so have no order.
        """
        if not self.is_sized:
            raise InvalidInput(
                f"Space {self.name!r} has no {which} architecture: not all of its choices are "
                "numbers; name an architecture instead."
            )
        pick = max if which == "largest" else min
        return self.architecture({d.name: pick(d.choices) for d in self.decisions})  # type: ignore[type-var]

    @cached_property
    def is_sized(self) -> bool:
        """Whether all choices are numbers, so that there is a smallest and a largest."""
        return all(not isinstance(c, str) for d in self.decisions for c in d.choices)

    # Counting and listing

    def group_size(self, group: str, allowed: Allowed = NOTHING_PINNED) -> int:
        """The exact number of distinct options of one group that keep to what is allowed."""
        return count_options(self.in_group(group), allowed)

    @cached_property
    def size(self) -> int:
        """The exact number of architectures."""
        return math.prod(self.group_size(group) for group in self.groups)

    def group_options(self, group: str) -> Iterator[dict[str, Value]]:
        """Every canonical option of one group, in lexicographic order of its choices."""
        return options(self.in_group(group), {})

    def context_options(self) -> list[dict[str, Value]]:
        """Every combination of the context's choices; one empty dict where there is none."""
        parts = [list(self.group_options(group)) for group in self.context]
        return [merged(combination) for combination in itertools.product(*parts)]

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """All architectures one edit away.

        An edit gives one active decision another choice. Where that activates decisions (a
        greater depth), the edit goes one step up the list of choices and the new decisions take
        every combination; where it deactivates some, one step down. So the relation is
        symmetric.
        """
        parts: dict[str, dict[str, Value]] = {group: {} for group in self.groups}
        for name, value in architecture.choices:
            parts[self.by_name[name].group][name] = value
        return [
            self.architecture(merged(list({**parts, group: option}.values())))
            for group in self.groups
            for option in self.group_neighbours(group, parts[group])
        ]

    def group_neighbours(
        self, group: str, option: Mapping[str, Value]
    ) -> Iterator[dict[str, Value]]:
        """The options of a group that are one edit away from `option`; see `neighbours`."""
        decisions = self.in_group(group)
        for decision in decisions:
            if decision.name not in option:
                continue
            here = decision.choices.index(option[decision.name])
            for there, choice in enumerate(decision.choices):
                if there == here or (decision.name in self._governing and abs(there - here) > 1):
                    continue
                fixed = {**option, decision.name: choice}
                yield from options(decisions, fixed)

    @cached_property
    def _governing(self) -> frozenset[str]:
        return frozenset(c.decision for d in self.decisions for c in d.conditions)

    # Sampling

    def sample(
        self,
        count: int,
        *,
        seed: int,
        by: Sampling = "balanced",
        exclude: Sequence[str] = (),
    ) -> list[Architecture]:
        """`count` distinct architectures whose ids are not in `exclude`.

        - "decisions": each decision uniform over its choices.
        - "balanced": decisions that govern others (depth) lean to their later choices, so that
          each slot is active often enough (shares .2/.3/.5 for three choices); the rest uniform.
        - "architectures": each architecture of the space equally likely.

        Raises `InvalidInput` where the space has fewer architectures left than asked for.
        """
        if count > self.size - len(set(exclude)):
            raise InvalidInput(
                f"Space {self.name!r} has {self.size} architectures, of which {len(set(exclude))} "
                f"are taken; ask for fewer than {count}."
            )
        rng = np.random.default_rng(seed)
        seen = set(exclude)
        found: list[Architecture] = []
        misses = 0
        while len(found) < count:
            architecture = self.draw(rng, by)
            if architecture.id in seen:
                misses += 1
                if misses > 1000 * (count + 10):
                    found += self._fill(count - len(found), seen)
                continue
            seen.add(architecture.id)
            found.append(architecture)
        return found

    def draw(self, rng: np.random.Generator, by: Sampling = "balanced") -> Architecture:
        """One architecture, drawn as in `sample`, repeats allowed."""
        kept: dict[str, Value] = {}
        for decision in self.decisions:
            if not is_active(decision, kept):
                continue
            _, summed = self._drawn(decision, by)
            # As rng.choice draws, which checks its shares anew each time.
            kept[decision.name] = decision.choices[int(summed.searchsorted(rng.random(), "right"))]
        return Architecture.from_mapping(kept)

    def _fill(self, count: int, seen: set[str]) -> list[Architecture]:
        """The first architectures, in listing order, that chance did not find."""
        found = []
        for parts in itertools.product(*(list(self.group_options(g)) for g in self.groups)):
            architecture = self.architecture(merged(parts))
            if architecture.id not in seen:
                seen.add(architecture.id)
                found.append(architecture)
            if len(found) == count:
                break
        return found

    def shares(self, decision: Decision, by: Sampling) -> np.ndarray:
        """How often (choices,) a draw takes each choice of an active decision."""
        return self._drawn(decision, by)[0]

    def _drawn(self, decision: Decision, by: Sampling) -> tuple[np.ndarray, np.ndarray]:
        """The shares of choices, and their sums up to each."""
        key = (decision.name, by)
        if key not in self._draws:
            governs = decision.name in self._governing
            own = shares_of(decision, by, governs=governs, group=self.in_group(decision.group))
            summed = own.cumsum()
            self._draws[key] = own, summed / summed[-1]
        return self._draws[key]

    @cached_property
    def _draws(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        return {}

    # Codes: the positions of choices, which the numeric rooms compute with

    def encode(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Integer codes (rows, decisions): each choice's position, -1 where inactive."""
        codes = np.full((len(architectures), len(self.decisions)), -1, dtype=np.int16)
        for row, architecture in enumerate(architectures):
            for name, value in architecture.choices:
                column, positions = self._positions[name]
                codes[row, column] = positions[value]
        return codes

    def decode(self, codes: np.ndarray) -> list[Architecture]:
        """The architectures of canonical codes; the inverse of `encode`."""
        return [
            Architecture.from_mapping(
                {d.name: d.choices[c] for d, c in zip(self.decisions, row, strict=True) if c >= 0}
            )
            for row in codes.tolist()
        ]

    def active(self, codes: np.ndarray, decision: Decision) -> np.ndarray:
        """Which rows (rows,) of `codes` activate `decision`, by the decisions before it."""
        active = np.ones(len(codes), dtype=bool)
        for condition in decision.conditions:
            column, positions = self._positions[condition.decision]
            active &= np.isin(codes[:, column], [positions[value] for value in condition.values])
        return active

    def option_codes(
        self, decisions: Sequence[Decision], allowed: Allowed = NOTHING_PINNED
    ) -> np.ndarray:
        """Codes (options, all decisions) of every combination of `decisions` and of those that
        their conditions name, with only these choices allowed to some, -1 elsewhere."""
        needed = {decision.name for decision in decisions}
        for decision in reversed(self.decisions):
            if decision.name in needed:
                needed |= {condition.decision for condition in decision.conditions}
        codes = np.full((1, len(self.decisions)), -1, dtype=np.int16)
        for column, decision in [(i, d) for i, d in enumerate(self.decisions) if d.name in needed]:
            active = self.active(codes, decision)
            kept = allowed_codes(decision, allowed)
            repeats = np.where(active, len(kept), 1)
            first = np.repeat(np.cumsum(repeats) - repeats, repeats)
            codes = np.repeat(codes, repeats, axis=0)
            place = np.where(np.repeat(active, repeats), np.arange(len(codes)) - first, -1)
            codes[:, column] = np.append(kept, -1)[place]
        return codes

    def random_codes(self, count: int, *, seed: int, by: Sampling = "decisions") -> np.ndarray:
        """Codes (count, decisions) of architectures drawn as in `sample`, repeats allowed."""
        rng = np.random.default_rng(seed)
        codes = np.full((count, len(self.decisions)), -1, dtype=np.int16)
        for column, decision in enumerate(self.decisions):
            drawn = rng.integers(len(decision.choices), size=count)
            if by != "decisions":
                drawn = rng.choice(len(decision.choices), size=count, p=self.shares(decision, by))
            codes[:, column] = np.where(self.active(codes, decision), drawn, -1)
        return codes

    def ids(self, codes: np.ndarray) -> list[str]:
        """The id of each row's architecture, without building the architectures."""
        # A few decisions at a time: their combinations are few, and so are the strings to join.
        runs: list[list[str]] = [[]]
        combinations = 1
        for name in sorted(self._positions):
            choices = len(self.by_name[name].choices) + 1
            if combinations * choices > _MOST_COMBINATIONS and runs[-1]:
                runs.append([])
                combinations = 1
            runs[-1].append(name)
            combinations *= choices
        parts = [self._json_of(run, codes) for run in runs]
        return [id_of_json(f"{{{''.join(row)[:-1]}}}") for row in zip(*parts, strict=True)]

    def _json_of(self, names: Sequence[str], codes: np.ndarray) -> list[str]:
        """For each row (rows,) its choices of `names` as JSON, each followed by a comma."""
        pieces = []
        for name in names:
            written = [f"{json.dumps(name)}:{json.dumps(c)}," for c in self.by_name[name].choices]
            pieces.append([*written, ""])  # code -1: inactive, not written
        combinations = ["".join(combination) for combination in itertools.product(*pieces)]
        index = np.zeros(len(codes), dtype=np.int64)
        for name, own in zip(names, pieces, strict=True):
            column = codes[:, self._positions[name][0]]
            index = index * len(own) + np.where(column < 0, len(own) - 1, column)
        return np.array(combinations, dtype=object)[index].tolist()

    @cached_property
    def _positions(self) -> dict[str, tuple[int, dict[Value, int]]]:
        return {
            decision.name: (column, {choice: i for i, choice in enumerate(decision.choices)})
            for column, decision in enumerate(self.decisions)
        }

    # JSON

    def to_dict(self) -> dict[str, Any]:
        """The JSON document that `foxnas_core.families.space_from_dict` reads."""
        document: dict[str, Any] = {"format": 1, "name": self.name, "family": self.family}
        if self.settings:
            return document | self.settings
        return document | {
            "context": list(self.context),
            "decisions": [decision_dict(decision) for decision in self.decisions],
        }
