"""From a study to its report: one HTML file."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from markupsafe import Markup

from foxnas_core.cards.card import Card
from foxnas_core.cards.decided import summary
from foxnas_core.cards.given import known
from foxnas_core.cards.subject import ReportRequest, Subject, subject_of
from foxnas_core.cards.traded import front_points, shown
from foxnas_core.families import family_of
from foxnas_core.figures.search import group_title
from foxnas_core.figures.theme import DARK
from foxnas_core.regression import Predictor
from foxnas_core.reporting.evidence import (
    coefficient_section,
    diagnostics_section,
    explanation_section,
)
from foxnas_core.reporting.front import front_section
from foxnas_core.reporting.layout import Panel, Section, figure_of
from foxnas_core.reporting.measuring import measurement_section
from foxnas_core.reporting.portable import embedded, portable_predictor, portable_space
from foxnas_core.reporting.record import record_section
from foxnas_core.reporting.subnet import chosen_section, summary_section
from foxnas_core.study import Study

# By what id Plotly looks for the style sheet of its maps, which it adds where there is none.
_OF_MAPS = re.compile(r'getElementById\("([0-9a-f]{64})"\)')
# Where a word of more than so many characters may be broken.
_LONG_WORD = re.compile(r"(?<=\S{24})(?=\S{8})")


@dataclass(frozen=True)
class Report:
    """The file's bytes, the id of the subnet that it is on ("" for none), and its summary."""

    html: bytes = field(repr=False)
    subnet: str
    summary: Card


def build_report(
    study: Study,
    predictors: Mapping[str, Predictor],
    request: ReportRequest | None = None,
    refused: Sequence[str] = (),
) -> Report:
    """The study's report; equal requests of an equal study give equal bytes.

    `predictors` are by column, `refused` says what could not be fitted. Raises as `subject_of`.
    """
    subject = subject_of(study, request or ReportRequest(), predictors, refused)
    sections = sections_of(subject)
    chosen = subject.chosen.id if subject.chosen is not None else ""
    html = written(subject, sections).encode("utf-8", "replace")
    return Report(html, chosen, summary(subject))


def sections_of(subject: Subject) -> list[Section]:
    """The sections that the study and the request have, in order."""
    optional: dict[str, Callable[[Subject], Section | None]] = {
        "what-if": what_if_section,
        "coefficients": coefficient_section,
        "explanations": explanation_section,
        "diagnostics": diagnostics_section,
        "measurements": measurement_section,
    }
    found = [summary_section(subject), chosen_section(subject), front_section(subject)]
    found += [make(subject) for part, make in optional.items() if part in subject.request.parts]
    found.append(record_section(subject))
    return [section for section in found if section is not None]


def what_if_section(subject: Subject) -> Section | None:
    """Where the script draws the selectors and what they make of the predictions."""
    if not subject.predictors:
        return None
    panels: tuple[Panel, ...] = ()
    if subject.front is not None:
        card = shown(subject, moving=True)
        chart = figure_of(known(card.figure()), card.sentence, key="what-if-chart")
        panels = (Panel("", figures=(chart,)),)
    return Section(
        "what-if",
        "What-if",
        (
            "Change choices and read what the regression predicts, computed in this file. The "
            "confidence interval bounds the mean over repeated measurements of such a subnet, the "
            "prediction interval one new measurement.",
        ),
        panels,
    )


def what_if_data(subject: Subject) -> dict:
    """What the script computes from: space, predictors, and subnets to start from."""
    space = subject.study.space
    predictors = (*subject.main, *subject.others)
    named = {}
    if subject.chosen is not None:
        named["the chosen subnet"] = subject.chosen
    if subject.optimum is not None and not subject.is_optimum:
        named["the optimum"] = subject.optimum.architecture
    named |= {f"the {name}": found for name, found in family_of(space).landmarks(space).items()}
    front = []
    if subject.front is not None:
        objective, cost = (predictor.target for predictor in subject.main)
        for point in front_points(subject.front):
            found = subject.front.candidate(point)
            name = f"{cost.value_text(found.costs[0])}, {objective.value_text(found.value)}"
            front.append({"name": name, "codes": space.encode([found.architecture])[0].tolist()})
    return {
        "space": portable_space(space, {g: group_title(space, g) for g in space.groups}),
        "targets": [portable_predictor(predictor) for predictor in predictors],
        "main": max(len(subject.main), 1),
        "axes": [predictor.target.column for predictor in reversed(subject.main)],
        "subnets": [
            {"name": name, "codes": space.encode([architecture])[0].tolist()}
            for name, architecture in named.items()
        ],
        "front": front,
    }


def written(subject: Subject, sections: Sequence[Section]) -> str:
    """The sections as an HTML document that may load nothing and run its own scripts only."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    style, study, scripts = _own("report.css"), subject.study, []
    if any(panel.figures for section in sections for panel in section.panels):
        scripts += [Markup(get_plotlyjs()), _own("figures.js")]
    maps = _OF_MAPS.search(scripts[0]) if scripts else None
    computes = any(section.anchor == "what-if" for section in sections)
    if computes:
        scripts.append(_own("what-if.js"))
    # Plotly fills a style sheet that it makes empty.
    policy = ["default-src 'none'", f"style-src {_hash(style)} {_hash('')}", "img-src data:",
              "base-uri 'none'", "form-action 'none'"]  # fmt: skip
    if scripts:
        policy.insert(1, f"script-src {' '.join(map(_hash, scripts))}")
    return environment.get_template("report.html").render(
        title=study.name,
        description=study.description,
        made=subject.request.made,
        hashes=[("space", study.space.fingerprint), ("table", subject.table.fingerprint)],
        policy="; ".join(policy),
        style=style,
        scripts=scripts,
        maps=maps[1] if maps else "",
        dark=embedded(DARK),
        data=embedded(what_if_data(subject)) if computes else "",
        sections=sections,
    )


def breakable(cell: str) -> str:
    """A cell whose very long words may be broken, so that they widen no table."""
    if isinstance(cell, Markup) or not _LONG_WORD.search(cell):
        return cell
    parts = _LONG_WORD.split(cell)
    return Markup("<wbr>").join(parts)


def _own(name: str) -> Markup:
    """A file of this package's, which is written as it is."""
    return Markup((resources.files(__package__) / "templates" / name).read_text("utf-8"))


def _hash(content: str) -> str:
    """The source expression by which a policy allows this very content."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
