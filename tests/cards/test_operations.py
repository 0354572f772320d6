"""The cards of a selection by a supernet that knows the answer."""

from dataclasses import replace

import pytest
from bright_cells import SIGNAL, selected_study
from mixtures import mixture_of

from foxnas_core.cards import decisions, mixtures, operations
from foxnas_core.cards.analysis import analyses, analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import create_study
from foxnas_core.testing.analyses import check_analysis

OF = {module.__name__ for module in (decisions, mixtures, operations)}
KEYS = [key for key, one in analyses().items() if one.make.__module__ in OF]


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Given:
    return Given(selected_study(tmp_path_factory.mktemp("studies") / "bright"))


@pytest.mark.parametrize("key", KEYS)
def test_every_card_tells_of_it(given, key):
    lacking = check_analysis(analysis_of(key), given) is None
    assert lacking == (key == "select-effect")  # no table here has every cell


def test_the_claim_has_its_numbers_and_says_what_chance_decided(given):
    card = operations.claim.compute(given)
    assert "Kendall's τ within edges is" in card.sentence
    told = " ".join(card.points)
    assert "Chance made 5 of 6 decisions" in told and "150 measured cells" in told
    assert card.table["by chance"].sum() == 5


def test_maps_lie_beside_each_other_edge_by_edge(given):
    lost = operations.maps["lost"].compute(given).table.set_index(["edge", "operation"])
    carried = lost.loc[("in → out", "nor_conv_3x3")]
    assert carried["value"] > 30 and carried["kept"] and not carried["within noise"]
    assert lost["within noise"].sum() == 29
    weight = operations.maps["weight"].compute(given).table.set_index(["edge", "operation"])
    assert weight.index.equals(lost.index)
    assert weight.loc[("in → out", "skip_connect"), "value"] > 60
    told = operations.maps["coefficient"].compute(given).table
    gains = told[told["edge"] == "in → 1"].set_index("operation")["value"]
    assert gains.to_dict() == pytest.approx(
        {"none": 0, "skip_connect": 2, "nor_conv_1x1": 3, "nor_conv_3x3": 5, "avg_pool_3x3": 1}
    )


def test_the_replay_ends_with_what_was_selected(given):
    found = operations.shown(given, "")
    first = decisions.replay.compute(given, step=0).table
    assert first["operation"].tolist() == ["mixes 5"] * 6 and not first["live"].any()
    last = decisions.replay.compute(given, step=6).table.set_index("cell")["operation"]
    assert last.to_dict() == found.selected.architecture.to_dict()
    place = 1 + [own.edge for own in found.decisions].index(SIGNAL)
    card = decisions.replay.compute(given, step=place)
    assert card.table.loc[card.table["now"], "cell"].tolist() == [SIGNAL]
    assert "keeps nor_conv_3x3" in card.sentence and "chance" not in card.sentence


def test_what_took_over_is_said_and_what_each_way_selects(given):
    card = mixtures.parameters.compute(given)
    assert card.tone == "warning" and "on most from epoch 3 on" in card.sentence
    table = mixtures.selected.compute(given).table.set_index("method")
    assert table.loc["magnitude", "skip_connect"] == 6 and len(table) == 3
    assert (table.loc["perturbation", "skip_connect"] < 6).all()


def test_a_selection_by_the_present_weights_comes_before_newer_ones(given, monkeypatch):
    newest, older = list(operations.perturbed(given).items())[:2]
    other = replace(newest[1], settings=newest[1].settings | {"checkpoint": "another"})
    monkeypatch.setattr(
        operations, "selections_of", lambda given: dict([(newest[0], other), older])
    )
    assert list(operations.perturbed(given)) == [older[0], newest[0]]
    assert operations.shown(given, "") == older[1]


def test_damaged_and_foreign_selections_are_left_out(tmp_path):
    study = create_study(tmp_path / "cells", mixture_of("nasbench201").space, name="Cells")
    folder = study.folder / SELECTIONS.file
    folder.mkdir()
    (folder / f"{'a' * 12}.json").write_text("{")
    given = Given(study)
    assert operations.selections_of(given) == {}
    for analysis in (operations.claim, decisions.replay, mixtures.selected, mixtures.parameters):
        assert "foxnas_core" in str(analysis.needs(given))
