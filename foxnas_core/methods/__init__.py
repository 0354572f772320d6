"""Methods that select an architecture: each says what it needs of a study, and runs on it.

`register_method` adds one from outside; the command line then knows it. A method that only has
architectures evaluated is better written as a strategy (`search.strategies`), which is a method
by itself here.
"""

from foxnas_core.methods.fpnas import Sampled
from foxnas_core.methods.lookup import CompleteTable
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.methods.on_supernet import Magnitude
from foxnas_core.methods.ood import Outside
from foxnas_core.methods.perturbation import Perturbation
from foxnas_core.methods.predicted import Annealing, Evaluating
from foxnas_core.registry import add_named, named
from foxnas_core.search.strategies.strategy import STRATEGIES

_methods: dict[str, Method] = {}


def register_method(method: Method) -> None:
    """Make a method known by its name; raises `InvalidInput` where another class's has the name."""
    add_named(_methods, method, "a method")


def methods() -> tuple[Method, ...]:
    """All that are known, the first registered first."""
    return tuple(_methods.values())


def method_of(name: str) -> Method:
    """The method of a name; raises `InvalidInput` where there is none."""
    return named(_methods, name, "a method")


_ours: tuple[Method, ...] = (
    Annealing(), CompleteTable(), *map(Evaluating, STRATEGIES),
    Magnitude(), Perturbation(), Sampled(), Outside(),
)  # fmt: skip
for _method in _ours:
    register_method(_method)

__all__ = ["Method", "Question", "Run", "Selection", "method_of", "methods", "register_method"]
