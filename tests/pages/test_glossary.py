"""Every statistic that a page shows on the demo has its meaning on a hover."""

import pytest
from conftest import REPOSITORY, run_page

from foxnas_core.families import load_shipped
from foxnas_core.glossary import meaning_of

EVERY_PAGE = ["app.py", *sorted(f"pages/{p.name}" for p in (REPOSITORY / "pages").glob("*.py"))]

# What a row is about, in words that need no explanation: names, choices, kinds, inputs.
PLAIN = {
    # of rows and of what they are about
    "id", "row", "study", "name", "state", "space", "weights", "size (MB)", "last change (UTC)",
    "target", "unit", "form", "term", "label", "group", "slot", "position", "decision", "role",
    "choice", "reference", "block", "blocks", "cell", "column", "layer", "kind", "input", "output",
    "run as", "lens", "method", "quantity", "runtime", "campaign", "minutes", "budget", "cost",
    "edit", "edits", "what", "words", "in words", "why", "choices", "from", "to",
    # of comparisons: what is beside what
    "first", "second", "start", "now", "differs", "used", "measured", "predicted", "corner", "knee",
    "slower", "faster", "faster on fp32", "faster on int8", "mostly because of", "compared with",
    "accuracy of", "accuracy against", "latency_ms of", "latency_ms against",
    "the supernet prefers", "by (points)", "better when trained", "by, trained (points)",
    "from the one to the other", "claimed", "the edit changes", "the average edit", "this subnet",
    "mean over subnets",
    "demo", "demo-cpu",
    "network", "family", "way", "rests on", "short name", "seeds", "chosen", "at least",
    "searched are",
    # of checks: the page Measurements says what each asks
    "check", "passed", "failed", "unknown", "question", "fails", "lacks", "badge",
    "not_checked", "warm-up?", "pinning?", "clock?", "drift?", "spread?", "one state?", "repeats?",
}  # fmt: skip


@pytest.mark.parametrize("name", [*EVERY_PAGE, "pages/2_What_if.py?view=explained"])
def test_every_statistic_of_a_page_s_tables_has_its_meaning(name):
    plain = PLAIN | set(load_shipped("foxnas-mini").by_name)
    page = run_page(name)
    assert not page.exception
    shown = {str(column) for element in page.dataframe for column in element.value.columns}
    assert {column for column in shown - plain if meaning_of(column) is None} == set()
