"""What a choice rests on, so that it can be questioned and made again."""

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards import search
from foxnas_core.cards.card import Card
from foxnas_core.cards.subject import Subject
from foxnas_core.errors import FoxnasError
from foxnas_core.regression import Predictor
from foxnas_core.regression.inference import KINDS
from foxnas_core.search.default_budget import WHY
from foxnas_core.study import Study, file_hash

PACKAGES = ("numpy", "pandas", "scipy", "statsmodels")
_LONGEST = 200


def rationale(subject: Subject) -> Card:
    """Reasons in the user's own words, line by line."""
    words = [part.strip() for part in subject.request.rationale.splitlines()]
    first, *further = [part for part in words if part] or ["No reasons were written down."]
    return Card(key="rationale", title="Reasons", sentence=first, notes=tuple(further))


def asked(subject: Subject) -> Card:
    """What the report was asked for."""
    request = subject.request
    pairs = [("Report made", request.made or "date not given")]
    if subject.chosen is not None:
        pairs.append(("Chosen subnet", subject.chosen.id))
    if subject.budget is not None and subject.searched is not None:
        latency = subject.main[1].target
        own = ""
        if request.budget is None:
            own = f", {WHY}" if request.architecture is None else (
                ", what the chosen subnet keeps"
            )  # fmt: skip
        pairs.append((f"Budget of {latency.column}", latency.value_text(subject.budget) + own))
        if subject.guard is not None:
            pairs.append(
                (
                    f"Kept when measured with a probability of {100 * subject.guard:g} % under",
                    latency.value_text(subject.searched),
                )
            )
    pairs.append(("Confidence intervals", KINDS[request.intervals]))
    title = "What the report was asked for"
    return Card(key="asked", title=title, sentence="", facts=dict(pairs))


def fit_hash(predictor: Predictor) -> str:
    """Twelve hexadecimal digits that change whenever a number that predictions come from does."""
    told = [
        predictor.target.column, predictor.form.name, predictor.form.pairs,
        [term.name for term in predictor.form.terms], predictor.link.center, predictor.link.rate,
        predictor.residual_variance, predictor.residual_df, predictor.estimator,
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(told).encode())
    for values in (predictor.estimates, predictor.covariance):
        digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return digest.hexdigest()[:12]


def hashes(subject: Subject) -> Card:
    """What the report is on, so that another can be told from it."""
    study = subject.study
    pairs = [
        ("Search space", study.space.fingerprint),
        ("Measurement table", subject.table.fingerprint),
    ]
    for name, path in (
        ("Supernet weights", study.checkpoint_file),
        ("Images", study.images_file),
        ("Measured optima", study.optima_file),
    ):
        pairs.append((name, file_hash(path) if path.exists() else "none"))
    pairs += [
        (f"Fit of {column}", fit_hash(predictor))
        for column, predictor in subject.predictors.items()
    ]
    return Card(
        key="hashes",
        title="Hashes",
        sentence="The first twelve hexadecimal digits of SHA-256: of the content for space, table "
        "and fits, of the file for all else. What differs in one of them is not what this report "
        "is on.",
        facts=dict(pairs),
    )


def seeds(subject: Subject) -> Card:
    """What made the supernet, and what computed the report."""
    pairs = [
        ("Folds of the cross-validation, intervals", "seed 0"),
        ("Python", platform.python_version()),
    ]
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            pairs.append((name, version(name)))
    facts = dict([*_training(subject.study), *pairs])
    title = "What this report was computed with"
    return Card(key="seeds", title=title, sentence="", facts=facts)


def _training(study: Study) -> list[tuple[str, str]]:
    """What the checkpoint says of its training."""
    try:
        record = study.training_record()
    except FoxnasError as error:
        return [("Supernet", str(error))]
    recipe = record.get("recipe")
    told = {**record, **(recipe if isinstance(recipe, Mapping) else {})}
    names = {
        "weights": "Supernet's weights from", "dataset": "Supernet trained on",
        "images": "Training images", "licence": "Images' licence", "epochs": "Epochs",
        "steps": "Steps", "seed": "Seed of the training", "torch": "torch of the training",
    }  # fmt: skip
    return [(title, _written(told[name])) for name, title in names.items() if name in told]


def _written(value: Any) -> str:
    """A recorded value, whatever it is, in one line."""
    if value is None:
        return "not told"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def circumstances(record: Mapping[str, Any]) -> Card | None:
    """How the campaigns of a table's record were measured, None where it tells of none: one row a
    recorded circumstance, its value or those of each campaign where they differ."""
    campaigns = record.get("campaigns")
    if not isinstance(campaigns, Mapping):
        return None
    told = {str(k): v for k, v in campaigns.items() if isinstance(v, Mapping)}
    names = dict.fromkeys(str(name) for own in told.values() for name in own)
    rows = []
    for name in names:
        values = {
            key: _written(own[name]) if name in own else "not recorded" for key, own in told.items()
        }
        distinct = list(dict.fromkeys(values.values()))
        if len(distinct) == 1:
            rows.append((name.replace("_", " "), distinct[0]))
        else:
            groups = {
                value: [key for key, own in values.items() if own == value] for value in distinct
            }
            said = "; ".join(f"{value} ({_listed(keys)})" for value, keys in groups.items())
            rows.append((name.replace("_", " "), said))
    if not rows:
        return None
    caption = (
        f"Circumstances of {len(told)} campaign{'s' * (len(told) != 1)}: {_listed(list(told))}"
    )
    return Card(
        key="circumstances",
        title=caption,
        sentence="As the campaigns recorded it.",
        table=pd.DataFrame(rows, columns=["What", "Value"]),
    )


def _listed(names: list[str], most: int = 4) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def considered(subject: Subject) -> Card:
    """The searches that were kept, and whether they are of this table."""
    title, found = "What else was considered", subject.given.searches()
    if not found:
        return Card(key="considered", title=title, sentence="No search was kept with this study.")
    now = {subject.study.space.fingerprint, subject.table.fingerprint}
    current = [set(result.fingerprints.values()) == now for result in found.values()]
    card = search.kept.compute(subject.given)
    said = "Those of an earlier table were made before its last rows were measured."
    table = card.table.assign(**{"of this table": current})
    return replace(card, table=table, notes=(*card.notes, said))
