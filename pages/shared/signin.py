"""Sign-in by an OpenID Connect provider, where the host has set one up; see docs/hosting.md."""

import os

import streamlit as st

from pages.shared.text import plain

USERS = "FOXNAS_USERS"


def admitted() -> bool:
    """Whether this visitor may see the page; draws the way to sign in where not.

    Everyone may where no provider is configured. Otherwise one must be signed in and, where
    FOXNAS_USERS lists addresses or domains, be one of these by an address that the provider has
    verified.
    """
    signed_in = getattr(st.user, "is_logged_in", None)
    if signed_in is None:
        return True
    if not signed_in:
        st.title("FOX-NAS Studio")
        st.write("This studio is for people who are signed in.")
        st.button("Sign in", key="sign-in", type="primary", on_click=st.login)
        return False
    address = str(st.user.get("email") or "")
    # Some providers send "false" as a text.
    verified = str(st.user.get("email_verified", "true")).lower() == "true"
    users = os.environ.get(USERS, "")
    allowed = is_listed(address, users)
    if not users.strip() or (verified and allowed):
        with st.sidebar:
            if address:
                st.caption(f"Signed in as {plain(address)}")
            st.button("Sign out", key="sign-out", on_click=st.logout)
        return True
    st.title("FOX-NAS Studio")
    st.error(
        f"{plain(address or 'This account')} is not among the users of this studio; ask whoever "
        "hosts it, or sign in with another account."
        if not allowed
        else f"The provider has not verified {plain(address)}; verify it there and sign in again."
    )
    st.button("Sign out", key="sign-out", on_click=st.logout)
    return False


def is_listed(address: str, users: str) -> bool:
    """Whether an address stands in a list of addresses and domains ("@example.org"), divided by
    commas or spaces."""
    listed = users.replace(",", " ").lower().split()
    name, at, domain = address.lower().rpartition("@")
    return bool(name and at and domain) and (address.lower() in listed or f"@{domain}" in listed)
