"""The scripts of an export, run as a user runs them: as processes, in a folder, on real images."""

import io
import json
import re
import runpy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import stripes, tiny_document
from PIL import Image

from foxnas_core.export.exporter import export_subnet
from foxnas_core.export.formats import FORMATS, formats_of
from foxnas_core.export.written import write_export
from foxnas_core.families import space_from_dict
from foxnas_core.families.mbconv.supernet import Supernet
from foxnas_core.measurement.campaign import prepare
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.images import to_batch


def run(folder, script, *arguments) -> tuple[str, float]:
    """The class that a script names, and its share in percent."""
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    label, share = re.fullmatch(r"(.+) ([\d.]+) %\n", done.stdout).groups()
    return label, float(share)


def refused(folder, script, *arguments) -> str:
    """What a script says of arguments that it can't take: run here, where its packages are loaded,
    it leaves by the one exception that Python prints without a traceback."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setattr(sys, "argv", [script, *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(folder / script), run_name="__main__")
    assert isinstance(stopped.value.code, str)
    return stopped.value.code


def said_by(prepared, pixels, record) -> tuple[str, float]:
    """The same as the app computes it."""
    resolution = prepared.subnet.input_shape[-1]
    batch = to_batch(pixels[None], resolution, record["pixel_mean"], record["pixel_std"])
    with torch.no_grad():
        shares = prepared.subnet(batch).softmax(1)[0]
    return record["classes"][int(shares.argmax())], round(100 * float(shares.max()), 1)


def exported_to(folder, prepared, checkpoint, dataset, names):
    exported = export_subnet(
        prepared,
        space=checkpoint.supernet.space,
        record=checkpoint.record,
        calibration=dataset.training,
        held_out=dataset.held_out,
        estimates=[],
        parents={},
        formats=formats_of(names)[0],
        int8_floor=0.0,
    )
    write_export(exported, folder)
    return exported


@pytest.mark.parametrize("resolution", [8, 12])
def test_grey_pictures_are_named_as_the_app_names_them(
    tiny_checkpoint, tiny_dataset, tmp_path, resolution
):
    """At a resolution that images are resized to, and at their own."""
    space = tiny_checkpoint.supernet.space
    [architecture] = [a for a in space.sample(9, seed=1) if a["resolution"] == resolution][:1]
    prepared = prepare(tiny_checkpoint, architecture, tiny_dataset.training)
    names = ["onnx", "onnx-int8", "torch"]
    exported_to(tmp_path / "out", prepared, tiny_checkpoint, tiny_dataset, names)
    pixels = tiny_dataset.held_out.images[7]
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    expected = said_by(prepared, pixels, tiny_checkpoint.record)
    scripts = ["run_onnx.py", "run_torch_export.py"]
    for script in scripts if resolution == 8 else scripts[:1]:
        label, share = run(tmp_path / "out", script, tmp_path / "picture.png")
        assert label == expected[0] and share == pytest.approx(expected[1], abs=0.11)
    if resolution == 8:
        (tmp_path / "words.txt").write_text("No picture.")
        for script in scripts:
            assert "PICTURE" in refused(tmp_path / "out", script)
            for name in ("missing.png", tmp_path / "words.txt"):
                assert "name a PNG or JPEG file" in refused(tmp_path / "out", script, name)
    label, share = run(tmp_path / "out", "run_onnx.py", tmp_path / "picture.png", "model_int8.onnx")
    assert label in tiny_checkpoint.record["classes"] and 33 <= share <= 100


@pytest.fixture
def coloured(tiny_dataset, tmp_path):
    """A subnet of three channels with levels of their own, and its images; random weights do."""
    space = space_from_dict(tiny_document(input_channels=3, resolutions=[10]))
    torch.manual_seed(0)
    levels = {"pixel_mean": [0.4, 0.5, 0.6], "pixel_std": [0.2, 0.3, 0.25]}
    record = {
        "dataset": "stripes", "licence": "made here", "images": 1, "steps": 1,
        "recipe": {"seed": 0}, "classes": ["a\nb", "naïve – ü", "c"], **levels,
    }  # fmt: skip

    def in_colour(count: int, seed: int) -> ImageSet:
        first, *others = (stripes(count, seed + 10 * k) for k in range(3))
        return ImageSet(np.stack([first.images, *(o.images for o in others)], -1), first.labels)

    dataset = replace(tiny_dataset, training=in_colour(60, 1), held_out=in_colour(40, 2))
    checkpoint = Checkpoint(Supernet(space).eval(), record)
    return checkpoint, prepare(checkpoint, space.extreme("largest"), dataset.training), dataset


def test_coloured_pictures_of_any_size_are_cut_and_resized_as_training_images_were(
    coloured, tmp_path
):
    from foxnas_core.tasks.dataset import image_folder

    checkpoint, prepared, dataset = coloured
    exported = exported_to(tmp_path / "out", prepared, checkpoint, dataset, ["onnx"])
    assert exported.files["labels.txt"].decode().splitlines() == ["a b", "naïve – ü", "c"]
    how = json.loads(exported.files["preprocessing.json"])
    assert (how["mode"], how["fit"], how["width"]) == ("RGB", [12, 12], 10)
    # A picture that is neither square nor of the images' size, as a folder of pictures is read.
    rng = np.random.default_rng(3)
    large = Image.fromarray(rng.integers(0, 256, (50, 31, 3), dtype=np.uint8))
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(2):
            large.save(tmp_path / "pictures" / name / f"{number}.png")
    stored = image_folder(tmp_path / "pictures", side=12).training.images[0]
    for picture, pixels in (
        (tmp_path / "pictures" / "a" / "0.png", stored),
        (
            tmp_path / "out" / "sample.png",
            np.asarray(Image.open(io.BytesIO(exported.files["sample.png"]))),
        ),
    ):
        label, share = run(tmp_path / "out", "run_onnx.py", picture)
        expected = said_by(prepared, pixels, checkpoint.record)
        assert label == " ".join(expected[0].split())
        assert share == pytest.approx(expected[1], abs=0.11)


def test_scripts_are_short_and_ask_for_what_they_say_alone():
    import ast

    packages = {"PIL": "pillow", "ai_edge_litert": "ai-edge-litert"}
    for own in FORMATS.values():
        tree = ast.parse(own.runner.text())
        modules = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        modules += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        roots = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)
        installed = {word.partition("==")[0] for word in own.runner.install.split()[2:]}
        assert {packages.get(root, root) for root in roots} == installed
        body = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom | ast.Expr)]
        assert len(body) <= 14
