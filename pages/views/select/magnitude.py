"""What architecture parameters select, and how they go astray."""

from collections.abc import Callable

from foxnas_core.cards import mixtures
from foxnas_core.cards.volumes import no_volumes
from foxnas_core.study import Study
from pages.shared import cards, volumes
from pages.shared.selections import with_others

SENTENCE = (
    "The operation of the greatest architecture parameter on each edge, as DARTS selects: what "
    "took over in their training, and what perturbation selects from the same supernet."
)


def parts(study: Study) -> dict[str, Callable[[], object]]:
    given = with_others(study)

    def show_course() -> None:
        cards.show(mixtures.parameters, given)
        cards.show(mixtures.by_each_edge, given)

    told: dict[str, Callable[[], object]] = {
        "What took over": show_course,
        mixtures.selected.title: lambda: cards.show(mixtures.selected, given, header=False),
    }
    if no_volumes(given) is None:
        told["Across slices"] = lambda: volumes.show_reach(given)
        told["Case by case"] = lambda: volumes.show_cases(given)
    return told
