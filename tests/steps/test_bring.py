import json

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, table_of

from foxnas_core.__main__ import main
from foxnas_core.errors import InvalidInput
from foxnas_core.steps.bring import Brought, bring
from foxnas_core.study import create_study, open_study
from foxnas_core.table.importing import ColumnMapping, read_content

SPACE = choice_space({f"k{i}": (3, 5) for i in range(6)})
CODES = (np.arange(40)[:, np.newaxis] >> np.arange(6)) & 1
ACCURACY = (
    70 + CODES @ np.linspace(0.2, 1, 6) + np.random.default_rng(0).normal(0, 0.1, 40)
).round(3)
LATENCY = (4 + CODES.sum(axis=1) + np.random.default_rng(1).normal(0, 0.1, 40)).round(4)
TABLE = table_of(SPACE, CODES, accuracy=ACCURACY, latency_ms=LATENCY)
OWN = TABLE.frame.drop(columns="id")


def read(frame: pd.DataFrame, mapping: ColumnMapping | None = None):
    return read_content("t.csv", frame.to_csv(index=False).encode()).table(SPACE, mapping)


def test_rows_that_are_there_are_added_on_request_alone(tmp_path) -> None:
    study = create_study(tmp_path / "s", SPACE, name="S")
    assert bring(study, TABLE) == Brought(40, 0, 40)
    with pytest.raises(InvalidInput, match="All 40 rows are in the study already, with the same"):
        bring(study, read(OWN))
    assert len(study.table()) == 40
    assert bring(study, TABLE, again=True) == Brought(40, 0, 80)
    more = pd.concat([OWN, OWN.head(3).assign(accuracy=71.5)])
    found = bring(study, read(more))
    assert found == Brought(3, 40, 83)
    assert found.sentence().startswith("40 further rows are in the study already")
    assert study.table().frame["accuracy"].tail(3).tolist() == [71.5] * 3


def test_the_command_says_and_does_the_same(tmp_path, capsys) -> None:
    (tmp_path / "space.json").write_text(json.dumps(SPACE.to_dict()))
    OWN.to_csv(tmp_path / "t.csv", index=False)
    to = ["import", str(tmp_path / "t.csv"), "--study", str(tmp_path / "s"), "--json"]
    assert main([*to, "--space", str(tmp_path / "space.json")]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert main(to) == 2
    assert "(--again)" in capsys.readouterr().err
    assert main([*to, "--again"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["added"], document["already"], document["rows"]) == (40, 0, 80)
    assert main(["fit", "--study", str(tmp_path / "s"), "--json"]) == 0
    out = capsys.readouterr()
    told = json.loads(out.out)
    assert [finding["code"] for finding in told["findings"]] == ["repeats"]
    assert told["targets"]["accuracy"]["repeated"] == 40
    assert "accuracy: 40 of 80 rows repeat a subnet" in out.err


@pytest.mark.parametrize(
    ("column", "factor", "told", "unit"),
    [
        ("accuracy", 0.01, "percentages and fractions are mixed", "fraction"),
        ("latency_ms", 1000, "ms and us are mixed", "us"),
        ("latency_ms", 0.001, "ms and s are mixed", "s"),
    ],
)
def test_numbers_in_two_units_are_refused_and_the_advice_works(
    tmp_path, column: str, factor: float, told: str, unit: str
) -> None:
    frame = OWN.copy()
    frame.loc[[3, 9], column] *= factor
    with pytest.raises(InvalidInput, match=rf"t.csv: In 2 rows .*lines 5, 11: .*{told}"):
        read(frame)
    study = create_study(tmp_path / "s", SPACE, name="S")
    odd = frame.index.isin([3, 9])
    bring(study, read(frame[~odd]))
    bring(study, read(frame[odd], ColumnMapping({column: column}, {column: unit})))
    found = open_study(tmp_path / "s").table()
    np.testing.assert_allclose(
        found.frame.set_index("id").loc[TABLE.frame["id"], column], TABLE.values(column)
    )
    # Whoever says the unit of all has them as they are.
    own = {"accuracy": "percent", "latency_ms": "ms"}[column]
    assert len(read(frame, ColumnMapping({column: column}, {column: own}))) == 40
