"""The app's server, as `streamlit run app.py` with the same options; while the first visitor's
browser still loads what Streamlit shows all pages with, it imports what the first of them needs."""

import builtins
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

APP = Path(__file__).parent / "app.py"
AHEAD = (
    "foxnas_core.cards.home", "foxnas_core.cards.machine", "foxnas_core.cards.coefficients",
    "foxnas_core.table.importing", "foxnas_core.steps.search", "foxnas_core.steps.calibrate",
    "foxnas_core.search.default_budget", "foxnas_core.figures.picture",
)  # fmt: skip
PAGES = "ScriptRunner.scriptThread"  # as Streamlit calls the threads that draw pages
# Seconds between two threads' turns while it imports: what a browser asks for must not wait.
SWITCH = 0.0005


class Ahead(threading.Thread):
    """Imports what the first page needs, once the server answers.

    Meanwhile pages wait with whatever they import: of two threads that import the same packages
    from different ends, one sees half of them. Where a page is drawn already it imports nothing.
    """

    def __init__(self) -> None:
        super().__init__(name="import-ahead", daemon=True)
        self._import = builtins.__import__

    def run(self) -> None:
        from streamlit.runtime import Runtime, RuntimeState

        while not Runtime.exists() or Runtime.instance().state is RuntimeState.INITIAL:
            time.sleep(0.01)
        builtins.__import__ = self._waiting
        try:
            if Runtime.instance().state is RuntimeState.NO_SESSIONS_CONNECTED:
                sys.setswitchinterval(SWITCH)
                for name in AHEAD:
                    import_module(name)
        finally:
            builtins.__import__ = self._import

    def _waiting(self, *given: Any, **named: Any) -> Any:
        if threading.current_thread().name == PAGES:
            self.join()
        return self._import(*given, **named)


def main(options: Sequence[str]) -> None:
    # Not above: processes that the server starts import this module, and serve nothing.
    from streamlit.web import cli

    Ahead().start()
    cli.main(["run", str(APP), *options])


if __name__ == "__main__":
    main(sys.argv[1:])
