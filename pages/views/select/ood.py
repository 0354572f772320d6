"""What is selected for unseen domains, and the game that the selection rests on."""

from foxnas_core.cards import domains, judged_outside, outside
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cards import given_of
from pages.shared.selections import pick_kept, ways_on

SENTENCE = (
    "Subnets for domains that nobody has seen: by images that a generator made, by a seen domain "
    "that was held out, and by the domains that were trained on."
)


def show(study: Study) -> None:
    given = given_of(study)
    _show_selected(given)
    cards.show(judged_outside.judged_outside, given)
    for one in (domains.seen_unseen, domains.each_domain, domains.order):
        if one.needs(given) is None:
            cards.show(one, given)


def _show_selected(given: Given) -> None:
    """What was selected, and the game that it rests on."""
    if outside.KEPT.nothing(given):
        cards.show(outside.outside, given)  # what there is to do first
        return
    selection = pick_kept(outside.KEPT.options(given)["selection"])
    ways_on(outside.KEPT.shown(given, selection).selected.architecture)
    cards.show(outside.outside, given, selection=selection)
    for analysis in (outside.lamps, outside.pictures, outside.counterfactuals):
        cards.show(analysis, given, selection=selection)
