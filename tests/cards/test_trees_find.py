"""What the trees would choose, beside what the regression does, and what was measured of both."""

from dataclasses import replace

from trials import claim_of, trial_of

from foxnas_core.cards import trees_find
from foxnas_core.cards.given import Given


def test_what_was_measured_stays_where_fits_find_others_since(full: Given, monkeypatch) -> None:
    space = full.study.space
    ours = trees_find.finds_of(full)["regression"]
    other = next(a for a in space.sample(3, seed=9) if a not in trees_find.finds_of(full).values())
    trials = [
        trial_of(space, way, [claim_of()], [value], chosen=way, subnets=(find,))
        for way, find, value in (("regression", ours, 91.25), ("trees", other, 90.75))
    ]
    monkeypatch.setattr(Given, "trials", lambda given: trials)
    card = trees_find.find.compute(replace(full, _results={}))
    shown = card.table.set_index("subnet")["measured"]
    assert shown[ours.id] == "91.25 %" and shown[other.id] == "90.75 %"
    assert "the regression's 91.25 %; " in card.sentence
    assert "earlier found by boosted trees 90.75 %" in card.sentence
    assert "--second-opinion --budget" in card.command
