"""What the generated parts of the documents are written with."""

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any


def rows(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def said(thing: Any) -> str:
    """What the docstring of a class, function or module says, in one line a paragraph or item.

    Whom it is read by in the documents don't catch its errors, so what is raised is left out.
    """
    text = inspect.getdoc(thing) or ""
    parts = re.split(r"\n\n|\n(?=- )", text)
    joined = [" ".join(part.split()) for part in parts]
    kept = [re.sub(r" ?(Meant|Raises) .*", "", part) for part in joined]
    return "\n\n".join(part for part in kept if part).replace("\n\n- ", "\n- ")


def code(text: str) -> str:
    return f"`{text}`"
