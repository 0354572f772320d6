"""Effects on two targets of the same subnets, by laws that say what they are."""

import numpy as np
import pandas as pd
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.paired import DIFFERENCE, paired_effects
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

IID, OOD = "accuracy:iid", "accuracy:ood"


def table_by(tiny_space, law) -> MeasurementTable:
    """200 drawn subnets with the columns that `law` makes of their choices and noise (2, rows)."""
    architectures = tiny_space.sample(200, seed=4)
    choices = pd.DataFrame([a.to_dict() for a in architectures])
    noise = np.random.default_rng(1).normal(size=(2, len(choices)))
    return table_from_frame(tiny_space, choices.assign(**law(choices, noise)))


def test_a_difference_has_less_noise_than_either_effect(tiny_space):
    name = next(d.name for d in tiny_space.decisions if d.role == "kernel" and not d.conditions)
    least, *_, most = tiny_space.by_name[name].choices

    def law(choices, noise):
        chosen = choices[name] == most
        return {
            IID: 60 + 1.0 * chosen + noise[0],
            OOD: 40 + 9.0 * chosen + noise[0] + 0.01 * noise[1],
        }

    found = paired_effects(table_by(tiny_space, law), IID, OOD)
    own = found.places[(found.places["decision"] == name) & (found.places["choice"] == most)]
    [row] = own.to_dict("records")
    assert row["reference"] == least and row[DIFFERENCE] == pytest.approx(8, abs=0.02)
    assert row[IID] + row[DIFFERENCE] == pytest.approx(row[OOD])
    width, wide = (row[f"{c}_high"] - row[f"{c}_low"] for c in (DIFFERENCE, OOD))
    assert row[f"{DIFFERENCE}_low"] <= 8 <= row[f"{DIFFERENCE}_high"] and width < wide / 20
    assert row[f"{OOD}_low"] < 9 < row[f"{OOD}_high"]
    of_kernels = found.choices[(found.choices["role"] == "kernel")]
    [together] = of_kernels[of_kernels["choice"] == most].to_dict("records")
    places = found.places[(found.places["role"] == "kernel") & (found.places["choice"] == most)]
    assert together["places"] == len(places)
    assert together[DIFFERENCE] == pytest.approx(places[DIFFERENCE].sum())


def test_what_size_alone_brings_is_no_effect_at_equal_size(tiny_space):
    def law(choices, noise):
        expands = choices.filter(like="expand").fillna(0).sum(axis=1)
        macs = 1000.0 * (2 + expands)
        return {IID: 50 + 2 * np.log2(macs), OOD: 30 + 5 * np.log2(macs), "macs": macs}

    table = table_by(tiny_space, law)
    drawn, equal = (paired_effects(table, IID, OOD, equal_size=own) for own in (False, True))
    assert equal.slopes == pytest.approx({IID: 2, OOD: 5}) and not drawn.slopes
    assert drawn.choices[OOD].abs().max() > 1
    for column in (IID, OOD, DIFFERENCE):
        assert equal.places[column].abs().max() < 1e-6


def test_what_cannot_be_told_is_said(tiny_space):
    table = table_by(tiny_space, lambda choices, noise: {IID: 60 + noise[0], OOD: 40 + noise[1]})
    with pytest.raises(InvalidInput, match="need the subnets' MACs"):
        paired_effects(table, IID, OOD, equal_size=True)
    few = table_from_frame(tiny_space, table.frame.head(5))
    with pytest.raises(InvalidInput, match="5 drawn subnets have both .* too few"):
        paired_effects(few, IID, OOD)
