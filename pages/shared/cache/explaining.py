"""What each block and choice is worth, by several lenses."""

from typing import TYPE_CHECKING

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared.cache.fits import predictor_of
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.permutation import PermutationImportance
    from foxnas_core.explanation.second_opinion import SecondOpinion
    from foxnas_core.explanation.shapley import BlockShapley


@cached(entries=64, spinner="Computing Shapley values …")
def shapley_of(study: Study, column: str, architecture: Architecture | None) -> "BlockShapley":
    """Shapley values of one architecture's blocks, or of those of every measured subnet, against
    all measured subnets."""
    from foxnas_core.explanation.shapley import block_shapley

    background = table_of(study).architectures()
    return block_shapley(
        predictor_of(study, column),
        architectures=background if architecture is None else [architecture],
        background=background,
    )


@cached(entries=64)
def block_effects_of(
    study: Study, column: str, architecture: Architecture | None
) -> "pd.DataFrame":
    """The coefficients' share of each block in one architecture, or over all measured subnets."""
    from foxnas_core.explanation.block_effects import block_effects, mean_block_effects

    predictor, background = predictor_of(study, column), table_of(study).architectures()
    if architecture is None:
        return mean_block_effects(predictor, background=background)
    return block_effects(predictor, architecture=architecture, background=background)


@cached(entries=64, spinner="Computing partial dependence …")
def dependence_of(study: Study, column: str, architecture: Architecture | None) -> "pd.DataFrame":
    """Partial dependence on one architecture's blocks, or on every choice."""
    from foxnas_core.explanation.permutation import block_dependence, partial_dependences

    predictor, background = predictor_of(study, column), table_of(study).architectures()
    if architecture is None:
        return partial_dependences(predictor, background=background)
    return block_dependence(predictor, architecture=architecture, background=background)


@cached(spinner="Shuffling each block 30 times, which takes a few seconds …")
def permutation_of(study: Study, column: str) -> "PermutationImportance":
    """Permutation importance of each block on the measured subnets."""
    from foxnas_core.explanation.permutation import permutation_lens

    return permutation_lens(predictor_of(study, column), table_of(study))


@cached(entries=8, spinner="Fitting boosted trees six times, which takes about 10 to 20 seconds …")
def second_opinion_of(study: Study, column: str) -> "SecondOpinion":
    """Boosted trees fitted to the measured subnets; raises as `second_opinion`."""
    from foxnas_core.explanation.second_opinion import second_opinion

    return second_opinion(predictor_of(study, column), table_of(study))


@cached(entries=64)
def block_prices_of(study: Study, column: str, architecture: Architecture) -> "pd.DataFrame":
    """What each of its blocks adds to a target; raises as `predictor_of`."""
    from foxnas_core.explanation.block_effects import block_prices

    return block_prices(predictor_of(study, column), architecture=architecture)
