"""The compiled loop: its random numbers, and compiling where nothing can be kept on disk."""

from typing import Any

import numpy as np
import pytest

from foxnas_core.search import chain


def test_the_generator_is_splitmix64() -> None:
    """The first numbers of the published reference implementation from seed 1234567."""
    state, drawn = np.uint64(1234567), []
    for _ in range(3):
        state, bits = chain._draw(state)
        state = np.uint64(state)
        drawn.append(int(bits))
    assert drawn == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_folder_that_cannot_be_written_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_cache(*, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(chain, "njit", without_cache)
    assert chain.compiled(len) is len
