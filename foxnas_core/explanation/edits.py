"""What each edit of an architecture changes in a prediction, with its interval.

On the scale of the link, the difference of two predictions is (x₁ - x₀)·b for their regression
rows; any split of x₁ - x₀ into parts d splits it into effects d·b that add up to it, and each
part's variance is d'Σd for the covariance Σ of b. Through a saturating link the difference in the
target's unit is shared in proportion to the parts, as Aumann-Shapley prices share the cost of a
sum (Billera and Heath, Mathematics of Operations Research 7, 1982); their intervals are then
those of the delta method.

That is the interval of the average edit, the mean over all subnets that the form takes for alike.
What one edit of one subnet changes scatters about it, as measured differences of the table do
(`Predictor.difference_variance`), and its interval is wider by that.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form, Term
from foxnas_core.search.limits import difference_noun
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.table.metrics import Metric


@dataclass(frozen=True, eq=False)
class EditEffects:
    """`table` has one row an edit: edit, group, slot, effect, low, high, average_low,
    average_high, in the target's unit.

    The effects add up to `total`, the difference of both predictions. `low` to `high` is the
    interval of this edit of this subnet, where both are measured; `average_low` to `average_high`
    that of the average edit. The intervals of the rows are correlated and do not add up.
    """

    table: pd.DataFrame
    total: float
    low: float
    high: float
    average_low: float
    average_high: float

    @classmethod
    def of(
        cls, edits: pd.DataFrame, effect: np.ndarray, half: np.ndarray, average_half: np.ndarray
    ) -> "EditEffects":
        """From edits (n rows), their effects and half widths (n + 1,), those of all together
        last."""
        columns = {
            "effect": effect, "low": effect - half, "high": effect + half,
            "average_low": effect - average_half, "average_high": effect + average_half,
        }  # fmt: skip
        table = edits.assign(**{name: values[:-1] for name, values in columns.items()})
        return cls(table, *(float(values[-1]) for values in columns.values()))

    def to_dict(self) -> dict[str, float]:
        """The total with both intervals, as JSON values."""
        names = ("low", "high", "average_low", "average_high")
        return {"value": self.total, **{name: getattr(self, name) for name in names}}

    def text(self, target: Metric, sign: float = 0.0) -> str:
        """The total with this edit's interval: "+0.12 points of top-1 accuracy (+0.05 to +0.19)",
        times a `sign` that the words tell already; counts, which are exact, without it."""
        ends = (self.high, self.low) if sign < 0 else (self.low, self.high)
        total, low, high = (
            target.text((sign or 1.0) * value, signed=not sign) for value in (self.total, *ends)
        )
        interval = f" ({low} to {high})" if low != high else ""
        return f"{total} {difference_noun(target)}{interval}"


def edit_effects(
    predictor: Predictor, before: Architecture, after: Architecture, level: float = 0.95
) -> EditEffects:
    """Split the predicted difference of two architectures over what differs between them.

    The context (the resolution) changes first, then each decision, or each slot that opens or
    closes or whose choices the form takes together, at the new context.
    """
    form, space = predictor.form, predictor.space
    codes = space.encode([before, after])
    in_context = np.array([d.group in space.context for d in space.decisions])
    middle = np.where(in_context, codes[1], codes[0])
    old, changed, new = form.matrix(np.stack([codes[0], middle, codes[1]]))
    edits: list[tuple[str, str, str]] = []
    parts: list[np.ndarray] = []
    if (middle != codes[0]).any():
        names = [d.name for d in space.decisions if d.group in space.context]
        edits.append((changes(names, before, after), "", ""))
        parts.append(changed - old)
    moved = {i: _unit(form, form.terms[i], before, after) for i in np.flatnonzero(new != changed)}
    for unit in dict.fromkeys(moved.values()):
        own = [i for i, unit_of_term in moved.items() if unit_of_term == unit]
        difference = np.zeros_like(new)
        difference[own] = (new - changed)[own]
        edits.append(_described(form, unit, before, after))
        parts.append(difference)
    value, std_error = _effects(predictor, np.array([*parts, new - old]), old, new - old)
    # Each part scatters as all that changes with it, the context or the rest.
    context = int((middle != codes[0]).any())
    others = len(parts) - context
    scatter = predictor.difference_variance(
        np.stack([*[codes[0]] * context, *[middle] * others, codes[0]]),
        np.stack([*[middle] * context, *[codes[1]] * others, codes[1]]),
    )
    return EditEffects.of(
        pd.DataFrame(edits, columns=["edit", "group", "slot"]),
        value,
        predictor.quantile(level) * np.sqrt(std_error**2 + scatter),
        predictor.quantile(level) * std_error,
    )


def path_effects(
    predictor: Predictor, path: Sequence[Architecture], level: float = 0.95
) -> EditEffects:
    """Split the predicted difference of a path's two ends over its steps, one row a step.

    Each effect is the difference of the predictions after and before its step, with the intervals
    of `edit_effects`, so that they add up whatever the link. The group is missing ("") where a
    step moves several. Raises `ValueError` for an empty path.
    """
    if not path:
        raise ValueError("A path holds at least one architecture.")
    space = predictor.space
    codes = space.encode(path)
    rows = predictor.form.matrix(codes)
    # The whole way is the last of the steps.
    old = np.vstack([rows[:-1], rows[:1]])
    difference = np.vstack([rows[1:], rows[-1:]]) - old
    effect, std_error = _effects(predictor, difference, old, difference)
    scatter = predictor.difference_variance(
        np.vstack([codes[:-1], codes[:1]]), np.vstack([codes[1:], codes[-1:]])
    )
    words, moved_in = [], []
    for before, after in itertools.pairwise(path):
        moved = changes_between(space, before, after)
        groups = {change.decision.group for change in moved}
        words.append(in_words(space, moved))
        moved_in.append(groups.pop() if len(groups) == 1 else "")
    quantile = predictor.quantile(level)
    return EditEffects.of(
        pd.DataFrame({"edit": words, "group": moved_in, "slot": [""] * len(words)}),
        effect,
        quantile * np.sqrt(std_error**2 + scatter),
        quantile * std_error,
    )


def each_effects(
    predictor: Predictor,
    before: Architecture,
    afters: Sequence[Architecture],
    level: float = 0.95,
) -> pd.DataFrame:
    """What leads from one architecture to each of others changes in the prediction, one row each:
    effect, low, high (of this edit of this subnet), average_low, average_high (of the average
    edit)."""
    codes = predictor.space.encode([before, *afters])
    rows = predictor.form.matrix(codes)
    old = np.repeat(rows[:1], len(afters), axis=0)
    effect, std_error = _effects(predictor, rows[1:] - old, old, rows[1:] - old)
    start = np.repeat(codes[:1], len(afters), axis=0)
    scatter = predictor.difference_variance(start, codes[1:])
    quantile = predictor.quantile(level)
    half, average = quantile * np.sqrt(std_error**2 + scatter), quantile * std_error
    ends = {"low": effect - half, "high": effect + half}
    ends |= {"average_low": effect - average, "average_high": effect + average}
    return pd.DataFrame({"effect": effect, **ends})


# Below this rate × difference the limit of no difference is taken, to second order.
_SMALL = 1e-5


def _effects(
    predictor: Predictor, parts: np.ndarray, old: np.ndarray, whole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Effects and standard errors (parts,), in the target's unit, of the parts (parts, terms) of
    differences `whole` that begin at the regression rows `old`: (terms,) where all are parts of
    one, (parts, terms) where each has its own."""
    link = predictor.link
    if link.is_identity:
        return predictor.combine(parts)
    shares, start, total = (rows @ predictor.estimates for rows in (parts, old, whole))
    # The mean slope between both ends, s = slope(start) · (1 - exp(-w)) / w with w = rate · total,
    # turns each share into the target's unit; it moves with the start, with the total and, through
    # the link itself, with the rate.
    w = link.rate * total
    near = np.abs(w) < _SMALL
    safe = np.where(near, 1.0, w)
    mean = np.where(near, 1 - w / 2 + w**2 / 6, -np.expm1(-safe) / safe)
    bend = np.where(near, -1 / 2 + w / 3, (np.exp(-safe) - mean) / safe)
    first = link.slope(start)
    slope = first * mean
    along = link.rate * ((first * bend)[..., np.newaxis] * whole - slope[..., np.newaxis] * old)
    by_rate = first * (total * bend - (start - link.center) * mean)
    gradients = slope[..., np.newaxis] * parts + shares[:, np.newaxis] * along
    return slope * shares, predictor.std_error(gradients, shares * by_rate)


# A unit of edits: group, slot and decision, of which the narrowest that applies is set.
_Unit = tuple[str, str, str]


def _unit(form: Form, term: Term, before: Architecture, after: Architecture) -> _Unit:
    if term in form.interactions or term.group in form.couplings:
        names = form.couplings.get(term.group, ())
        read = [
            d
            for d in form.interactions.get(term, [form.space.by_name[name] for name in names])
            if d.group == term.group or d.name in names
        ]
        changed = [d for d in read if before.get(d.name) != after.get(d.name)]
        units = {(d.group, d.slot, _narrowest(form, d, before, after)) for d in changed}
        if len(units) == 1:
            return units.pop()
        return (term.group, "", " × ".join(dict.fromkeys(d.slot or d.name for d in read)))
    if not term.slot:
        return (term.group, "", term.decision)
    stays = _stays(form, term.slot, before, after)
    return (term.group, term.slot, term.decision if stays else "")


def _narrowest(form: Form, decision: Decision, before: Architecture, after: Architecture) -> str:
    """The decision's name where its slot stays open or closed and has terms for it alone."""
    alone = any(term.decision == decision.name for term in form.terms)
    return decision.name if alone and _stays(form, decision.slot, before, after) else ""


def _stays(form: Form, slot: str, before: Architecture, after: Architecture) -> bool:
    members = form.space.in_slot(slot) if slot else ()
    return all((d.name in before) == (d.name in after) for d in members)


def _described(
    form: Form, unit: _Unit, before: Architecture, after: Architecture
) -> tuple[str, str, str]:
    """The edit in words, its group and its slot."""
    group, slot, decision = unit
    space = form.space
    if decision and decision not in space.by_name:  # an interaction of several edits
        return f"{decision} together", group, slot
    names = [d.name for d in (space.in_slot(slot) if slot else space.in_group(group))]
    if slot and names[0] in after and names[0] not in before:
        roles = ", ".join(f"{d.role} {after[d.name]}" for d in space.in_slot(slot))
        return f"{slot} added ({roles})", group, slot
    if slot and names[0] in before and names[0] not in after:
        return f"{slot} removed", group, slot
    if not slot and not decision:
        # The form's terms with a slot have units of their own.
        apart = {term.slot for term in form.terms if term.group == group}
        names = [d.name for d in space.in_group(group) if not d.slot or d.slot not in apart]
    return changes([decision] if decision else names, before, after), group, slot


def changes(names: Sequence[str], before: Architecture, after: Architecture) -> str:
    """The decisions of `names` in which two architectures differ, from the one to the other, as
    people read them: "s1b1 kernel 3 → 5"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {before.get(name, 'off')} → {after.get(name, 'off')}"
        for name in names
        if before.get(name) != after.get(name)
    )
