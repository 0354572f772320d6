"""Each chart has its table and its sentence."""

import ast

import pytest
from conftest import REPOSITORY
from streamlit.testing.v1 import AppTest

PAGES = sorted([REPOSITORY / "app.py", *(REPOSITORY / "pages").rglob("*.py")])


def calls(path) -> list[ast.Call]:
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_chart_of_a_page_is_a_panel_with_a_sentence(path):
    for call in calls(path):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        assert name != "plotly_chart" or path.name == "panel.py"
        if name == "panel" and (len(call.args) > 3 or "figure" in {k.arg for k in call.keywords}):
            # A card says its sentence itself, which the cards' contract wants of all.
            if path == REPOSITORY / "pages/shared/cards.py":
                continue
            sentence = call.args[1]
            assert not isinstance(sentence, ast.Constant) or sentence.value, ast.unparse(call)


def test_a_panel_draws_its_sentence_its_chart_and_its_table_to_take_away():
    def script():
        import pandas as pd
        from plotly import graph_objects as go

        from pages.shared.panel import panel

        panel("Title", "What it shows.", pd.DataFrame({"x": [1]}), go.Figure(), key="it")

    page = AppTest.from_function(script).run()
    assert not page.exception and page.markdown[0].value == "What it shows."
    kinds = [element.type for element in page.main]
    chart = kinds.index("plotly_chart")
    assert kinds[chart - 1] == "markdown"
    assert {"dataframe", "download_button"} <= set(kinds[chart + 1 :])


def test_a_closed_table_is_made_once_it_is_opened():
    def script():
        import pandas as pd
        import streamlit as st

        from pages.shared.panel import closed_table

        def make():
            st.session_state["made"] = st.session_state.get("made", 0) + 1
            return pd.DataFrame({"x": [1]})

        closed_table("Table", make, key="it")

    page = AppTest.from_function(script).run()
    assert "made" not in page.session_state and not page.dataframe
    page.session_state["it-open"] = True
    page.run()
    assert page.session_state["made"] == 1 and len(page.dataframe) == 1
    assert page.get("download_button")
