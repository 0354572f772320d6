import numpy as np
import pytest

from foxnas_core.families import load_shipped
from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from tests.search.test_options import nested_space

SPACES = [nested_space(), load_shipped("foxnas-mini")]
EACH = pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)


@EACH
def test_whatever_the_genes_they_express_a_member(space) -> None:
    encoding, rng = Encoding(SearchGoal(space, "max")), np.random.default_rng(0)
    genes = encoding.draw(rng, 300)
    made = [
        genes, encoding.redraw(rng, genes, 0.3), encoding.cross(rng, genes, genes[::-1]),
        encoding.redraw_one(rng, genes),
    ]  # fmt: skip
    for some in made:
        architectures = encoding.architectures(some)
        assert all(space.is_member(a) for a in architectures)
        assert (space.encode(architectures) == encoding.codes(some)).all()


@EACH
def test_genes_of_architectures_express_them(space) -> None:
    encoding, rng = Encoding(SearchGoal(space, "max")), np.random.default_rng(1)
    architectures = space.decode(space.random_codes(200, seed=2))
    assert encoding.architectures(encoding.genes(architectures, rng)) == architectures


@EACH
def test_one_active_decision_is_redrawn_and_each_alike(space) -> None:
    encoding, rng = Encoding(SearchGoal(space, "max")), np.random.default_rng(3)
    genes = np.repeat(encoding.draw(rng, 1), 4000, axis=0)
    changed = encoding.redraw_one(rng, genes) != genes
    assert (changed.sum(axis=1) == 1).all()
    free = (encoding.codes(genes[:1])[0] >= 0) & (encoding.sizes > 1)
    assert (changed.any(axis=0) == free).all()
    expected = 4000 / free.sum()
    assert np.abs(changed[:, free].sum(axis=0) - expected).max() < 5 * np.sqrt(expected)


def test_what_is_not_allowed_is_never_drawn_and_the_nearest_is_taken() -> None:
    space = load_shipped("foxnas-mini")
    kernel = next(d for d in space.decisions if d.role == "kernel" and not d.conditions)
    encoding = Encoding(SearchGoal(space, "max", allowed={kernel.name: kernel.choices[:2]}))
    rng = np.random.default_rng(4)
    drawn = encoding.architectures(encoding.draw(rng, 200))
    assert {a[kernel.name] for a in drawn} == set(kernel.choices[:2])
    [nearest] = encoding.architectures(encoding.genes([space.extreme("largest")], rng))
    assert nearest[kernel.name] == kernel.choices[1]
