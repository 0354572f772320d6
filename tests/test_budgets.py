"""Answers at small budgets hold on truths that no sum over stages holds."""

from conftest import DEMO

from benchmarks.budgets import answers, summary
from foxnas_core.study import open_study


def test_small_budgets_are_hardly_overrun() -> None:
    found = answers(open_study(DEMO).space, 300, [0])
    told = summary(found.astype({"covered": float, "guard": float}))
    own, squares = told.loc["this regression"], told.loc["least squares"]
    assert own["over %"] < 3 < 20 < squares["over %"]
    assert own["covered"] >= 0.9
    assert own["guard kept"] >= 0.8
