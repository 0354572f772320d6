import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.text import plain


@pytest.mark.parametrize("name", ["https://a.example/b", "www.a.example", "a@b.example", "<b>"])
def test_a_name_is_neither_markup_nor_a_link(name):
    text = plain(name)
    for mark in ("://", "www.", "@b", "www\\.", ":\\//"):
        assert mark not in text.replace("\\", "")
    assert text.replace("\\", "").replace("\u200b", "") == name


@given(st.text(st.characters(exclude_characters="\\\u200b")))
def test_every_name_is_read_as_it_is(name):
    assert plain(name).replace("\\", "").replace("\u200b", "") == name
