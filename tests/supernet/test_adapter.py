"""Supernets of somebody's own: what they must have, and what is made of them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.adapter import (
    AdaptedSupernet,
    build_supernet,
    check_supernet,
    load_factory,
)
from foxnas_core.supernet.onnx import INPUT, onnx_model, session_of
from foxnas_core.supernet.recalibration import recalibrate

RECORD = {"resolution": 8, "input_channels": 1}  # as studies of images have it
SPACE = space_from_dict(
    {
        "format": 1, "name": "sliced", "family": "listed",
        "decisions": [
            {"name": "width", "group": "s1", "role": "width", "choices": [2, 6]},
            {"name": "side", "group": "input", "role": "resolution", "choices": [8, 12]},
        ],
    }
)  # fmt: skip


class Sliced(nn.Module):
    """One convolution of which the first channels are used, set by an attribute."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.classifier = nn.Linear(6, 3)
        self.width = 6

    def set_active(self, choices):
        self.width = choices["width"]

    def forward(self, x):
        w, norm = self.width, self.norm
        y = F.conv2d(x, self.convolution.weight[:w], padding=1)
        y = F.batch_norm(
            y, norm.running_mean[:w], norm.running_var[:w], norm.weight[:w], norm.bias[:w],
            self.training,
        )  # fmt: skip
        return F.linear(F.relu(y).mean((2, 3)), self.classifier.weight[:, :w], self.classifier.bias)


class Cutting(Sliced):
    """The same, which cuts an ordinary network out of itself."""

    def extract(self, choices):
        w = choices["width"]
        convolution = nn.Conv2d(1, w, 3, padding=1, bias=False)
        norm, classifier = nn.BatchNorm2d(w), nn.Linear(w, 3)
        with torch.no_grad():
            convolution.weight.copy_(self.convolution.weight[:w])
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(norm, name).copy_(getattr(self.norm, name)[:w])
            classifier.weight.copy_(self.classifier.weight[:, :w])
            classifier.bias.copy_(self.classifier.bias)
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(convolution, norm, nn.ReLU(), pool, classifier)


def adapted(module: nn.Module) -> AdaptedSupernet:
    return AdaptedSupernet(module, SPACE, input_shape=(1, 8, 8))


def pair() -> tuple[AdaptedSupernet, AdaptedSupernet]:
    torch.manual_seed(0)
    sliced, cutting = Sliced(), Cutting()
    cutting.load_state_dict(sliced.state_dict())
    return adapted(sliced), adapted(cutting)


@pytest.mark.parametrize("architecture", SPACE.sample(4, seed=0), ids=lambda a: a.id)
@torch.no_grad()
def test_set_and_extracted_subnets_are_one_network(architecture):
    """Same logits after recalibration, same costs, same ONNX model."""
    batches = [torch.randn(16, 1, int(architecture["side"]), int(architecture["side"]))] * 2
    logits, costs = [], []
    for supernet in pair():
        before = {n: t.clone() for n, t in supernet.module.state_dict().items()}
        subnet = supernet.extract(architecture)
        side = architecture["side"]
        assert subnet.input_shape == (1, side, side)
        recalibrate(subnet, batches)
        logits.append(subnet(batches[0]))
        costs.append(cost_of(subnet))
        ran = session_of(onnx_model(subnet)).run(None, {INPUT: batches[0].numpy()})[0]
        assert torch.allclose(torch.from_numpy(ran), logits[-1], atol=1e-5)
        # Recalibrating a subnet leaves the supernet as it was.
        assert all(t.equal(before[n]) for n, t in supernet.module.state_dict().items())
    assert torch.allclose(*logits, atol=1e-6)
    assert costs[0] == costs[1]
    w, side = int(architecture["width"]), int(architecture["side"])
    assert costs[0] == {"parameters": 14 * w + 3, "macs": 9 * w * side**2 + 3 * w}


def test_the_copy_of_a_set_module_shares_its_parameters():
    supernet, _ = pair()
    subnet = supernet.extract(SPACE.extreme("smallest"))
    assert subnet.module is not supernet.module and supernet.module.width == 6
    assert subnet.module.classifier.weight is supernet.module.classifier.weight
    assert subnet.module.norm.running_mean is not supernet.module.norm.running_mean


def test_a_module_without_either_method_is_refused():
    with pytest.raises(InvalidInput, match=r"Linear has neither a method extract\(choices\) nor"):
        adapted(nn.Linear(1, 1))


def test_what_the_module_gets_wrong_is_said():
    class Failing(Sliced):
        def set_active(self, choices):
            raise KeyError("depth")

    class Odd(Sliced):
        def extract(self, choices):
            return 3

    with pytest.raises(InvalidInput, match="Failing can't be set to .*KeyError: 'depth'"):
        adapted(Failing()).extract(SPACE.extreme("largest"))
    with pytest.raises(InvalidInput, match="Odd.extract gives a int"):
        adapted(Odd()).extract(SPACE.extreme("largest"))


def test_both_extremes_are_run_before_they_are_trusted():
    supernet, cutting = pair()
    check_supernet(supernet, [3])
    check_supernet(cutting, [3])
    with pytest.raises(InvalidInput, match=r"gives \(2, 3\) for .*; it must give \(2, 4\)"):
        check_supernet(supernet, [4])
    supernet._shape = 5, 8, 8
    with pytest.raises(InvalidInput, match=r"can't run on a batch of \(2, 5, 12, 12\)"):
        check_supernet(supernet, [3])


def test_weights_must_be_the_modules():
    tensors = Sliced().state_dict()
    built = build_supernet(Sliced, tensors, SPACE, RECORD)
    assert all(t.equal(tensors[n]) for n, t in built.module.state_dict().items())
    del tensors["norm.bias"]
    with pytest.raises(InvalidInput, match="not those of Sliced: .*norm.bias"):
        build_supernet(Sliced, tensors, SPACE, RECORD)
    with pytest.raises(InvalidInput, match="function failed: ZeroDivisionError"):
        build_supernet(lambda: 1 / 0, {}, SPACE, RECORD)
    with pytest.raises(InvalidInput, match="function gives a int; let it"):
        build_supernet(lambda: 1, {}, SPACE, RECORD)


def test_a_function_is_found_by_module_and_by_file(tmp_path, monkeypatch):
    file = tmp_path / "a_net_of_mine.py"
    file.write_text("def build():\n    return 'built'\nvalue = 3\n")
    assert load_factory(f"{file}:build")() == "built"
    assert load_factory("torch.nn:Identity") is nn.Identity
    monkeypatch.chdir(tmp_path)
    assert load_factory("a_net_of_mine:build")() == "built"
    file.with_name("broken.py").write_text("import nothing_of_the_sort\n")
    for name, words in (
        ("a_net_of_mine", "names no function"),
        ("a b:build", "names no function"),
        (f"{file}:value", "has no function 'value'"),
        ("nothing_of_the_sort:build", "can't be imported: ModuleNotFoundError"),
        ("broken.py:build", "can't be imported: ModuleNotFoundError"),
        (f"{tmp_path}/missing.py:build", "can't be imported: FileNotFoundError"),
    ):
        with pytest.raises(InvalidInput, match=words):
            load_factory(name)
