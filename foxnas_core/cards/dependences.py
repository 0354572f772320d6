"""What choices are worth beside others."""

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.coefficients import not_fitted
from foxnas_core.cards.given import Given
from foxnas_core.explanation.dependences import clear, dependences
from foxnas_core.table.metrics import in_a_sentence

_MOST_SAID = 6


def no_products(given: Given) -> str | None:
    """Why every choice is worth the same whatever else is chosen; raises as `not_fitted`."""
    not_fitted(given)
    form = given.fitted.form
    if given.fitted.is_counted or not form.interactions:
        return (
            f"By the form {form.title!r} a choice is worth as much of "
            f"{in_a_sentence(given.fitted.target.label)} whatever else is chosen; choose a form "
            "with interactions or across stages to see where it is worth more."
        )
    return None


@analysis("Coefficients", "dependences", "Where a choice is worth more", no_products)
def depends(given: Given) -> Card:
    """What choices are worth beside others, in words."""
    target, found = given.fitted.target, dependences(given.fitted, given.inferred)
    sure = clear(found)
    told = ["in words", "difference", "low", "high", "p_adjusted", "stars"]
    return Card(
        key=f"dependences-{target.column}",
        title=f"Where a choice is worth more: {in_a_sentence(target.label)}",
        sentence=f"In {len(sure)} of {len(found)} pairs one clearly changes what the other is "
        "worth, by the products of the regression's form: the last choice of one instead of its "
        "first, at the first and the last choice of the other, all else at random. 95 % intervals "
        "hold where the form does; clear is what stays so adjusted for all pairs (Benjamini and "
        "Hochberg).",
        points=tuple(f"{said}." for said in sure["in words"].head(_MOST_SAID)),
        table=found[told],
    )
