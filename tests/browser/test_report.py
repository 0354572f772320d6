import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from accessibility import OF_COLOURS, violations
from conftest import DEMO, tiny_document
from hand import choice_space, hand_space, noisy_table, saturating_table
from playwright.sync_api import Browser, Page, expect
from serving import PATIENCE, download_by, wait_until_drawn

from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.figures.theme import new_figure
from foxnas_core.regression import Predictor, fit
from foxnas_core.reporting.layout import Panel, Section, figure_of
from foxnas_core.reporting.report import build_report, sections_of, what_if_section
from foxnas_core.reporting.report import written as html_of
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import Study, create_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import metric_of

COLUMNS = ["value", "low", "high", "prediction_low", "prediction_high"]
OPERATIONS = ("none", "skip", "1x1", "3x3")


def unordered(table: MeasurementTable) -> MeasurementTable:
    return replace(table, ordered=False)


HAND = hand_space(resolutions=(12, 24))
TINY = space_from_dict(tiny_document())
EDGES = choice_space({f"edge{i}": OPERATIONS for i in range(5)})
# A table, a form and the accuracy's link, for every kind of part that a form has.
CASES = {
    "per layer": (saturating_table(HAND, 150), "per_layer", "saturating"),
    "block states": (noisy_table(TINY, 150), "block_state", "none"),
    "interactions": (saturating_table(TINY, 200), "interactions", "saturating"),
    "block counts": (unordered(noisy_table(TINY, 150)), "stage_counts", "none"),
    "counts with interactions": (saturating_table(TINY, 150), "count_interactions", "saturating"),
    "as published": (noisy_table(load_shipped("foxnas-cpu"), 200), "foxnas", "none"),
    "operations": (noisy_table(EDGES, 90), "per_layer", "none"),
    "cells": (noisy_table(load_shipped("nasbench201"), 300), "live_paths", "none"),
}


@pytest.fixture(scope="module")
def without_server(browser: Browser) -> Iterator[Page]:
    """One for all files: another page would start a process of its own and compile Plotly anew."""
    context = browser.new_context(viewport={"width": 1024, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def alone(without_server: Page) -> Iterator[Page]:
    """A page without a server: whatever it asks for, and whatever it logs, counts."""
    page = without_server
    page.goto("about:blank")
    page.emulate_media(media="null", color_scheme="null")
    asked: list[str] = []
    logged: list[str] = []
    noted = {
        "request": lambda request: asked.append(request.url),
        "console": lambda message: logged.append(message.text),
        "pageerror": lambda error: logged.append(str(error)),
    }
    for event, note in noted.items():
        page.on(event, note)
    yield page
    for event, note in noted.items():
        page.remove_listener(event, note)
    assert len(asked) == 1 and asked[0].startswith("file://"), asked
    assert not logged


def differences(page: Page, predictor: Predictor, codes: np.ndarray) -> np.ndarray:
    """How far the file's predictions are from the predictor's (architectures, columns), in the
    target's unit where that is small, else as a share."""
    found = page.evaluate(
        "([column, every]) => every.map((codes) => report.predict(column, codes))",
        [predictor.target.column, codes.tolist()],
    )
    mine = np.array([[row[name] for name in COLUMNS] for row in found])
    theirs = predictor.predict_codes(codes)[COLUMNS].to_numpy()
    return np.abs(mine - theirs) / np.maximum(np.abs(theirs), 1)


@pytest.mark.parametrize("name", CASES)
def test_the_file_predicts_as_the_predictor_does(alone: Page, tmp_path: Path, name: str):
    table, form, link = CASES[name]
    predictors = {
        "accuracy": fit(table, "accuracy", form, link),
        "latency_ms": fit(table, "latency_ms", form),
    }
    assert predictors["accuracy"].link.is_identity == (link == "none")
    study = create_study(tmp_path / "study", table.space, name="Report", table=table)
    subject = subject_of(study, ReportRequest(), predictors)
    computing = what_if_section(subject)
    assert computing is not None
    path = tmp_path / "report.html"
    path.write_text(html_of(subject, [replace(computing, panels=())]))  # what it draws is not asked
    alone.goto(f"file://{path}")
    codes = table.space.random_codes(200, seed=3)
    for predictor in predictors.values():
        assert differences(alone, predictor, codes).max() < 1e-9


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Predictor]:
    """A report on a hand-made study, and the predictor of its accuracy."""
    folder = tmp_path_factory.mktemp("report")
    table = CASES["per layer"][0]
    predictors = {c: fit(table, c, "per_layer") for c in ("accuracy", "latency_ms")}
    study = create_study(folder / "study", table.space, name="Report", table=table)
    path = folder / "report.html"
    path.write_bytes(build_report(study, predictors).html)
    return path, predictors["accuracy"]


def test_the_what_if_works_by_keyboard_and_writes_values_as_the_app_does(
    alone: Page, by_hand: tuple[Path, Predictor]
):
    path, predictor = by_hand
    alone.goto(f"file://{path}")
    expect(alone.locator("#what-if-says")).not_to_be_empty()

    def press_until(selector: str) -> None:
        for _ in range(60):
            alone.keyboard.press("Tab")
            if alone.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab does not reach {selector}")

    press_until("#what-if-starts button")
    while alone.evaluate("document.activeElement.textContent") != "the smallest":
        alone.keyboard.press("Tab")
    alone.keyboard.press("Enter")
    press_until("#what-if-choices select")
    alone.keyboard.press("ArrowDown")  # the resolution
    press_until("#what-if-choices select")
    alone.keyboard.press("ArrowDown")  # the depth, which opens a block
    space = predictor.space
    wanted = space.architecture(
        {**{d.name: d.choices[0] for d in space.decisions}, "resolution": 24, "p_depth": 2}
    )
    assert json.loads(alone.locator("#what-if-json").input_value()) == wanted.to_dict()
    both = predictor.predict([space.extreme("smallest"), wanted])["value"]
    text = predictor.target.text
    expect(alone.get_by_role("status")).to_contain_text(
        f"Top-1 accuracy {text(both[1])} % ({text(both[1] - both[0], signed=True)} points)"
    )

    rng = np.random.default_rng(0)
    values = [*rng.normal(0, 1, 60) * 10.0 ** rng.integers(-4, 13, 60), 0.0, 999.6, -0.004, 1e-5]
    for column, target in (("accuracy", predictor.target), ("latency_ms", metric_of("latency_ms"))):
        for signed in (False, True):
            said = alone.evaluate(
                "([column, values, signed]) => values.map((v) => report.text(column, v, signed))",
                [column, values, signed],
            )
            assert said == [target.text(value, signed=signed) for value in values]


def test_what_users_wrote_is_text_and_nothing_else(alone: Page, tmp_path: Path):
    evil = (
        "</script><script>window.b = 1</script><img src=x onerror=alert(1)>\u2028<!--"
        '<a href="https://e.org">a</a>'
    )
    # Names must be printable, unlike a text of a user's.
    name = evil.replace("\u2028", "")
    space = choice_space({name: ("<b>one</b>", "'two'", '"three"'), "plain": ("a", "&amp;")})
    table = noisy_table(space, 40)
    frame = table.frame.drop(columns="id").rename(columns={"latency_ms": f"latency_ms:{name}"})
    table = table_from_frame(space, frame, record={"campaigns": {evil: {"device": evil}}})
    study = create_study(tmp_path / "study", space, name=evil, description=evil, table=table)
    predictors = {t.column: fit(table, t.column, "per_layer") for t in table.targets}
    path = tmp_path / "report.html"
    path.write_bytes(build_report(study, predictors, ReportRequest(rationale=evil)).html)
    alone.goto(f"file://{path}")
    expect(alone.get_by_role("status")).to_contain_text("Top-1 accuracy")
    seen = alone.evaluate(
        "[window.b, document.images.length, document.querySelectorAll('script:not([type])').length]"
    )
    assert seen == [None, 0, 3]
    draw_all(alone)
    links = alone.locator("a:not([href^='#'])")
    assert links.count() == 0
    assert "https://e.org" in "".join(alone.locator(".plot").all_text_contents())
    expect(alone.locator("h1")).to_have_text(evil)
    for section in ("record", "measurements", "coefficients"):
        expect(alone.locator(f"#{section}")).to_contain_text("<img src=x onerror=alert(1)>")


def test_it_reads_without_javascript_and_on_paper(
    browser: Browser, by_hand: tuple[Path, Predictor]
):
    path, _ = by_hand
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"file://{path}")
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("#what-if-body")).to_be_hidden()
    expect(page.get_by_role("heading", name="Decision record")).to_be_visible()
    tables = page.locator("#front figure + table, #coefficients details summary")
    expect(tables.first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("works in the file itself")).to_be_visible()
    expect(page.locator("nav")).to_be_hidden()
    context.close()


def test_the_downloaded_report_says_what_the_app_does(
    page: Page, alone: Page, demo: Study, tmp_path: Path
):
    architecture = demo.table().architectures()[0]
    link = quote(json.dumps(architecture.to_dict()))
    page.goto(f"/What_if?architecture={link}")
    metrics = page.locator('[data-testid="stMetricValue"]')
    expect(metrics.first).to_be_visible()
    wait_until_drawn(page)
    shown = metrics.all_inner_texts()

    page.goto(f"/Export?view=report&architecture={link}")
    wait_until_drawn(page)
    reasons = page.get_by_label("Your reasons, in your own words")
    reasons.fill("It keeps the budget <b>with room</b>.")
    reasons.blur()
    wait_until_drawn(page)
    page.locator(".st-key-write button").click()
    started = download_by(page, ".st-key-report-download button")
    path = tmp_path / "report.html"
    started.save_as(path)
    assert started.suggested_filename == f"demo-{architecture.id}.html"

    alone.goto(f"file://{path}")
    rows = alone.locator("#what-if-rows tr")
    expect(rows).to_have_count(len(shown))
    said = dict(row.split("\t")[:2] for row in rows.all_inner_texts())
    # Units stand beside the numbers here.
    assert sorted(v.split(" ")[0] for v in said.values()) == sorted(v.split(" ")[0] for v in shown)
    expect(alone.locator("#record")).to_contain_text("It keeps the budget <b>with room</b>.")
    expect(alone.locator("#summary")).to_contain_text(architecture.id)


def draw_all(page: Page) -> int:
    """Have every figure seen, and so drawn; how many there are."""
    figures = page.locator(".plot")
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".main-svg").first).to_be_visible()
    return figures.count()


# The rows of a table are alike; axe looks at each of its cells, whether it is seen or not.
FEW_ROWS = "() => document.querySelectorAll('tbody tr:nth-child(n+4)').forEach((r) => r.remove())"
PAPER = "(place) => place.querySelector('.main-svg').style.backgroundColor"


def test_every_figure_is_drawn_on_light_and_on_dark(alone: Page, own: Study, tmp_path: Path):
    path = tmp_path / "report.html"
    shutil.copy(DEMO / "trust.json", own.folder)
    # Fewer points, which a browser without a graphics card takes long to draw.
    own.amend(lambda table: table.rows(np.arange(len(table)) < 240))
    subject = subject_of(own, ReportRequest(), fit_all(own.table()))
    points = np.random.default_rng(0).random(2000)
    others = new_figure(), new_figure()
    others[0].add_heatmap(z=[[0, 1], [1, 2]], text=[["a", "b"]] * 2, texttemplate="%{text}")
    others[1].add_scattergl(x=points, y=points, mode="markers", marker={"color": points})
    panel = Panel("More", figures=tuple(figure_of(other, "More") for other in others))
    sections = [*sections_of(subject), Section("more", "More", (), (panel,))]
    path.write_text(html_of(subject, sections))
    for scheme, colour, asked in (
        ("light", "rgb(255, 255, 255)", {}),
        ("dark", "rgb(20, 25, 31)", OF_COLOURS),
    ):
        alone.emulate_media(color_scheme=scheme)
        if scheme == "light":
            alone.goto(f"file://{path}")
            alone.evaluate(FEW_ROWS)
        assert draw_all(alone) >= 17
        for figure in alone.locator(".plot").all():
            assert figure.evaluate(PAPER) == colour
        assert violations(alone, **asked) == []
    alone.emulate_media(media="print")
    assert {f.evaluate(PAPER) for f in alone.locator(".plot:visible").all()} == {
        "rgb(255, 255, 255)"
    }
