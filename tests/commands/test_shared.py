"""What several commands name alike."""

import pytest
from conftest import DEMO

from foxnas_core.commands.shared import named_architecture
from foxnas_core.errors import MissingPart
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import open_study

CELLS = open_study(DEMO.parent / "cells")


def test_what_a_supernet_selected_is_named_by_its_id():
    for key in CELLS.ids(SELECTIONS):
        selected = CELLS.kept(SELECTIONS, key).selected
        assert named_architecture(CELLS, selected.id) == selected.architecture


def test_another_id_is_refused():
    with pytest.raises(MissingPart, match="measured or selected"):
        named_architecture(CELLS, "0123456789ab")
