"""Weights of others: which files are read, of which no code is run, and what does not fit."""

import os
import re

import pytest
import torch
from safetensors.torch import load_file, save_file

from foxnas_core.errors import InvalidInput
from foxnas_core.networks import check_tensors, unwrapped
from foxnas_core.supernet.opened import answer
from foxnas_core.supernet.weights import load_weights

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.zeros(2)}
AVERAGED = {name: tensor + 1 for name, tensor in WEIGHTS.items()}


def saved(tmp_path, content, **options):
    torch.save(content, tmp_path / "w.pth", **options)
    return str(tmp_path / "w.pth")


def opened(tmp_path, content, part="", **options):
    target = tmp_path / "w.safetensors"
    told = answer(saved(tmp_path, content, **options), str(target), part)
    return told, load_file(target) if target.exists() else None


class Runs:
    """What a pickle that is run would call."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "content", [WEIGHTS, {"state_dict": WEIGHTS, "epoch": 3, "args": {"a": 1}}]
)
def test_a_state_dict_is_found_wherever_it_stands(content, old, tmp_path):
    told, found = opened(tmp_path, content, _use_new_zipfile_serialization=not old)
    assert told["written"] and found is not None
    assert all(found[name].equal(tensor) for name, tensor in WEIGHTS.items())


def test_of_several_the_one_that_is_named(tmp_path):
    content = {"state_dict": WEIGHTS, "state_dict_ema": AVERAGED}
    told, found = opened(tmp_path, content)
    assert told == {"parts": ["state_dict", "state_dict_ema"], "written": False} and not found
    _, found = opened(tmp_path, content, "state_dict_ema")
    assert found is not None and found["a.bias"].equal(AVERAGED["a.bias"])


def test_views_are_stored_each_by_itself(tmp_path):
    shared = torch.arange(4.0)
    _, found = opened(tmp_path, {"whole": shared, "part": shared[1:3]})
    assert found is not None and found["part"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "EOFError"),
        (b"PK\x03\x04" + b"x" * 200, "zip archive"),
        (b"\x80\x02}", ""),
        (b"text", ""),
    ],
)
def test_a_broken_file_is_told(content, said, tmp_path):
    (tmp_path / "w.pth").write_bytes(content)
    told = answer(str(tmp_path / "w.pth"), str(tmp_path / "w.safetensors"), "")
    assert said in told["broken"] and told["broken"].isprintable()


def test_a_process_of_its_own_runs_no_code_of_a_file(tmp_path):
    canary = tmp_path / "ran"
    saved(tmp_path, {"state_dict": WEIGHTS, "x": Runs(canary)})
    with pytest.raises(InvalidInput, match=r"asks for posix\.mkdir, which is code .* not opened"):
        load_weights(tmp_path / "w.pth")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"parts": ["a", "b"]}, "holds 'a', 'b'; say which of them is meant (--part NAME)."),
        ({"parts": []}, "holds no state dict of names and tensors; save the state dict alone"),
        ({"broken": "it is\ncut"}, "can't be read as a file of torch's (it is?cut); save"),
    ],
)
def test_what_that_process_tells_is_one_sentence(told, said, tmp_path, monkeypatch):
    monkeypatch.setattr("foxnas_core.supernet.weights._opened", lambda *_: told)
    saved(tmp_path, WEIGHTS)
    with pytest.raises(InvalidInput, match=re.escape(said)):
        load_weights(tmp_path / "w.pth")


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "w.pth")
    with pytest.raises(InvalidInput, match="is no regular file"):
        load_weights(tmp_path / "w.pth")
    save_file(WEIGHTS, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match="has no parts"):
        load_weights(tmp_path / "w.safetensors", "ema")


@pytest.mark.parametrize("prefix", ["", "module.", "ema.module.", "_orig_mod.module.x."])
def test_wrappers_names_are_taken_off(prefix):
    tensors = {f"{prefix}{name}": tensor for name, tensor in WEIGHTS.items()}
    assert unwrapped({**tensors, "n_averaged": torch.tensor(3)}, WEIGHTS).keys() == WEIGHTS.keys()
    # A module of that name is not a wrapper of what wants it.
    assert unwrapped(tensors, tensors).keys() == tensors.keys()


def test_what_does_not_fit_is_told_by_name_and_shape():
    wanted = {**WEIGHTS, "b.weight": torch.zeros(4, 1)}
    given = {"a.weight": torch.zeros(2, 2), "a.bias": torch.zeros(2), "c": torch.tensor(1.0)}
    with pytest.raises(InvalidInput) as caught:
        check_tensors("They", given, wanted, "mend them")
    assert str(caught.value) == (
        "They lack 1 of 3 tensors: 'b.weight' (4×1), have 1 of 3 tensors of another shape: "
        "'a.weight' (2×2 in place of 2×3), have 1 of 3 tensors too many: 'c' (one number); mend "
        "them."
    )
