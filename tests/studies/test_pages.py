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
    if page in NEEDS and (errors or not other.cost.timed):
        assert NEEDS[page] in errors
    else:
        assert not errors
