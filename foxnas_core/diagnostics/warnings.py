"""What to beware of in a fit: sentences that name the threshold, the value and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foxnas_core.diagnostics.collinearity import LARGEST_CONDITION, LARGEST_VIF
from foxnas_core.diagnostics.diagnosis import Diagnosis
from foxnas_core.diagnostics.residuals import outlier_limit
from foxnas_core.diagnostics.specification import ALPHA
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import in_a_sentence

LEAST_GAIN = 0.05
# What each code checks, in words.
CHECKS: Mapping[str, str] = {
    "rows": "at least 3 rows a parameter",
    "range": "predictions within the measured range",
    "leverage": "predictions no farther from the measured subnets than these from each other",
    "condition": f"condition number at most {LARGEST_CONDITION:g}",
    "vif": f"variance inflation factors at most {LARGEST_VIF:g}",
    "reset": f"RESET p at least {ALPHA}",
    "variance": f"equal error variance p at least {ALPHA}",
    "outliers": "no row beyond the 5 % Bonferroni limit",
    "interactions": f"interactions that gain at most {100 * LEAST_GAIN:g} %",
}


@dataclass(frozen=True)
class Caution:
    """`code` is a key of `CHECKS`; `value` is beyond `threshold`."""

    code: str
    sentence: str
    threshold: float
    value: float


def cautions(diagnosis: Diagnosis) -> list[Caution]:
    """What applies to the fit itself."""
    checks = (_rows, _condition, _inflation, _reset, _variance, _outliers)
    return [caution for check in checks if (caution := check(diagnosis)) is not None]


def beyond_measured(diagnosis: Diagnosis, architectures: Sequence[Architecture]) -> list[Caution]:
    """Predictions above or below all that was measured, or farther from the measured subnets
    than any of them lies: leverage above the largest measured one."""
    if not architectures:
        return []
    predictor, target = diagnosis.predictor, diagnosis.predictor.target
    codes = predictor.space.encode(architectures)
    measured = diagnosis.residuals["measured"]
    low, high = float(measured.min()), float(measured.max())
    largest = float(diagnosis.residuals["leverage"].max())
    unit = f" {target.unit}" if target.unit else ""
    found = []
    predictions = predictor.predict_codes(codes)["value"]
    leverages = diagnosis.leverage_at(codes)
    for architecture, value, leverage in zip(architectures, predictions, leverages, strict=True):
        if not low <= value <= high:
            end, side = (high, "above the largest") if value > high else (low, "below the smallest")
            found.append(
                Caution(
                    "range",
                    f"The predicted {in_a_sentence(target.label)} of {architecture.id}, "
                    f"{target.text(value)}{unit}, is {side} measured value, "
                    f"{target.text(end)}{unit}: nothing measured tells whether it holds there, so "
                    "measure this subnet before you rely on it.",
                    end,
                    float(value),
                )
            )
        if leverage > largest * (1 + 1e-9):
            found.append(
                Caution(
                    "leverage",
                    f"{architecture.id} is farther from the measured subnets than any of them "
                    f"lies (leverage {leverage:.3g}, largest measured {largest:.3g}): its "
                    f"{in_a_sentence(target.label)} is extrapolated, so measure this subnet or "
                    "ones like it.",
                    largest,
                    float(leverage),
                )
            )
    return found


def interaction_gain(plain: Predictor, interacting: Predictor) -> Caution | None:
    """Whether interactions lower the cross-validated RMSE by more than 5 %: the same form of one
    target with and without them."""
    gain = 1 - interacting.cv.rmse / plain.cv.rmse
    if gain <= LEAST_GAIN:
        return None
    target = plain.target
    unit = f" {target.difference_unit}" if target.difference_unit else ""
    return Caution(
        "interactions",
        f"Interactions lower the cross-validated RMSE by {100 * gain:.0f} %, from "
        f"{target.text(plain.cv.rmse)} to {target.text(interacting.cv.rmse)}{unit}, more than "
        f"{100 * LEAST_GAIN:g} %: choices of a stage depend on each other, so take the form "
        f"'{interacting.form.title}' and read effects of single choices as averages.",
        LEAST_GAIN,
        gain,
    )


def _rows(diagnosis: Diagnosis) -> Caution | None:
    predictor, wanted = diagnosis.predictor, diagnosis.predictor.form.wanted_rows
    counted = predictor.independent_rows
    if counted >= wanted:
        return None
    return Caution(
        "rows",
        f"{counted} {'different subnets' if predictor.err_together else 'rows'} for "
        f"{predictor.parameters} parameters, fewer than 3 × "
        f"{predictor.parameters} = {wanted}: 95 % intervals hold their word from there on, so "
        f"measure {wanted - counted} more or take a smaller form.",
        wanted,
        counted,
    )


def _condition(diagnosis: Diagnosis) -> Caution | None:
    found = diagnosis.collinearity
    if found.condition <= LARGEST_CONDITION:
        return None
    return Caution(
        "condition",
        f"The condition number of the terms is {found.condition:.0f}, above "
        f"{LARGEST_CONDITION:g}: {found.named} can hardly be told apart, so predictions hold, but "
        "read none of these coefficients alone, or take another form.",
        LARGEST_CONDITION,
        found.condition,
    )


def _inflation(diagnosis: Diagnosis) -> Caution | None:
    found = diagnosis.collinearity.inflated
    if found.empty:
        return None
    largest, name = float(found["vif"].iloc[0]), found["term"].iloc[0]
    verb = "term has" if len(found) == 1 else "terms have"
    return Caution(
        "vif",
        f"{len(found)} {verb} a variance inflation factor above {LARGEST_VIF:g}, the largest "
        f"{largest:.3g} ({name}): its interval is {largest**0.5:.1f} times as wide as if it "
        "overlapped with no other term, so measure subnets in which these choices vary by "
        "themselves, or take another form.",
        LARGEST_VIF,
        largest,
    )


def _reset(diagnosis: Diagnosis) -> Caution | None:
    test = diagnosis.specification.reset
    if not test.rejects:
        return None
    link = diagnosis.predictor.link
    saturates = diagnosis.predictor.target.saturates
    other = ", the saturating link" if saturates and link.is_identity else ""
    return Caution(
        "reset",
        f"RESET {test.text}, below {ALPHA}: squares and cubes of the predictions explain what the "
        f"form leaves, so effects do not quite add up on this scale; try another form{other} or "
        "interactions, and trust averages over many subnets more than the extremes.",
        ALPHA,
        test.p,
    )


def _variance(diagnosis: Diagnosis) -> Caution | None:
    specification = diagnosis.specification
    rejecting = [t for t in (specification.white, specification.breusch_pagan) if t.rejects]
    if not rejecting:
        return None
    test = min(rejecting, key=lambda t: t.p)
    return Caution(
        "variance",
        f"Errors are not equally large everywhere ({test.name}: {test.text}, below {ALPHA}): "
        "ordinary intervals are too narrow where errors are large, so use HC3 intervals.",
        ALPHA,
        test.p,
    )


def _outliers(diagnosis: Diagnosis) -> Caution | None:
    predictor, residuals = diagnosis.predictor, diagnosis.residuals
    found = residuals[residuals["outlier"]]
    if found.empty:
        return None
    limit = outlier_limit(predictor.rows, diagnosis.form.parameters)
    sizes = found["studentised"].abs()
    worst = found.iloc[int(sizes.to_numpy().argmax())]
    verb = "row lies" if len(found) == 1 else "rows lie"
    return Caution(
        "outliers",
        f"{len(found)} {verb} beyond ±{limit:.2f} studentised residuals, the 5 % Bonferroni limit "
        f"of {predictor.rows} rows; the largest is {worst['studentised']:+.2f} (row "
        f"{worst['row']}, {worst['id']}): measure these subnets again.",
        limit,
        float(sizes.max()),
    )
