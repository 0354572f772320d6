"""Transport against the linear programme, enumeration, and its own derivative."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from foxnas_core.training.adversary.transport import plan_of, transport


def cost_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def programme(cost: np.ndarray) -> float:
    """The least cost of moving equal masses, by linear programming."""
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    sums = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=sums).fun


@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 7), (6, 2)])
def test_with_little_entropy_it_is_the_linear_programme(n, m):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
    found = transport(torch.from_numpy(x), torch.from_numpy(y), entropy=2e-3, most=20_000).item()
    assert found == pytest.approx(programme(cost_of(x, y)), rel=1e-2)
    if n == m:
        best = min(
            cost_of(x, y)[np.arange(n), list(order)].mean() for order in permutations(range(n))
        )
        assert found == pytest.approx(best, rel=1e-2)


def test_masses_are_equal_and_much_entropy_spreads_them():
    cost = torch.rand(6, 9, generator=torch.Generator().manual_seed(0))
    for entropy in (0.02, 1.0, 1e4):
        plan = plan_of(cost, entropy=entropy, most=5000)
        torch.testing.assert_close(plan.sum(1), torch.full((6,), 1 / 6), rtol=1e-3, atol=0)
        torch.testing.assert_close(plan.sum(0), torch.full((9,), 1 / 9), rtol=1e-3, atol=0)
    torch.testing.assert_close(plan, torch.full((6, 9), 1 / 54), rtol=1e-3, atol=0)


def test_its_gradient_is_that_of_the_regularised_problem():
    """Of ⟨P, C⟩ − ε·H(P) at its optimum, by differences; ε is held."""
    draw = torch.Generator().manual_seed(1)
    x = torch.rand(4, 2, generator=draw, dtype=torch.float64, requires_grad=True)
    y = torch.rand(5, 2, generator=draw, dtype=torch.float64)
    epsilon = 0.1 * torch.cdist(x, y).square().mean().item()

    def value(points):
        cost = torch.cdist(points, y).square()
        plan = plan_of(cost, entropy=epsilon / cost.mean().item(), most=5000, tolerance=1e-12)
        return ((plan * cost).sum() + epsilon * (plan * plan.log()).sum()).item()

    transport(x, y, entropy=0.1, most=5000).backward()
    step = 1e-5
    for place in ((0, 0), (3, 1)):
        moved = torch.zeros_like(x)
        moved[place] = step
        with torch.no_grad():
            slope = (value(x + moved) - value(x - moved)) / (2 * step)
        assert x.grad[place].item() == pytest.approx(slope, rel=2e-3)


def test_nothing_is_moved_between_equal_points():
    points = torch.ones(3, 2)
    assert transport(points, points).item() == 0
