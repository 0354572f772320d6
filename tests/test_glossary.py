import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.glossary import meaning_of, term_of
from foxnas_core.glossary.terms import TERMS
from foxnas_core.table.metrics import KNOWN, Metric, bare_columns, metric_of, register_metric
from pages.shared.panel import readable, shown_columns


def test_every_term_is_told_in_whole_sentences_under_a_name_of_its_own():
    names = [term.name for term in TERMS]
    assert len(set(names)) == len(names)
    for term in TERMS:
        assert term.meaning[0].isupper() or term.meaning[0] in "*p"
        assert term.meaning.endswith(".")
        assert len(term.text) < 330  # a hover is no page
        re.compile(term.columns)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("R²", "R²"), ("adjusted R²", "Adjusted R²"), ("cross-validated R²", "Cross-validated R²"),
        ("RMSE", "RMSE"), ("rmse_low", "RMSE"), ("tau", "Kendall's tau"),
        ("Kendall's tau", "Kendall's tau"), ("vif", "VIF"), ("p", "p"), ("P", "p"),
        ("accuracy_p_adjusted", "Adjusted p"), ("adjusted p", "Adjusted p"), ("q", "Adjusted p"),
        ("accuracy_low", "Interval"), ("latency_ms:int8_high", "Interval"),
        ("Δ Latency (ms)", "Effect"), ("Δ Latency (ms) low", "Interval"),
        ("leverage", "Leverage"), ("cook", "Cook's distance"), ("test", "Test"),
        ("macs", "MACs"), ("MACs", "MACs"), ("prediction low", "Prediction interval"),
        ("searched high", "Calibrated expectation"), ("latency_ms:int8", "Latency"),
        ("random_low", "Range of random batches"), ("slower_low", "Range of a bin"),
    ],
)  # fmt: skip
def testshown_columns_find_their_statistic(column, name):
    found = term_of(column)
    assert found and found.name == name
    assert meaning_of(column) == found.text


@pytest.mark.parametrize("column", ["id", "block", "choice", "in words", "", "s1_depth", "slow"])
def test_what_is_no_statistic_has_none(column):
    assert meaning_of(column) is None


@given(st.text(max_size=60))
def test_any_name_of_a_column_is_looked_up(column):
    assert meaning_of(column) is None or meaning_of(column).endswith((".", ")"))


@pytest.mark.parametrize("target", [metric_of(column) for column in bare_columns()], ids=str)
def test_each_target_has_an_entry_by_its_column_and_by_its_name(target):
    if target.column == "parameters":
        return  # a network's and a regression's share theirs
    assert term_of(target.column) is term_of(target.named) is not None


def test_tables_show_it_when_a_column_is_pointed_at():
    table = pd.DataFrame({"block": ["s1"], "VIF": [1.5], "rows": [3], "in words": ["x"]})
    table["p_adjusted"] = 9.6e-144
    config = shown_columns(table)
    assert readable(table)["p_adjusted"][0] == 9.6e-144
    assert config["p_adjusted"]["type_config"]["format"] == "%.2g"
    assert config["VIF"]["help"] == meaning_of("vif") and config["rows"]["help"]
    assert config["VIF"]["type_config"]["format"] == "%.12g"
    assert "block" not in config and config["in words"]["width"] == 820


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (Metric("own", "Own measure", "", "max", bounds=(-1.0, 1.0), suffix="DEVICE"),
         "Own measure: a fraction from -1 to 1, of which more is better."),
        (Metric("lost_by", "Lost by {}", "nats", "min", suffix="DEVICE", meaning="What is lost."),
         "What is lost."),
    ],
)  # fmt: skip
def test_a_metric_from_outside_brings_its_entry(monkeypatch, metric, said):
    monkeypatch.setattr("foxnas_core.table.metrics._KNOWN", dict(KNOWN))
    monkeypatch.setattr("foxnas_core.glossary._further", [])
    assert meaning_of(f"{metric.column}:phone") is None
    register_metric(register_metric(metric))
    known = metric_of(f"{metric.column}:phone")
    assert meaning_of(known.column) == meaning_of(known.label) == meaning_of(known.named) == said
    assert meaning_of(f"{known.column}_low") == meaning_of("accuracy_low")
    term_of.cache_clear()
