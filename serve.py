"""The app's server, as `streamlit run app.py` with the same options; while the first visitor's
browser still loads what Streamlit shows all pages with, it imports what the first of them needs."""

import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

APP = Path(__file__).parent / "app.py"
# Modules of others and of the core; those of pages are run by a visitor's thread alone.
AHEAD = (
    "foxnas_core.cards.home", "foxnas_core.cards.machine", "foxnas_core.cards.coefficients",
    "foxnas_core.table.importing", "foxnas_core.steps.search", "foxnas_core.steps.calibrate",
    "foxnas_core.search.default_budget", "foxnas_core.figures.picture",
)  # fmt: skip
# Seconds between two threads' turns while it imports: what a browser asks for must not wait.
SWITCH = 0.0005


def import_ahead() -> None:
    """Import what the first page needs, once the server answers."""
    from streamlit import runtime

    while not runtime.exists() or runtime.get_instance().state is runtime.RuntimeState.INITIAL:
        time.sleep(0.01)
    sys.setswitchinterval(SWITCH)
    for name in AHEAD:
        import_module(name)


def main(options: Sequence[str]) -> None:
    # Not above: processes that the server starts import this module, and serve nothing.
    from streamlit.web import cli

    threading.Thread(target=import_ahead, name="import-ahead", daemon=True).start()
    cli.main(["run", str(APP), *options])


if __name__ == "__main__":
    main(sys.argv[1:])
