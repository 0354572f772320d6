"""What is selected for unseen domains, and the game that the selection rests on."""

from foxnas_core.cards import outside
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cards import given_of

SENTENCE = (
    "Subnets for domains that nobody has seen: by images that a generator made, by a seen domain "
    "that was held out, and by the domains that were trained on."
)


def show(study: Study) -> None:
    given = given_of(study)
    cards.show(outside.outside, given)
    if outside.no_game(given) is None:
        cards.show(outside.lamps, given)
        cards.show(outside.pictures, given)
