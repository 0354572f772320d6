"""What architecture parameters select, and how they go astray."""

from foxnas_core.cards import mixtures
from foxnas_core.cards.volumes import no_volumes
from foxnas_core.study import Study
from pages.shared import cards, volumes
from pages.shared.selections import with_others

SENTENCE = (
    "The operation of the greatest architecture parameter on each edge, as DARTS selects: what "
    "took over in their training, and what perturbation selects from the same supernet."
)


def show(study: Study) -> None:
    given = with_others(study)
    cards.show(mixtures.parameters, given)
    cards.show(mixtures.by_each_edge, given)
    cards.show(mixtures.selected, given)
    if no_volumes(given) is None:
        volumes.show(given)
