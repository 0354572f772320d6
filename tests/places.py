"""Every place of the app: its pages, and each view of those that have several."""

from pathlib import Path

from conftest import REPOSITORY

from pages.shared.menu import PAGES

VIEWS = REPOSITORY / "pages" / "views"


def slug(title: str) -> str:
    """The folder of a page's views."""
    return title.lower().replace("-", "_").replace(" ", "_")


def views_of(title: str) -> list[str]:
    return sorted(p.stem for p in (VIEWS / slug(title)).glob("*.py") if p.stem != "__init__")


def address_of(title: str) -> str:
    """The address of a page, below the server's."""
    stem = Path(PAGES[title]).stem
    return "" if stem == "app" else stem.lstrip("0123456789_")


# As `run_page` takes them: pages/7_Devices.py?view=int8.
PLACES = [
    f"{path}?view={view}" if view else path
    for title, path in PAGES.items()
    for view in views_of(title) or [""]
]
