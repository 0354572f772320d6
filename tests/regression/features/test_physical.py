"""Counts of blocks beside sums that say what these cost by physics."""

import numpy as np
import pytest
from hand import table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.regression.features import build_form, form_for
from foxnas_core.space.coding.terms import FREE
from foxnas_core.table.metrics import metric_of

MINI = load_shipped("foxnas-mini")
FORM = "physical_counts"


def physical_costs(codes: np.ndarray) -> np.ndarray:
    """What blocks of kernel size k and expand ratio e cost, 1 + e (1 + k² / 30), at each size."""
    total = np.zeros(len(codes))
    for slot in MINI.slots:
        found = {d.role: d for d in MINI.in_slot(slot)}
        k, e = (
            np.array([*found[role].choices, 0], dtype=float)[codes[:, MINI.decisions.index(d)]]
            for role, d in found.items()
        )
        total += (k > 0) * (1 + e * (1 + k**2 / 30))
    sizes = np.array(MINI.by_name["resolution"].choices, dtype=float)
    own = sizes[codes[:, [d.name for d in MINI.decisions].index("resolution")]]
    return 5 + total * (own / sizes.max()) ** 2


def test_what_is_physical_is_met_from_few_rows() -> None:
    codes = MINI.random_codes(110, seed=2)
    table = table_of(MINI, codes, latency_ms=physical_costs(codes))
    others = MINI.random_codes(500, seed=3)
    found = fit(table, "latency_ms", FORM).predict_codes(others)["value"]
    assert np.abs(found - physical_costs(others)).max() < 0.1
    plain = fit(table, "latency_ms", "stage_counts").predict_codes(others)["value"]
    assert np.abs(plain - physical_costs(others)).max() < 0.1


def test_sums_are_free_and_counts_alike_within_their_stage() -> None:
    form = build_form(FORM, MINI, "latency_ms")
    free = [term for term in form.terms if term.alike == FREE]
    assert {term.group for term in free} == set(MINI.additive_groups)
    counts = {term.name for term in build_form("stage_counts", MINI, "latency_ms").terms}
    pooled = [term for term in form.terms if term.alike and term.alike != FREE]
    assert pooled and {term.name for term in pooled} <= counts
    assert all(term.alike[0].startswith(f"{term.group}>") for term in pooled)
    assert form.order_free and form.shrunk and not form.relative and not form.couplings


def test_a_quality_and_a_space_without_such_blocks_have_no_such_form() -> None:
    assert form_for(FORM, MINI, metric_of("accuracy")) == "auto"
    assert form_for(FORM, MINI, metric_of("latency_ms")) == FORM
    with pytest.raises(InvalidInput, match="kernel size and an expand ratio"):
        build_form(FORM, load_shipped("nasbench201"), "latency_ms")
