import json
import shutil

import pytest
from bright_cells import selected_study
from conftest import DEMO, run_page, sentences

from foxnas_core import methods
from foxnas_core.methods import CompleteTable, Question, sampled
from foxnas_core.methods.perturbation import Perturbation
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import open_study
from pages.shared import cache
from pages.shared.selections import Selecting

PAGE = "pages/21_Select.py"


def said(page) -> str:
    assert not page.exception and not page.error
    return sentences(page).replace("\\", "")


def show(page, method: str, part: str) -> None:
    """Choose a part of what is told of a method."""
    page.segmented_control(key=f"{method}-shown").set_value(part).run()


@pytest.fixture
def weights(studies):
    shutil.copy(DEMO / "supernet.safetensors", studies / "demo")


@pytest.fixture
def registered(monkeypatch):
    """A method that selects by a supernet; it asks the table, which it needs to be complete."""

    class Own(CompleteTable):
        name, title, on_supernet = "own", "A method of one's own", True

    monkeypatch.setattr(methods, "_methods", {"own": Own()})


def test_without_a_supernet_it_says_how_to_get_one(studies, registered):
    assert "train one with" in said(run_page(PAGE))


def test_it_says_what_each_method_needs(studies):
    page = run_page(PAGE)
    [table] = [d.value for d in page.dataframe if "method" in d.value]
    told = dict(zip(table["short name"], table["in words"], strict=True))
    assert told["regression"] == "Can run on this study." and "table" in told
    assert "of" in said(page) and "methods can run on this study" in said(page)


def test_a_method_has_its_view_which_says_what_it_needs(weights, registered):
    page = run_page(PAGE)
    [control] = [group for group in page.get("button_group") if group.key == "view"]
    assert control.value == "own"
    assert page.query_params["view"] in ("own", ["own"])
    assert "take the method 'regression'" in said(page) and not page.code


def test_a_method_that_can_run_is_named_with_its_command(weights, registered, studies, monkeypatch):
    monkeypatch.setattr(CompleteTable, "lacks", lambda self, study, question=None: None)
    page = run_page(PAGE)
    assert "Run A method of one's own on this study" in [e.label for e in page.expander]
    assert "/demo --method own" in page.code[0].value


# What a method by a mixture shows


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return selected_study(tmp_path_factory.mktemp("made") / "bright")


@pytest.fixture
def bright(studies, made):
    shutil.copytree(made.folder, studies / "bright")
    yield open_study(studies / "bright")
    for run in cache.works().runs(Selecting):
        run.stop()


def test_a_kept_selection_is_told_and_replayed(bright):
    page = run_page(PAGE, study="bright", view="perturbation")
    assert "Kendall's τ within edges is" in said(page)
    assert "150 measured cells of study 'Brightness'" in said(page)
    show(page, "perturbation", "What each operation is worth")
    assert "Effect in the complete table: No table that is looked at" in said(page)
    show(page, "perturbation", "Decision by decision")
    assert "2 orders of the decisions" in said(page)
    page.button(key="replay-start").click().run()
    assert "Every edge mixes all its operations" in said(page)
    page.button(key="replay-next").click().run()
    assert "Decision 1 of 6" in said(page)
    assert page.select_slider(key="replay-step").value == 1


def test_what_took_over_is_beside_what_each_way_selects(bright):
    page = run_page(PAGE, study="bright", view="magnitude")
    assert "skip_connect took over" in said(page)
    show(page, "magnitude", "What each way selects")
    assert "3 selections" in said(page)


def test_a_selection_runs_from_the_page_and_goes_on_where_it_was_stopped(bright, monkeypatch):
    page = run_page(PAGE, study="bright", view="perturbation")
    page.number_input(key="perturbation-seed").set_value(9).run()
    page.number_input(key="perturbation-epochs").set_value(0).run()
    page.number_input(key="perturbation-images").set_value(40).run()
    assert "--seed 9 --epochs 0 --images 40" in page.code[0].value
    tell = Selecting._tell
    with monkeypatch.context() as held:
        # It is stopped at its tenth step.
        held.setattr(
            Selecting, "_tell", lambda self, now: (self._stop.set() if now.done > 9 else 0)
            or tell(self, now),
        )  # fmt: skip
        page.button(key="select").click().run()
        cache.works().latest(Selecting, str(bright.folder), "perturbation").wait(60)
    page.run()
    assert "Stopped. What was decided is kept" in said(page)
    assert page.button(key="select").label == "Go on with seed 9"
    page.button(key="select").click().run()
    job = cache.works().latest(Selecting, str(bright.folder), "perturbation")
    job.wait(60)
    assert job.state == "finished", job.note
    # To the same decisions as one that nobody stopped.
    whole = Perturbation(epochs=0, images=40).run(bright, Question("accuracy"), seed=9)
    kept = SELECTIONS.document(bright.kept(SELECTIONS, job.kept))
    assert kept == {"format": 1, **whole.document}
    show(page, "perturbation", "Decision by decision")
    assert "3 orders of the decisions" in said(page)
    assert page.button(key="select").label == "Select"


# What FP-NAS shows


@pytest.fixture
def striped(measured_study, tiny_dataset, monkeypatch):
    """A study that FP-NAS trains on stripes for."""
    monkeypatch.setattr("foxnas_core.methods.fpnas.has_fashion_mnist", lambda: True)
    monkeypatch.setattr(sampled, "training_images", lambda study, data: tiny_dataset)
    monkeypatch.setenv("FOXNAS_STUDIES", str(measured_study.folder.parent))
    yield measured_study
    for run in cache.works().runs(Selecting):
        run.stop()


def test_sampling_is_watched_and_held_and_its_mode_is_taken_along(striped, monkeypatch):
    page = run_page(PAGE, study="tiny", view="fpnas")
    assert "Nothing was selected by FP-NAS in this study yet" in said(page)
    page.number_input(key="fpnas-epochs").set_value(3)
    page.number_input(key="fpnas-images").set_value(100).run()
    assert "--method fpnas --epochs 3 --images 100 --limit latency_ms=" in page.code[0].value
    watch = Selecting._watch
    monkeypatch.setattr(
        Selecting, "_watch", lambda self, run: (self.pause() if run.done == 1 else None)
        or watch(self, run),
    )  # fmt: skip
    page.button(key="select").click().run()
    job = cache.works().latest(Selecting, str(striped.folder), "fpnas")
    while job.so_far is None and not job.ended:
        job.wait(0.1)
    assert job.state == "paused", job.note
    page.run()
    assert "By step 1 the entropy" in said(page) and "After epoch 1 the mode scores" in said(page)
    assert page.button(key="selection-pause").label == "Resume"
    page.button(key="selection-pause").click().run()
    job.wait(60)
    assert job.state == "finished", job.note
    page.run()
    assert "By step 3 the entropy" in said(page)
    show(page, "fpnas", "What it decided")
    assert "After epoch 3 the mode scores" in said(page)
    page.button(key="selected-to-what-if").click().run()
    mode = striped.kept(SELECTIONS, job.kept).selected.architecture
    assert json.loads(page.query_params["architecture"]) == mode.to_dict()


def test_what_is_damaged_is_a_sentence(bright):
    bright.checkpoint_file.write_bytes(b"no checkpoint")
    page = run_page(PAGE, study="bright", view="perturbation")
    assert not page.exception and "damaged" in sentences(page)
    assert "Kendall's τ" in sentences(page)  # what was selected is still told


def test_without_a_selection_it_says_how_to_make_one(bright):
    shutil.rmtree(bright.folder / SELECTIONS.file)
    page = run_page(PAGE, study="bright", view="perturbation")
    assert "Nothing was selected by perturbation in this study yet" in said(page)
    assert page.button(key="select")
