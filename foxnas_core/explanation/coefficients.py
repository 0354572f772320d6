"""What each choice changes, on average, as one table that every form can fill.

Forms name their terms differently (a latency's block states, an accuracy's kernel contrasts). To
lay several predictors side by side, the effect of a choice is the mean difference in prediction
it makes against the decision's first choice, over the other decisions at random, as campaigns draw
them (`SearchSpace.sample`), and over the resolutions, or at one of them. Where nothing scales the
per-layer form this is the coefficient itself. Effects are on the scale of the predictor's link:
with a saturating one, in the target's unit for a subnet of average value.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.regression.inference import Inference, inference
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

# Combinations that an effect of a coupled choice is averaged over.
_MOST_READ = 1 << 20
KEYS = ["group", "slot", "position", "decision", "role", "choice", "reference"]
_TOLD = ["effect", "low", "high", "p_adjusted", "stars"]
# A choice of context decisions, hashable; empty for the average over all.
At = tuple[tuple[str, Value], ...]


def choice_effects(predictor: Predictor, how: Inference | None = None, at: At = ()) -> pd.DataFrame:
    """One row a choice: group, slot, position, decision, role, choice, reference, effect, low,
    high, p_adjusted, stars.

    `effect`, in the target's unit, is that of `choice` instead of `reference`, the decision's
    first choice, averaged over the context (the resolutions) but for what `at` fixes of it.
    `position` counts the group's slots from 1 (0 without a slot). Where a decision opens slots
    (depth), each row is one step: `slot` names the slot it opens and `reference` is the choice
    before. `how` sure one may be is ordinary 95 % intervals by default; see `Inference.intervals`.
    """
    keys, rows = effect_rows(predictor.form, at)
    found = (how or inference(predictor)).intervals(rows).rename(columns={"value": "effect"})
    return pd.concat([keys, found[_TOLD]], axis=1)


@lru_cache(maxsize=64)
def effect_rows(form: Form, at: At = ()) -> tuple[pd.DataFrame, np.ndarray]:
    """The first seven columns of `choice_effects`, and the combination of terms (rows, terms)
    that each effect is; what `at` fixes has none."""
    keys: list[tuple[object, ...]] = []
    differences: list[np.ndarray] = []
    fixed = [name for name, _ in at]
    if any(_combinations(form, read) > _MOST_READ for read in form.couplings.values()):
        form = form.by_part(form.space.additive_groups)
    for decision in [d for d in form.space.decisions if d.name not in fixed]:
        for key, difference in _differences(form, decision, at):
            keys.append(key)
            differences.append(difference)
    table = pd.DataFrame(keys, columns=KEYS)
    groups = {group: number for number, group in enumerate(form.space.groups)}
    # What opens a slot comes before what is chosen in it.
    table = table.sort_values(
        ["group", "position"],
        key=lambda column: column.map(groups) if column.name == "group" else column,
        kind="stable",
    )
    rows = np.array(differences).reshape(-1, form.parameters)[table.index]
    return table.reset_index(drop=True), rows


def shares_effects(form: Form) -> bool:
    """Whether some slots have the same effects because a term counts over them."""
    _, origins = form.apart
    return len(set(origins.tolist())) < len(origins)


def side_by_side(effects: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of effects by their targets' columns, as `choice_effects` gives them, in columns named
    after these: `accuracy`, `accuracy_low`, `accuracy_high`, `accuracy_p_adjusted`,
    `accuracy_stars`, `latency_ms`, …; missing where one has none."""
    tables = [
        own.set_index(KEYS)[_TOLD].rename(columns=partial(_named, target))
        for target, own in effects.items()
    ]
    joined = pd.concat(tables, axis="columns")
    order = pd.concat([table.index.to_frame() for table in tables]).drop_duplicates().index
    return joined.reindex(order).reset_index()


def _named(target: str, column: str) -> str:
    return target if column == "effect" else f"{target}_{column}"


def coefficient_table(
    predictor: Predictor, how: Inference | None = None, *, as_fitted: bool = False
) -> pd.DataFrame:
    """One row a term: term, label, estimate, std_error, t, p, p_adjusted, stars, low, high.

    Contrasts are differences to the first choice, or, `as_fitted`, to the choices' mean.
    """
    form = predictor.form
    rows = np.eye(form.parameters) if as_fitted else form.shown
    labels = [
        term.label.split(" instead of ")[0] + " instead of the average"
        if as_fitted and term.contrast
        else term.label
        for term in form.terms
    ]
    found = (how or inference(predictor)).intervals(rows).rename(columns={"value": "estimate"})
    columns = ["estimate", "std_error", "t", "p", "p_adjusted", "stars", "low", "high"]
    names = pd.DataFrame({"term": [term.name for term in form.terms], "label": labels})
    return pd.concat([names, found[columns]], axis=1)


def slot_grid(effects: pd.DataFrame, role: str, column: str = "effect") -> pd.DataFrame:
    """Groups × positions of their slots: the effect of the last choice instead of the first.

    `effects` is a table of `choice_effects`, or one of `side_by_side` with its `column`; `role` is
    "kernel", "expand", or the one that opens slots ("depth"). Missing where there is no such slot
    or decision.
    """
    within = effects[effects["position"] > 0]
    last = within[within["role"] == role].drop_duplicates("slot", keep="last")
    return last.pivot(index="group", columns="position", values=column).reindex(
        index=pd.unique(within["group"]), columns=sorted(set(within["position"]))
    )


def _differences(
    form: Form, decision: Decision, at: At
) -> list[tuple[tuple[object, ...], np.ndarray]]:
    """Keys of `choice_effects` and the mean differences (terms,) of regression rows."""
    space = form.space
    codes = range(1, len(decision.choices))
    if decision.group in space.context:
        means = _context_means(form, decision)
        steps = [("", code, 0, means[code] - means[0]) for code in codes]
    elif not decision.slot and _opened(space, decision, codes):
        steps = []
        for code, slots in _opened(space, decision, codes).items():
            members = [d for d in space.in_group(decision.group) if d.slot in slots]
            means = _means(form, decision, tuple(members), at)
            steps.append((slots[0] if slots else "", code, code - 1, means[code] - means[code - 1]))
    else:
        own = space.in_slot(decision.slot) if decision.slot else ()
        means = _means(form, decision, own, at)
        steps = [(decision.slot, code, 0, means[code] - means[0]) for code in codes]
    slots = list(dict.fromkeys(d.slot for d in space.in_group(decision.group) if d.slot))
    return [
        (
            (
                decision.group,
                slot,
                slots.index(slot) + 1 if slot else 0,
                decision.name,
                decision.role,
                decision.choices[code],
                decision.choices[reference],
            ),
            difference,
        )
        for slot, code, reference, difference in steps
        if np.abs(difference).max() > 1e-12  # else the form has no term for it
    ]


def _opened(space: SearchSpace, decision: Decision, codes: Sequence[int]) -> dict[int, list[str]]:
    """The slots that each step of a decision opens; empty where it opens none at all."""
    firsts = [space.in_slot(slot)[0] for slot in space.slots]
    opened = {
        code: [
            d.slot
            for d in firsts
            for condition in d.conditions
            if condition.decision == decision.name
            and decision.choices[code] in condition.values
            and decision.choices[code - 1] not in condition.values
        ]
        for code in codes
    }
    return opened if any(opened.values()) else {}


@lru_cache(maxsize=64)
def _means(form: Form, decision: Decision, others: tuple[Decision, ...], at: At) -> np.ndarray:
    """Mean regression rows (choices, terms) over the options of `others`, or of the whole group
    where the form's terms take its slots together, and over the contexts."""
    space = form.space
    reads = {decision.group: space.in_group(decision.group) if form.joint else (decision, *others)}
    for name, read in form.couplings.items():
        coupled = [space.by_name[own] for own in read]
        if any(d.group == decision.group for d in coupled):
            opening = [space.by_name[c.decision] for d in coupled for c in d.conditions]
            reads[name] = tuple(dict.fromkeys((decision, *opening, *coupled)))
    means = np.zeros((len(decision.choices), form.parameters))
    for name, decisions in reads.items():
        codes, rows, weights = _rows_of(form, name, decisions, at)
        own = codes[:, space.decisions.index(decision)]
        for code in range(len(decision.choices)):
            chosen = own == code
            means[code, form.columns_of(name)] = np.average(
                rows[chosen], axis=0, weights=weights[chosen]
            )
    return means


def _combinations(form: Form, names: Sequence[str]) -> int:
    return math.prod(len(form.space.by_name[name].choices) + 1 for name in names)


@lru_cache(maxsize=8)
def _rows_of(
    form: Form, name: str, decisions: tuple[Decision, ...], at: At
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of all combinations of decisions, their columns of a group or coupling, averaged over
    the contexts that `at` leaves, and how often (n,) a campaign draws each."""
    if name in form.couplings and _combinations(form, [d.name for d in decisions]) > _MOST_READ:
        raise InvalidInput(
            f"A term of {name!r} reads {len(decisions)} decisions together, too many to average "
            "the effect of one choice over; see what edits of one architecture change instead."
        )
    space = form.space
    codes = space.option_codes(decisions)
    contexts = [c for c in space.context_options() if dict(at).items() <= c.items()]
    rows = np.zeros((len(codes), len(form.columns_of(name))))
    for context in contexts if form.context_bound else contexts[:1]:
        for own, value in context.items():
            decision = space.by_name[own]
            codes[:, space.decisions.index(decision)] = decision.choices.index(value)
        rows += form.matrix(codes, name)
    shares = np.ones(len(codes))
    for decision in decisions:
        # The entry that -1 picks is that of an inactive decision.
        own_shares = np.append(space.shares(decision, "balanced"), 1.0)
        shares *= own_shares[codes[:, space.decisions.index(decision)]]
    return codes, rows / (len(contexts) if form.context_bound else 1), shares


def _context_means(form: Form, decision: Decision) -> np.ndarray:
    """Mean regression rows (choices, terms) over 2000 random architectures."""
    codes = form.space.random_codes(2000, seed=0, by="balanced")
    means = []
    for code in range(len(decision.choices)):
        codes[:, form.space.decisions.index(decision)] = code
        means.append(form.matrix(codes).mean(axis=0))
    return np.array(means)
