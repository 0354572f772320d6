"""Predictors of columns that are sums over the choices (`table.sums`): no fit, and no error."""

import numpy as np

from foxnas_core.regression.counting import of_sums
from foxnas_core.regression.features.form import SUMMED, Form
from foxnas_core.regression.predictor import Predictor
from foxnas_core.space.coding.parts import contrasts
from foxnas_core.space.coding.terms import Part, constant
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import BlockCosts, ChoiceCosts, Costs

_NOTE = "Added up over the costs of the choices, not fitted, so that nothing of it errs."
_OF_BLOCKS = "Added up over the costs of the blocks, not fitted, so that nothing of it errs."
_PLACES = 2.0**40  # of a block's cost, which measuring never knows so well


def summed_predictor(costs: Costs, table: MeasurementTable) -> Predictor:
    """The sums in place of a fit of the table's rows, for whatever explains or searches one."""
    form, estimates = _of_blocks(costs) if isinstance(costs, BlockCosts) else _of_choices(costs)
    known = table.frame.get(costs.column)
    rows = np.empty(0, dtype=np.intp) if known is None else np.flatnonzero(known.notna())
    return Predictor.exact(form, estimates, table, costs.sums(table.codes[rows]))


def _of_blocks(costs: BlockCosts) -> tuple[Form, np.ndarray]:
    target = metric_of(costs.column)
    empty = Form(SUMMED, "Summed", costs.space, target, (), _OF_BLOCKS, (), (), None)
    return of_sums(empty, costs.parts, _PLACES)


def _of_choices(costs: ChoiceCosts) -> tuple[Form, np.ndarray]:
    space, target = costs.space, metric_of(costs.column)
    parts: list[Part] = [constant("intercept", "Intercept")]
    estimates = [np.array([costs.fixed])]
    for decision in space.decisions:
        own = np.array(costs.costs[decision.name])
        estimates[0] = estimates[0] + own.mean()
        if len(own) > 1:
            parts.append(contrasts(space, decision.group, decision))
            estimates.append((own - own.mean())[1:])
    terms = tuple(term for part in parts for term in part.terms)
    form = Form(SUMMED, "Summed", space, target, terms, _NOTE, (), tuple(parts), None)
    return form, np.concatenate(estimates)
