"""How far two clouds of points are apart: optimal transport with entropy (Cuturi, NeurIPS 2013)."""

import math

import torch
from torch import Tensor


def transport(x: Tensor, y: Tensor, *, entropy: float = 0.05, most: int = 200) -> Tensor:
    """The mean squared distance that points (n, d) are moved to become others (m, d), each of equal
    mass, a scalar with its gradient.

    `entropy` as in `plan_of`. The gradient is the plan's times that of the distances: what the plan
    itself changes cancels at the optimum of the regularised problem (Danskin).
    """
    cost = torch.cdist(x, y).square()
    return (plan_of(cost.detach(), entropy=entropy, most=most) * cost).sum()


@torch.no_grad()
def plan_of(
    cost: Tensor, *, entropy: float = 0.05, most: int = 200, tolerance: float = 1e-4
) -> Tensor:
    """How much goes where (n, m), with rows of 1/n and columns of 1/m.

    It minimises ⟨plan, cost⟩ − ε·H(plan), ε = `entropy` times the mean cost, by Sinkhorn's
    iterations on the logarithms (Peyré & Cuturi, arXiv 1803.00567, section 4.4); at most so many,
    or until no row's mass is wrong by more than `tolerance` of it.
    """
    rows, columns = cost.shape
    epsilon = entropy * cost.mean().clamp(min=torch.finfo(cost.dtype).tiny)
    kernel = -cost / epsilon
    left, right = cost.new_zeros(rows, 1), cost.new_zeros(1, columns)
    for _ in range(most):
        right = -math.log(columns) - torch.logsumexp(kernel + left, 0, keepdim=True)
        masses = torch.logsumexp(kernel + right, 1, keepdim=True)
        wrong = (left + masses).exp() * rows - 1
        left = -math.log(rows) - masses
        if wrong.abs().max() < tolerance:
            break
    return (kernel + left + right).exp()
