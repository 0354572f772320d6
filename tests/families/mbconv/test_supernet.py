import torch

from foxnas_core.families.mbconv.supernet import Supernet


def test_output_has_a_logit_for_each_class(tiny_supernet):
    for architecture in tiny_supernet.space.sample(5, seed=0):
        size = architecture["resolution"]
        assert tiny_supernet(torch.randn(4, 1, size, size), architecture).shape == (4, 3)


def test_architecture_is_no_state(tiny_supernet):
    """What one user runs changes nothing for another."""
    space = tiny_supernet.space
    small, large = space.extreme("smallest"), space.extreme("largest")
    x = torch.randn(2, 1, 12, 12)
    first = tiny_supernet(x, large)
    tiny_supernet(x, small)
    assert torch.equal(tiny_supernet(x, large), first)


def test_inactive_blocks_get_no_gradient(tiny_space):
    supernet = Supernet(tiny_space).train()
    supernet(torch.randn(4, 1, 8, 8), tiny_space.extreme("smallest")).sum().backward()
    assert supernet.blocks["s1b1"].expand.weight.grad is not None
    assert supernet.blocks["s1b2"].expand.weight.grad is None


def test_parameters_are_those_of_the_largest_subnet_and_the_transforms(tiny_space):
    supernet = Supernet(tiny_space)

    largest = sum(p.numel() for p in supernet.extract(tiny_space.extreme("largest")).parameters())
    transforms = sum(p.numel() for n, p in supernet.named_parameters() if "transforms" in n)
    assert sum(p.numel() for p in supernet.parameters()) == largest + transforms
    assert transforms == 4 * 81
