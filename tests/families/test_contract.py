"""The shipped spaces of every family keep the family's contract."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from conftest import tiny_document
from hand import hand_document
from volumes import DEEP, volumetric_space

from foxnas_core.families import family_of, load_shipped, shipped_spaces, space_from_dict
from foxnas_core.families.family import FamilyForm
from foxnas_core.families.mbconv import MBConv
from foxnas_core.families.nasbench201 import NASBench201
from foxnas_core.space.coding.parts import contrasts
from foxnas_core.space.coding.terms import Product
from foxnas_core.testing.families import check_family

# One of those that differ in their data set alone is enough, and one of those in their sizes;
# V-NAS's own sizes are for accelerators.
_LEFT_OUT = ("nasbench201-cifar100", "fbnetv2-imagenet", "fpnas-imagenet", "vnas")
SPACES = {n: load_shipped(n) for n in shipped_spaces() if n not in _LEFT_OUT} | {
    "tiny": space_from_dict(tiny_document()),
    "hand": space_from_dict(hand_document(resolutions=(96, 128))),
    "deep": volumetric_space(**DEEP),
}


@pytest.mark.parametrize("name", SPACES)
def test_families_keep_the_contract(name):
    space = SPACES[name]
    check_family(family_of(space), space, count=6)


class Blurred(NASBench201):
    """Reads every text."""

    def read(self, space, text):
        return self.reference(space)


class Deaf(NASBench201):
    """Says of every edge that it is live."""

    def graphs(self, space, architecture):
        [found] = super().graphs(space, architecture)
        return (replace(found, edges=tuple(replace(e, live=True) for e in found.edges)),)


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


def kernels(space, group, other):
    """The kernels of the first block of another stage, as terms of a group."""
    return contrasts(space, group, space.by_name[f"{other}b1_kernel"])


def pairs(space, group, quality):
    """The products of every stage's first kernel with the first stage's."""
    left, right = kernels(space, group, group), kernels(space, "s1", "s1")
    terms = tuple(replace(t, name=f"{group} {n}") for n, t in enumerate(left.terms * 2))
    count = len(left.terms)
    return [Product(terms, left, right, tuple(range(2 * count)), np.zeros(count), np.zeros(2))]


class Paired(MBConv):
    """Has a form whose terms read two groups."""

    forms: ClassVar = {"paired": FamilyForm("pairs", pairs)}


class Astray(MBConv):
    """Has a form whose terms of a group read another group's decisions."""

    forms: ClassVar = {
        "astray": FamilyForm("first", lambda space, group, quality: [kernels(space, group, "s1")])
    }


def test_a_form_may_read_several_groups_its_own_among_them(monkeypatch):
    monkeypatch.setattr("foxnas_core.families._families", {})
    check_family(Paired(), SPACES["tiny"])
    monkeypatch.setattr("foxnas_core.families._families", {})
    with pytest.raises(AssertionError, match="reads nothing of group s2"):
        check_family(Astray(), SPACES["tiny"])


class Miscounting(MBConv):
    """Leaves out what all networks have."""

    def counts(self, space, column):
        return super().counts(space, column)[1:]


def test_what_is_counted_is_held_against_networks(monkeypatch):
    monkeypatch.setattr("foxnas_core.families._families", {})
    with pytest.raises(AssertionError, match="parameters counted of"):
        check_family(Miscounting(), SPACES["tiny"])


@pytest.mark.parametrize("broken", [Blurred, Deaf, Raw, Backward])
def test_the_suite_finds_what_is_broken(broken, monkeypatch):
    monkeypatch.setattr("foxnas_core.families._families", {})
    space = SPACES["nasbench201"]
    with pytest.raises(AssertionError):
        check_family(broken(), space)
