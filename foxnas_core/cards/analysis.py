"""What an analysis is, and which ones there are."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.registry import named

# The modules of this room, each with the cards of a page.
MODULES = (
    "benchmark",
    "block_times",
    "calibration",
    "coefficients",
    "counterfactuals",
    "decisions",
    "dependences",
    "device_choices",
    "device_columns",
    "devices",
    "diagnostics",
    "domains",
    "every_device",
    "explanations",
    "export",
    "front",
    "handmade",
    "home",
    "individual",
    "judged",
    "judged_outside",
    "machine",
    "measurements",
    "model_graph",
    "mixtures",
    "operations",
    "operators",
    "outside",
    "near_budget",
    "numbers",
    "planning",
    "quantization",
    "sampled",
    "search",
    "selecting",
    "shrink",
    "strategies",
    "trees_find",
    "trust",
    "verification",
    "volumes",
    "what_if",
)

Options = Mapping[str, Mapping[Any, str]]


@dataclass(frozen=True)
class Analysis:
    """One question to a study.

    - `name` is its own within its `page`, where its card is shown.
    - `make` makes the card of what is given and of keyword-only options, all of which have a
      default; equal input gives an equal card. It may raise `FoxnasError`s.
    - `lacks` says in a sentence why it can't run yet and what to do, before anything is computed.
    - `choices` are the values of each option that is worth a picker, each with what it is called.
    """

    name: str
    title: str
    page: str
    make: Callable[..., Card]
    lacks: Callable[[Given], str | None] = lambda given: None
    choices: Callable[[Given], Options] = lambda given: {}

    @property
    def key(self) -> str:
        """What names it among all, on the command line too."""
        return f"{self.page.lower().replace(' ', '-')}-{self.name}"

    def needs(self, given: Given) -> str | None:
        """Why it can't run yet and what to do, what can't be read included; None where it can."""
        try:
            return self.lacks(given)
        except FoxnasError as error:
            return str(error)

    def options(self, given: Given) -> Options:
        """What may be chosen, where it can run."""
        return {} if self.needs(given) else self.choices(given)

    def compute(self, given: Given, **options: Hashable) -> Card:
        """The card; raises `MissingPart` with what `needs` says, and as `make`."""
        if sentence := self.needs(given):
            raise MissingPart(sentence)
        return self.card(given, **options)

    def card(self, given: Given, **options: Hashable) -> Card:
        """The card where nothing is lacking; raises as `make`."""
        card = self.make(given, **options)
        return replace(card, key=card.key or self.name, title=card.title or self.title)


_known: dict[str, Analysis] = {}


def analysis(
    page: str,
    name: str,
    title: str,
    lacks: Callable[[Given], str | None] = lambda given: None,
    choices: Callable[[Given], Options] = lambda given: {},
) -> Callable[[Callable[..., Card]], Analysis]:
    """Make a function that makes a card an analysis of a page, and have it known."""

    def made(make: Callable[..., Card]) -> Analysis:
        found = Analysis(name, title, page, make, lacks, choices)
        if found.key in _known:
            raise InvalidInput(f"There is an analysis {found.key!r} already; name it otherwise.")
        _known[found.key] = found
        return found

    return made


def register_analysis(other: Analysis) -> None:
    """Have one from elsewhere shown on its page, in reports and by the command line.

    Raises `InvalidInput` where its key is taken.
    """
    analyses()
    analysis(other.page, other.name, other.title, other.lacks, other.choices)(other.make)


def unregister_analysis(key: str) -> None:
    """Take one away again; nothing happens where there is none."""
    _known.pop(key, None)


def analyses() -> dict[str, Analysis]:
    """All of them by key, page by page, those from elsewhere last."""
    for module in MODULES:
        import_module(f"{__package__}.{module}")
    return dict(_known)


def from_elsewhere(*pages: str) -> list[Analysis]:
    """Those of pages that are not of this room."""
    return [
        found
        for found in _known.values()
        if found.page in pages and not found.make.__module__.startswith(f"{__package__}.")
    ]


def analysis_of(key: str) -> Analysis:
    """The one of a key; raises `InvalidInput` where there is none."""
    found: Analysis = named(analyses(), key, "an analysis")
    return found
