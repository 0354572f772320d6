"""Text that comes from files and addresses."""

import re

# What is a link even where its marks are escaped.
_LINK = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
_NOTHING = "\u200b"  # of no width


def plain(text: str) -> str:
    """`text` with the marks of Markdown escaped, for what comes from files or addresses."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:])", r"\\\1", _LINK.sub(_NOTHING, text))


def article(word: str) -> str:
    """The word behind its indefinite article: "an accuracy", "a latency"."""
    return f"{'an' if word[:1].lower() in 'aeiou' or word.startswith('MAC') else 'a'} {word}"
