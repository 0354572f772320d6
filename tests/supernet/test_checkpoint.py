import pickle

import pytest
import torch
from conftest import tiny_document

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.supernet.checkpoint import load_checkpoint, save_checkpoint, save_tensors


@pytest.fixture
def saved(tmp_path, tiny_supernet):
    path = tmp_path / "supernet.safetensors"
    save_checkpoint(path, tiny_supernet, {"seed": 3, "dataset": "stripes"})
    return path


def test_round_trip(saved, tiny_supernet):
    loaded = load_checkpoint(saved, space=tiny_supernet.space)
    assert loaded.record == {"seed": 3, "dataset": "stripes"}
    assert loaded.supernet.space == tiny_supernet.space
    assert not loaded.supernet.training
    state = loaded.supernet.state_dict()
    for name, tensor in tiny_supernet.state_dict().items():
        assert torch.equal(state[name], tensor)


def test_another_space_is_named(saved):
    other = space_from_dict(tiny_document(classes=4, name="other"))
    with pytest.raises(InvalidInput, match="space 'tiny'.*study's is 'other'"):
        load_checkpoint(saved, space=other)


@pytest.mark.parametrize("keep", [0, 5, 100, 3000])
def test_a_truncated_file_is_one_sentence(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(InvalidInput, match="damaged"):
        load_checkpoint(saved)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(MissingPart, match="train one"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_pickle_is_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle ran",))

    path = tmp_path / "supernet.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InvalidInput, match="damaged"):
        load_checkpoint(path)


def test_missing_tensors_are_refused(tmp_path, tiny_supernet):
    path = tmp_path / "supernet.safetensors"
    metadata = {"space": tiny_supernet.space.to_dict(), "record": {}}
    save_tensors(path, {"stem.0.0.weight": torch.zeros(4, 1, 3, 3)}, metadata)
    with pytest.raises(InvalidInput, match="does not hold the tensors"):
        load_checkpoint(path)


def test_a_failed_write_leaves_the_old_file(saved, tiny_supernet):
    before = saved.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(saved, tiny_supernet, {"bad": object()})
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
