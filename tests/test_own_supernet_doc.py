"""docs/own-supernet.md as a reader follows it, at reduced size."""

import json
import re
import shlex
import subprocess
import sys

from conftest import DEMO, REPOSITORY

from foxnas_core.dataset import pack_images, unpack_images
from foxnas_core.storage import open_study

DOC = (REPOSITORY / "docs" / "own-supernet.md").read_text()


def test_the_example_runs_to_the_end(tmp_path, monkeypatch):
    """Files and commands are the document's; images, epochs and subnets are fewer."""
    files = dict(re.findall(r"^`(\w+\.(?:py|json))`.*?```\w+\n(.*?)```", DOC, re.S | re.M))
    assert set(files) == {"tiny_net.py", "tiny_space.json", "train_tiny.py"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    sets = unpack_images(DEMO / "images.npz")
    images = tmp_path / "images.npz"
    few = {name: images_.take(slice(0, 300)) for name, images_ in sets.items()}
    images.write_bytes(pack_images(few))
    (commands,) = re.findall(r"```sh\n(.*?)```", DOC, re.S)
    smaller = {"IMAGES 20": f"{images} 3", "IMAGES": str(images), "--count 40": "--count 16"}
    for large, small in smaller.items():
        assert large in commands
        commands = commands.replace(large, small)
    commands = re.sub(r"^python", shlex.quote(sys.executable), commands, flags=re.M)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    study = open_study(tmp_path / "tiny")
    table = study.table()
    assert len(table) == 16
    best = json.loads((tmp_path / "best.json").read_text())
    assert study.space.is_member(study.space.architecture(best))
    assert (tmp_path / "best" / "model.onnx").exists()
    assert "its weights from tiny.safetensors" in (tmp_path / "best" / "model_card.md").read_text()
    # Wider and deeper subnets cost more, so the counts are those of the slices.
    frame = table.frame
    assert frame["parameters"].nunique() > 10
    largest = frame.sort_values("parameters").iloc[-1]
    assert largest["s3_width"] > 16
