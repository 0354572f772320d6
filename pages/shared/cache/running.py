"""What runs in this server, whatever page or session looks at it."""

import streamlit as st

from pages.shared.registry import Registry


@st.cache_resource
def works() -> Registry:
    """The searches, races, resamplings, exports and verifications of this server."""
    return Registry()
