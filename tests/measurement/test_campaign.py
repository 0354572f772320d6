import torch
from torch import nn

from foxnas_core.measurement.campaign import prepare, run_campaign


class Counter:
    """A meter that notes what it was asked to measure."""

    def __init__(self) -> None:
        self.seen = []

    def measure(self, subnets):
        self.seen.append([p.architecture for p in subnets])
        return [{"accuracy": 50.0 + len(self.seen)} for _ in subnets]

    def record(self):
        return {"device": "abacus"}


def test_batches_are_kept_as_they_come_with_their_circumstances(tiny_checkpoint, tiny_dataset):
    architectures = tiny_checkpoint.supernet.space.sample(7, seed=0)
    meter, kept, progress = Counter(), [], []
    run_campaign(
        tiny_checkpoint, architectures, meters=[meter],
        calibration=tiny_dataset.training.take(slice(0, 50)), seed=4,
        keep=lambda rows, record: kept.append((rows, record)), report=progress.append, batch=3,
    )  # fmt: skip
    assert [len(rows) for rows, _ in kept] == [3, 3, 1]
    assert [r.architecture for rows, _ in kept for r in rows] == architectures
    assert [a for batch in meter.seen for a in batch] == architectures
    [(campaign, circumstances)] = kept[0][1].items()
    assert circumstances["device"] == "abacus" and circumstances["seed"] == 4
    assert circumstances["recalibration_images"] == 50 and circumstances["torch"]
    values = dict(kept[0][0][0].values)
    # A batch's seconds are shared out over its rows.
    assert len({r.values["measuring_seconds"] for r in kept[0][0]}) == 1
    assert values.pop("measuring_seconds") > 0
    assert values == {"campaign": campaign, "seed": 4, "accuracy": 51.0}
    assert [(p.done, p.total) for p in progress] == [(3, 7), (6, 7), (7, 7)]
    assert progress[-1].seconds_left == 0


def test_a_prepared_subnet_has_statistics_of_its_own_images(tiny_checkpoint, tiny_dataset):
    architecture = tiny_checkpoint.supernet.space.sample(1, seed=2)[0]
    subnet = prepare(tiny_checkpoint, architecture, tiny_dataset.training).subnet
    assert not subnet.training
    mean, std = tiny_checkpoint.record["pixel_mean"], tiny_checkpoint.record["pixel_std"]
    from foxnas_core.tasks.images import to_batch

    batch = to_batch(tiny_dataset.training.images, subnet.input_shape[-1], mean, std)
    seen = subnet.stem[0][0](batch)
    norm = subnet.stem[0][1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert torch.allclose(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-4)
