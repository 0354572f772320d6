"""Every page, of studies with other objectives and costs."""

import pytest
from conftest import REPOSITORY, run_page

PAGES = ["app.py", *sorted(path.name for path in (REPOSITORY / "pages").glob("*.py"))]
# What these studies lack: weights to train networks beside, and a latency.
NEEDS = {"19_Handmade.py": "no supernet", "7_Devices.py": "no measured latency"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_such_a_study_has(other, page):
    where = page if page == "app.py" else f"pages/{page}"
    drawn = run_page(where, study=other.folder.name)
    assert not drawn.exception, drawn.exception
    errors = " ".join(e.value for e in drawn.error)
    if page == "19_Handmade.py" or (page == "7_Devices.py" and not other.cost.timed):
        # A card that can't run says so as a hint, a page that can't be drawn as an error.
        assert NEEDS[page] in errors + " ".join(hint.value for hint in drawn.info)
    else:
        assert not errors
