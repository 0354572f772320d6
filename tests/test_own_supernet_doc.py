"""docs/own-supernet.md as a reader follows it, at reduced size."""

import json
import re
import shlex
import subprocess
import sys

from conftest import DEMO, REPOSITORY

from foxnas_core.__main__ import main
from foxnas_core.study import open_study
from foxnas_core.tasks.dataset import pack_images, unpack_images
from tests.test_main import budget_of

DOC = (REPOSITORY / "docs" / "own-supernet.md").read_text()


def test_the_example_runs_to_the_end(fixed_latencies, tmp_path, monkeypatch, capsys):
    """Files and commands are the document's; images, epochs, subnets and timed runs are fewer."""
    monkeypatch.chdir(tmp_path)
    files = dict(re.findall(r"^`(\w+\.(?:py|json))`.*?```\w+\n(.*?)```", DOC, re.S | re.M))
    assert set(files) == {"tiny_net.py", "tiny_space.json", "train_tiny.py"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    few = {name: s.take(slice(0, 200)) for name, s in unpack_images(DEMO / "images.npz").items()}
    (tmp_path / "few.npz").write_bytes(pack_images(few))
    (commands,) = re.findall(r"^folder of pictures.*?```sh\n(.*?)```", DOC, re.S | re.M)
    smaller = {"IMAGES 20": "few.npz 2", "IMAGES": "few.npz", "--count 40": "--count 14"}
    for full, reduced in smaller.items():
        assert full in commands
        commands = commands.replace(full, reduced)
    core = "python -m foxnas_core "
    for line in commands.splitlines():
        if not line.startswith(core):
            line = line.replace("python", shlex.quote(sys.executable), 1)
            subprocess.run(line, shell=True, check=True)
            continue
        # In this process, which has loaded torch already.
        arguments, _, out = line.removeprefix(core).partition(" > ")
        words = shlex.split(arguments)
        if "--latency-budget" in words:
            # What the document's machine reached says nothing of this one.
            budget = budget_of(open_study(tmp_path / "tiny"))
            words[words.index("--latency-budget") + 1] = str(budget)
        capsys.readouterr()
        assert main(words) == 0, capsys.readouterr().err
        if out:
            (tmp_path / out).write_text(capsys.readouterr().out)
    study = open_study(tmp_path / "tiny")
    assert len(study.table()) == 14
    assert study.space.architecture(json.loads((tmp_path / "best.json").read_text()))
    assert (tmp_path / "best" / "model.onnx").exists()
    assert "its weights from tiny.safetensors" in (tmp_path / "best" / "model_card.md").read_text()
    # Counts are those of the slices in use: otherwise all would be equal.
    assert study.table().frame["parameters"].nunique() > 10
