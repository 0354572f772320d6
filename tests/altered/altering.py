"""Alters each latency that is measured, so that a test whose outcome hangs on one is found.

The suite's option FOXNAS_TEST_LATENCY_SEED=1 (or any other text) multiplies each model's time by a
factor in [.5, 2] of that seed and the model alone, in processes that tests start as well.
"""

import importlib.abc
import importlib.util
import inspect
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

SEED = "FOXNAS_TEST_LATENCY_SEED"
RUNNER = "foxnas_core.measurement.runner"
_FOLDER = str(Path(__file__).parent)


def begin() -> None:
    """Alter what this process and those that it starts will measure, where that is asked for."""
    if os.environ.get(SEED) and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        assert RUNNER not in sys.modules, "the runner was imported before it could be altered"
        sys.meta_path.insert(0, _Finder())
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if _FOLDER not in paths:
            os.environ["PYTHONPATH"] = os.pathsep.join([_FOLDER, *filter(None, paths)])


def alter(runner: Any, seed: str) -> None:
    """Have the module `runner` alter each model's times."""
    # It stands alone, so that `altered_source` can take it along.
    import hashlib
    from pathlib import Path

    bound_session, timed = runner.bound_session, runner.timed

    def altered_session(session, image):
        run = bound_session(session, image)
        model = session._model_bytes or Path(session._model_path).read_bytes()
        drawn = int.from_bytes(hashlib.sha256(seed.encode() + model).digest()[:8], "big") / 2**64
        run.factor = 4 ** (drawn - 0.5)
        return run

    def altered_time(run, *how, **named):
        timing, factor = timed(run, *how, **named), getattr(run, "factor", 1.0)
        return timing._replace(tenth=factor * timing.tenth, minimum=factor * timing.minimum)

    runner.bound_session, runner.timed = altered_session, altered_time


def altered_source(source: str) -> str:
    """The source of a runner for other devices, which alters by itself."""
    start = 'if __name__ == "__main__":'
    assert source.count(start) == 1
    call = f"alter(sys.modules[__name__], {os.environ[SEED]!r})"
    return source.replace(start, f"{inspect.getsource(alter)}\n\n{call}\n\n{start}")


class _Finder(importlib.abc.MetaPathFinder):
    """Alters the runner as soon as it is loaded, before others take its functions by name."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != RUNNER:
            return None
        own = sys.meta_path.index(self)
        spec = next(s for f in sys.meta_path[own + 1 :] if (s := f.find_spec(name, path, target)))
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_altered(module: ModuleType) -> None:
            load(module)
            alter(module, os.environ[SEED])

        spec.loader.exec_module = load_altered  # type: ignore[method-assign]
        return spec
