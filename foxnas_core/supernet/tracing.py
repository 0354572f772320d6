"""What a network computes, as a graph of its layers, while other threads compute too."""

import threading
from collections.abc import Callable
from typing import Any

from torch import fx, nn

_ONE_AT_A_TIME = threading.Lock()


def traced(module: nn.Module) -> fx.GraphModule:
    """The module's graph, as `torch.fx.symbolic_trace` gives it.

    That replaces how every module of the process is called while it lasts, so that a network which
    another thread runs meanwhile, of another visitor say, would be taken for a part of this one.
    Raises `torch.fx.proxy.TraceError` as that.
    """
    with _ONE_AT_A_TIME:
        tracer = _OfOneThread()
        graph = tracer.trace(module)
        return fx.GraphModule(tracer.root, graph, type(module).__name__)


class _OfOneThread(fx.Tracer):
    """Follows what its own thread calls, and lets others call as ever."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)
