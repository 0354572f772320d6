"""Who is listed; the rest of signing in is a journey in the browser."""

import pytest

from pages.shared.signin import is_listed


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
