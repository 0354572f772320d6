"""Every method keeps the contract, and selects what its evidence says."""

import json

import numpy as np
import pytest
from conftest import DEMO
from hand import choice_space

from foxnas_core import methods
from foxnas_core.__main__ import main
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.methods import Method, Question, method_of, register_method
from foxnas_core.methods.lookup import CompleteTable
from foxnas_core.methods.method import Selection
from foxnas_core.methods.posing import posed
from foxnas_core.methods.predicted import Annealing
from foxnas_core.methods.resuming import run_kept
from foxnas_core.search.guard import GUARD, OFF, chance_of_all
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.testing.methods import check_method, told

SPACE = choice_space({f"edge{i}": ("none", "skip", "conv") for i in range(4)})
QUESTION = Question("accuracy", {"latency_ms": 1.6})
BY_TABLE = [method for method in methods.methods() if not method.on_supernet]


def study_in(folder, left_out: int = 0) -> Study:
    """A study of 81 cells, whose accuracy is no sum over edges."""
    study = create_study(folder, SPACE, name="Cells")
    codes = SPACE.option_codes(SPACE.decisions)
    codes = codes[: len(codes) - left_out]
    rng = np.random.default_rng(0)
    accuracy = 60 + 3 * codes[:, 0] * codes[:, 2] + codes.sum(axis=1) + rng.normal(size=len(codes))
    latency = 1 + 0.2 * codes.sum(axis=1) + rng.normal(0, 0.01, len(codes))
    study.append(
        SPACE.decode(codes),
        [
            {"accuracy": float(a), "latency_ms": float(b)}
            for a, b in zip(accuracy, latency, strict=True)
        ],
    )
    return study


@pytest.fixture
def study(tmp_path) -> Study:
    return study_in(tmp_path / "cells")


@pytest.mark.parametrize("method", BY_TABLE, ids=lambda m: m.name)
def test_methods_keep_the_contract(method: Method, study, monkeypatch) -> None:
    monkeypatch.setattr("foxnas_core.methods.predicted.EVALUATIONS", 60)
    found = check_method(method, study, Question("accuracy", {"latency_ms": 1.6}), seed=2)
    assert found is not None
    restricted = Question("latency_ms", {"accuracy": 62}, {"edge1": ("skip", "conv")})
    assert check_method(method, study, restricted) is not None


@pytest.mark.parametrize("method", BY_TABLE, ids=lambda m: m.name)
def test_what_a_study_lacks_is_a_sentence(method: Method, study, tmp_path) -> None:
    assert "'energy_mj'" in str(method.needs(study, Question("accuracy", {"energy_mj": 1.0})))
    assert check_method(method, study, Question("accuracy", {"energy_mj": 1.0})) is None
    empty = create_study(tmp_path / "empty", SPACE, name="Empty")
    assert check_method(method, empty, QUESTION) is None


def test_a_complete_table_is_answered_from_the_table(study) -> None:
    found = method_of("table").run(study, QUESTION)
    frame = study.table().frame
    best = frame[frame["latency_ms"] <= 1.6].sort_values("accuracy").iloc[-1]
    assert found.architecture.id == best["id"] == found.evidence["id"].iloc[0]
    assert found.document["exact"]["value"] == best["accuracy"] and found.document["gap"] == 0
    within = int((frame["latency_ms"] <= 1.6).sum())
    assert f"Of {within} that may be selected none is better" in found.sentence
    # Its regression, which adds up what is no sum, may select another, never a better one.
    other = Annealing().run(study, QUESTION)
    own = frame.set_index("id").loc[other.architecture.id]
    assert own["latency_ms"] > 1.6 or own["accuracy"] <= best["accuracy"]


def test_a_table_with_holes_names_what_to_take_instead(tmp_path) -> None:
    holed = study_in(tmp_path / "cells", left_out=3)
    with pytest.raises(MissingPart, match=r"78 of the 81 architectures .* take the method 'regr"):
        method_of("table").run(holed, QUESTION)


def test_the_regression_says_what_was_proven(study) -> None:
    found = method_of("regression").run(study, QUESTION)
    assert "The best found is the exact optimum" in found.sentence
    assert list(found.evidence["column"]) == ["accuracy", "latency_ms"]
    assert found.evidence["value"].iloc[1] <= 1.6
    assert found.document["exact"]["id"] == found.architecture.id


def test_what_is_too_large_to_be_listed_is_evolved_and_held_against_branch_and_bound(
    study, monkeypatch
) -> None:
    expected = method_of("regression").run(study, QUESTION)
    monkeypatch.setattr(SearchProblem, "is_listed", False)
    monkeypatch.setattr("foxnas_core.methods.predicted.EVALUATIONS", 300)
    found = check_method(Annealing(), study, QUESTION)
    assert found.architecture == expected.architecture
    assert found.sentence == expected.sentence and found.document["gap"] == 0


class Stopped(Exception):
    """Somebody pulled the plug."""


def test_a_run_that_was_stopped_goes_on_from_its_file(study, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("foxnas_core.methods.resuming._EVERY", 0.0)
    file, method = tmp_path / "state.json", method_of("regression")
    whole = method.run(study, QUESTION, seed=5)

    def stop(run) -> None:
        if run.done > run.total / 2:
            raise Stopped

    with pytest.raises(Stopped):
        run_kept(method, study, QUESTION, seed=5, file=file, report=stop)
    with pytest.raises(InvalidInput, match="another run \\(another seed\\)"):
        run_kept(method, study, QUESTION, seed=6, file=file)
    begun: list[int] = []
    resumed = run_kept(method, study, QUESTION, seed=5, file=file,
                       report=lambda run: begun.append(run.done))  # fmt: skip
    assert told(resumed) == told(whole) and not file.exists()
    assert begun[0] > 100_000


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', '{"state": "?"}'])
def test_a_file_of_something_else_is_not_touched(study, tmp_path, content) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(content)
    with pytest.raises(InvalidInput, match="name another file, or delete it"):
        run_kept(method_of("table"), study, QUESTION, file=file)
    assert file.read_text() == content


class Forgetful(CompleteTable):
    """Selects otherwise where it was resumed."""

    name = "forgetful"

    def begin(self, study, question, *, seed=0, state=None):
        run = super().begin(study, question, seed=seed)
        if state is not None:
            whole = run.selection
            run.selection = lambda: Selection(
                SPACE.sample(1, seed=0)[0], whole().sentence, whole().evidence, {}
            )
        return run


class Silent(CompleteTable):
    name = "silent"

    def lacks(self, study, question=None):
        return "No"


@pytest.mark.parametrize("broken", [Forgetful, Silent])
def test_the_suite_finds_what_is_broken(broken, study) -> None:
    with pytest.raises(AssertionError):
        check_method(broken(), study, QUESTION)


def test_a_method_from_elsewhere_is_known_by_its_name(monkeypatch) -> None:
    monkeypatch.setattr(methods, "_methods", dict(methods._methods))
    mine = Silent()
    register_method(mine)
    assert method_of("silent") is mine
    with pytest.raises(InvalidInput, match="There is a method 'silent' already"):
        register_method(type("Other", (CompleteTable,), {"name": "silent"})())
    with pytest.raises(InvalidInput, match="no method 'magic'; known: regression, table"):
        method_of("magic")


def test_the_command_line_selects(study, capsys) -> None:
    arguments = ["select", "--study", str(study.folder)]
    assert main([*arguments, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["methods"]
    needs = {row["method"]: row["needs"] for row in listed}
    assert needs["regression"] is None and needs["table"] is None
    arguments += ["--method", "table", "--limit", "latency_ms=1.6", "--forbid", "edge0=conv"]
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["method"] == "table" and document["gap"] == 0
    assert document["architecture"]["edge0"] != "conv"
    assert document["evidence"][0]["id"] == document["id"]
    assert main(arguments) == 0
    words = capsys.readouterr().out
    assert f"Complete table: subnet {document['id']}" in words and document["sentence"] in words
    assert document["source"] == "table" and document["best_measured"]["id"] == document["id"]


def test_a_selection_is_held_against_what_was_measured(study, capsys) -> None:
    arguments = ["select", "--study", str(study.folder), "--limit", "latency_ms=1.6"]
    assert main([*arguments, "--method", "regression", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    frame = study.table().frame
    best = frame[frame["latency_ms"] <= 1.6].sort_values("accuracy").iloc[-1]
    assert document["best_measured"]["id"] == best["id"]
    first = frame.set_index("id")["accuracy"].get(document["id"]) < best["accuracy"]
    assert document["source"] == ("measured" if first else "regression")
    assert main([*arguments, "--method", "regression"]) == 0
    assert (str(document["headline"]) in capsys.readouterr().out) == first


def test_a_selection_is_guarded_where_optima_were_measured() -> None:
    """The demo's, by its measured optima; as the search's own answer, number for number."""
    demo, limits = open_study(DEMO), {"latency_ms": 0.0653}
    plain, found, sure = (
        posed(demo, Question("accuracy", limits, guard=guard)) for guard in (OFF, None, 0.99)
    )
    assert plain.problem.limits[0].bound == 0.0653 and plain.guard is None
    assert found.guard == GUARD and sure.guard == 0.99
    assert sure.problem.limits[0].bound < found.problem.limits[0].bound
    best = solve(found.problem).candidate
    accuracy, latency = found.expected(best)
    assert accuracy.optima == latency.optima == 24 and accuracy.value != accuracy.predicted
    assert chance_of_all(found.wanted.limits, best.architecture, found.told) >= GUARD
    [free, held] = found.held(best)
    assert free["limit"] is None and held["limit"] == "at most 0.0653"
    assert held["searched"] == found.problem.limits[0].bound
    # The least cost at a floor is of the same optima.
    floor = posed(demo, Question("latency_ms", {"accuracy": 90.0}))
    assert floor.goals == ("accuracy", "latency_ms") and floor.guard == GUARD
    assert floor.problem.limits[0].bound > 90


def test_a_guard_without_measured_optima_says_how_to_get_there(study, capsys) -> None:
    asked = ["select", "--study", str(study.folder), "--method", "regression"]
    asked += ["--limit", "latency_ms=1.6"]
    assert main([*asked, "--guard", ".9"]) != 0
    assert "calibrate --study DIR --count 20" in capsys.readouterr().err
    assert main([*asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["guard"] is None
    assert document["sentence"].startswith("Nothing is promised of 1.6 ms: measure optima")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--method", "magic"], "There is no method 'magic'"),
        (["--method", "table", "--limit", "dice=0.5"], "has no column 'dice'"),
        (["--method", "table", "--limit", "latency_ms=1", "--limit", "latency_ms=2"], "twice"),
        (["--method", "regression", "--limit", "latency_ms=0.1"], "raise the budget"),
    ],
)
def test_bad_input_is_one_sentence(study, capsys, given, said) -> None:
    assert main(["select", "--study", str(study.folder), *given]) != 0
    assert said in capsys.readouterr().err
