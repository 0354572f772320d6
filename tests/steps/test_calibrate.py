"""Which measured optima tell of which predictors."""

import numpy as np
import pytest
from hand import choice_space, table_of

from foxnas_core.errors import MissingPart
from foxnas_core.steps import calibrate
from foxnas_core.steps.calibrate import calibrations, measure_optima, optima_of, told_by_optima
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import create_study

SPACE = choice_space({f"edge{i}": ("a", "b", "c", "d") for i in range(5)})


@pytest.fixture
def study(tmp_path):
    codes = SPACE.random_codes(60, seed=0)
    noise = np.random.default_rng(0).normal(0, 0.1, 60)
    table = table_of(
        SPACE,
        codes,
        accuracy=60 + codes @ [1, 2, 3, 1, 1] + noise,
        dice=0.6 + codes @ [1, 2, 3, 1, 1] / 100 + noise / 100,
        latency_ms=10 + codes @ [2, 1, 1, 1, 3] + noise,
    )
    return create_study(tmp_path / "study", SPACE, name="S", table=table)


def kept(study, count, **how):
    """Optima with these words to them."""
    known = len(study.optima())
    found = SPACE.sample(known + count, seed=5, exclude=list(study.table().frame["id"]))[known:]
    rows = [{"accuracy": 80.0, "latency_ms": 10.0, "energy_mj": 3.0, "budget": 10.0, **how}]
    study.append(found, rows * count, optima=True)
    return {a.id for a in found}


def ids(study, objective, cost):
    return set(optima_of(study.optima(), objective, cost).frame["id"])


def test_optima_tell_of_what_they_were_searched_for_alone(study):
    assert ids(study, "accuracy", "latency_ms") == set()
    # Written before there was another objective, or another cost.
    oldest = kept(study, 6)
    assert ids(study, "accuracy", "latency_ms") == oldest
    assert ids(study, "accuracy", "energy_mj") == ids(study, "dice", "latency_ms") == set()
    old = kept(study, 6, searched_latency="latency_ms")
    energy = kept(study, 6, searched_latency="energy_mj", searched_objective="accuracy")
    other = kept(study, 6, searched_latency="latency_ms", searched_objective="dice")
    assert ids(study, "accuracy", "latency_ms") == oldest | old
    assert ids(study, "accuracy", "energy_mj") == energy
    assert ids(study, "dice", "latency_ms") == other


def test_those_of_another_objective_calibrate_nothing(study):
    table = study.table()
    predictors = list(fit_all(table, targets=("accuracy", "latency_ms")).values())
    kept(study, 8, searched_latency="latency_ms", searched_objective="dice")
    with pytest.raises(MissingPart, match="--objective accuracy --cost latency_ms"):
        calibrations(table, study.optima(), predictors)
    own = kept(study, 6, searched_latency="latency_ms", searched_objective="accuracy")
    found = calibrations(table, study.optima(), predictors)
    assert set(found) == {"accuracy", "latency_ms"}
    assert all(set(c.table["id"]) == own for c in found.values())


def test_each_objective_has_optima_of_its_own_measured(study, monkeypatch):
    def measured(study, architectures, *, optima, **how):
        values = [{"accuracy": 80.0, "latency_ms": 10.0} | optima[a.id] for a in architectures]
        if values:
            study.append(architectures, values, optima=True)

    monkeypatch.setattr(calibrate, "measure_subnets", measured)

    def planned(objective):
        measure_optima(study, "latency_ms", 4, objective=objective, seed=1, report=print)
        return ids(study, objective, "latency_ms")

    first = planned("accuracy")
    assert len(first) == 4 and planned("accuracy") == first
    # Subnets that were the best in something else are measured again for this.
    assert len(planned("dice")) == 4 and len(study.optima()) == 8
    assert planned("accuracy") == first


def test_a_device_of_few_rows_is_calibrated_by_its_own_optima(tmp_path, monkeypatch):
    """The board's latency is .9 of the first's and its optima measure 5 % above that, which
    another machine's optima know nothing of."""
    rng, device = np.random.default_rng(1), "latency_ms:board"
    codes = SPACE.random_codes(60, seed=0)

    def first(of):
        return 10 + of @ [2, 1, 1, 1, 3]

    table = table_of(
        SPACE,
        codes,
        accuracy=60 + codes @ [1, 2, 3, 1, 1] + rng.normal(0, 0.1, 60),
        latency_ms=first(codes) + rng.normal(0, 0.1, 60),
        **{device: np.where(np.arange(60) < 8, 0.9 * first(codes), np.nan)},
    )
    study = create_study(tmp_path / "study", SPACE, name="S", table=table)
    before = study.table_file.read_bytes()

    def measured(study, architectures, *, optima, targets, **how):
        assert targets == ("accuracy", device)
        own = SPACE.encode(architectures)
        values = [
            {
                "accuracy": 60 + float(c @ [1, 2, 3, 1, 1]),
                device: 0.945 * float(first(c)) * (1 + 0.002 * (n % 3 - 1)),
                **optima[a.id],
            }
            for n, (a, c) in enumerate(zip(architectures, own, strict=True))
        ]
        study.append(architectures, values, optima=True)

    monkeypatch.setattr(calibrate, "measure_subnets", measured)
    measure_optima(study, device, 6, seed=1, report=print)
    assert study.table_file.read_bytes() == before  # kept out of the fits, the first's as they were
    fitted = fit_all(study.table(), targets=("accuracy", "latency_ms", device))
    assert fitted[device].transferred
    told = told_by_optima(
        study.table(), study.optima(), fitted, "accuracy", device, limited=["latency_ms"]
    )
    assert told[device].count == 6 and told[device].shift == pytest.approx(0.05, abs=0.005)
    assert "latency_ms" not in told  # of which no optima were measured
    assert told[device].guarded(20.0, 0.9) < 20 / 1.04
