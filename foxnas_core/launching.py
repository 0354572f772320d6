"""Starting the app: where it lies, and the studies it opens."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from foxnas_core.errors import FoxnasError, MissingPart

STUDIES = "FOXNAS_STUDIES"


def app_folder() -> Path:
    """The folder of `app.py`, its pages and shipped studies: beside this package in a repository,
    in `foxnas_studio` where it is installed.

    Raises `MissingPart` where there is neither.
    """
    beside = Path(__file__).parents[1]
    for folder in (beside / "foxnas_studio", beside):
        if (folder / "app.py").is_file() and (folder / "pages").is_dir():
            return folder
    raise MissingPart(f"The app does not lie beside {beside / 'foxnas_core'}; install it again.")


def studies_folder(chosen: Path | None) -> Path:
    """The folder of studies to open: `chosen`, else the environment's, else one in the home."""
    named = os.environ.get(STUDIES)
    return chosen or (Path(named) if named else Path.home() / "foxnas-studies")


def fill_with_demo(studies: Path) -> bool:
    """Copy the shipped study to a folder that does not exist yet; whether it did.

    So nothing is ever written beside the program. Raises `FoxnasError` where it can't be written.
    """
    if studies.exists():
        return False
    try:
        studies.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=studies.parent, prefix=".studies.") as temporary:
            ready = Path(temporary) / "studies"
            shutil.copytree(app_folder() / "data" / "demo", ready / "demo")
            ready.replace(studies)
    except OSError as error:
        raise FoxnasError(
            f"{studies} can't be written ({error.strerror}); name another folder with --studies."
        ) from error
    return True


def start_app(studies: Path, *, address: str | None = None, port: int | None = None) -> int:
    """Serve the app until it is stopped; returns the exit status, where it returns at all: a
    POSIX system's process becomes the server, so that a signal to stop reaches it.

    `address` and `port` stand in place of those in `.streamlit/config.toml`. Source files are not
    watched, and libraries compute in one thread unless the environment says otherwise: fits this
    small mostly wait for each other's threads.
    """
    command = [sys.executable, str(app_folder() / "serve.py")]
    command.append("--server.fileWatcherType=none")
    if address is not None:
        command.append(f"--server.address={address}")
    if port is not None:
        command.append(f"--server.port={port}")
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | {STUDIES: str(studies.resolve())}
    if os.name == "posix":
        os.execve(sys.executable, command, environment)
    try:
        return subprocess.run(command, env=environment).returncode
    except KeyboardInterrupt:
        return 0
