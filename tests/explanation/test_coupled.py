"""Forms with terms across groups, and with terms that read the context, held against brute force:
what is shown of them is that of whole predictions."""

import itertools
import math
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from foxnas_core import families
from foxnas_core.explanation.block_effects import block_effects, common_block_effects
from foxnas_core.explanation.blocks import belonging, blocks_of, read_together
from foxnas_core.explanation.coefficients import choice_effects
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.permutation import block_dependence
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.explanation.why_not import every_choice, why_not
from foxnas_core.families.family import FamilyForm
from foxnas_core.families.listed import Listed
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features.builders import BUILDERS
from foxnas_core.regression.features.interactions import product_of
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.coding.parts import contrasts, sample_codes
from foxnas_core.space.coding.terms import Part
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from tests.search.additive import listed_space


class AcrossGroups(Listed):
    """Choices of the first two groups act together, and where there is a context its choice acts
    together with the last group's."""

    name = "across"

    @staticmethod
    def _parts(space: SearchSpace, group: str, quality: bool) -> list[Part]:
        parts = BUILDERS["per_layer"](space, group)
        codes = sample_codes(space)
        first, second, *_, last = space.additive_groups
        beside = {
            second: [contrasts(space, first, space.in_group(first)[0])],
            last: [contrasts(space, "", d) for g in space.context for d in space.in_group(g)],
        }
        for other in beside.get(group, []):
            base = np.hstack([other.columns(codes), parts[0].columns(codes)])
            part = product_of(other, parts[0], group, codes, base)
            assert part is not None
            parts = [*parts, part]
        return parts

    forms: ClassVar = {"across": FamilyForm("Across groups", _parts)}


@pytest.fixture(autouse=True)
def family(monkeypatch):
    monkeypatch.setattr(families, "_families", dict(families._families))
    families.register_family(AcrossGroups())


@cache
def measured(contexts: int) -> MeasurementTable:
    space = replace(listed_space([3, 2, 3, 2], contexts), family="across")
    codes = space.option_codes(space.decisions)
    rng = np.random.default_rng(contexts)
    eta = rng.normal(size=(3, 2))[codes[:, -4], codes[:, -3]]
    eta += rng.normal(size=(3, 2, contexts))[codes[:, -2], codes[:, -1], codes[:, 0] % contexts]
    frame = pd.DataFrame([a.to_dict() for a in space.decode(codes)]).assign(
        accuracy=80 - 10 * np.exp(-0.1 * eta) + rng.normal(0, 0.01, len(codes)),
        latency_ms=3 + rng.random(len(codes)),
    )
    return table_from_frame(space, frame)


def predictor_of(contexts: int, link: str) -> Predictor:
    found = fit(measured(contexts), "accuracy", "across", link)
    assert found.couplings == {"g0 + g1": ("edge0", "edge1")}
    assert found.form.context_bound == (contexts > 1)
    return found


KINDS = [(contexts, link) for contexts in (1, 3) for link in ("none", "saturating")]


def names_of(predictor: Predictor) -> list[str]:
    return [block.name for block in blocks_of(predictor.form)]


def values_of(predictor: Predictor, codes: np.ndarray) -> np.ndarray:
    return predictor.predict_codes(codes)["value"].to_numpy()


def test_what_acts_together_across_groups_is_of_each_of_its_blocks() -> None:
    assert names_of(predictor_of(1, "none")) == ["g0", "g1", "g2", "g3"]
    assert names_of(predictor_of(3, "none")) == ["resolution", "g0", "g1", "g2", "g3"]
    form = predictor_of(3, "none").form
    together = {
        tuple(names_of(predictor_of(3, "none"))[number] for number in numbers)
        for numbers in read_together(form)
    }
    assert together == {
        (),
        ("resolution",),
        *((f"g{i}",) for i in range(4)),
        ("g0", "g1"),
        ("resolution", "g3"),
    }
    shares = belonging(form).sum(axis=0)
    assert set(shares[1:]) == {1.0}
    effects = common_block_effects(
        [predictor_of(1, "none"), fit(measured(1), "latency_ms", "per_layer", "none")],
        architecture=measured(1).architectures()[3],
        background=measured(1).architectures(),
    )
    assert effects["block"].tolist() == ["g0", "g1", "g2", "g3"]


@pytest.mark.parametrize(("contexts", "link"), KINDS)
def test_shapley_values_are_those_of_all_coalitions(contexts: int, link: str) -> None:
    predictor = predictor_of(contexts, link)
    codes = measured(contexts).codes
    background, ours = codes[::5], codes[[1, 17, 30]]
    blocks = [list(block.decisions) for block in blocks_of(predictor.form)]
    found = block_shapley(
        predictor,
        architectures=predictor.space.decode(ours),
        background=predictor.space.decode(background),
    )
    everyone = range(len(blocks))
    for row, own in zip(found.values.to_numpy(), ours, strict=True):

        @cache
        def worth(coalition: frozenset[int], own=own) -> float:
            now = background.copy()
            for player in coalition:
                now[:, blocks[player]] = own[blocks[player]]
            return values_of(predictor, now).mean()

        expected = np.zeros(len(blocks))
        for order in itertools.permutations(everyone):
            for place, player in enumerate(order):
                before, after = frozenset(order[:place]), frozenset(order[: place + 1])
                expected[player] += worth(after) - worth(before)
        np.testing.assert_allclose(row, expected / math.factorial(len(blocks)), atol=1e-9)
    assert found.base == pytest.approx(values_of(predictor, background).mean())


@pytest.mark.parametrize(("contexts", "link"), KINDS)
def test_a_block_taken_over_by_all_changes_their_mean_by_its_dependence(contexts, link) -> None:
    predictor, codes = predictor_of(contexts, link), measured(contexts).codes
    space = predictor.space
    found = block_dependence(
        predictor, architecture=space.decode(codes[[7]])[0], background=space.decode(codes)
    )
    for value, block in zip(found["value"], blocks_of(predictor.form), strict=True):
        changed = codes.copy()
        changed[:, list(block.decisions)] = codes[7, list(block.decisions)]
        expected = values_of(predictor, changed).mean() - values_of(predictor, codes).mean()
        assert value == pytest.approx(expected, abs=1e-9)


def test_block_effects_add_up_to_the_distance_from_the_mean() -> None:
    predictor, table = predictor_of(1, "none"), measured(1)
    everyone = table.architectures()
    found = block_effects(predictor, architecture=everyone[4], background=everyone)
    values = values_of(predictor, table.codes)
    assert found["value"].sum() == pytest.approx(values[4] - values.mean())


def test_the_effect_of_a_choice_is_its_mean_over_all_others() -> None:
    predictor, codes = predictor_of(1, "none"), measured(1).codes
    effects = choice_effects(predictor).set_index(["decision", "choice"])["effect"]
    assert len(effects) == 2 + 1 + 2 + 1
    for (decision, choice), effect in effects.items():
        column = list(predictor.space.by_name).index(decision)
        chosen, first = codes.copy(), codes.copy()
        chosen[:, column], first[:, column] = choice, 0
        expected = (values_of(predictor, chosen) - values_of(predictor, first)).mean()
        assert effect == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("contexts", "link"), KINDS)
def test_edits_add_up_and_say_what_acts_together(contexts: int, link: str) -> None:
    predictor, table = predictor_of(contexts, link), measured(contexts)
    space, everyone = predictor.space, table.architectures()
    for before, after in itertools.islice(itertools.combinations(everyone, 2), 0, 600, 37):
        found = edit_effects(predictor, before, after)
        values = values_of(predictor, space.encode([before, after]))
        assert found.total == pytest.approx(values[1] - values[0], abs=1e-9)
        assert found.table["effect"].sum() == pytest.approx(found.total, abs=1e-9)
        assert found.table["edit"].str.len().min() > 0
        both = before["edge0"] != after["edge0"] and before["edge1"] != after["edge1"]
        assert ("edge0 × edge1 together" in found.table["edit"].tolist()) == both


def test_one_edit_alone_has_all_of_the_difference() -> None:
    predictor, space = predictor_of(1, "none"), measured(1).space
    before = space.architecture({"edge0": 1, "edge1": 1, "edge2": 0, "edge3": 0})
    after = space.architecture(before.to_dict() | {"edge0": 2})
    found = edit_effects(predictor, before, after)
    assert found.table["edit"].tolist() == ["edge0 1 → 2"]


def test_why_not_is_that_of_whole_predictions() -> None:
    table = measured(1)
    accuracy, latency = predictor_of(1, "none"), fit(table, "latency_ms", "per_layer", "none")
    everyone = table.architectures()
    values, costs = (p.predict(everyone)["value"].to_numpy() for p in (accuracy, latency))
    budget = float(np.median(costs)) + 1e-9
    problem = SearchProblem(accuracy, (Limit(latency, budget),))
    within = costs <= budget
    base = everyone[int(np.argmax(np.where(within, values, -np.inf)))]
    other = next(c for c in (0, 1, 2) if c != base["edge0"])
    found = why_not(problem, base, "edge0", other)
    has = np.array([a["edge0"] == other for a in everyone])
    assert found.optimum.value == pytest.approx(values[within].max())
    assert found.best is not None and found.loss is not None
    assert found.best.value == pytest.approx(values[within & has].max())
    assert found.loss.total == pytest.approx(found.best.value - found.optimum.value)
    alone = accuracy.predict([base, found.alone])["value"]
    assert found.effects["accuracy"].total == pytest.approx(alone[1] - alone[0])
    for row in every_choice(problem, base, "edge1").itertuples():
        has = np.array([str(a["edge1"]) == row.choice for a in everyone])
        if (within & has).any():
            assert row.value == pytest.approx(values[within & has].max())
