"""Studies begun with weights trained elsewhere, from the command line and from code."""

import json

import pytest
import torch
from conftest import tiny_document
from safetensors.torch import save_file

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.families.mbconv.once_for_all import _names
from foxnas_core.families.mbconv.supernet import Supernet
from foxnas_core.steps.adopt import adopt, import_once_for_all
from foxnas_core.study import open_study
from foxnas_core.tasks.dataset import pack_images
from tests.test_main import ask, refused, write_images

NET = """
import torch
from torch import nn

class Net(nn.Module):
    pixel_mean, pixel_std = torch.tensor([0.5]), 0.25

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.classifier = nn.Linear(4, 3)

    def extract(self, choices):
        layers = [self.stem, self.norm, nn.ReLU()] + [nn.MaxPool2d(2)] * choices["pools"]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), self.classifier)

def build():
    return Net()
"""
SPACE = """{"format": 1, "name": "pools", "family": "listed", "decisions":
[{"name": "pools", "group": "all", "role": "pools", "choices": [0, 1, 2]}]}"""


@pytest.fixture
def own(tmp_path, tiny_dataset):
    """A folder with code, weights, space and images of somebody's own; the options that name it."""
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "space.json").write_text(SPACE)
    namespace: dict = {}
    exec(NET, namespace)
    torch.manual_seed(0)
    save_file(namespace["build"]().state_dict(), tmp_path / "w.safetensors")
    parts = {"calibration": tiny_dataset.training, "held_out": tiny_dataset.held_out}
    (tmp_path / "images.npz").write_bytes(pack_images(parts))
    return {
        "--study": tmp_path / "study",
        "--supernet": f"{tmp_path / 'net.py'}:build",
        "--weights": tmp_path / "w.safetensors",
        "--space": tmp_path / "space.json",
        "--data": tmp_path / "images.npz",
    }


def words(options: dict) -> list:
    return [word for pair in options.items() for word in pair]


def test_measuring_goes_on_with_the_function_alone(own, capsys):
    document = ask(capsys, "measure", *words(own), "--count", 1)
    assert document["rows"] == 1
    # The whole command again, as after a kill, and then the short one.
    assert ask(capsys, "measure", *words(own), "--count", 2)["rows"] == 2
    short = {name: own[name] for name in ("--study", "--supernet")}
    assert ask(capsys, "measure", *words(short), "--count", 3)["rows"] == 3
    study = open_study(own["--study"])
    assert study.table().frame["parameters"].unique().tolist() == [40 + 8 + 15]
    sentence = refused(capsys, "measure", "--study", own["--study"], "--count", 3)
    assert "--supernet" in sentence and "net.py:build" in sentence
    with pytest.raises(InvalidInput, match="run only where you name it"):
        study.load_checkpoint()


def test_the_record_says_what_the_module_and_the_images_say(own, tmp_path):
    study = adopt(
        tmp_path / "study",
        space_from_dict(json.loads(SPACE)),
        supernet=own["--supernet"],
        weights=own["--weights"],
        data=own["--data"],
    )
    record = study.load_checkpoint().record
    assert (record["pixel_mean"], record["pixel_std"]) == ([0.5], 0.25)
    assert (record["resolution"], record["input_channels"]) == (12, 1)
    assert record["classes"] == ["0", "1", "2"]
    calibration, held_out = study.images()
    assert (len(calibration), len(held_out)) == (400, 300)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--weights": None}, "give --weights FILE"),
        ({"--supernet": None}, "--supernet MODULE:FUNCTION"),
        ({"--space": None}, "name its space"),
        ({"--data": None}, "no study at"),
        ({"--weights": "net.py"}, "is no safetensors file, or damaged; name a .safetensors file"),
        ({"--weights": "none.safetensors"}, "no weights at"),
        ({"--data": "none.npz"}, "no images at"),
        ({"--data": "."}, "does not say"),
    ],
)
def test_what_is_missing_or_wrong_is_named(own, tmp_path, capsys, change, said):
    for option, value in change.items():
        own[option] = value and tmp_path / value
    options = {name: value for name, value in own.items() if value}
    assert said in refused(capsys, "measure", *words(options))
    assert not (tmp_path / "study").exists()


def test_a_folder_with_other_weights_is_left_alone(own, tmp_path, capsys):
    ask(capsys, "measure", *words(own))
    before = (tmp_path / "study" / "supernet.safetensors").read_bytes()
    namespace: dict = {}
    exec(NET, namespace)
    save_file(namespace["build"]().state_dict(), own["--weights"])
    assert "holds other weights" in refused(capsys, "measure", *words(own))
    assert (tmp_path / "study" / "supernet.safetensors").read_bytes() == before


def published(space, path):
    """A random supernet of `space`, saved in once-for-all's layout."""
    torch.manual_seed(0)
    supernet = Supernet(space)
    state = supernet.state_dict()
    save_file({theirs: state[ours].clone() for ours, theirs in _names(supernet.settings)}, path)


def test_published_weights_begin_a_study_that_measures(tmp_path, capsys):
    document = tiny_document(input_channels=3, first_width=4, feature_width=6)
    (tmp_path / "space.json").write_text(json.dumps(document))
    published(space_from_dict(document), tmp_path / "w.safetensors")
    write_images(tmp_path / "images")
    options = ["--study", tmp_path / "study", "--space", tmp_path / "space.json"]
    arguments = [tmp_path / "w.safetensors", *options, "--data", tmp_path / "images"]
    document = ask(capsys, "import-weights", *arguments)
    assert document["space"] == "tiny" and document["held_out_images"] > 0
    study = open_study(tmp_path / "study")
    # ImageNet's levels, one a channel.
    assert len(study.load_checkpoint().record["pixel_mean"]) == 3
    calibration, _ = study.images()
    assert len(set(calibration.labels[:10].tolist())) == 3  # classes are mixed
    assert ask(capsys, "measure", "--study", study.folder, "--count", 1)["rows"] == 1
    assert "holds weights already" in refused(capsys, "import-weights", *arguments)


def test_images_that_do_not_suit_the_space_leave_nothing_behind(tmp_path):
    space = space_from_dict(tiny_document(input_channels=3, classes=4))
    published(space, tmp_path / "w.safetensors")
    write_images(tmp_path / "images")
    with pytest.raises(InvalidInput, match="3 classes, but space 'tiny' is for 4"):
        import_once_for_all(
            tmp_path / "study", space, weights=tmp_path / "w.safetensors", data=tmp_path / "images"
        )
    with pytest.raises(MissingPart, match="no weights"):
        import_once_for_all(
            tmp_path / "study", space, weights=tmp_path / "none", data=tmp_path / "images"
        )
    assert not (tmp_path / "study").exists()
