"""Architecture → regression row: the only definition, used by fit, search and explanation alike.

A form is a list of terms. Each term reads the decisions of one additive group (a stage) and of
the context (the input resolution) only, so that for a fixed context every prediction is a sum
over groups. This is asserted where the parts are built, and exact search rests on it.

Contrasts are coded to sum to zero over a decision's choices while the decision is active, and
are 0 while it is not; they are shown as differences to the first choice (`Form.shown`). So the
coefficient of a slot's `on` is the effect of a block of average choices.

Latency and MACs grow with the number of pixels: with the resolution as a decision their block
columns are multiplied by (resolution / largest resolution)², while one unscaled column for each
slot that can be off keeps what a block costs whatever the resolution.
"""

from foxnas_core.regression.features.across import ACROSS
from foxnas_core.regression.features.form import (
    Form,
    Held,
    averaged_form,
    build_form,
    candidate_pairs,
)
from foxnas_core.regression.features.interactions import Pair
from foxnas_core.regression.features.names import (
    BASES,
    FORMS,
    form_for,
    forms_across,
    forms_of,
    forms_to_ask_for,
    forms_to_compare,
    is_of_costs,
    known_forms,
)
from foxnas_core.space.coding.terms import Term, independent_columns

__all__ = [
    "ACROSS",
    "BASES",
    "FORMS",
    "Form",
    "Held",
    "Pair",
    "Term",
    "averaged_form",
    "build_form",
    "candidate_pairs",
    "form_for",
    "forms_across",
    "forms_of",
    "forms_to_ask_for",
    "forms_to_compare",
    "independent_columns",
    "is_of_costs",
    "known_forms",
]
