"""What is selected for unseen domains, and the game that the selection rests on."""

from collections.abc import Callable

from foxnas_core.cards import domains, judged_outside, outside
from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cards import given_of
from pages.shared.selections import pick_kept, ways_on

SENTENCE = (
    "Subnets for domains that nobody has seen: by images that a generator made, by a seen domain "
    "that was held out, and by the domains that were trained on."
)


def parts(study: Study) -> dict[str, Callable[[], object]]:
    given = given_of(study)
    told: dict[str, Callable[[], object]] = {outside.outside.title: lambda: _show_selected(given)}
    if not outside.KEPT.nothing(given):
        told["The game"] = lambda: _show_kept(given, outside.lamps)
        told["Made images"] = lambda: _show_kept(given, outside.pictures, outside.counterfactuals)
    return told | {
        judged_outside.judged_outside.title: lambda: cards.show(
            judged_outside.judged_outside, given, header=False
        ),
        "Seen and unseen domains": lambda: _show_domains(given),
    }


def _pick(given: Given) -> str:
    return pick_kept(outside.KEPT.options(given)["selection"])


def _show_selected(given: Given) -> None:
    """What was selected."""
    if outside.KEPT.nothing(given):
        cards.show(outside.outside, given, header=False)  # what there is to do first
        return
    selection = _pick(given)
    ways_on(outside.KEPT.shown(given, selection).selected.architecture)
    cards.show(outside.outside, given, header=False, selection=selection)


def _show_kept(given: Given, *shown: Analysis) -> None:
    """What there is to see of the game that a selection rests on."""
    selection = _pick(given)
    for analysis in shown:
        cards.show(analysis, given, selection=selection)


def _show_domains(given: Given) -> None:
    """What the measured subnets say of domains."""
    for one in (domains.seen_unseen, domains.each_domain, domains.order):
        if one is domains.seen_unseen or one.needs(given) is None:
            cards.show(one, given)
