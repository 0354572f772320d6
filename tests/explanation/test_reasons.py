import functools

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, corner, hand_space, noisy_table, saturating_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.block_effects import block_effects
from foxnas_core.explanation.reasons import Reasons, effects_of_blocks, reasons
from foxnas_core.regression import fit
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.prices import front_prices
from foxnas_core.search.problem import SearchProblem

SPACE = hand_space(resolutions=(12, 24))
TABLE = saturating_table(SPACE, 150)
LARGEST, SMALLEST = SPACE.extreme("largest"), SPACE.extreme("smallest")
GAIN = fit(TABLE, "accuracy", "per_layer", "saturating")
COST = fit(TABLE, "latency_ms", "per_layer")
BACKGROUND = TABLE.architectures()


def about(architecture, price: float | None = None) -> Reasons:
    return reasons(GAIN, COST, architecture=architecture, background=BACKGROUND, price=price)


def told(found: Reasons) -> pd.DataFrame:
    """The blocks whose cost the data tell: repeats err together here, which leaves that of the
    resolution open."""
    clear = found.table["latency_ms_low"] * found.table["latency_ms_high"] > 0
    assert found.table["block"][clear].tolist() == ["p1", "p2", "q1"]
    assert found.table["why"][~clear].str.endswith("no clear effect on latency").all()
    return found.table[clear]


@functools.cache
def price_in_the_middle() -> float:
    found = front(SearchProblem(GAIN, (Limit(COST, 0.0),)))
    return front_prices(found).at(float(found.costs.mean()))


def test_blocks_have_their_choices_and_effects():
    effects = about(SMALLEST).table.set_index("block")
    assert effects.index.tolist() == ["resolution", "p1", "p2", "q1"]
    assert effects["choices"].tolist() == ["resolution 12", "kernel 3", "off", "kernel 3"]
    for predictor in (GAIN, COST):
        column = predictor.target.column
        own = block_effects(
            predictor, architecture=SMALLEST, background=BACKGROUND
        ).set_index("block")  # fmt: skip
        np.testing.assert_allclose(effects[column], own["value"], rtol=1e-9)
        np.testing.assert_allclose(effects[f"{column}_low"], own["low"], rtol=1e-9)


def test_what_is_cheap_gives_accuracy_up_and_what_is_dear_buys_it():
    assert told(about(SMALLEST))["why"].str.startswith("gives up").all()
    assert told(about(LARGEST))["why"].str.startswith("buys").all()


def test_a_block_is_weighed_against_the_price_of_the_budget():
    price = price_in_the_middle()
    eta = GAIN.form.matrix(SPACE.encode([LARGEST])) @ GAIN.estimates
    slope = float(GAIN.link.slope(eta)[0])
    for row in told(about(LARGEST, price)).to_dict("records"):
        ratio, low, high = (
            slope * row[f"accuracy{end}"] / row["latency_ms"] for end in ("", "_low", "_high")
        )
        assert f"buys {ratio:.3g} points per ms" in row["why"]
        verdict = "about the price" if low <= price <= high else (
            "ms: worth it" if ratio > price else "alone not worth it"
        )  # fmt: skip
        assert verdict in row["why"]


def test_the_sentences_name_what_brings_and_what_saves_most():
    first, last = about(LARGEST, 0.5), about(SMALLEST, 0.5)
    brings, price = first.sentences()
    top = first.table.loc[first.table["accuracy"].idxmax()]
    assert f"{top['accuracy']:+.2f} points for" in brings and str(top["block"]) in brings
    assert "0.5 points per ms" in price
    saves, _ = last.sentences()
    least = last.table.loc[last.table["latency_ms"].idxmin()]
    amount = COST.target.text(least["latency_ms"], signed=True)
    assert f"Most latency is saved by {least['block']}" in saves and f"{amount} ms for" in saves


def test_without_a_price_none_is_told():
    assert len(about(LARGEST).sentences()) == 1
    assert not about(LARGEST).table["why"].str.contains("budget").any()


def test_what_the_data_do_not_tell_is_no_reason():
    # Accuracy is noise, so no choice may be named as what brings it.
    rng = np.random.default_rng(0)
    noise = table_of(SPACE, TABLE.codes, accuracy=50 + rng.normal(0, 1, len(TABLE)))
    blind = fit(noise, "accuracy", "per_layer", "none")
    found = reasons(blind, COST, architecture=SMALLEST, background=BACKGROUND)
    unclear = (found.table["accuracy_low"] <= 0) & (found.table["accuracy_high"] >= 0)
    assert unclear.sum() >= 3
    said = "no clear effect on accuracy|no clear effect on either"
    assert found.table.loc[unclear, "why"].str.contains(said).all()
    assert not any(
        f"from {block}" in sentence
        for block in found.table.loc[unclear, "block"]
        for sentence in found.sentences()
    )


def test_operations_without_slots_are_blocks_too():
    space = choice_space({f"edge{i}": ("none", "conv") for i in range(3)})
    table = noisy_table(space, 60)
    gain, cost = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    found = reasons(gain, cost, architecture=corner(space, -1), background=table.architectures())
    assert found.table["choices"].tolist() == ["edge0 conv", "edge1 conv", "edge2 conv"]
    assert "edge2 conv: +" in found.sentences()[0]


def test_one_target_alone_has_effects_without_a_reason():
    effects = effects_of_blocks([COST], architecture=LARGEST, background=BACKGROUND)
    assert "why" not in effects and effects["latency_ms"].gt(0).all()


def test_reasons_need_something_to_compare_with():
    with pytest.raises(InvalidInput, match="background"):
        reasons(GAIN, COST, architecture=LARGEST, background=[])
