"""What a glossary says of one statistic."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GlossaryEntry:
    """A statistic: its name, what it means in plain words, the `source` of its formula if it has
    one, a pattern that the whole of a column's name matches, letters of either case, and whether
    its values may be `tiny`, far below what is rounded to 0."""

    name: str
    meaning: str
    columns: str
    source: str = ""
    tiny: bool = False

    @property
    def text(self) -> str:
        return f"{self.meaning} ({self.source})" if self.source else self.meaning
