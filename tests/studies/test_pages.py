"""Every page, of studies with other objectives and costs: what a person reads and does there."""

import json
import re

import pytest
from conftest import run_page, sentences
from places import PLACES
from studies.conftest import GOALS

from foxnas_core.search.result import SEARCHES
from pages.shared import cache
from pages.shared.exports import Exporting
from pages.shared.jobs import Job

# What these studies lack where a card says so as a hint, and not as what a page is about.
NEEDS = {
    "pages/7_Devices.py?view=handmade": "No network designed by hand|no supernet",
    **{
        f"pages/7_Devices.py?view={view}": "on another device|measure these|no measured|no latency"
        for view in ("calibrate", "compare", "machine", "order")
    },
}
# Pages about accuracy inherited or rounded, about time, or about all studies, and that of files,
# whose latency is measured whatever the study is about.
OF_THEIR_OWN = {
    "pages/12_Trust.py", "pages/14_Measurements.py", "pages/20_Studies.py", "pages/4_Export.py",
    "pages/7_Devices.py", "pages/21_Select.py",
}  # fmt: skip
# Words that a study has nothing to do with.
FOREIGN = {
    "dice": r"accura|latenc|top-1|\bms\b|faster",
    "language": r"accura|latenc|top-1|\bms\b|faster",
    "energy": r"latenc|\bms\b|faster",
    "battery": r"accura|top-1",
}
# What pages name that show how a subnet does.
SAID = {
    "dice": ("dice", "MACs"),
    "domains": ("accuracy (unseen domains)", "latency"),
    "energy": ("accuracy", "energy"),
    "language": ("cross-entropy", "MACs"),
    "battery": ("energy", "latency"),
}
TELL = {
    "app.py", "pages/1_Coefficients.py?view=effects", "pages/1_Coefficients.py?view=shrink",
    "pages/2_What_if.py?view=editor", "pages/2_What_if.py?view=explained",
    "pages/3_Search.py?view=live", "pages/3_Search.py?view=front",
}  # fmt: skip


def words(page) -> str:
    """All that is read on a page: text, labels, options, tables, and the words of figures."""
    told = [sentences(page), *(str(e.value) for e in [*page.header, *page.title, *page.subheader])]
    told += [f"{metric.label} {metric.value}" for metric in page.metric]
    for kind in ("button", "selectbox", "slider", "multiselect", "number_input", "select_slider"):
        for widget in page.get(kind):
            told += [widget.label, *map(str, getattr(widget, "options", []))]
    told += [widget.label for widget in page.get("button_group")]
    for shown in page.dataframe:
        texts = shown.value.select_dtypes(exclude="number")
        told += [*shown.value.columns, *texts.to_numpy().ravel()]
    for chart in page.get("plotly_chart"):
        told += re.findall(r'"(?:text|name|hovertemplate)":\s*"([^"]*)"', chart.proto.spec)
    return "\n".join(map(str, told)).replace("\\", "")


def test_places_that_tell_are_there():
    assert set(PLACES) >= TELL


# Where a page tells how a subnet does, each study is told of in its own words. Any other page has
# one without accuracy and latency, whose foreign words are those of all, and one that is timed or
# of two accuracies.
DRAWN = [
    (place, name)
    for number, place in enumerate(PLACES)
    for name in (
        GOALS
        if place in TELL
        else (("dice", "language")[number % 2], ("domains", "energy", "battery")[number % 3])
    )
]


@pytest.mark.parametrize(("place", "other"), DRAWN, indirect=["other"])
def test_a_page_shows_what_such_a_study_has_in_its_words(other, place):
    page = place.partition("?")[0]
    drawn = run_page(place, study=other.folder.name)
    assert not drawn.exception, drawn.exception
    errors, name = " ".join(e.value for e in drawn.error), other.folder.name
    if "handmade" in place or (place in NEEDS and not other.cost.timed):
        assert re.search(NEEDS[place], errors + sentences(drawn), re.I)
    else:
        assert not errors
    text = words(drawn)
    if page not in OF_THEIR_OWN and name in FOREIGN:
        # What a layer takes on this machine is a time whatever the study is about.
        foreign = FOREIGN[name].replace(r"|\bms\b", "" if "layers" in place else r"|\bms\b")
        assert not (found := re.search(f".*({foreign}).*", text, re.I)), found[0]
    if place in TELL:
        for said in SAID[name]:
            assert said.lower() in text.lower()


def link(study) -> str:
    return json.dumps(study.space.extreme("smallest").to_dict())


def test_an_edit_tells_what_it_brings_and_costs(other):
    page = run_page("pages/2_What_if.py", study=other.folder.name, architecture=link(other))
    objective, cost = other.objective, other.cost
    before = {metric.label: metric.value for metric in page.metric}
    assert {objective.named, cost.named} <= set(before)
    [scope] = [w for w in page.selectbox if w.key.startswith("scope-")]
    scope.select("s1b1").run()
    [kernel] = [w for w in page.get("button_group") if w.key.startswith("set-kernel-")]
    kernel.set_value(5).run()
    assert not page.exception and not page.error
    after = {metric.label: metric for metric in page.metric}
    # A greater kernel is better and costs more, by the laws of all.
    for metric in (objective, cost):
        change = float(re.sub(r"[^\d.+-]", "", after[metric.named].delta))
        assert (change > 0) == (metric.direction == "max" or metric == cost)
        assert after[metric.named].value != before[metric.named]
    picker = page.selectbox(key="edits-target")
    assert {objective.label, cost.label} <= set(picker.options)
    for metric in (objective, cost):
        page.selectbox(key="edits-target").select(metric.column).run()
        text = next(t for t in sentences(page).split("\n") if "From the start to now" in t)
        told = rf"together \S+ ?[kM]? ?{metric.difference_unit}, (95 %|which is counted)"
        assert re.search(told, text), text


def amount(metric) -> str:
    """What matches a value with its unit, or with its name where it has none."""
    unit = metric.unit or f"({metric.word})?"
    return rf"\**[\d.,]+( [kM])?( {unit})?\**"


def test_a_search_is_told_and_kept_in_their_units(other):
    page = run_page("pages/3_Search.py", study=other.folder.name)
    text, known = sentences(page).replace("\\", ""), set(other.ids(SEARCHES))
    objective, cost = other.objective, other.cost
    amounts = " and ".join(amount(metric) for metric in (objective, cost))
    assert re.search(rf"Exact optimum under .*, predicted at {amounts}", text), text
    budget = page.slider(key="budget")
    assert budget.label == (f"{cost.title} budget ({cost.unit})" if cost.unit else
                            f"{cost.title} budget")  # fmt: skip
    budget.set_value(budget.min + (budget.max - budget.min) / 2)
    page.select_slider(key="steps").set_value(1000)
    page.selectbox(key="pace").set_value(0.0).run()
    page.button(key="start").click().run()
    [job] = [job for job in cache.works().runs(Job) if job.study == str(other.folder)]
    job.wait(300)
    page.run()
    assert not page.exception and not page.error
    [kept] = set(other.ids(SEARCHES)) - known
    best = other.kept(SEARCHES, kept).best
    for metric, value in zip((objective, cost), (best.value, *best.costs), strict=True):
        assert metric.text(value) in words(page)


def test_a_front_tells_what_each_point_costs(other):
    page = run_page("pages/3_Search.py?view=front", study=other.folder.name)
    objective = other.objective
    [against] = [w for w in page.get("button_group") if w.key == "front-cost"]
    assert against.label == f"{objective.title} against"
    text = words(page)
    assert re.search(rf"Optimum under .*predicted at {amount(objective)} and ", text), text
    unit = f"{objective.difference_unit or objective.word} per "
    assert unit in text


@pytest.mark.parametrize("other", ["energy"], indirect=True)
def test_an_export_has_predictions_of_both_on_its_card(other):
    page = run_page("pages/4_Export.py", study=other.folder.name, architecture=link(other))
    assert re.search(r"Energy: \*\*[\d.]+ mJ\*\* predicted", words(page))
    page.multiselect(key="formats").set_value(["onnx"]).run()
    page.button(key="build").click().run()
    [run] = [r for r in cache.works().runs(Exporting) if r.study == str(other.folder)]
    run.wait(120)
    page.run()
    assert not page.exception and not page.error, [e.value for e in page.error]
    [row] = [line for line in words(page).split("\n") if line.startswith("| Energy |")]
    assert "mJ" in row and "latency" not in row.lower()


@pytest.mark.parametrize("page", ["pages/3_Search.py", "pages/3_Search.py?view=strategies"])
def test_the_least_cost_is_looked_for_at_an_objective_of_either_direction(other, page):
    drawn = run_page(page, study=other.folder.name)
    drawn = drawn.radio(key="goal").set_value("latency").run()
    assert not drawn.exception and not drawn.error
    word = "floor" if other.objective.direction == "max" else "limit"
    slider = drawn.slider(key="floor")
    assert slider.label.startswith(f"{other.objective.title} {word}")
    values = other.table().values(other.objective.column)
    assert slider.min < slider.max and values.min() < slider.value < values.max()
    if page == "pages/3_Search.py":
        assert "Exact optimum" in sentences(drawn)


AIMS = {
    "save": ("dice", "battery"),
    "gain": ("language", "energy"),
    "latency": ("domains", "language"),
    "accuracy": ("battery", "dice"),
}


@pytest.mark.parametrize(
    ("aim", "other"), [(a, name) for a in AIMS for name in AIMS[a]], indirect=["other"]
)
def test_every_goal_of_a_counterfactual_is_asked_for(other, aim):
    drawn = run_page("pages/2_What_if.py?view=counterfactuals", study=other.folder.name)
    drawn = drawn.segmented_control(key="aim").set_value(aim).run()
    assert not drawn.exception and not drawn.error
    # The chosen subnet is the best within a budget, so that there is something to ask for.
    [amount] = [s for s in drawn.slider if s.key in (f"amount-{aim}", f"percent-{aim}")]
    assert amount.value > 0
