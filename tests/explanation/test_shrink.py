"""What is made smaller, one edit at a time, with the numbers of What-if."""

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table

from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.shrink import shrink_effects, smaller
from foxnas_core.regression import fit

SPACE = hand_space(resolutions=(8, 16, 32))
TABLE = noisy_table(SPACE, 150, seed=3)
FITS = [fit(TABLE, column, "per_layer", "none") for column in ("accuracy", "latency_ms")]


def test_every_choice_is_made_one_step_smaller_and_smallest() -> None:
    largest = SPACE.extreme("largest")
    table = smaller(SPACE, largest)
    told = list(zip(table["block"], table["step"], table["edit"], strict=True))
    assert told == [
        ("resolution", "one step", "resolution 32 → 16"),
        ("resolution", "smallest", "resolution 32 → 8"),
        ("p", "one step, smallest", "p2 removed"),
        *[
            (slot, step, f"{slot} kernel 7 → {to}")
            for slot in ("p1", "p2", "q1")
            for step, to in (("one step", 5), ("smallest", 3))
        ],
    ]
    assert all(after.id == i for after, i in zip(table["after"], table["id"], strict=True))
    assert smaller(SPACE, SPACE.extreme("smallest")).empty


def test_choices_without_an_order_are_each_another() -> None:
    space = choice_space({"edge0": ("none", "conv", "skip"), "edge1": ("none", "conv")})
    table = smaller(space, space.architecture({"edge0": "conv", "edge1": "none"}))
    assert table["edit"].tolist() == [
        "edge0 conv → none", "edge0 conv → skip", "edge1 none → conv",
    ]  # fmt: skip
    assert table["step"].tolist() == ["none", "skip", "conv"]


@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_the_effects_are_those_of_the_edits(which: str) -> None:
    base = SPACE.extreme(which)
    found = shrink_effects(FITS, architecture=base)
    afters = {after.id: after for after in smaller(SPACE, base)["after"]}
    assert set(found["id"]) == set(afters)
    for row in found.to_dict("records"):
        for predictor in FITS:
            name, own = predictor.target.column, edit_effects(predictor, base, afters[row["id"]])
            assert row[name] == pytest.approx(own.total)
            for end in ("low", "high", "average_low", "average_high"):
                assert row[f"{name}_{end}"] == pytest.approx(getattr(own, end))
    priced = found["rate"].dropna()
    assert (np.diff(priced) >= 0).all()
    assert priced.to_numpy() == pytest.approx(
        (found["accuracy"] / found["latency_ms"]).loc[priced.index].abs().to_numpy()
    )
