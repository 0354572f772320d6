"""Methods that select an architecture: each says what it needs of a study, and runs on it.

`register_method` adds one from outside; the command line then knows it. A method that only has
architectures evaluated is better written as a strategy (`search.strategies`), which is a method
by itself here.
"""

from foxnas_core.errors import InvalidInput
from foxnas_core.methods.lookup import CompleteTable
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.methods.predicted import Annealing, Evaluating
from foxnas_core.search.strategies.strategy import STRATEGIES

_methods: dict[str, Method] = {}


def register_method(method: Method) -> None:
    """Make a method known by its name.

    Raises `InvalidInput` where another class's has the name.
    """
    known = _methods.get(method.name)
    if known is not None and type(known) is not type(method):
        raise InvalidInput(
            f"There is a method {method.name!r} already ({type(known).__name__}); give yours "
            "another name."
        )
    _methods[method.name] = method


def methods() -> tuple[Method, ...]:
    """All that are known, the first registered first."""
    return tuple(_methods.values())


def method_of(name: str) -> Method:
    """The method of a name; raises `InvalidInput` where there is none."""
    if name not in _methods:
        raise InvalidInput(f"{name!r} is no method; choose from {', '.join(_methods)}.")
    return _methods[name]


for _method in (Annealing(), CompleteTable(), *map(Evaluating, STRATEGIES)):
    register_method(_method)

__all__ = ["Method", "Question", "Run", "Selection", "method_of", "methods", "register_method"]
