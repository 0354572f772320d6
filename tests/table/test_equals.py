"""Equal networks under different ids, on cells of NAS-Bench-201."""

import math

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table
from published_cells import published_cells

from foxnas_core.cards.given import Given
from foxnas_core.cards.measurements import equals
from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.nasbench201.canonical import canonical_key
from foxnas_core.families.nasbench201.space import OPERATIONS
from foxnas_core.regression.assessment import Data
from foxnas_core.regression.leastsquares import deal_folds
from foxnas_core.study import create_study
from foxnas_core.table.equals import EqualNetworks, fold_members, has_keys
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import metric_of

SPACE = load_shipped("nasbench201")
ACCURACY, LATENCY = metric_of("accuracy"), metric_of("latency_ms")
# The first two compute the same: an edge that reads nothing, or ends in a node that nobody reads.
CELLS = (
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
)


def cells(*accuracies: float, names: tuple[str, ...] = CELLS, **columns) -> MeasurementTable:
    read = [family_of(SPACE).read(SPACE, text) for text in names]
    frame = pd.DataFrame([a.to_dict() for a in read]).assign(accuracy=accuracies, **columns)
    return table_from_frame(SPACE, frame)


def test_equal_cells_are_told_with_their_spread_beside_the_noise() -> None:
    table = cells(90.0, 90.2, 90.4, 94.0, accuracy_std_error=[0.05, 0.1, 0.1, 0.15])
    found = EqualNetworks.of(table, ACCURACY)
    assert (found.repeated, len(found.rows)) == (3, 4)
    assert found.spread == pytest.approx(0.2) and found.noise == pytest.approx(0.1)
    assert found.sentence() == (
        "3 of 4 measured architectures are equal to another one by what they compute; the table "
        "holds 2 different networks. Top-1 accuracy spreads by 0.20 points (standard deviation) "
        "over the ids of one network; one measurement errs by 0.10 points, 2 times as much."
    )
    assert found.groups["network"].nunique() == 1 and found.groups["rows"].tolist() == [1, 1, 1]


def test_without_recorded_errors_repeats_tell_the_noise() -> None:
    names = (*CELLS, CELLS[0])
    found = EqualNetworks.of(cells(90.0, 91.0, 92.0, 94.0, 90.2, names=names), ACCURACY)
    assert found.noise == pytest.approx(0.2 / math.sqrt(2))
    assert found.groups["value"].tolist() == pytest.approx([90.1, 91.0, 92.0])
    alone = EqualNetworks.of(cells(90.0, 94.0, names=(CELLS[0], CELLS[3])), ACCURACY)
    assert not alone.repeated and math.isnan(alone.noise) and alone.groups.empty


def test_an_architecture_is_told_of_its_measured_equals() -> None:
    table = cells(90.0, 94.0, names=(CELLS[0], CELLS[3]))
    found, read = EqualNetworks.of(table, ACCURACY), family_of(SPACE).read
    first = table.frame["id"].iloc[0]
    assert found.told(SPACE, read(SPACE, CELLS[1])) == (
        f"This network computes the same as {first} (90.00 % measured)."
    )
    assert found.told(SPACE, read(SPACE, CELLS[0])) == ""  # itself
    other = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    assert found.told(SPACE, read(SPACE, other)) == ""


def test_equal_networks_stay_in_one_fold_for_qualities_alone() -> None:
    codes = SPACE.random_codes(400, seed=1)
    codes[:, 2:] = 0
    codes[:200, 0] = 0  # `none`: what reads it is dead, so many meet
    names = tuple(family_of(SPACE).write(SPACE, a) for a in SPACE.decode(codes))
    rng = np.random.default_rng(0)
    table = cells(*rng.normal(90, 1, 400), names=names, latency_ms=rng.normal(3, 0.1, 400))
    data = Data.of(table, "accuracy")
    fold = pd.Series(deal_folds(data.members, 3))
    keys = [canonical_key(tuple(OPERATIONS[code] for code in row)) for row in codes]
    assert len(set(keys)) < table.frame["id"].nunique()
    assert (fold.groupby(keys).nunique() == 1).all()
    assert fold_members(table, LATENCY).tolist() == table.frame["id"].tolist()


def test_where_no_two_are_equal_networks_folds_are_dealt_by_id() -> None:
    space = hand_space()
    table = noisy_table(space, 60, seed=0)
    assert not has_keys(space) and has_keys(SPACE)
    assert fold_members(table, ACCURACY).tolist() == table.frame["id"].tolist()


def test_the_card(tmp_path) -> None:
    study = create_study(tmp_path / "cells", SPACE, name="Cells")
    read = [family_of(SPACE).read(SPACE, text) for text in CELLS]
    study.append(read, [{"accuracy": 90.0 + i} for i in range(4)])
    card = equals.compute(Given(study))
    assert card.sentence.startswith("3 of 4 measured architectures")
    assert len(card.table) == 3 and card.title == "Equal networks"
    other = create_study(tmp_path / "blocks", load_shipped("foxnas-mini"), name="Blocks")
    assert "no two architectures are known to be equal" in equals.needs(Given(other))


def test_of_the_published_cells_accuracies_of_equals_agree() -> None:
    rows = published_cells()
    table = cells(*rows["test_acc_cifar10"], names=tuple(rows["arch"]))
    found = EqualNetworks.of(table, ACCURACY)
    assert found.rows["network"].nunique() < 15_625 == len(found.rows)
    assert found.spread < 0.2 * found.rows["value"].std()
