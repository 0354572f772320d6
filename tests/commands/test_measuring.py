import json

from foxnas_core.__main__ import main
from foxnas_core.table.machine import own_columns


def test_this_machine_becomes_a_device_and_is_searched_by_its_name(elsewhere, capsys):
    asked = ["make-device", "--study", str(elsewhere.folder), "--count", "6", "--seed", "2"]
    assert main([*asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    columns = document["columns"]
    assert document["rows"] == dict.fromkeys(columns, 6) and set(document["targets"]) == {*columns}
    assert document["device"].startswith("Another processor, ONNX Runtime")
    for found in document["targets"].values():
        assert found["rows"] == 6 and 0 < found["median_error"] < 0.5
        assert "is calibrated from 6 rows" in found["warnings"][0]
    # Asked again it measures nothing, and says the same to people.
    before = elsewhere.table()
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "This machine is Another processor, and a device of this study" in said
    assert columns[0] in said and elsewhere.table().frame.equals(before.frame)
    budget = str(before.frame[columns[0]].median())
    search = ["search", "--study", str(elsewhere.folder), "--cost", columns[0], "--steps", "500"]
    assert main([*search, "--budget", budget, "--json"]) == 0
    latency = json.loads(capsys.readouterr().out)["best"]["latency_ms"]
    assert latency["low"] < latency["value"] < latency["high"]


def test_what_was_stopped_is_kept_and_told(elsewhere, capsys, monkeypatch):
    from foxnas_core.commands import measuring

    class Asked:
        """Ctrl-C, pressed once something is measured."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def is_set(self) -> bool:
            return own_columns(elsewhere.table(), measuring.machine_here()) is not None

    monkeypatch.setattr(measuring, "stoppable", Asked)
    assert main(["make-device", "--study", str(elsewhere.folder), "--count", "9", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["targets"] is None and "the same command goes on" in said.err
    assert 0 < min(document["rows"].values()) < 9


def test_verify_says_first_whose_the_latencies_are(elsewhere, capsys):
    [subnet] = elsewhere.space.sample(1, seed=5)
    named = json.dumps(subnet.to_dict())
    asked = ["verify", "--study", str(elsewhere.folder), "--architecture", named, "--json"]
    assert main(asked) == 0
    said = capsys.readouterr()
    first = next(line for line in said.err.splitlines() if line.strip())
    assert "this is Another processor" in first and "does not count" in first
    assert "make it a device of the study" in first
    document = json.loads(said.out)
    assert document["machine"]["same"] is False
    [trial] = document["trials"]
    of_latency = [c["target"].startswith("latency") for c in trial["claims"]]
    assert [bool(v["reason"]) for v in trial["verdicts"]] == of_latency
