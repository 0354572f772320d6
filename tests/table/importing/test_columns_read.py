"""Columns that are no known metric are named at every door, and the advice works."""

import json

import pytest
from hand import hand_space, noisy_table

from foxnas_core.__main__ import main
from foxnas_core.study import create_study, open_study
from foxnas_core.table.files import from_parquet, to_parquet_bytes
from foxnas_core.table.importing import ColumnMapping, read_content, read_file
from foxnas_core.table.measurements import table_from_frame
from foxnas_core.table.metrics import KNOWN, Metric, register_metric, unknown_sentence

HAND = hand_space()
OWN = noisy_table(HAND, 40).frame.drop(columns="id").rename(columns={"accuracy": "top1"})
OWN = OWN.assign(perplexity=100 - OWN["top1"], note="fine")


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch):
    monkeypatch.setattr("foxnas_core.table.metrics._KNOWN", dict(KNOWN))


@pytest.fixture
def theirs(tmp_path):
    OWN.to_csv(tmp_path / "theirs.csv", index=False)
    return tmp_path / "theirs.csv"


def ask(capsys, *arguments) -> tuple[dict, str]:
    assert main([*map(str, arguments), "--json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def refused(capsys, *arguments) -> str:
    assert main([*map(str, arguments), "--json"]) == 2
    return capsys.readouterr().err


def test_a_table_names_what_no_fit_reads(tmp_path):
    table = table_from_frame(HAND, OWN)
    assert table.unknown == ("top1", "perplexity", "note")
    (tmp_path / "t.parquet").write_bytes(to_parquet_bytes(table))
    again = from_parquet(tmp_path / "t.parquet", HAND)
    assert again.unknown == table.unknown
    with pytest.raises(Exception, match="'perplexity' is no known metric, so it is kept but"):
        again.values("perplexity")
    register_metric(Metric("perplexity", "Perplexity", "", "min", quality=True))
    known = from_parquet(tmp_path / "t.parquet", HAND)
    assert known.unknown == ("top1", "note")
    assert "perplexity" in [target.column for target in known.targets]


def test_what_measuring_writes_is_known():
    beside = ["campaign", "seed", "measuring_seconds", "accuracy_even", "accuracy_odd:int8",
              "drift_range_latency_ms", "low_latency_ms:int8", "campaign_latency_ms:phone",
              "budget", "original_id_", "macs_std_error"]  # fmt: skip
    table = table_from_frame(
        HAND, OWN.drop(columns=["top1", "note"]).assign(**dict.fromkeys(beside, 1.0))
    )
    assert table.unknown == ("perplexity",)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_few_are_named_and_many_counted(count):
    said = unknown_sentence([f"x{i}" for i in range(count)])
    assert said.endswith(".") and said.count("'x") == min(count, 12)
    assert ("and 18 more are no known metric" in said) == (count == 30)
    assert "register_metric" in said and "--map" in said and unknown_sentence([]) == ""


def test_an_import_says_what_it_read_kept_and_left_out(theirs):
    file = read_file(theirs)
    mapping = ColumnMapping(
        {"accuracy": "top1", "cross_entropy": "perplexity"}, {"accuracy": "percent"}
    )
    read = file.columns_read(file.table(HAND, mapping), mapping)
    assert read.known["top1"] == "accuracy" and read.known["perplexity"] == "cross_entropy"
    assert read.known["p_depth"] == "p_depth" and read.unknown == ("note",)
    assert read.left_out == () and set(read.known) | {"note"} == set(file.columns)
    first, second = read.sentences()
    assert (
        first == "Read 'top1' as accuracy, 'perplexity' as cross_entropy."
        and "'note' is no" in second
    )
    # A column that bears the name of what is mapped elsewhere isn't dropped in silence either.
    both = read_content("t.csv", OWN.assign(accuracy=50.0).to_csv(index=False).encode())
    read = both.columns_read(both.table(HAND, mapping), mapping)
    assert read.left_out == ("accuracy",) and "Left out: 'accuracy'." in read.sentences()


def test_the_commands_name_them_and_their_advice_works(theirs, tmp_path, capsys):
    study = tmp_path / "study"
    options = ("--map", "accuracy=top1", "--accuracy-unit", "percent")
    (tmp_path / "space.json").write_text(json.dumps(HAND.to_dict()))
    told, said = ask(capsys, "import", theirs, "--study", study, "--space",
                     tmp_path / "space.json", *options)  # fmt: skip
    assert (
        told["unknown_columns"] == ["perplexity", "note"] and told["columns"]["top1"] == "accuracy"
    )
    assert "'perplexity', 'note' are no known metric" in said
    told, said = ask(capsys, "fit", "--study", study)
    assert told["unknown_columns"] == ["perplexity", "note"] and "'perplexity'" in said
    assert "perplexity" not in told["targets"]
    assert "known by `register_metric`" in refused(capsys, "fit", "--study", study, "--target",
                                                 "perplexity")  # fmt: skip
    told, said = ask(capsys, "study", "describe", "study", "--studies", tmp_path)
    assert told["unknown_columns"] == ["perplexity", "note"] and "'perplexity'" in said
    # As advised: known by a registration, or imported under a known name.
    register_metric(Metric("perplexity", "Perplexity", "", "min", quality=True))
    told, said = ask(capsys, "fit", "--study", study)
    assert told["unknown_columns"] == ["note"] and "perplexity" in told["targets"]
    told, said = ask(capsys, "import", theirs, "--study", tmp_path / "new", "--space",
                     tmp_path / "space.json", *options,
                     "--map", "cross_entropy=perplexity")  # fmt: skip
    assert told["unknown_columns"] == ["note"] and "cross_entropy" in told["targets"]


def test_joining_says_what_it_left_out(theirs, tmp_path, capsys):
    table = noisy_table(HAND, 40)
    create_study(tmp_path / "study", HAND, name="Study", table=table)
    frame = table.frame.drop_duplicates("id").head(5)[["id"]]
    frame = frame.assign(phone=[1.0, 2, 3, 4, 5], spread=1.0)
    frame.to_csv(tmp_path / "phone.csv", index=False)
    told, said = ask(capsys, "import", tmp_path / "phone.csv", "--study", tmp_path / "study",
                     "--join", "--map", "latency_ms:phone=phone",
                     "--latency-unit", "ms")  # fmt: skip
    assert told["left_out"] == ["spread"] and "Left out: 'spread'." in said
    assert told["columns"] == {"id": "id", "phone": "latency_ms:phone"}
    assert open_study(tmp_path / "study").table().unknown == ()
