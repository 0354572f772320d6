import struct

import pytest
from conftest import DEMO

from foxnas_core.errors import InvalidInput
from foxnas_core.study import open_study
from foxnas_core.supernet.header import checkpoint_space

CONTENT = (DEMO / "supernet.safetensors").read_bytes()


def test_the_space_is_read_from_the_header_alone():
    demo = open_study(DEMO)
    assert checkpoint_space(demo.checkpoint_file) == demo.space


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", CONTENT[:100], CONTENT[:-1], CONTENT + b"x", struct.pack("<Q", 1 << 40),
     struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2) + b"[]",
     CONTENT.replace(b"foxnas", b"foxnat", 1), CONTENT.replace(b"mbconv", b"mbconx", 1)],
)  # fmt: skip
def test_what_is_no_checkpoint_is_one_sentence(tmp_path, content):
    path = tmp_path / "supernet.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        checkpoint_space(path)
