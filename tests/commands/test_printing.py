"""What the command line prints for people."""

import io
import json
import re

import pandas as pd
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table

from foxnas_core import commands
from foxnas_core.__main__ import main
from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.commands.printing import Answer, heading, print_answer, told
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.study import create_study, open_study

HAND = hand_space()
# What each command cannot do without, beside the study.
NEEDED = {
    "export": ["--architecture", "a.json", "--out", "o"],
    "profile": ["--architecture", "a.json"],
    "fine-tune": ["--architecture", "a.json", "--out", "o"],
    "counterfactual": ["--architecture", "a.json", "--save", "1"],
    "query": ["--architecture", "a.json"],
    "report": ["--out", "r.html"],
    "import": ["t.csv"],
    "import-weights": ["w.safetensors", "--data", "."],
}
DOCUMENT = {
    "study": "somewhere",
    "rows": 1200,
    "accuracy": {"value": 71.26, "low": 70.5, "high": 72.0},
    "sentence": "All is well.",
    "summary": ["It holds.", "It lasts."],
    "kept": None,
    "found": True,
    "offset": {"alone": {"all": 0.25}},
    "measured": [
        {"id": "a1", "architecture": {"s1_kernel": 3}, "latency_ms": {"value": 2.0, "low": 1.5,
                                                                     "high": 2.5}},
        {"id": "b2", "architecture": {"s1_kernel": 5}, "latency_ms": None},
    ],
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def study(tmp_path):
    return create_study(tmp_path / "hand", HAND, name="Hand", table=noisy_table(HAND, 60))


def printed(answer: Answer, *, terminal: bool = False, monkeypatch=None, columns: int = 60) -> str:
    file = Terminal() if terminal else io.StringIO()
    if monkeypatch:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm-256color")
    print_answer(answer, file)
    return file.getvalue()


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("name", sorted(set(commands.COMMANDS) - {"app", "study"}))
def test_every_command_answers_in_words_and_as_a_document(name, monkeypatch, capsys):
    monkeypatch.setitem(commands.COMMANDS, name, lambda options: DOCUMENT)
    arguments = [name, *NEEDED.get(name, []), "--study", "x"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "{" not in said and "\x1b" not in said
    for words in ("somewhere", "1,200", "71.26 (70.50 to 72.00)", "All is well.", "a1", "0.25"):
        assert words in said
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_the_actions_on_studies_answer_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOXNAS_STUDIES", str(tmp_path))
    assert main(["study", "create", "own", "--space", "foxnas-cpu"]) == 0
    assert "own" in capsys.readouterr().out
    assert main(["study", "list"]) == 0
    assert re.search(r"own +own +foxnas-cpu +0", capsys.readouterr().out)


def test_a_search_says_what_it_found_and_what_it_is_worth(study, capsys):
    budget = float(study.table().frame["latency_ms"].median())
    command = ["search", "--study", str(study.folder), "--latency-budget", str(budget)]
    command += ["--steps", "500"]
    assert main([*command, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert main(command) == 0
    said = capsys.readouterr().out
    best, measured = document["best"], document["measured"]
    for words in (best["id"], measured["id"], document["certificate"], "calibrate"):
        assert words in said
    assert f"{best['accuracy']['value']:.2f} ({best['accuracy']['low']:.2f} to" in said
    assert f"{document['chances']['latency_ms']:.0%}".replace("%", " %") in said
    assert document["certificate"] in captured.err
    # The best measured is that of the table, in which some have several rows.
    means = study.table().frame.groupby("id")[["accuracy", "latency_ms"]].mean()
    kept = means[means["latency_ms"] <= budget]
    first = document["best_measured"]
    assert measured["id"] == first["id"] == kept["accuracy"].idxmax()
    assert measured == {"id": first["id"], "architecture": first["architecture"]} | first["metrics"]
    own = study.table().frame.set_index("id")["accuracy"].get(best["id"])
    assert ("accuracy" in best["measured"]) == (own is not None)


def test_a_fit_tells_its_targets_and_one_targets_coefficients(study, capsys):
    fit = ["fit", "--study", str(study.folder)]
    assert main(fit) == 0
    said = capsys.readouterr().out
    assert "Top-1 accuracy (%)" in said and "tau" in said
    assert main([*fit, "--target", "latency_ms", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document["targets"]) == ["latency_ms"]
    assert main([*fit, "--target", "latency_ms"]) == 0
    said = capsys.readouterr().out
    for row in document["targets"]["latency_ms"]["coefficients"]:
        assert re.search(rf"^{re.escape(row['term'])} ", said, re.M)
    assert main([*fit, "--target", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_lines_are_folded_to_a_terminal_and_never_cut(monkeypatch):
    frame = pd.DataFrame({"name": ["x" * 90], "value": [1]})
    card = Card(title="T", sentence="word " * 40, table=frame, facts={"a": "b"})
    plain = printed(Answer({}, (card,)))
    assert "x" * 90 in plain and ("word " * 40).strip() in plain and "\x1b" not in plain
    shown = printed(Answer({}, (card,)), terminal=True, monkeypatch=monkeypatch)
    assert "\x1b[1m" in shown  # the title
    lines = bare(shown).splitlines()
    assert max(map(len, lines)) <= 60 and sum(line.count("x") for line in lines) == 90


def test_nothing_that_was_supplied_is_markup_or_moves_the_cursor(monkeypatch):
    nasty = "[bold red]x[/] :smile: \x1b[2J\r\x07"
    card = Card(
        title=nasty, sentence=nasty, facts={nasty: nasty}, table=pd.DataFrame({nasty: [nasty]})
    )
    for answer in (Answer({}, (card,)), Answer({nasty: nasty, "rows": [{nasty: nasty}]})):
        for shown in (
            printed(answer),
            bare(printed(answer, terminal=True, monkeypatch=monkeypatch, columns=200)),
        ):
            assert "[bold red]x[/] :smile:" in shown
            assert not set(shown) & {"\x1b", "\r", "\x07"}


def test_values_are_read_as_their_metrics_are():
    assert told({"value": 1.0, "low": None, "high": None}, "latency_ms") == "1.00"
    assert told(12345) == "12,345" and told(None) == "" and told([]) == "none"
    assert heading("latency_ms:int8 best") == "Latency (int8) (ms) best"


def test_long_tables_say_how_much_they_leave_out():
    rows = [{"id": str(i)} for i in range(250)]
    said = printed(Answer({"rows": rows}))
    assert "50 more rows" in said and "\n199" in said and "\n200" not in said


def test_what_a_command_came_to_is_told_by_the_cards_of_its_page(monkeypatch, capsys):
    monkeypatch.setattr(
        "foxnas_core.steps.trust.measure_trust", lambda study, *_, **__: study.record(TRUST)
    )
    trust = ["trust", "--study", str(DEMO)]
    given = Given(open_study(DEMO))
    verdict, advice = (
        analysis_of(f"trust-{name}").compute(given) for name in ("verdict", "advice")
    )
    assert main(trust) == 0
    said = capsys.readouterr().out
    for words in (verdict.sentence, *verdict.facts.values(), *advice.points):
        assert words in said
    assert main([*trust, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] and verdict.sentence in captured.err
