"""A system from outside, in one folder, goes through everything without an edit elsewhere."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

TESTS = REPOSITORY / "tests"


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    """What every step of `journey.py` answered."""
    environment = os.environ | {
        "FOXNAS_PLUGINS": "outside.ladders",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(TESTS)]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, TESTS / "outside" / "journey.py", tmp_path_factory.mktemp("outside")],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_of_the_product_knows_it():
    for folder in ("foxnas_core", "pages"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            text = path.read_text().lower()
            assert "sidedness" not in text and "ladders" not in text, path


def test_its_supernet_is_trained_for_its_task(told):
    assert set(told["train"]["sidedness"]) == {"smallest", "largest"}
    assert all(-1 <= value <= 1 for value in told["train"]["sidedness"].values())


def test_its_metric_is_measured_within_its_bounds(told):
    rows = told["rows"]
    assert len(rows) == 27
    assert all(-1 <= row["sidedness"] <= 1 for row in rows)
    # A rung of kernel k is width² · k² · 64 MACs, and the stem width · k² · 64.
    for row in rows:
        width, kernel = row["width"], row["kernel"]
        convolved = (width + row["rungs"] * width**2) * kernel**2 * 64
        assert row["macs"] == convolved + width * 64


def test_both_are_fitted(told):
    assert {"sidedness", "macs"} <= set(told["fit"]["targets"])


def test_the_search_keeps_its_budget(told):
    best = told["search"]["best"]
    assert best["macs"]["value"] <= told["budget"] * (1 + 1e-9)
    assert -1 <= best["sidedness"]["value"] <= 1
    assert told["search"]["exact"] is not None


def test_its_method_selects_the_best_measured_within_the_limits(told):
    kept = [row for row in told["rows"] if row["macs"] <= told["budget"]]
    best = max(kept, key=lambda row: row["sidedness"])
    assert told["select"]["id"] == best["id"]


def test_its_card_is_told(told):
    card = told["explain"]
    means = {row["rungs"]: row["sidedness"] for row in card["table"]}
    for rungs, mean in means.items():
        own = [row["sidedness"] for row in told["rows"] if row["rungs"] == rungs]
        assert mean == pytest.approx(np.mean(own))


def test_it_is_reported_and_shown_on_the_pages(told):
    assert "Sidedness" in told["report text"]
    assert "What a rung is worth" in told["pages"]["pages/1_Coefficients.py"]
    # What was registered for a page that is a view now is shown there alone.
    shown = [name for name, text in told["pages"].items() if "How wide ladders are" in text]
    assert shown == ["pages/2_What_if.py?view=layers"]
    # Layers begin with operators, which are of no objective.
    for name, text in told["pages"].items():
        assert "sidedness" in text.lower() or name in shown


def test_its_parts_keep_the_contracts(told):
    assert told["contracts"] == ["ladders", "coefficients-rungs", "climbing", "sides"]
