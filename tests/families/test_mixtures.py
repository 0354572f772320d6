"""Supernets of cells: operations side by side, masked, and extracted."""

import numpy as np
import pytest
import torch
from mixtures import CELLS, mixture_of, space_of_cells

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.darts.space import edge_name
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.building import build_network
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.supernet.sharing import SharedSessions
from foxnas_core.testing.supernets import check_mixture, check_supernet


@pytest.mark.parametrize("family", CELLS)
def test_a_mixture_keeps_the_contract_of_supernets(family):
    check_supernet(mixture_of(family))


@pytest.mark.parametrize("family", CELLS)
def test_the_mixture_is_the_weighted_sum_of_all_operations(family):
    """Of one edge of the last cell, told by what each operation alone makes of the same input."""
    supernet = mixture_of(family)
    [*_, cell] = [m for name, m in supernet.named_modules() if name.endswith(".edges")]
    [*_, (name, edge)] = cell.items()
    weights = supernet.weights()[name]
    x = torch.randn(3, next(edge.parameters()).shape[0], 4, 4)
    with torch.no_grad():
        each = [w * edge[op](x) for w, op in zip(weights, edge.names, strict=True) if op in edge]
        assert torch.allclose(edge(x, weights), sum(each), atol=1e-6)
        assert set(edge.names) - set(edge) == {"none"} and float(weights.sum()) == pytest.approx(1)


@pytest.mark.parametrize("family", CELLS)
def test_masking_none_changes_nothing_and_other_masks_do(family):
    supernet = mixture_of(family)
    x, weights = torch.randn(8, *supernet.shape), supernet.numbers()

    def outputs(given):
        holder = _Mixed(supernet, given)
        recalibrate(holder, [x])
        with torch.no_grad():
            return holder(x)

    whole = outputs(weights)
    for edge in supernet.mixture.edges[:2]:
        masked = supernet.mixture.masked(weights, edge.name, "none")
        assert sum(masked[edge.name]) < 1, "the others are not raised to a sum of 1"
        assert torch.equal(outputs(masked), whole)
        other = supernet.mixture.masked(weights, edge.name, edge.operations[-2])
        assert not torch.equal(outputs(other), whole)


class _Mixed(torch.nn.Module):
    def __init__(self, supernet, weights):
        super().__init__()
        self.supernet, self.weights = supernet, weights

    def forward(self, x):
        return self.supernet.mixed(x, self.weights)


@pytest.mark.parametrize("family", CELLS)
def test_the_last_operation_of_a_place_is_not_masked(family):
    mixture = family_of(space_of_cells(family)).mixture(space_of_cells(family))
    [edge, *_] = mixture.edges
    weights = {edge.name: mixture.alone(edge.name, "skip_connect")}
    assert mixture.masked(weights, edge.name, "none") == weights
    with pytest.raises(InvalidInput, match="skip_connect is the only operation left"):
        mixture.masked(weights, edge.name, "skip_connect")


def test_the_suite_finds_a_mixture_that_is_not_its_subnet():
    supernet = mixture_of("nasbench201")
    [architecture] = supernet.space.sample(1, seed=0)
    with pytest.raises(AssertionError, match="not its subnet to the last digit"):
        check_mixture(supernet, architecture, factor=1.0)


# The second-order genotype of DARTS as its code prints it, which the parser reads whole.
PUBLISHED = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def test_the_published_genotype_has_the_published_size():
    """3.349342 million parameters without the auxiliary head, as its code prints."""
    space = space_of_cells("darts", channels=36, cells=20, classes=10, input_channels=3,
                           resolution=8)  # fmt: skip
    architecture = family_of(space).read(space, PUBLISHED)
    network = build_network(space, architecture, seed=0)
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_349_342


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PUBLISHED.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 0)"), "reads node 0 twice"),
        (PUBLISHED.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"), "of node 5"),
        (PUBLISHED.replace("dil_conv_3x3", "dil_conv_9x9"), "dil_conv_9x9"),
    ],
)
def test_a_wrong_genotype_is_told_where(text, said):
    space = load_shipped("darts")
    with pytest.raises(InvalidInput, match=said):
        family_of(space).read(space, text)


def test_a_node_of_darts_has_two_edges():
    space = load_shipped("darts")
    for architecture in space.sample(5, seed=0):
        for cell in ("normal", "reduce"):
            for node in range(2, 6):
                names = [edge_name(cell, source, node) for source in range(node)]
                assert sum(name in architecture for name in names) == 2


@pytest.mark.parametrize("family", CELLS)
def test_subnets_of_a_mixture_are_scored_and_counted_as_they_compute(family):
    """In ONNX Runtime, where poolings are torch's to export, and by arithmetic."""
    supernet = mixture_of(family)
    space, x = supernet.space, torch.randn(4, *supernet.shape)
    architectures = space.sample(2, seed=0)
    subnets = [supernet.extract(architecture) for architecture in architectures]
    for subnet, found in zip(subnets, SharedSessions(subnets).logits(x.numpy()), strict=True):
        with torch.no_grad():
            assert np.allclose(subnet(x).numpy(), found, atol=1e-4)
    for column, value in cost_of(subnets[0]).items():
        told = family_of(space).totals(space, space.encode(architectures[:1]), column)
        assert told is None or told[0] == value
