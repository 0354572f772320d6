"""A study of networks for volumes on the page Select."""

import shutil

import pytest
from conftest import run_page, sentences
from volume_study import volume_study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return volume_study(tmp_path_factory.mktemp("made") / "balls")


@pytest.fixture
def balls(studies, made):
    shutil.copytree(made.folder, studies / "balls")


def test_what_depth_is_worth_is_told_and_a_case_is_scrolled_through(balls):
    page = run_page("pages/21_Select.py", study="balls", view="magnitude")
    assert not page.exception and not page.error
    said = sentences(page).replace("\\", "")
    assert "2 of 3 edges are decided" in said and "cell3, undecided: .34 .33 .33" in said
    page.segmented_control(key="magnitude-shown").set_value("Across slices").run()
    said = sentences(page).replace("\\", "")
    assert "2D everywhere 1, P3D everywhere 6, 3D everywhere 6" in said
    assert "0 of 27 measured networks have better" in said
    page.segmented_control(key="magnitude-shown").set_value("Case by case").run()
    said = sentences(page).replace("\\", "")
    assert "slice 4 of 6" in said
    page.select_slider(key="volumes-slice").set_value(1).run()
    page.selectbox(key="volumes-other").set_value("3D everywhere").run()
    said = sentences(page).replace("\\", "")
    assert "slice 2 of 6" in said and "3D everywhere: " in said and not page.exception
