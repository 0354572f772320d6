"""Who is listed, and what others are told; signing in itself is a journey in the browser."""

import pytest
import streamlit as st
from conftest import sentences
from streamlit.testing.v1 import AppTest

from pages.shared.signin import USERS, is_listed


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("ada@example.org", True),
        ("ADA@Example.org", True),
        ("bob@fox.example", True),
        ("bob@evil.fox.example", False),
        ("bob@example.org", False),
        ("ada@example.org.evil", False),
        ("@fox.example", False),
        ("fox.example", False),
        ("", False),
    ],
)
def test_addresses_and_domains_are_listed_whole(address: str, listed: bool):
    assert is_listed(address, "ada@example.org,  @Fox.example") is listed


def test_an_empty_list_names_nobody():
    assert not is_listed("ada@example.org", " , ")


class User(dict):
    is_logged_in = True


def door() -> None:
    import streamlit

    from pages.shared.signin import admitted

    if admitted():
        streamlit.write("Inside.")


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email": "ada@example.org", "email_verified": True}, None),
        ({"email": "bob@fox.example", "email_verified": "true"}, None),
        ({"email": "eve@elsewhere.example", "email_verified": True}, "is not among the users"),
        ({"email": "ada@example.org", "email_verified": False}, "has not verified"),
        ({"email": "ada@example.org", "email_verified": "false"}, "has not verified"),
        ({"name": "nobody"}, "This account is not among the users"),
    ],
)
def test_others_are_told_why_they_stay_outside(
    claims: dict, sentence: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(USERS, "ada@example.org, @fox.example")
    monkeypatch.setattr(st, "user", User(claims))
    page = AppTest.from_function(door).run()
    assert not page.exception
    assert ("Inside." in sentences(page)) == (sentence is None)
    assert sentence is None or sentence in page.error[0].value
    assert page.button(key="sign-out").label == "Sign out"
