"""Parameters and multiply-accumulate operations."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from foxnas_core.measurement.meter import Prepared


class CostMeter:
    """Parameters, and MACs for one image as torch's own counter gives them (half its FLOPs)."""

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [self._count(prepared) for prepared in subnets]

    def record(self) -> dict[str, Any]:
        return {}

    def _count(self, prepared: Prepared) -> dict[str, float]:
        subnet = prepared.subnet
        image = torch.zeros(1, subnet.input_channels, subnet.resolution, subnet.resolution)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            subnet(image)
        return {
            "parameters": float(sum(p.numel() for p in subnet.parameters())),
            "macs": counter.get_total_flops() / 2,
        }
