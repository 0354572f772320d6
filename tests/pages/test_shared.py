import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.frame import plain
from pages.shared.panel import as_csv


def test_formulas_in_csv_are_made_harmless():
    table = pd.DataFrame({"a": ["=1+1", "-2", "@x", "fine", ""], "b": [-1.5, 2, 3, 4, 5]})
    lines = as_csv(table).decode().splitlines()
    assert lines == ["a,b", "'=1+1,-1.5", "'-2,2.0", "'@x,3.0", "fine,4.0", ",5.0"]


@given(st.text())
def test_text_from_files_keeps_no_mark_of_markdown(text):
    escaped = plain(text)
    for mark in "`*_[]<>$":
        assert escaped.count(mark) == escaped.count("\\" + mark)
