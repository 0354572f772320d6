"""The shipped spaces of every family keep the family's contract."""

import pytest
from conftest import tiny_document
from hand import hand_document

from foxnas_core.families import family_of, load_shipped, shipped_spaces, space_from_dict
from foxnas_core.families.family import Edge, Graph
from foxnas_core.families.nasbench201 import NASBench201
from foxnas_core.testing.families import check_family

SPACES = {name: load_shipped(name) for name in shipped_spaces()} | {
    "tiny": space_from_dict(tiny_document()),
    "hand": space_from_dict(hand_document(resolutions=(96, 128))),
}


@pytest.mark.parametrize("name", SPACES)
def test_families_keep_the_contract(name):
    space = SPACES[name]
    check_family(family_of(space), space)


class Blurred(NASBench201):
    """Reads every text."""

    def read(self, space, text):
        return self.reference(space)


class Deaf(NASBench201):
    """Says of every edge that it is live."""

    def graph(self, space, architecture):
        found = super().graph(space, architecture)
        return Graph(
            found.nodes,
            tuple(
                Edge(e.source, e.target, e.cell, e.operation, True, e.is_none) for e in found.edges
            ),
        )


class Raw(NASBench201):
    """Lets dead edges matter."""

    def canonical(self, space, architecture):
        return architecture.id


class Backward(NASBench201):
    """Swaps the two ends."""

    def extremes(self, space):
        return {"smallest": self.reference(space), "largest": self.reference(space)}

    def reference(self, space):
        return super().extremes(space)["largest"]


@pytest.mark.parametrize("broken", [Blurred, Deaf, Raw, Backward])
def test_the_suite_finds_what_is_broken(broken, monkeypatch):
    monkeypatch.setattr("foxnas_core.families._families", {})
    space = SPACES["nasbench201"]
    with pytest.raises(AssertionError):
        check_family(broken(), space)
