"""The kinds of values that options take, each read from text; argparse tells what they raise."""

import math
from argparse import ArgumentTypeError
from contextlib import suppress


def pair(text: str, form: str) -> tuple[str, str]:
    """What stands on both sides of =; `form` is how it is written."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ArgumentTypeError(f"{text!r} is not {form}")
    return name, value


def limit(text: str) -> tuple[str, float]:
    name, value = pair(text, "COLUMN=NUMBER")
    try:
        return name, float(value)
    except ValueError:
        raise ArgumentTypeError(f"{value!r} in {text!r} is not a number") from None


def amount(text: str) -> tuple[float, bool]:
    """A number, and whether it is in percent."""
    number, sign, rest = text.strip().partition("%")
    with suppress(ValueError):
        if not rest and math.isfinite(value := float(number)):
            return value, bool(sign)
    raise ArgumentTypeError(f"{text!r} is neither a number nor a percentage such as 20%")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return value


def natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ArgumentTypeError(f"{text} is not a whole number of at least 0")
    return value


def share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise ArgumentTypeError(f"{text} is not a share above 0 and below 1")
    return value


def guard(text: str) -> float:
    return 0.0 if text == "off" else share(text)


def percentage(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise ArgumentTypeError(f"{text} is not a percentage from 0 to 100")
    return value
