"""Selection by a supernet: by its architecture parameters, and by what it loses without an
operation, on one that was built so that the answer is known."""

import json

import numpy as np
import pytest
from bright_cells import RECORD, SIDE, SIGNAL, signalling, study_of
from mixtures import mixture_of
from torch import nn

from foxnas_core.__main__ import main
from foxnas_core.errors import InvalidInput
from foxnas_core.families.nasbench201.space import EDGES, edge_name
from foxnas_core.methods import Question, method_of
from foxnas_core.methods.masking import Bench
from foxnas_core.methods.perturbation import Perturbation
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import Study, check_parts
from foxnas_core.study.parts import MIXTURE, parts_of
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks.classification import Classification
from foxnas_core.testing.methods import check_method, told

QUESTION = Question("accuracy")


@pytest.fixture
def study(tmp_path) -> Study:
    return study_of(
        tmp_path / "cells", signalling(mixture_of("nasbench201", classes=2, resolution=SIDE))
    )


def test_what_carries_the_signal_is_kept_where_its_parameter_is_small(study):
    found = Perturbation(epochs=0, images=60).run(study, QUESTION, seed=0).document
    assert found["selected"]["architecture"][SIGNAL] == "nor_conv_3x3"
    [decision] = [one for one in found["decisions"] if one["edge"] == SIGNAL]
    drops = {one["operation"]: one["drop"] for one in decision["candidates"]}
    assert drops.pop("nor_conv_3x3") > 30 and not any(drops.values())
    assert decision["base"] == decision["after"] == 100
    assert decision["margin"] > 2 * decision["margin_error"]
    other = method_of("magnitude").run(study, QUESTION).document
    assert set(other["selected"]["architecture"].values()) == {"skip_connect"}


def test_masking_none_costs_nothing_at_any_decision(study):
    found = Perturbation(epochs=1, images=60).run(study, QUESTION, seed=1).document
    for decision in found["decisions"]:
        [none] = [one for one in decision["candidates"] if one["operation"] == "none"]
        assert none["drop"] == 0 == none["std_error"] and none["accuracy"] == decision["base"]


def test_errors_are_paired_and_orders_are_the_seeds(study):
    method = Perturbation(epochs=0, images=60)
    found = method.run(study, QUESTION, seed=0).document
    names = {edge_name(*edge) for edge in EDGES}
    assert [one["edge"] for one in found["decisions"]] == found["order"]
    orders = {tuple(method.begin(study, QUESTION, seed=seed)._order) for seed in range(5)}
    assert len(orders) == 5 and all(set(order) == names for order in orders)
    base, masked = np.array([0.0, 100, 100, 100]), np.array([0.0, 0, 100, 100])
    _, held_out = study.images()
    bench = Bench(mixture_of("nasbench201"), Classification(0.5, 0.25), held_out, held_out)
    assert bench.lost(base, masked) == pytest.approx((25, 25))


@pytest.mark.parametrize("method", [Perturbation(epochs=1, images=60), method_of("magnitude")])
def test_the_contract_of_methods_is_kept(method, study):
    assert check_method(method, study, QUESTION, seed=3) is not None
    assert check_method(method, study, Question("accuracy", {"macs": 1e6})) is None


def test_a_selection_killed_at_any_decision_ends_as_an_unbroken_one(study):
    method = Perturbation(epochs=1, images=60)
    run, states = method.begin(study, QUESTION, seed=2), [b""]
    while run.done < run.total:
        run.advance(1)
        if run.state() != states[-1]:
            states.append(run.state())
    assert len(states) == 2 + len(EDGES)
    for number, state in list(enumerate(states[1:]))[::3]:
        resumed = method.begin(study, QUESTION, seed=2, state=state)
        assert resumed.done == 1 + 6 * number
        resumed.advance(resumed.total)
        assert told(resumed.selection()) == told(run.selection())
    with pytest.raises(InvalidInput, match="damaged"):
        method.begin(study, QUESTION, seed=2, state=states[-1][:-30])
    with pytest.raises(InvalidInput, match="damaged"):
        method.begin(study, QUESTION, seed=4, state=states[-1])


def test_nodes_of_darts_keep_the_two_edges_that_are_missed_most(tmp_path, monkeypatch):
    study = study_of(tmp_path / "darts", mixture_of("darts", cells=1, classes=2))

    def cases(self, weights):
        """Later edges are missed the more, whatever their operation; of operations the last."""
        lost = 0.0
        for number, own in enumerate(weights.values()):
            missing = [place for place, weight in enumerate(own) if not weight]
            lost += number if not any(own) else 0.01 * sum(missing)
        return np.full(60, 50 - lost / 100)

    monkeypatch.setattr(Bench, "cases", cases)
    found = Perturbation(epochs=0, images=60).run(study, QUESTION, seed=0).document
    kept = {one["edge"]: one["kept"] for one in found["decisions"]}
    assert {name: own for name, own in kept.items() if name.endswith("inputs")} == {
        f"{cell}_{node}_inputs": f"{node - 2},{node - 1}"
        for cell in ("normal", "reduce") for node in (3, 4, 5)
    }  # fmt: skip
    assert all(name.endswith("inputs") for name in found["order"][28:])
    assert len(study.space.architecture(found["selected"]["architecture"]).to_dict()) == 22
    assert found["selected"]["string"].startswith("normal=[(")
    monkeypatch.undo()
    by_size = method_of("magnitude").run(study, QUESTION).document
    assert "none" not in by_size["selected"]["architecture"].values()


@pytest.mark.parametrize(
    ("record", "said"),
    [({"update": "single-path"}, "trained as a mixture"), ({"update": "darts"}, "all equal")],
)
def test_what_a_supernet_lacks_is_a_sentence(tmp_path, record, said):
    supernet = mixture_of("nasbench201", classes=2)
    for alpha in supernet.alpha.values():
        nn.init.zeros_(alpha)
    study = study_of(tmp_path / "cells", supernet, **record)
    assert said in str(method_of("magnitude").needs(study))
    assert (method_of("perturbation").needs(study) is None) == (said == "all equal")


def test_the_command_line_selects_by_a_supernet_and_keeps_it(study, capsys):
    arguments = ["select", "--study", str(study.folder), "--seed", "1", "--json"]
    given = ["--method", "perturbation", "--epochs", "0", "--images", "40"]
    assert main([*arguments, *given]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"method", "seed", "order", "decisions", "selected", "settings"}
    assert set(document["selected"]) == {"id", "architecture", "string"}
    first = document["decisions"][0]["candidates"][0]
    assert set(first) == {"operation", "weight", "accuracy", "std_error", "drop"}
    [kept] = study.ids(SELECTIONS)
    assert SELECTIONS.document(study.kept(SELECTIONS, kept)) == {"format": 1, **document}
    assert not list((study.folder / "select").iterdir())
    assert main([*arguments, "--method", "magnitude"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "magnitude"
    assert len(study.ids(SELECTIONS)) == 2
    assert main([*arguments, "--method", "magnitude", "--epochs", "1"]) == 2
    assert "'magnitude' has no --epochs" in capsys.readouterr().err


def test_a_mixture_beside_the_supernet_that_is_measured_is_selected_by(study):
    magnitude, expected = method_of("magnitude"), method_of("magnitude").run(study, QUESTION)
    mixture = study.folder / MIXTURE
    study.checkpoint_file.replace(mixture)
    supernet = mixture_of("nasbench201", classes=2, resolution=SIDE)
    save_checkpoint(study.checkpoint_file, supernet, RECORD | {"update": "single-path"})
    check_parts(study)
    assert told(magnitude.run(study, QUESTION)) == told(expected)
    assert Perturbation(epochs=0, images=10).needs(study) is None
    assert MIXTURE in parts_of(study.folder)
    mixture.unlink()
    assert "--update darts" in magnitude.needs(study)
