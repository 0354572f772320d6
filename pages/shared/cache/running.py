"""What runs in this server, whatever page or session looks at it."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pages.shared.exports import Exports
    from pages.shared.jobs import Jobs
    from pages.shared.races import Races
    from pages.shared.resamples import Resamplings
    from pages.shared.verifications import Verifications


@st.cache_resource
def jobs() -> "Jobs":
    """The searches that run in this server, whatever page or session looks at them."""
    from pages.shared.jobs import Jobs

    return Jobs()


@st.cache_resource
def races() -> "Races":
    """The races of strategies that run in this server."""
    from pages.shared.races import Races

    return Races()


@st.cache_resource
def resamplings() -> "Resamplings":
    """The fronts that are resampled in this server."""
    from pages.shared.resamples import Resamplings

    return Resamplings()


@st.cache_resource
def exports() -> "Exports":
    """The exports that run in this server."""
    from pages.shared.exports import Exports

    return Exports()


@st.cache_resource
def verifications() -> "Verifications":
    """The claims that are tested in this server."""
    from pages.shared.verifications import Verifications

    return Verifications()
