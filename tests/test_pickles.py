"""Pickles of plain data are read by a process that can do nothing else."""

import collections
import os
import pickle
import sys

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.pickles import read_pickle

PLAIN = {
    "numbers": np.arange(3.0),
    "rows": np.arange(6, dtype=">i4").reshape(2, 3),
    "mixed": [np.float64(2.5), np.int32(4), (1, True, None), float("inf")],
    "named": collections.OrderedDict({1: "é", "b": b"x"}),
    "none": np.empty((0, 2)),
    "one": np.array(7, dtype=np.uint8),
}
READ = {
    "numbers": [0.0, 1.0, 2.0],
    "rows": [[0, 1, 2], [3, 4, 5]],
    "mixed": [2.5, 4, [1, True, None], float("inf")],
    "named": {"1": "é", "b": "x"},
    "none": [],
    "one": 7,
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol_is_read(protocol):
    assert read_pickle("p.pickle", pickle.dumps(PLAIN, protocol=protocol)) == READ


def test_what_was_written_before_numpy_2_is_read():
    new = pickle.dumps(PLAIN["numbers"], protocol=2)
    assert read_pickle("p.pickle", new.replace(b"numpy._core", b"numpy.core")) == [0.0, 1.0, 2.0]


def test_what_asks_for_more_memory_or_time_than_it_may_is_refused():
    rows = pickle.dumps([bytes(1000)] * 10 + [list(range(400_000))])
    for bounds in ({"memory": 24 << 20}, {"seconds": 0}):
        with pytest.raises(InvalidInput, match=r"memory than it may|could not be read .* within"):
            read_pickle("p.pickle", rows, **bounds)


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
def test_what_else_is_asked_for_is_named_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    with pytest.raises(InvalidInput, match=r"p\.pickle .* asks for posix\.mkdir, which is no"):
        read_pickle("p.pickle", pickle.dumps(Bomb()))
    assert not (tmp_path / "ran").exists()
