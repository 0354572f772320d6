"""Every command that asks a table, of studies with other objectives and costs."""

import json

import numpy as np
import pytest
from studies.conftest import FOUND

from foxnas_core.__main__ import main
from foxnas_core.search.result import SEARCHES
from foxnas_core.table.metrics import COUNTABLE


def ask(capsys, *arguments) -> dict:
    assert main([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def middle(study) -> float:
    return float(np.median(study.table().values(study.cost.column)))


def test_the_study_knows_what_it_is_about(other):
    assert (other.objective.column, other.cost.column) == FOUND[other.folder.name]


def test_all_its_targets_are_fitted_and_told(other, capsys):
    document = ask(capsys, "fit", "--study", other.folder)
    columns = {target.column for target in other.table().targets}
    # What can be counted of a network is told as well where no row has it.
    assert columns <= set(document["targets"]) <= columns | set(COUNTABLE)
    assert all(fit["cv"]["tau"] > 0.5 for fit in document["targets"].values())
    assert main(["fit", "--study", str(other.folder), "--target", other.objective.column]) == 0
    assert other.objective.label in capsys.readouterr().out


def test_a_search_keeps_the_budget_of_its_cost(other, capsys):
    command = ["search", "--study", other.folder, "--steps", 400]
    budget = middle(other)
    document = ask(capsys, *command, "--budget", budget)
    objective, cost = FOUND[other.folder.name]
    best = document["best"]
    assert document["objective"] == objective and document["gap"] == 0
    assert best[cost]["value"] <= budget
    assert best[objective]["low"] < best[objective]["value"] <= best[objective]["high"]
    assert document["measured"][cost]["value"] <= budget
    assert main([*map(str, command), "--budget", str(budget)]) == 0
    said = capsys.readouterr().out
    assert other.objective.word in said and "top-1" not in said.lower().replace(
        other.objective.label.lower(), ""
    )
    # The other way round: the least cost at what was reached.
    turned = ask(capsys, *command, "--floor", best[objective]["value"])
    assert turned["objective"] == cost
    assert turned["best"][cost]["value"] <= budget
    known = len(other.ids(SEARCHES))
    saved = ask(capsys, *command, "--budget", budget, "--save")
    assert saved == document and len(other.ids(SEARCHES)) == known + 1


@pytest.mark.parametrize("aim", ["--save", "--gain", "--budget", "--floor"])
def test_a_goal_is_reached_from_a_measured_subnet(other, capsys, aim):
    table, (objective, cost) = other.table(), FOUND[other.folder.name]
    middling = table.frame["id"].iloc[int(np.argsort(table.values(cost))[30])]
    own = table.frame.set_index("id").loc[middling]
    amount = {
        "--save": 0.05 * own[cost], "--gain": 0.01 * own[objective],
        "--budget": 0.95 * own[cost], "--floor": own[objective],
    }[aim]  # fmt: skip
    command = ["counterfactual", "--study", other.folder, "--architecture", middling]
    document = ask(capsys, *command, aim, amount)
    assert document["answers"]
    for answer in document["answers"]:
        assert set(answer["changes"]) == {objective, cost}


def test_the_report_speaks_of_them(other, capsys, tmp_path):
    out = tmp_path / "report.html"
    document = ask(capsys, "report", "--study", other.folder, "--out", out)
    html = out.read_text()
    assert document["id"] and other.objective.label in html and other.cost.label in html
    if "accuracy" not in other.objective.column:
        assert "accura" not in " ".join(document["summary"]).lower()
    if not other.cost.timed:
        assert "latency" not in " ".join(document["summary"]).lower()


def test_another_objective_is_asked_for_by_name(other, capsys):
    columns = [t.column for t in other.table().targets if t.quality]
    for column in columns:
        command = ["search", "--study", other.folder, "--budget", middle(other), "--steps", 300]
        assert ask(capsys, *command, "--objective", column)["objective"] == column
