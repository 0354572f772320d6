"""Selections by a supernet that a study keeps, as cards choose among them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from foxnas_core.cards.analysis import Options
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.search.selections import SELECTIONS, SupernetSelection

_MOST = 50


@shared("selections", table=False, entries=8)
def kept_selections(given: Given) -> dict[str, SupernetSelection]:
    """The newest by id, those that are damaged left out."""
    found = {}
    for key in given.study.ids(SELECTIONS)[:_MOST]:
        with suppress(FoxnasError, FileNotFoundError):
            found[key] = given.study.kept(SELECTIONS, key)
    return found


@dataclass(frozen=True)
class SelectedBy:
    """Those by a `method` that tell `course` of their way: what they are called, `called` in a
    sentence that none is there, and `told` beside others."""

    method: str
    course: str
    called: str
    told: Callable[[SupernetSelection], str]

    def of(self, given: Given) -> dict[str, SupernetSelection]:
        """The newest by id, those of another space left out."""
        names = given.study.space.by_name
        return {
            key: own
            for key, own in kept_selections(given).items()
            if own.method == self.method
            and own.course.get(self.course)
            and all(decision.edge in names for decision in own.decisions)
        }

    def nothing(self, given: Given) -> str | None:
        """Why there is nothing to look at."""
        if self.of(given):
            return None
        return (
            f"Nothing was selected {self.called} in this study yet; run it, here or with 'python "
            f"-m foxnas_core select --study {given.folder} --method {self.method}'."
        )

    def options(self, given: Given) -> Options:
        return {
            "selection": {
                key: f"{self.told(own)}: {own.selected.id}" for key, own in self.of(given).items()
            }
        }

    def shown(self, given: Given, selection: str) -> SupernetSelection:
        """The one of this id, or the newest."""
        found = self.of(given)
        return found.get(selection) or next(iter(found.values()))
