"""This machine as a device of the study."""

from foxnas_core.cards import machine
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cost import chosen_cost
from pages.shared.machine import show_machine

SENTENCE = "Whose latencies you read, and what makes this machine a device of the study."


def needs(study: Study) -> str | None:
    return machine.this_machine.lacks(cards.given_of(study))


def show(study: Study) -> None:
    given = cards.given_of(study, cost=chosen_cost(study))
    cards.show(machine.this_machine, given, header=False)
    show_machine(given, settings=True)
