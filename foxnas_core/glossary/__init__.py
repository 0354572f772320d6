"""What the statistics are that tables and figures show, found by a column's name."""

import re
from functools import lru_cache

from foxnas_core.glossary.entry import GlossaryEntry
from foxnas_core.glossary.terms import TERMS

_further: list[GlossaryEntry] = []


def add_term(term: GlossaryEntry) -> None:
    """Make a statistic from elsewhere known; those of `TERMS` come first."""
    if term not in _further:
        _further.append(term)
        term_of.cache_clear()


@lru_cache(maxsize=1024)
def term_of(column: str) -> GlossaryEntry | None:
    """The statistic that a column of this name holds; None for what is none."""
    for term in (*TERMS, *_further):
        if re.fullmatch(term.columns, column, re.IGNORECASE):
            return term
    return None


def meaning_of(column: str) -> str | None:
    """The same in words, as a hover shows it."""
    term = term_of(column)
    return term.text if term else None
