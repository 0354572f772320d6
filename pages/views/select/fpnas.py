"""What a distribution over subnets drew as it was learnt, and what it decided."""

from foxnas_core.cards import sampled
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cards import given_of

SENTENCE = (
    "A distribution over subnets, learnt with a supernet of its own: much is drawn while it is "
    "uncertain, little once it has decided."
)


def show(study: Study) -> None:
    given = given_of(study)
    cards.show(sampled.sampled, given)
    if sampled.sampled_of(given):
        cards.show(sampled.decided, given)
