"""Why to believe it: the coefficients of every fit, and what speaks against the fits."""

from foxnas_core.cards import coefficients, counterfactuals, diagnostics, explanations
from foxnas_core.cards.given import Given
from foxnas_core.cards.subject import Subject
from foxnas_core.diagnostics.warnings import CHECKS
from foxnas_core.errors import FoxnasError
from foxnas_core.reporting.layout import Panel, Section, analysed, panel_of

_OF_SUBNET = {
    "Why this subnet is predicted so": (explanations.prediction, explanations.shapley),
    "What would have to change": (counterfactuals.answer, counterfactuals.each),
}


def coefficient_section(subject: Subject) -> Section | None:
    """Every choice with its interval, then the terms of each target's regression."""
    if not subject.predictors:
        return None
    panels = []
    if subject.main:
        both = [
            analysis.compute(subject.given)
            for analysis in (coefficients.clearest, coefficients.choices, coefficients.words)
        ]
        panels.append(panel_of("What each choice changes", *both))
    for folded, predictors in ((False, subject.main), (True, subject.others)):
        for predictor in predictors:
            own = subject.given.into(predictor.target.column)
            cards = coefficients.fit.compute(own), coefficients.terms.compute(own)
            panels.append(panel_of(predictor.target.label, *cards, folded=folded))
    return Section("coefficients", "Coefficients", (), tuple(panels))


def explanation_section(subject: Subject) -> Section | None:
    """Why the chosen subnet is predicted as it is, and what would have to change."""
    if subject.chosen is None:
        return None
    asked = (analysed(subject.given, title, *cards) for title, cards in _OF_SUBNET.items())
    panels = tuple(filter(None, asked))
    return Section("explanations", "Explanations", (), panels) if panels else None


def diagnostics_section(subject: Subject) -> Section | None:
    """What speaks against the fits of the objective and of the chosen cost."""
    panels = [_diagnosed(subject.given.into(p.target.column)) for p in subject.main]
    if not panels:
        return None
    return Section(
        "diagnostics",
        "Diagnostics",
        (f"Checked for each fit: {'; '.join(CHECKS.values())}.",),
        tuple(panels),
    )


def _diagnosed(given: Given) -> Panel:
    title = given.fitted.target.label
    try:
        cards = [
            analysis.compute(given)
            for analysis in (
                diagnostics.verdict,
                diagnostics.predicted,
                diagnostics.residuals,
                diagnostics.quantiles,
                diagnostics.specification,
                diagnostics.offending,
            )
        ]
    except FoxnasError as error:
        return Panel(title, (str(error),))
    return panel_of(title, *cards)
