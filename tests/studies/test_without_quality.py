"""A study whose table has costs only: what can be asked of it, and where it is told."""

import json

import numpy as np
import pytest
from conftest import run_page, sentences
from hand import table_of
from studies.conftest import work_of

from foxnas_core.__main__ import main
from foxnas_core.families import family_of
from foxnas_core.regression import fit
from foxnas_core.study import create_study, open_study
from foxnas_core.study.goals import stand_in_sentence
from foxnas_core.table.metrics import KNOWN


@pytest.fixture(scope="module")
def costs_alone(tmp_path_factory, tiny_space):
    folder = tmp_path_factory.mktemp("costs")
    codes = tiny_space.random_codes(60, seed=3)
    work = np.array([work_of(a) for a in tiny_space.decode(codes)])
    noise = np.random.default_rng(5).normal(size=60)
    table = table_of(tiny_space, codes, latency_ms=(0.1 + work / 17_000) * (1 + noise / 50))
    create_study(folder / "costs", tiny_space, name="Costs", table=table)
    return open_study(folder / "costs")


@pytest.mark.parametrize("counted", ["macs", "parameters"])
def test_the_least_cost_at_a_floor_of_size_is_found_exactly(costs_alone, capsys, counted):
    space, codes = costs_alone.space, costs_alone.space.random_codes(3000, seed=1)
    sizes = family_of(space).totals(space, codes.astype(np.intp), counted)
    floor = float(np.median(sizes))
    command = [
        "search",
        "--study",
        str(costs_alone.folder),
        "--floor",
        str(floor),
        "--steps",
        "300",
    ]
    assert main([*command, "--objective", f"size:{counted}", "--json"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    best = found["best"]
    assert found["objective"] == "latency_ms" and best[f"size:{counted}"]["value"] >= floor
    predictor = fit(costs_alone.table(), "latency_ms")
    assert found["exact"]["latency_ms"]["value"] <= best["latency_ms"]["value"] + 1e-12
    others = predictor.predict_codes(codes)["value"][sizes >= floor]
    assert found["exact"]["latency_ms"]["value"] <= others.min() + 1e-12
    assert stand_in_sentence(costs_alone.objective) in told.err.replace("\n", " ")


def test_what_has_a_quality_or_nothing_needs_no_stand_in(costs_alone, tmp_path, tiny_space):
    assert costs_alone.objective.column == "size:macs"
    assert costs_alone.table().frame.columns.str.startswith("size:").sum() == 0
    empty = create_study(tmp_path / "empty", tiny_space, name="Empty")
    assert empty.objective == KNOWN["accuracy"] and not stand_in_sentence(empty.objective)


@pytest.mark.parametrize(
    "page", ["app.py", "pages/3_Search.py?view=live", "pages/1_Coefficients.py"]
)
def test_pages_say_what_stands_in_and_answer(costs_alone, page, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(costs_alone.folder.parent))
    found = run_page(page)
    assert not found.exception and not found.error
    said = sentences(found)
    assert "MACs" in said and "accura" not in said.replace("no accuracy of", "").replace(
        "accuracies of your own", ""
    )
    assert ("stands in for it" in said) == (page != "pages/1_Coefficients.py")
