"""Where pages are that had an address of their own."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import streamlit as st

from pages.shared.menu import PAGES
from pages.shared.text import plain

# By the old address: the title of the page, and the view.
MOVED = {
    "Model_graph": ("What-if", "layers"),
    "Import": ("Studies", "table"),
    "Report": ("Export", "report"),
    "Explanations": ("Coefficients", "explanations"),
    "Measure_next": ("Measurements", "next"),
    "Verify": ("Trust", "verify"),
    "Front": ("Search", "front"),
    "Strategies": ("Search", "strategies"),
    "Quantization": ("Devices", "int8"),
    "Handmade": ("Devices", "handmade"),
    "Counterfactuals": ("What-if", "counterfactuals"),
}


def names_of(title: str, view: str) -> list[str]:
    """What a view of a page is called where cards say their page: as the page, or as what had an
    address of its own."""
    own = {old.replace("_", " "): place for old, place in MOVED.items()}
    own["Hand-designed"] = own["Handmade"]
    return [title, *(name for name, place in own.items() if place == (title, view))]


def lead_on(file: str) -> None:
    """Lead from an old address, by its page's file, to the new one; all else in it is kept."""
    title, view = MOVED[Path(file).stem]
    st.switch_page(PAGES[title], query_params=st.query_params.to_dict() | {"view": view})


def tell_unknown() -> None:
    """Say on the first page that an address names none; Streamlit runs this one instead."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    asked = unquote(urlsplit(st.context.url or "").path).strip("/").removeprefix(base).strip("/")
    if asked:
        st.warning(
            f"There is no page {plain(repr(asked))} here; this is the first one, and the menu has "
            "the others."
        )
