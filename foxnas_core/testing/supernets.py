"""What every `SupernetAdapter` keeps: shapes, subnets that compute what it computes, and one set of
weights that subnets are taken from without a trace."""

from collections.abc import Sequence

import torch
from torch import Tensor

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.networks import MixtureSupernet, Network, SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.building import build_network
from foxnas_core.testing.analyses import check_sentence


def check_supernet(supernet: SupernetAdapter, *, seed: int = 0, count: int = 4) -> None:
    """Check the family's landmarks and some architectures that are drawn by the seed."""
    space = supernet.space
    landmarks = list(family_of(space).landmarks(space).values())
    supernet.eval()
    assert any(p.requires_grad for p in supernet.parameters()), "nothing to train"
    for architecture in [*landmarks, *space.sample(count, seed=seed)]:
        check_extracted(supernet, architecture, seed=seed)
        if isinstance(supernet, MixtureSupernet):
            check_mixture(supernet, architecture, seed=seed)
    check_trains(supernet, landmarks)


@torch.no_grad()
def check_extracted(
    supernet: SupernetAdapter, architecture: Architecture, *, seed: int = 0, atol: float = 1e-4
) -> None:
    """The subnet takes the shape and gives the output that the supernet says it does."""
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    subnet = supernet.extract(architecture)
    told = f"the subnet of {architecture.id}"
    assert isinstance(subnet, Network) and not subnet.training, f"{told} is no network to run"
    assert subnet.input_shape == supernet.input_shape(architecture), f"{told} has another shape"
    assert tuple(subnet.example(3).shape) == (3, *subnet.input_shape)
    x = torch.randn(3, *subnet.input_shape, generator=torch.Generator().manual_seed(seed))
    expected = supernet(x, architecture)
    assert expected.shape[0] == 3, f"{told}: not one output a case"
    found = subnet(x)
    assert torch.allclose(found, expected, rtol=1e-4, atol=atol), f"{told} computes another thing"
    through = x
    for part in subnet.parts():
        through = part(through)
    assert torch.allclose(through, found, rtol=1e-4, atol=atol), f"{told}: parts are not the whole"
    for name, tensor in supernet.state_dict().items():
        assert torch.equal(tensor, before[name]), f"{told} was taken and {name} moved"


@torch.no_grad()
def check_mixture(
    supernet: MixtureSupernet, architecture: Architecture, *, seed: int = 0, factor: float = 1e4
) -> None:
    """With parameters that leave each edge one operation, the mixture is the subnet to the last
    digit, and the last operation can't be masked."""
    mixture, told = supernet.mixture, f"the mixture of {architecture.id}"
    assert [*supernet.alpha] == [edge.name for edge in mixture.edges], f"{told}: other edges"
    chosen = mixture.one_hot(architecture)
    before = {name: alpha.clone() for name, alpha in supernet.alpha.items()}
    for name, own in chosen.items():
        supernet.alpha[name].copy_(factor * torch.tensor(own))
    weights: dict[str, Tensor | Sequence[float]] = {**supernet.weights()}
    for name, own in chosen.items():
        if not any(own):
            weights[name] = own
            continue
        operation = mixture.by_name[name].operations[own.index(1.0)]
        try:
            mixture.masked(mixture.one_hot(architecture), name, operation)
        except InvalidInput as error:
            check_sentence(str(error), told)
        else:
            raise AssertionError(f"{told}: the last operation of {name} is masked")
    x = torch.randn(3, *supernet.shape, generator=torch.Generator().manual_seed(seed))
    found, expected = supernet.mixed(x, weights), supernet.extract(architecture)(x)
    for name, alpha in before.items():
        supernet.alpha[name].copy_(alpha)
    assert torch.equal(found, expected), f"{told} is not its subnet to the last digit"


def check_trains(supernet: SupernetAdapter, architectures: Sequence[Architecture]) -> None:
    """Each architecture's output has a gradient for parameters, which are then left without."""
    for architecture in architectures:
        supernet.train()
        supernet(torch.randn(4, *supernet.input_shape(architecture)), architecture).sum().backward()
        reached = [p for p in supernet.parameters() if p.grad is not None]
        assert reached, f"{architecture.id}: no parameter is trained"
        supernet.zero_grad(set_to_none=True)
    supernet.eval()


def check_network(space: SearchSpace, architecture: Architecture) -> None:
    """The network takes a case of its shape, tells where its modules are, and is the same again by
    the same seed."""
    network, again = (build_network(space, architecture, seed=0) for _ in range(2))
    assert not network.training, "what is built is in evaluation mode"
    for (name, one), other in zip(network.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other), f"{name} is another by the same seed"
    case = torch.randn(1, *network.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        result, through = network(case), case
        for part in network.parts():
            through = part(through)
    assert result.shape[0] == 1 and bool(torch.isfinite(result).all())
    assert torch.equal(through, result), "its parts, one after another, compute something else"
    for name, module in network.named_modules():
        if name and not list(module.children()):
            assert all(network.place(name) or (name,)), f"{name} is nowhere"
