"""Fits that are kept between one start of the program and the next.

A fit is a function of a table and of the code that makes it, so it is kept under a hash of both, of
the libraries and of the processor, whose rounding it has. Nothing kept is ever brought up to date:
what changed has another name. They lie in the study's folder `.fits`, which no export packs, or
where that can't be written in the user's cache, and may be deleted at any time.
"""

import hashlib
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from inspect import getsourcefile
from pathlib import Path

import foxnas_core
from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.files import write_beside
from foxnas_core.regression import Predictor
from foxnas_core.study import Study
from foxnas_core.study.locks import is_read_only
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

FOLDER = ".fits"
MOST_FILES = 100
MOST_BYTES = 8 << 20  # of one
_ROOMS = ("space", "families", "table", "regression", "devices")
_LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels")


@dataclass(frozen=True)
class KeptFits:
    """The fits kept in the first of `folders` that can be written; without any none is."""

    folders: tuple[Path, ...] = ()

    def fitted(
        self,
        table: MeasurementTable,
        asked: tuple[str, str, str],
        make: Callable[[], Predictor],
    ) -> Predictor:
        """The predictor of a column, form and link: kept, or made and kept from now on. Raises as
        `make`."""
        if not self.folders:
            return make()
        key = fit_key(table, asked)
        for folder in self.folders:
            if (found := _read(folder / f"{key}.fit", key, table)) is not None:
                return found
        predictor = make()
        self._keep(predictor, key)
        return predictor

    def _keep(self, predictor: Predictor, key: str) -> None:
        from foxnas_core.regression.keeping import pack_predictor

        content = pack_predictor(predictor, key)
        if len(content) > MOST_BYTES:
            return
        for folder in self.folders:
            try:
                # A study that was renamed or deleted meanwhile is not made anew.
                folder.mkdir(parents=folder.name != FOLDER, exist_ok=True)
                write_beside(folder / f"{key}.fit", content)
                _tidy(folder)
            except OSError:
                continue
            return


def kept_fits(study: Study) -> KeptFits:
    """Where a study's fits are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    own = (Path(cache) if cache else Path.home() / ".cache") / "foxnas" / "fits"
    return KeptFits((own,) if is_read_only() else (study.folder / FOLDER, own))


def fit_key(table: MeasurementTable, asked: tuple[str, str, str]) -> str:
    """32 hexadecimal digits of all that decides a fit of a column, form and link."""
    digest = hashlib.sha256(repr((asked, table.fingerprint, _made_with())).encode())
    family = type(family_of(table.space))
    if not family.__module__.startswith("foxnas_core."):
        digest.update(Path(getsourcefile(family) or "").read_bytes())
    digest.update("\n".join(table.frame["id"]).encode())
    digest.update(table.of_origin("search").tobytes())
    for metric in table.targets:
        digest.update(repr(metric).encode())
        if metric.timed:  # which rows are read hangs on how they were timed
            digest.update(usable(table, metric.column).tobytes())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=1)
def _made_with() -> str:
    """A hash of the code that makes fits, the libraries it calls and the processor it runs on."""
    root = Path(foxnas_core.__file__).parent
    sources = [path for room in _ROOMS for path in sorted((root / room).rglob("*.py"))]
    digest = hashlib.sha256()
    for path in (*sources, root / "steps" / "fit.py", Path(__file__)):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    digest.update(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    digest.update(repr([platform.python_version(), platform.machine(), _processor()]).encode())
    digest.update(repr([os.environ.get("OMP_NUM_THREADS"), os.cpu_count()]).encode())
    return digest.hexdigest()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line for line in file if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def _read(path: Path, key: str, table: MeasurementTable) -> Predictor | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    from foxnas_core.regression.keeping import unpack_predictor

    try:
        found = unpack_predictor(content, key, table.space)
    except (ValueError, InvalidInput):
        return None
    with suppress(OSError):
        os.utime(path)  # those used last are kept longest
    return found


def _tidy(folder: Path) -> None:
    """Leave the fits used last; what another process takes away at the same time is gone too."""
    ages = []
    for path in folder.glob("*.fit"):
        try:
            ages.append((path.stat().st_mtime, path))
        except FileNotFoundError:
            continue
    for _, path in sorted(ages)[:-MOST_FILES]:
        path.unlink(missing_ok=True)
