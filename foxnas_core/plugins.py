"""Packages from outside that bring families, metrics, analyses and whatever else is registered.

The environment variable `FOXNAS_PLUGINS` names modules, with commas between them, such as
`FOXNAS_PLUGINS=our_cells,our_cards`. The command line, the app and the processes that both start
import them before anything else; a module registers what it brings as it is imported
(docs/adding-a-system.md lists all that can be).
Whoever starts the program names the code: no study, file or address can cause any to be imported.
"""

import os
from importlib import import_module

from foxnas_core.errors import FoxnasError, InvalidInput

_VARIABLE = "FOXNAS_PLUGINS"


def load_plugins() -> None:
    """Import the named modules, each once; raises `InvalidInput` naming the one that fails."""
    for name in filter(None, map(str.strip, os.environ.get(_VARIABLE, "").split(","))):
        try:
            import_module(name)
        except FoxnasError:
            raise
        except Exception as error:
            raise InvalidInput(
                f"{_VARIABLE} names {name!r}, which can't be imported ({error}); install it where "
                "this Python finds it, or leave it out."
            ) from error
