import json
import re

import numpy as np
import pytest
from conftest import sentences
from conftest import unguarded_page as run_page

from foxnas_core.explanation.reach import Goal, best_with_kept, reach
from foxnas_core.explanation.why_not import why_not
from foxnas_core.search.restriction import choices_that_keep
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.search import cost_front, search_problem
from foxnas_core.study import create_study, open_study
from foxnas_core.table.measurements import table_from_frame

PAGE = "pages/2_What_if.py?view=counterfactuals"


@pytest.fixture(scope="module")
def fits(copied):
    return fit_all(open_study(copied / "demo").table(), targets=("accuracy", "latency_ms"))


def said(page) -> str:
    return sentences(page).replace("\\", "")


def picked(page, key: str):
    [widget] = [w for w in page.get("button_group") if w.key == key]
    return widget


def part(page, name: str):
    picked(page, "counterfactual").set_value(name).run()
    check(page)
    return page


def address(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def chosen(study, page):
    return study.space.architecture(json.loads(address(page, "architecture")))


def as_link(architecture) -> str:
    return json.dumps(architecture.to_dict())


def table_of(page, column: str):
    return next(d.value for d in page.dataframe if column in d.value)


def check(page) -> None:
    assert not page.exception and not page.error, [e.value for e in page.error]


def test_the_edits_and_their_price_are_those_of_the_core(shipped, fits):
    base = shipped.space.sample(1, seed=5)[0]
    page = run_page(PAGE, architecture=as_link(base), amount="0.012")
    check(page)
    problem = search_problem(fits, {"latency_ms": 0.0}, objective="accuracy")
    found = reach(problem, base, Goal(0.012))
    assert len(found.answers) > 2
    text = said(page)
    assert f"that of the fewest takes **{found.fewest.counted}**" in text
    assert f"the cheapest answer takes **{found.cheapest.counted}**" in text
    table, cheapest_first = table_of(page, "in words"), found.answers[::-1]
    assert table["edits"].tolist() == [answer.edits for answer in cheapest_first]
    assert table["in words"].tolist() == [answer.words for answer in cheapest_first]
    assert f"**{found.cheapest.price(found.targets[0])}**" in text
    assert f"with a chance of **{found.cheapest.sure}**" in text
    first = picked(page, "edits").set_value(found.fewest.edits).run()
    check(first)
    assert address(first, "edits") == str(found.fewest.edits)
    assert f"**{found.fewest.counted}:** {found.fewest.words}." in said(first)


def test_goals_are_told_in_percent_or_in_the_unit(shipped, fits):
    page = run_page(PAGE)
    check(page)
    base = chosen(shipped, page)
    problem = search_problem(fits, {"latency_ms": 0.0}, objective="accuracy")
    usual = reach(problem, base, Goal(20.0, in_percent=True))
    assert page.slider(key="percent-save").value == 20 and f"**{usual.asked}**" in said(page)
    page.slider(key="percent-save").set_value(10.0).run()
    check(page)
    assert address(page, "percent") == "10"
    assert f"**{reach(problem, base, Goal(10.0, in_percent=True)).asked}**" in said(page)
    picked(page, "goal-unit").set_value(False).run()
    check(page)
    assert "percent" not in page.query_params
    assert f"{page.slider(key='amount-save').value:g}" in said(page)


def test_answers_are_as_sure_as_is_asked(shipped, fits):
    base = shipped.space.sample(1, seed=5)[0]
    page = run_page(PAGE, architecture=as_link(base), percent="20", guard="0.95")
    check(page)
    problem = search_problem(fits, {"latency_ms": 0.0}, objective="accuracy")
    found = reach(problem, base, Goal(20.0, in_percent=True, surely=0.95))
    assert (table_of(page, "in words")["chance"] >= 95).all()
    assert f"held to {found.held}, so that it is kept in 9.5 of 10" in said(page) or (
        f"held to {found.held}, so that it is kept in 95 of 100 measurements" in said(page)
    )


@pytest.mark.parametrize("aim", ["gain", "latency", "accuracy"])
def test_every_aim_is_answered(shipped, fits, aim):
    page = run_page(PAGE, aim=aim)
    check(page)
    amount = page.slider(key=f"amount-{aim}").value
    base = chosen(shipped, page)
    bounds = {"gain": {"accuracy": 0.0}, "latency": {"latency_ms": amount}}
    bounds["accuracy"] = {"accuracy": amount}
    objective = "accuracy" if aim == "latency" else "latency_ms"
    problem = search_problem(fits, bounds[aim], objective=objective)
    found = reach(problem, base, Goal(amount, relative=aim == "gain"))
    assert f"**{found.asked}**" in said(page)
    assert table_of(page, "in words")["id"].tolist() == [a.after.id for a in found.answers[::-1]]


def test_a_goal_met_already_needs_no_edit(shipped):
    page = run_page(PAGE, aim="accuracy", amount="70")
    check(page)
    assert "no edit is needed; with" in said(page)
    picked(page, "edits").set_value(0).run()
    assert "No edit is needed" in said(page)


def test_other_aims_begin_anew(shipped):
    page = run_page(PAGE, amount="0.012", edits="2")
    picked(page, "aim").set_value("gain").run()
    check(page)
    assert "amount" not in page.query_params and address(page, "aim") == "gain"
    page.slider(key="amount-gain").set_value(0.05).run()
    check(page)
    assert address(page, "amount") == "0.05"


def test_an_answer_applied_is_the_subnet_of_other_pages_and_the_start_stays(shipped):
    base = shipped.space.extreme("largest")
    page = run_page(PAGE, architecture=as_link(base), amount="0.02")
    [first, *_] = table_of(page, "in words")["id"].tolist()
    page.button(key="answer-apply").click().run()
    check(page)
    assert chosen(shipped, page).id == first and "amount" not in page.query_params
    picked(page, "view").set_value("editor").run()
    check(page)
    assert chosen(shipped, page).id == first
    # Edits are held against the largest, to which one click leads back.
    assert "From the start to now" in said(page)
    page.button(key="undo").click().run()
    check(page)
    assert chosen(shipped, page) == base


def test_an_answer_applied_is_undone_where_it_was_applied(shipped):
    base = shipped.space.extreme("largest")
    page = run_page(PAGE, architecture=as_link(base), amount="0.02")
    page.button(key="answer-apply").click().run()
    assert chosen(shipped, page) != base
    page.button(key="undo").click().run()
    check(page)
    assert chosen(shipped, page) == base


def test_an_answer_opens_in_what_if(shipped):
    page = run_page(PAGE)
    first = table_of(page, "in words")["id"].iloc[0]
    page.button(key="answer-what-if").click().run()
    check(page)
    assert picked(page, "view").value == "editor"
    assert chosen(shipped, page).id == first


def test_why_not_is_answered_by_the_core(shipped, fits):
    page = run_page(PAGE, budget="0.06", asked="s2b1_kernel:3", counterfactual="Why not")
    check(page)
    base = chosen(shipped, page)
    problem = search_problem(fits, {"latency_ms": 0.06}, objective="accuracy")
    found = why_not(problem, base, "s2b1_kernel", 3)
    assert found.sentence() in said(page)
    table = table_of(page, "now")
    assert table["choice"].tolist() == ["3", "5", "7"]
    other = page.selectbox(key="asked-decision").select("s3_depth").run()
    check(other)
    value = next(v for v in (1, 2, 3) if v != base["s3_depth"])
    picked(other, "asked-s3_depth").set_value(value).run()
    check(other)
    assert address(other, "asked") == f"s3_depth:{value}"
    assert why_not(problem, base, "s3_depth", value).sentence() in said(other)
    other.button(key="why-not-apply").click().run()
    check(other)
    assert chosen(shipped, other)["s3_depth"] == value


def test_what_is_kept_stays_and_the_rest_is_optimised(shipped, fits):
    base = shipped.space.sample(1, seed=5)[0]
    page = run_page(PAGE, budget="0.06", architecture=as_link(base))
    page.multiselect(key="pinned").set_value(["s1b1", "resolution"]).run()
    check(page)
    assert address(page, "pinned") == "resolution,s1b1"
    percent, reached = page.slider(key="percent-save").value, table_of(page, "in words")["id"]
    part(page, "Best around what is kept")
    kept = ("resolution", "s1b1_kernel", "s1b1_expand")
    problem = search_problem(fits, {"latency_ms": 0.06}, objective="accuracy")
    allowed = choices_that_keep(shipped.space, base, kept)
    best = best_with_kept(problem, base, allowed)
    text = said(page)
    assert "with 3 decisions kept as they are, is:" in text
    assert f"**{best.counted}:** {best.words}." in text
    # The answers to the goal keep them too, and they are not asked about.
    found = reach(problem, base, Goal(percent, in_percent=True), allowed=allowed)
    assert reached.tolist() == [a.after.id for a in found.answers[::-1]]
    part(page, "Why not")
    asked = [option.split(" ")[0] for option in page.selectbox(key="asked-decision").options]
    assert not set(kept) & set(asked)
    part(page, "Best around what is kept").button(key="rest-apply").click().run()
    check(page)
    assert chosen(shipped, page) == best.after


def test_allowed_choices_and_further_limits_hold(shipped):
    page = run_page(PAGE, allowed="s2.kernel:3", limits="parameters:14000")
    check(page)
    words = table_of(page, "in words")
    assert (words["Δ Parameters"] < 0).all()
    part(page, "Why not")
    assert "within all limits" in said(page)


def test_with_everything_kept_there_is_nothing_to_do(shipped):
    space = shipped.space
    units = list(dict.fromkeys(d.slot or d.name for d in space.decisions))
    page = run_page(PAGE, pinned=",".join(units))
    check(page)
    assert "there is nothing to gain" in said(page)
    assert "Every decision is kept as it is" in said(part(page, "Why not"))
    assert "no subnet is better than this one" in said(part(page, "Best around what is kept"))


def test_the_fastest_has_nothing_to_save_but_may_gain(shipped, fits):
    fastest = cost_front(*fits.values()).candidate(0).architecture
    page = run_page(PAGE, architecture=as_link(fastest))
    check(page)
    assert "there is nothing to gain" in said(page)
    picked(page, "aim").set_value("gain").run()
    check(page)
    assert "For **" in said(page)


@pytest.mark.parametrize(
    "wrong", [{"aim": "<b>"}, {"amount": "x"}, {"edits": "99"}, {"asked": "nope:3"},
              {"asked": "s1b1_kernel:99"}, {"pinned": "nope"}]
)  # fmt: skip
def test_a_nonsense_address_is_left_aside(shipped, wrong):
    page = run_page(PAGE, **wrong)
    check(page)
    assert "the fewest takes" in said(page)
    assert ("nope" in said(page)) == ("pinned" in wrong)
    if "asked" in wrong:
        assert "would" in said(part(page, "Why not"))


def test_a_goal_out_of_reach_is_one_sentence_and_the_rest_stands(shipped):
    page = run_page(PAGE, aim="latency", amount="0.001")
    assert not page.exception
    [error] = page.error
    assert "smallest that can be reached" in error.value
    assert "The budget of" in said(part(page, "Why not"))


@pytest.mark.parametrize(("aim", "unit"), [("save", "ms"), ("gain", "points")])
def test_more_than_a_subnet_leaves_to_save_or_gain_is_told_in_the_same_terms(shipped, aim, unit):
    page = run_page(PAGE, aim=aim, amount="5")
    check(page)
    [warning] = page.warning
    told = warning.value.replace("\\", "")
    left = re.search(rf"one can {aim} about ([\d.]+) {unit}, not 5\.00 {unit}", told)
    assert left, told
    # What it says can be asked for.
    assert not run_page(PAGE, aim=aim, amount=left[1]).warning


def test_a_space_of_operations_is_answered_too(cells):
    page = run_page(PAGE, study="cells")
    check(page)
    text = said(part(page, "Why not"))
    assert "edge" in text and "Operation" in text


def test_without_accuracies_the_size_of_networks_stands_in(studies):
    demo = open_study(studies / "demo")
    new = create_study(studies / "new", demo.space, name="New")
    frame = demo.table().frame
    new.add_table(table_from_frame(demo.space, frame[["id", *demo.space.by_name, "latency_ms"]]))
    page = run_page(PAGE, study="new")
    assert not page.exception and not page.error
    assert page.button_group(key="aim").options == [
        "Save latency", "Gain MACs", "Latency of at most", "MACs of at least",
    ]  # fmt: skip


def test_an_empty_study_says_what_to_do(studies):
    create_study(studies / "new", open_study(studies / "demo").space, name="New")
    page = run_page(PAGE, study="new")
    assert not page.exception
    assert not page.error and "measured accuracy and latency" in page.info[0].value


def test_a_damaged_table_is_one_sentence(studies):
    (studies / "demo" / "measurements.parquet").write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "parquet" in error.value


def test_a_table_that_does_not_tell_the_order_of_blocks_is_answered(studies):
    demo = open_study(studies / "demo")
    frame = demo.table().frame
    kept = frame[["id", *demo.space.by_name, "accuracy", "latency_ms"]]
    new = create_study(studies / "unordered", demo.space, name="Unordered")
    new.add_table(table_from_frame(demo.space, kept, ordered=False))
    page = run_page(PAGE, study="unordered")
    check(page)
    table = table_of(page, "in words")
    assert (np.diff(table["price"]) < 0).all()
