"""The steps of a study from end to end, as the command line and the pages both take them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnas_core.architecture import Architecture
from foxnas_core.errors import MissingPart
from foxnas_core.regression import Predictor, fit
from foxnas_core.storage import Study, file_hash
from foxnas_core.table import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.export.exporter import ExportedModel
    from foxnas_core.export.model_card import Estimate
    from foxnas_core.measurement.campaign import CampaignProgress, Measured


def fit_all(
    table: MeasurementTable,
    form: str = "auto",
    link: str = "auto",
    *,
    targets: Sequence[str] | None = None,
) -> dict[str, Predictor]:
    """A predictor for each of `targets`, by default all of the table's, by column.

    `link` is that of the accuracy.

    Raises `MissingPart` where nothing was measured yet, and as `regression.fit`.
    """
    if not len(table.frame):
        raise MissingPart(
            f"The table of space {table.space.name!r} has no measured subnets to fit; measure "
            "some with 'python -m foxnas_core measure' or import a table."
        )
    columns = [target.column for target in table.targets] if targets is None else targets
    links = {"accuracy": link}
    return {column: fit(table, column, form, links.get(column, "none")) for column in columns}


def not_yet_measured(study: Study, count: int, seed: int) -> list[Architecture]:
    """Those of the seed's first `count` sampled architectures that have no row yet.

    The plan depends on the seed alone, so a killed campaign goes on where it was.
    """
    done = set(study.table().frame["id"])
    return [a for a in study.space.sample(count, seed=seed) if a.id not in done]


def measure(
    study: Study,
    architectures: Sequence[Architecture],
    *,
    seed: int,
    report: "Callable[[CampaignProgress], None]",
) -> "list[Measured]":
    """Measure subnets and append each finished batch to the study's table.

    Raises `MissingPart` where the study has no weights or images.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()

    import torch

    from foxnas_core.measurement.campaign import run_campaign, standard_meters

    torch.set_num_threads(1)
    origin = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        study.append(
            [row.architecture for row in rows],
            [row.values for row in rows],
            {name: origin | values for name, values in circumstances.items()},
        )
        measured.extend(rows)

    run_campaign(
        checkpoint,
        architectures,
        meters=standard_meters(
            checkpoint,
            held_out=held_out,
            calibration=calibration,
            seed=seed,
            baseline=_baseline(study.table()),
        ),
        calibration=calibration,
        seed=seed,
        keep=keep,
        report=report,
    )
    return measured


def export(
    study: Study, architecture: Architecture, predictors: dict[str, Predictor]
) -> "ExportedModel":
    """The architecture's files, checked, its model card with prediction and measurement.

    A subnet that the table lacks is measured now; the table is left as it is. Raises
    `MissingPart` where the study has no weights or images, and as `export_subnet`.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()

    import torch

    from foxnas_core.export.exporter import export_subnet
    from foxnas_core.measurement.campaign import prepare, standard_meters

    torch.set_num_threads(1)
    prepared = prepare(checkpoint, architecture, calibration)
    table = study.table()
    known = table.frame[table.frame["id"] == architecture.id]
    if len(known):
        measured = {str(k): v for k, v in known.mean(numeric_only=True).items()}
    else:
        meters = standard_meters(
            checkpoint,
            held_out=held_out,
            calibration=calibration,
            seed=0,
            baseline=_baseline(table),
        )
        measured = {k: v for meter in meters for k, v in meter.measure([prepared])[0].items()}
    parents = {
        "space": study.space.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "measurements": table.fingerprint,
    }
    return export_subnet(
        prepared,
        space=study.space,
        record=checkpoint.record,
        held_out=held_out,
        estimates=[_estimate(p, architecture, measured) for p in predictors.values()],
        parents=parents,
    )


def _estimate(
    predictor: Predictor, architecture: Architecture, measured: dict[str, float]
) -> "Estimate":
    from foxnas_core.export.model_card import Estimate

    row = predictor.predict([architecture]).iloc[0]
    value = measured.get(predictor.target.column)
    return Estimate(
        predictor.target,
        float(row["value"]),
        float(row["prediction_low"]),
        float(row["prediction_high"]),
        None if value is None or not np.isfinite(value) else float(value),
    )


def _baseline(table: MeasurementTable) -> float | None:
    """The reference's time in the study's first campaign (ms), which later ones are held to."""
    for circumstances in table.record.get("campaigns", {}).values():
        if "reference_baseline_ms" in circumstances:
            return circumstances["reference_baseline_ms"]
    return None
