"""What every `Analysis` keeps, on any study: a sentence why not, or a card that can be shown."""

import json
from inspect import signature

import pandas as pd

from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError


def check_analysis(analysis: Analysis, given: Given) -> Card | None:
    """Ask it for its card by default and for that of each choice of each option; returns the first.

    Where it can't run it says so in a sentence, and None is returned.
    """
    sentence = analysis.needs(given)
    if sentence is not None:
        check_sentence(sentence, analysis.key)
        assert not analysis.options(given), f"{analysis.key} offers choices of what it can't do"
        try:
            analysis.compute(given)
        except FoxnasError as error:
            assert str(error) == sentence, f"{analysis.key} needs one thing and says another"
            return None
        raise AssertionError(f"{analysis.key} says why it can't run, and runs")
    card = check_card(analysis.compute(given), analysis.key)
    options = signature(analysis.make).parameters
    for option, values in analysis.options(given).items():
        for value, label in values.items():
            assert label, f"{analysis.key}: {option} {value!r} has no name to be picked by"
            if option in options and options[option].default == value:
                continue  # the first card is that
            check_card(analysis.compute(given, **{option: value}), f"{analysis.key} of {value!r}")
    return card


def check_card(card: Card, where: str) -> Card:
    """The card has its parts, its figure draws, and it is JSON; returns it."""
    assert card.key, f"{where}: no key"
    assert card.title.strip(), f"{where}: no title"
    for sentence in (card.sentence, *card.points, *card.notes, *card.cautions):
        check_sentence(sentence, where)
    for part in card.stress:
        assert part in card.sentence, f"{where}: {part!r} is stressed and not said"
    assert isinstance(card.table, pd.DataFrame), f"{where}: no table"
    assert card.table.columns.is_unique, f"{where}: two columns of one name"
    figure = card.figure()
    assert figure is None or figure.data, f"{where}: an empty figure"
    if figure is not None:
        assert not card.table.empty, f"{where}: a figure without its table"
    document = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert len(document["table"]) == len(card.table)
    return card


def check_sentence(text: str, where: str) -> None:
    """Words, and an end."""
    assert text == text.strip() and text, f"{where}: {text!r} is no sentence"
    assert text[-1] in ".?!:", f"{where}: {text!r} has no end"
