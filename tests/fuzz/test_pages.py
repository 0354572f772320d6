"""Every page with names that are code, with addresses that are anything, and with broken records:
never an exception, and never the card that says the server's log knows more."""

import json
from pathlib import Path
from random import Random

import pytest
from conftest import run_page
from hand import hand_document, noisy_table
from places import PLACES

from foxnas_core.errors import FoxnasError
from foxnas_core.families import space_from_dict
from foxnas_core.search.result import SEARCHES
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.parts import kinds
from foxnas_core.study.variants import VARIANTS
from pages.shared.choices import Choices
from tests.fuzz.breaking import IMAGE, LINK, ODD_NUMBERS, ODD_TEXTS, SCRIPT, broken_json
from tests.fuzz.doors import RECORDS, own_study

SHOWN_ON = {
    "variants.json": "pages/2_What_if.py",
    "trust.json": "pages/12_Trust.py?view=ranking",
    "handmade.json": "pages/7_Devices.py?view=handmade",
    "claims.json": "pages/12_Trust.py?view=verify",
    "rounds.json": "pages/14_Measurements.py?view=rounds",
    "searches/0123456789ab.json": "pages/3_Search.py",
}


# What Markdown would make a heading, a link, code, a picture, mathematics or an icon of.
MARKS = "# [x](javascript:owned()) `a` ![b](c) $d$ :red[e] :material/home: **f**"


def hostile_study(folder: Path) -> Study:
    """A study in which whatever has a name is called something that a browser might run."""
    text = json.dumps(hand_document())
    for number, name in enumerate(("p_depth", "p1_kernel", "q1_kernel", "p1", "q1", "hand")):
        text = text.replace(
            json.dumps(name), json.dumps(f"{(SCRIPT, IMAGE, LINK)[number % 3]}{name}")
        )
    space = space_from_dict(json.loads(text))
    table = noisy_table(space, 40)
    frame = table.frame.drop(columns="id")
    more = {
        f"latency_ms:{IMAGE}": 1.5 * frame["latency_ms"],
        f"accuracy:{LINK}": 0.9 * frame["accuracy"],
        f"accuracy:{MARKS}": 0.8 * frame["accuracy"],
    }
    table = table.with_rows(frame.assign(**more))
    told = f"{IMAGE} [a](javascript:alert(1))"
    study = create_study(folder / "hostile", space, name=SCRIPT, description=told, table=table)
    study.change(VARIANTS, lambda kept: kept.having("plain", space.sample(1, seed=0)[0]))
    return study


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One for all, so that what pages compute of it is computed once."""
    folder = tmp_path_factory.mktemp("studies")
    hostile_study(folder)
    own_study(folder)
    return folder


@pytest.fixture(autouse=True)
def studies(folder, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(folder))


def check(page) -> None:
    assert not page.exception, [error.value for error in page.exception]
    for card in page.error:
        assert "should not" not in card.value and "Traceback" not in card.value
        assert len(card.value) < 1000
    for chart in page.get("plotly_chart"):
        # Plotly makes links of them; what it shows as text has something behind the sign.
        assert "<a" not in json.dumps(json.loads(chart.proto.spec), ensure_ascii=False)
    for markdown in page.markdown:
        assert "](javascript:" not in markdown.value
    for html in page.get("html"):
        body = getattr(html, "body", None) or str(html.proto)
        assert "owned" not in body


@pytest.mark.parametrize("name", PLACES)
def test_names_are_shown_and_not_run(name):
    check(run_page(name, study="hostile", latency=f"latency_ms:{IMAGE}"))


def an_address(chance: Random) -> dict[str, str]:
    """Parameters that hold anything."""
    names = [*Choices.__dataclass_fields__, "x"]
    values = [text.replace("\ud800", "?") for text in ODD_TEXTS] + [str(n) for n in ODD_NUMBERS]
    # Ids of subnets and of searches that another study has, and more than any address needs.
    values += ["0123456789ab", "b" * 100_000, "\x1b[2J\x07\x7f", "../hostile", "hostile"]
    values = [value for value in values if value]
    return {chance.choice(names): chance.choice(values) for _ in range(chance.randint(1, 6))}


@pytest.mark.parametrize("name", PLACES)
def test_an_address_may_hold_anything(name):
    address = an_address(Random(name))
    check(run_page(name, **{"study": "own", **address}))


@pytest.mark.parametrize("name", SHOWN_ON)
def test_a_record_that_was_accepted_is_drawn_and_any_other_is_one_sentence(name, folder):
    """Of those that differ from a whole one, the first that is accepted, and the first that is
    not."""
    study = open_study(folder / "own")
    path = study.folder / name
    path.parent.mkdir(exist_ok=True)
    kept = path.read_bytes() if path.exists() else None
    drawn = {True: 0, False: 0}
    try:
        for number in range(200):
            path.write_bytes(broken_json(Random(f"{name} {number}"), RECORDS[name]))
            accepted = is_accepted(study, name)
            if drawn[accepted] < 1:
                drawn[accepted] += 1
                check(run_page(SHOWN_ON[name], study="own", search="0123456789ab"))
            if drawn == {True: 1, False: 1}:
                break
    finally:
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
    assert drawn == {True: 1, False: 1}


def is_accepted(study: Study, name: str) -> bool:
    kind = next((kind for kind in kinds() if kind.file == name), None)
    try:
        study.record(kind) if kind else study.kept(SEARCHES, name[-17:-5])
    except FoxnasError:
        return False
    return True
