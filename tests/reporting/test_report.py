import base64
import hashlib
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from reports import SPACE, fitted, study_of

from foxnas_core.cards.subject import PARTS, ReportRequest, subject_of
from foxnas_core.reporting.report import breakable, build_report, sections_of, what_if_data

EVIL = "</script><img src=x onerror=alert(1)>&<!--"
# Elements that have no end tag.
VOID = {"meta", "link", "wbr", "br"}


class Outline(HTMLParser):
    """Elements in order, whether they nest, and the text within each kind."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(document)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


PLAIN = ReportRequest(made="2026-01-02")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def document(folder) -> str:
    return build_report(study_of(folder), fitted(), PLAIN).html.decode()


def test_equal_requests_give_equal_bytes(document, tmp_path):
    study, request = study_of(tmp_path), replace(PLAIN)
    first = build_report(study, fitted(), request)
    assert first.html.decode() == document
    assert first.subnet == subject_of(study, request, fitted()).chosen.id
    said = (first.summary.sentence, *first.summary.points)
    assert len(said) == len(set(said)) == 5


def without_plotly(document: str) -> str:
    """The file without the one script that is not written here, whose comments name addresses."""
    plotly = get_plotlyjs()
    assert document.count(plotly) == 1
    return document.replace(plotly, "")


def test_it_asks_for_nothing_and_runs_its_own_scripts_only(document, folder):
    assert str(folder) not in document  # nor tells whoever reads it where the study lies
    outline = Outline(document)
    document = without_plotly(document)
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", document)
    for tag, attributes in outline.elements:
        assert "src" not in attributes and "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert attributes["href"].startswith(("#", "data:,"))
    [policy] = [m["content"] for m in outline.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "http" not in policy
    for kind, empty in (("style", ""), ("script", get_plotlyjs())):
        written = re.findall(rf"<{kind}>(.*?)</{kind}>", document, re.DOTALL)
        [allowed] = re.findall(rf"{kind}-src ([^;]+)", policy)
        # Plotly's own, which was cut from the document, and the style sheet that it makes empty.
        assert sorted(allowed.split()) == sorted(map(digest, {*filter(None, written), empty}))


def digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_headings_are_in_order_and_tables_have_heads(document):
    outline = Outline(document)
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    tables = document.split("<table")[1:]
    assert tables and all("<caption>" in t and '<th scope="col"' in t for t in tables)
    figures = [a for a in outline.all("div") if a.get("class") == "plot"]
    assert len(figures) == len(outline.all("figure")) > 5
    assert all(figure["aria-label"] for figure in figures)
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    linked = {a["href"].removeprefix("#") for a in outline.all("a")}
    assert linked <= set(ids)


def test_what_users_wrote_stands_there_as_text(tmp_path):
    """Half a character does not stop it."""
    study = study_of(tmp_path, name=EVIL, description=EVIL)
    request = ReportRequest(rationale=f"\ud800{EVIL}", made=EVIL, parts=())
    outline = Outline(build_report(study, fitted(), request).html.decode())
    assert not outline.all("img")
    assert outline.texts["h1"] == [EVIL] and {EVIL, f"?{EVIL}"} <= set(outline.texts["p"])


@pytest.mark.parametrize("part", PARTS)
def test_parts_can_be_left_out(tmp_path, part):
    subject = subject_of(study_of(tmp_path), ReportRequest(parts=(part,)), fitted())
    anchors = [section.anchor for section in sections_of(subject)]
    assert set(anchors) & set(PARTS) == {part}
    assert anchors[:3] == ["summary", "subnet", "front"] and anchors[-1] == "record"


def test_without_the_what_if_it_computes_nothing(tmp_path):
    html = build_report(study_of(tmp_path), fitted(), ReportRequest(parts=())).html.decode()
    assert (
        html.count("<script>") == 2
        and 'id="data"' not in html
        and "predict" not in (without_plotly(html).rpartition("<script>")[2])
    )


def test_a_study_that_nothing_can_be_fitted_of_has_what_there_is(tmp_path):
    report = build_report(study_of(tmp_path), {}, refused=["Top-1 accuracy: too few rows."])
    html = report.html.decode()
    assert report.subnet == "" and "No subnet is chosen" in html
    assert "too few rows" in html and "What was measured" in html and 'id="data"' not in html


def test_the_what_if_starts_from_the_chosen_subnet_and_knows_the_front(tmp_path):
    chosen = SPACE.extreme("smallest")
    request = ReportRequest(architecture=chosen, budget=35.0)
    subject = subject_of(study_of(tmp_path), request, fitted())
    data = json.loads(json.dumps(what_if_data(subject), allow_nan=False))
    names = [subnet["name"] for subnet in data["subnets"]]
    assert names == ["the chosen subnet", "the optimum", "the smallest", "the largest"]
    assert data["subnets"][0]["codes"] == SPACE.encode([chosen])[0].tolist()
    assert data["axes"] == ["latency_ms", "accuracy"] and data["main"] == 2
    first, last = (np_codes(data["front"][end]["codes"]) for end in (0, -1))
    assert first == subject.front.candidate(0).architecture
    assert last == subject.front.candidate(len(subject.front) - 1).architecture


def np_codes(codes: list[int]):
    import numpy as np

    [architecture] = SPACE.decode(np.array([codes]))
    return architecture


def test_long_words_may_be_broken_and_nothing_else_is_changed():
    long = "x" * 100 + "<b>"
    broken = breakable(long)
    assert "<wbr>" in broken and "&lt;b&gt;" in broken
    assert broken.replace("<wbr>", "") == str(Markup.escape(long))
    assert breakable("a few words") == "a few words"
    drawn = Markup("<svg>" + "x" * 100 + "</svg>")
    assert breakable(drawn) is drawn


def test_a_folded_panel_is_closed_at_first(document, tmp_path):
    assert "<details><summary><h3>" not in document
    renamed = {**fitted(), "cross_entropy": _as("cross_entropy")}
    html = build_report(study_of(tmp_path), renamed).html.decode()
    assert html.count("<details><summary><h3>") == 1


def _as(column: str):
    from foxnas_core.table.metrics import metric_of

    predictor = fitted()["latency_ms"]
    target = metric_of(column)
    return replace(predictor, target=target, form=replace(predictor.form, target=target))
