"""What axe-core finds on a page, and what a keyboard reaches on it."""

import re
import time
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SEVERE = ("serious", "critical")
# Of those that axe calls moderate, what a reader who goes by headings stumbles over.
ALSO = ("heading-order",)
# Without what it would load for rules that are not asked, and one that is merely moderate.
ASKED = {
    "resultTypes": ["violations"], "preload": False, "rules": {"region": {"enabled": False}},
}  # fmt: skip
# What depends on the theme.
OF_COLOURS = {"runOnly": ["color-contrast"]}
DRAWING = 60.0  # seconds that a page may take to come to rest, on a machine that does other work
# Of text in a drawing axe never tells the contrast, and takes most of its time to find that out.
UNDRAWN = "axe.configure({rules: [{id: 'color-contrast', selector: '*:not(svg *)'}]})"
# What can't be mended from within an app, as a rule and what its elements lie in: each only as wide
# as that. WCAG exempts what is disabled; axe does not see that the label of a slider is.
NOT_OURS = (("color-contrast", '[data-testid="stWidgetLabel"][disabled]'),)
OPEN_ALL = """
() => document.querySelectorAll('[data-testid="stExpander"] summary').forEach(n => n.click())
"""
LIES_IN = """
([target, selector]) => document.querySelector(target)?.closest(selector) != null
"""
# What has the focus, also within the picture: how it is called where it is read out.
FOCUSED = """
() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return (node.getAttribute('aria-label') || node.innerText || '').trim();
}
"""


def violations(page: Page, **options: Any) -> list[str]:
    """What axe-core finds that is serious or critical and stays, without what is not ours to mend;
    with options of `axe.run`. What is being drawn looks for a moment as it never stays."""
    last = time.monotonic() + DRAWING
    while (found := _violations(page, options)) and time.monotonic() < last:
        page.wait_for_timeout(500)
    return found


def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    def excused(rule: str, target: list[str]) -> bool:
        return any(
            rule == theirs and page.evaluate(LIES_IN, [target[0], selector])
            for theirs, selector in NOT_OURS
        )

    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
        page.evaluate(UNDRAWN)
    found = page.evaluate(
        "async (options) => (await axe.run(options)).violations",
        {**ASKED, **options},
    )
    return [
        f"{rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in SEVERE or rule["id"] in ALSO
        for node in rule["nodes"]
        if not excused(rule["id"], node["target"])
    ]


def tab_to(page: Page, name: str, *, back: bool = False, presses: int = 120) -> None:
    """Press Tab until what is called `name`, a pattern, has the focus."""
    seen = []
    for _ in range(presses):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        seen.append(page.evaluate(FOCUSED))
        if re.match(name, seen[-1]):
            return
    raise AssertionError(f"Tab never came to {name}; it went over {seen}.")
