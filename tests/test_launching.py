"""The app's folder, the first study, and a server that answers."""

import builtins
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime, RuntimeState

import serve
from foxnas_core import launching
from foxnas_core.__main__ import main
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.launching import app_folder, fill_with_demo, studies_folder
from foxnas_core.study import open_study

REPOSITORY = Path(__file__).parents[1]


def test_the_app_lies_beside_the_package():
    assert app_folder() == REPOSITORY


def test_an_installed_app_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(launching, "__file__", str(tmp_path / "foxnas_core" / "launching.py"))
    with pytest.raises(MissingPart, match="install it again"):
        app_folder()
    installed = tmp_path / "foxnas_studio"
    (installed / "pages").mkdir(parents=True)
    (installed / "app.py").touch()
    assert app_folder() == installed


def test_the_studies_are_the_chosen_ones_else_the_environments(tmp_path, monkeypatch):
    monkeypatch.delenv(launching.STUDIES, raising=False)
    assert studies_folder(None) == Path.home() / "foxnas-studies"
    monkeypatch.setenv(launching.STUDIES, str(tmp_path))
    assert studies_folder(None) == tmp_path
    assert studies_folder(tmp_path / "mine") == tmp_path / "mine"


def test_a_new_folder_begins_with_the_demo_and_an_old_one_is_left_alone(tmp_path):
    studies = tmp_path / "a" / "studies"
    assert fill_with_demo(studies)
    assert len(open_study(studies / "demo").table()) > 0
    (studies / "demo" / "study.json").unlink()
    assert not fill_with_demo(studies)
    assert not (studies / "demo" / "study.json").exists()
    assert [path.name for path in studies.parent.iterdir()] == ["studies"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(FoxnasError, match="can't be written"):
        fill_with_demo(tmp_path / "file" / "studies")
    assert main(["app", "--studies", str(tmp_path / "file" / "studies")]) == 2
    assert "name another folder with --studies" in capsys.readouterr().err


def test_the_command_serves_the_app_on_localhost(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "foxnas_core", "app", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--studies", str(tmp_path / "studies")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        assert "Copied the demo" in server.stderr.readline()
        last = time.monotonic() + 300
        answer = b""
        while time.monotonic() < last and server.poll() is None and not answer:
            try:
                address = f"http://localhost:{port}/_stcore/health"
                answer = urllib.request.urlopen(address, timeout=5).read()
            except OSError:
                time.sleep(0.1)
        assert answer == b"ok"
        # Every other address of this machine is refused: the app's own settings were read.
        with socket.socket() as elsewhere, pytest.raises(OSError):
            elsewhere.connect(("127.0.0.2", port))
    finally:
        server.terminate()
        server.wait(300)


def test_pages_wait_for_what_is_imported_ahead(monkeypatch):
    serving = SimpleNamespace(state=RuntimeState.NO_SESSIONS_CONNECTED)
    monkeypatch.setattr(Runtime, "exists", lambda: True)
    monkeypatch.setattr(Runtime, "instance", lambda: serving)
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(serve, "AHEAD", ("anything",))
    monkeypatch.setattr(serve, "import_module", lambda name: begun.set() or go_on.wait(60))

    def draw() -> None:
        import json  # noqa: F401

        done.set()

    ahead, page = serve.Ahead(), threading.Thread(target=draw, name=serve.PAGES)
    imports, switch = builtins.__import__, sys.getswitchinterval()
    ahead.start()
    assert begun.wait(60)
    page.start()
    assert not done.wait(0.1)
    go_on.set()
    assert done.wait(60)
    ahead.join()
    assert builtins.__import__ is imports
    sys.setswitchinterval(switch)


def test_the_wheel_holds_the_app_and_every_pinned_package(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(n).decode() for n in names if n.endswith("/METADATA"))
    for folder in ("pages", "pages/shared"):
        for path in (REPOSITORY / folder).glob("*.py"):
            assert f"foxnas_studio/{folder}/{path.name}" in names
    core = [p for p in (REPOSITORY / "foxnas_core").rglob("*") if p.suffix in (".py", ".json")]
    assert {str(path.relative_to(REPOSITORY)) for path in core} <= names
    beside = ("app.py", "serve.py", ".streamlit/config.toml")
    assert {f"foxnas_studio/{name}" for name in beside} <= names
    assert "foxnas_studio/data/demo/supernet.safetensors" in names
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    pinned = {line.split("#")[0].strip() for line in lines if line[:1].isalpha()}
    assert set(re.findall(r"^Requires-Dist: (\S+)", metadata, re.MULTILINE)) == pinned
