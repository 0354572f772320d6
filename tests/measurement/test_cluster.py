"""A campaign on a Ray cluster of two nodes, both on this machine."""

import builtins
import os
import sys

import pytest
from conftest import REPOSITORY

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.steps.measure import measure_subnets


@pytest.fixture
def cluster(monkeypatch):
    """A head that scores, with the second node still to come."""
    from ray.cluster_utils import Cluster

    # Its processes must find the packages that the tests find.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), *sys.path]))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield made
    made.shutdown()


def measure(study, count, address):
    return measure_subnets(
        study, study.space.sample(count, seed=0), seed=0, report=lambda progress: None,
        ray=address,
    )  # fmt: skip


def test_accuracy_is_scored_on_one_node_and_latency_timed_on_the_other(cluster, tiny_study):
    with pytest.raises(InvalidInput, match="No node .* declares the resource 'latency-device'"):
        measure(tiny_study, 1, cluster.address)
    # One CPU each: whoever times on the second node leaves none to score on there.
    cluster.add_node(num_cpus=1, resources={"latency-device": 1})
    measured = measure(tiny_study, 5, cluster.address)
    assert len(measured) == 5
    table = tiny_study.table()
    assert set(table.frame["id"]) == {a.id for a in tiny_study.space.sample(5, seed=0)}
    assert (table.values("latency_ms") > 0).all()
    [circumstances] = table.record["campaigns"].values()
    assert circumstances["processes"] == 1 and circumstances["device"]
    assert circumstances["reference_baseline_ms"] > 0
    # As one process finds it.
    alone = measure_subnets(
        tiny_study, table.architectures()[:2], seed=0, report=lambda progress: None
    )
    for row, (_, kept) in zip(alone, table.frame.iterrows(), strict=False):
        assert row.values["accuracy"] == kept["accuracy"] and row.values["macs"] == kept["macs"]


def test_no_cluster_is_said_so(tiny_study, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InvalidInput, match="no Ray cluster at 'ray.invalid'"):
        measure(tiny_study, 1, "ray.invalid")


def test_without_the_package_the_command_says_how_to_get_it(tiny_study, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name == "ray":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPart, match="pip install"):
        measure(tiny_study, 1, "auto")
