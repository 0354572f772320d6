"""Another device's latencies, joined to a study's rows by id."""

import pandas as pd
import pytest
from hand import hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.table.importing import ColumnMapping, read_file
from foxnas_core.table.measurements import table_from_frame


@pytest.fixture
def table():
    """Four rows, the last of the same subnet as the first."""
    space = hand_space()
    choices = pd.DataFrame([a.to_dict() for a in space.sample(3, seed=0)])
    frame = pd.concat([choices, choices[:1]], ignore_index=True)
    frame["accuracy"], frame["latency_ms"] = [70.0, 71, 72, 73], [1.0, 2, 3, 4]
    return table_from_frame(space, frame)


def written(folder, frame):
    path = folder / "phone.csv"
    frame.to_csv(path, index=False)
    return read_file(path)


def test_latencies_go_to_the_rows_of_their_ids(table, tmp_path):
    ids = table.frame["id"]
    file = written(
        tmp_path,
        pd.DataFrame(
            {
                "id": [ids[2], ids[0], ids[0]],
                "latency_ms:phone": [30.0, 10.0, 11.0],
                "latency_ms:phone_std_error": [0.3, 0.1, None],
                "accuracy": [1.0, 1.0, 1.0],
                "latency_ms": [9.0, 9.0, 9.0],
            }
        ),
    )
    joined = file.joined(table)
    # Repeated measurements of a subnet go to its rows in turn.
    assert joined.frame["latency_ms:phone"].tolist()[0::2] == [10.0, 30.0]
    assert joined.frame["latency_ms:phone"][3] == 11.0 and joined.known("latency_ms:phone") == 3
    assert joined.known("latency_ms:phone_std_error") == 2
    # What the study had is as it was, and the one it was made from is untouched.
    assert joined.frame[list(table.frame.columns)].equals(table.frame)
    assert "latency_ms:phone" not in table.frame
    assert [t.column for t in joined.targets][-1] == "latency_ms:phone"
    [campaign] = joined.frame["campaign_latency_ms:phone"].dropna().unique()
    assert joined.record["campaigns"][campaign] == {"imported_from": "phone.csv"}
    assert [a.id for a in joined.lacking("latency_ms:phone")] == [ids[1]]


def test_names_and_units_are_told(table, tmp_path):
    file = written(tmp_path, pd.DataFrame({"net": table.frame["id"][:2], "t [s]": [0.5, 0.25]}))
    mapping = ColumnMapping({"id": "net", "latency_ms:phone": "t [s]"}, {"latency_ms:phone": "s"})
    assert file.joined(table, mapping).frame["latency_ms:phone"].tolist()[:2] == [500.0, 250.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "ffffffffffff"}, "line 2, has the id 'ffffffffffff', which the study has no row"),
        ({"latency_ms:phone": -2.0}, "line 2, has latency_ms:phone = -2.0; it must be"),
    ],
)
def test_what_does_not_fit_is_refused(change, said, table, tmp_path):
    row = {"id": table.frame["id"][0], "latency_ms:phone": 1.0} | change
    with pytest.raises(InvalidInput, match=said):
        written(tmp_path, pd.DataFrame([row])).joined(table)


def test_what_the_study_holds_is_never_overwritten(table, tmp_path):
    ids = table.frame["id"]
    file = written(tmp_path, pd.DataFrame({"id": [ids[1]], "latency_ms:phone": [1.0]}))
    joined = file.joined(table)
    with pytest.raises(InvalidInput, match="line 2, has latency_ms:phone .*holds already"):
        file.joined(joined)


def test_a_file_without_ids_or_latencies_says_what_to_add(table, tmp_path):
    with pytest.raises(InvalidInput, match="has no column 'id'"):
        written(tmp_path, pd.DataFrame({"latency_ms:phone": [1.0]})).joined(table)
    ids = table.frame["id"][:1]
    with pytest.raises(InvalidInput, match="no latency that the study lacks"):
        written(tmp_path, pd.DataFrame({"id": ids, "latency_ms": [1.0]})).joined(table)


def joined(folder, frame, table, columns=None):
    """The table with a file's latencies, mapped from its column t, in ms."""
    columns = {"latency_ms:phone": "t", **(columns or {})}
    mapping = ColumnMapping(columns, {"latency_ms:phone": "ms"})
    return written(folder, frame).joined(table, mapping)


@pytest.mark.parametrize(
    ("kept", "given", "columns"),
    [
        ("original_id", "id", {}),
        ("original_id", "net", {"id": "net"}),
        ("original_id", "net", {"original_id": "net"}),
        ("arch_idx", "arch_idx", {}),
    ],
)
def test_a_key_of_ones_own_joins(kept, given, columns, table, tmp_path):
    rows = table.frame[:3].drop(columns="id").assign(**{kept: ["a0", "a1", "a2"]})
    study = table_from_frame(table.space, rows)
    file = pd.DataFrame({given: ["a2", "a0"], "t": [30.0, 10.0]})
    found = joined(tmp_path, file, study, columns)
    assert found.frame["latency_ms:phone"].fillna(0).tolist() == [10, 0, 30]


def test_the_choices_join(table, tmp_path):
    file = table.frame[[*table.space.by_name]][:3].assign(t=[1.0, 2, 3])
    found = joined(tmp_path, file, table)
    assert found.frame["latency_ms:phone"].tolist()[:3] == [1, 2, 3]


def test_advice_of_a_refused_join_works(table, tmp_path):
    rows = table.frame[:3].drop(columns="id").assign(original_id=["a0", "a1", "a2"])
    study = table_from_frame(table.space, rows)
    file = pd.DataFrame({"id": ["a0", "b7"], "t": [1.0, 2.0]})
    with pytest.raises(InvalidInput, match="line 3, has the id 'b7', which no row.*leave the row"):
        joined(tmp_path, file, study)
    assert joined(tmp_path, file[:1], study).known("latency_ms:phone") == 1
    nameless = pd.DataFrame({"net": ["a0"], "t": [1.0]})
    with pytest.raises(InvalidInput, match="no column 'id' to join by; .*--map id=COLUMN"):
        joined(tmp_path, nameless, study)
    assert joined(tmp_path, nameless, study, {"id": "net"}).known("latency_ms:phone") == 1
