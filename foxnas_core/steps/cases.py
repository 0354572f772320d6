"""Subnets of a study run on its held-out cases, case by case."""

from collections.abc import Sequence

from foxnas_core.evidence.cases import CaseScores
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study

MOST = 100
"""Held-out cases that are looked at one by one."""


def score_cases(study: Study, architectures: Sequence[Architecture]) -> list[CaseScores]:
    """What each, with inherited weights and recalibrated norms, makes of the first `MOST` held-out
    cases. Raises `MissingPart` without weights or images."""
    import torch

    from foxnas_core.measurement.preparing import prepare_all
    from foxnas_core.measurement.score import ScoreMeter

    torch.set_num_threads(1)
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()
    meter = ScoreMeter(held_out.take(slice(0, MOST)), task=checkpoint.task)
    found = []
    for prepared in prepare_all(checkpoint, architectures, calibration):
        outputs = meter.outputs(prepared.onnx, prepared.subnet.input_shape)
        values = meter.cases(outputs)[checkpoint.task.objective]
        found.append(CaseScores(values, outputs.argmax(1)))
    return found
