"""Every page, of studies with other objectives and costs."""

import pytest
from conftest import REPOSITORY, run_page, sentences

PAGES = ["app.py", *sorted(path.name for path in (REPOSITORY / "pages").glob("*.py"))]
# What these studies lack: weights to train networks beside, and a latency.
NEEDS = {"19_Handmade.py": "no supernet", "7_Devices.py": "no measured latency"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_such_a_study_has(other, page):
    where = page if page == "app.py" else f"pages/{page}"
    drawn = run_page(where, study=other.folder.name)
    assert not drawn.exception, drawn.exception
    errors = " ".join(e.value for e in drawn.error)
    if page == "19_Handmade.py" or (page == "7_Devices.py" and not other.cost.timed):
        # A card that can't run says so as a hint, a page that can't be drawn as an error.
        assert NEEDS[page] in errors + " ".join(hint.value for hint in drawn.info)
    else:
        assert not errors


@pytest.mark.parametrize("page", ["3_Search.py", "10_Strategies.py"])
def test_the_least_cost_is_looked_for_at_an_objective_of_either_direction(other, page):
    drawn = run_page(f"pages/{page}", study=other.folder.name)
    drawn = drawn.radio(key="goal").set_value("latency").run()
    assert not drawn.exception and not drawn.error
    word = "floor" if other.objective.direction == "max" else "limit"
    slider = drawn.slider(key="floor")
    assert slider.label.startswith(f"{other.objective.title} {word}")
    values = other.table().values(other.objective.column)
    assert slider.min < slider.max and values.min() < slider.value < values.max()
    if page == "3_Search.py":
        assert "Exact optimum" in sentences(drawn)


@pytest.mark.parametrize("aim", ["save", "gain", "latency", "accuracy"])
def test_every_goal_of_a_counterfactual_is_asked_for(other, aim):
    drawn = run_page("pages/15_Counterfactuals.py", study=other.folder.name)
    drawn = drawn.segmented_control(key="aim").set_value(aim).run()
    assert not drawn.exception and not drawn.error
    # The chosen subnet is the best within a budget, so that there is something to ask for.
    assert drawn.slider(key=f"amount-{aim}").value > 0
