"""The app's server, as `streamlit run app.py` with the same options; while the first visitor's
browser still loads what Streamlit shows all pages with, it imports what the first of them needs."""

import builtins
import gc
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

APP = Path(__file__).parent / "app.py"
# What the first page reads the study with and tells what it holds; then what its answer needs.
AHEAD = (
    "foxnas_core.cards.home", "foxnas_core.cards.machine", "foxnas_core.cards.coefficients",
    "foxnas_core.table.importing", "foxnas_core.steps.search", "foxnas_core.steps.calibrate",
    "foxnas_core.search.default_budget", "foxnas_core.figures.picture",
    "foxnas_core.evidence.handmade.record", "foxnas_core.evidence.judged",
    "foxnas_core.evidence.trust.pairs", "foxnas_core.evidence.verification.claims",
    "foxnas_core.search.rounds.record",
)  # fmt: skip
AFTER = (
    "scipy.special", "foxnas_core.search.solving", "foxnas_core.regression.keeping",
    "plotly.tools", "streamlit.components.v2.manifest_scanner", "streamlit.material_icon_names",
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
            waits = Runtime.instance().state is RuntimeState.NO_SESSIONS_CONNECTED
            sys.setswitchinterval(SWITCH)
            for name in AHEAD if waits else ():
                import_module(name)
            for name in AFTER:
                if Runtime.instance().state is RuntimeState.NO_SESSIONS_CONNECTED:
                    import_module(name)
        finally:
            gc.freeze()
            gc.enable()
            builtins.__import__ = self._import

    def _waiting(self, *given: Any, **named: Any) -> Any:
        if threading.current_thread().name == PAGES:
            self.join()
        return self._import(*given, **named)


def main(options: Sequence[str]) -> None:
    # Not above: processes that the server starts import this module, and serve nothing.
    gc.disable()  # what is imported stays, so no collection finds anything of it
    from streamlit import delta_generator
    from streamlit.web import cli

    # It asks whether this is an interactive interpreter, by looking up the source files of all
    # that is imported: a tenth of the first page's time.
    delta_generator._use_warning_has_been_displayed = True
    Ahead().start()
    cli.main(["run", str(APP), *options])


if __name__ == "__main__":
    main(sys.argv[1:])
