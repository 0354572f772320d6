"""A campaign's batches on a Ray cluster: accuracy on any node, latency on one that declares it.

    ray start --head
    ray start --address HOST:6379 --num-cpus 1 --resources '{"latency-device": 1}'

The package must be importable on every node. With one CPU declared, the node of the latency lane
has nothing else to do.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.crew import Batch, Scorer, add_columns, records_of
from foxnas_core.measurement.here import machine_here
from foxnas_core.measurement.meter import Meter
from foxnas_core.measurement.preparing import prepare_all
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.table.machine import Machine
from foxnas_core.tasks.dataset import ImageSet

Timers = Callable[[Checkpoint], Sequence[Meter]]
"""Makes the timing meters of a checkpoint, where they are to time."""

LANE = "latency-device"
"""The resource of the node on which latency is timed."""


class Cluster:
    """`count` scoring processes of a Ray cluster, and one that times, where `LANE` is declared.

    `timers` is told the machine of that node, and says what makes its meters there. A scoring
    process that is lost is started again and scores its batch once more. A context manager, which
    leaves the cluster at the end. Raises `MissingPart` without the package `ray`, and
    `InvalidInput` where there is no cluster, or no node that declares the resource, and, while it
    measures, where the timing process is lost.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        calibration: ImageSet,
        scorers: Sequence[Meter],
        timers: Callable[[Machine], Timers],
        *,
        address: str,
        count: int,
    ) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingPart(
                "--ray needs the package ray; install it with 'pip install ray==2.60.0'."
            ) from error
        self._ray = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise InvalidInput(
                f"There is no Ray cluster at {address!r}; start one with 'ray start --head', or "
                "name another address."
            ) from error
        try:
            if not ray.cluster_resources().get(LANE):
                raise InvalidInput(
                    f"No node of the Ray cluster declares the resource {LANE!r}, on which latency "
                    f"is timed; start one with ray start --resources '{{\"{LANE}\": 1}}'."
                )
            scoring: Any = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(
                _RemoteScorer
            )
            timing: Any = ray.remote(num_cpus=1, resources={LANE: 1})(_RemoteLane)
            shared = ray.put(
                Scorer(partial(prepare_all, checkpoint, calibration=calibration), scorers)
            )
            asked: Any = ray.remote(num_cpus=0, resources={LANE: 1})(machine_here)
            own = timers(ray.get(asked.remote()))
            # The lane first: scoring processes may take all the CPUs that are left.
            self._lane = timing.remote(ray.put(checkpoint), own)
            self._record = {
                **records_of(scorers),
                **self._answer(self._lane.record.remote()),
                "processes": count,
            }
            self._scorers = [scoring.remote(shared) for _ in range(count)]
        except BaseException:
            ray.shutdown()
            raise

    def record(self) -> dict[str, Any]:
        return self._record

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Generator[Batch]:
        left = list(reversed(batches))
        # A batch in store for each process, so that none waits for this one.
        idle = [*self._scorers, *self._scorers]
        owners: dict[Any, Any] = {}
        timed: list[Any] = []
        while left or owners or timed:
            while left and idle:
                scorer = idle.pop()
                owners[scorer.score.remote(left.pop())] = scorer
            [ready], _ = self._ray.wait([*timed, *owners])
            if ready in owners:
                idle.insert(0, owners.pop(ready))
                timed.append(self._lane.time.remote(ready))
            else:
                timed.remove(ready)
                yield self._answer(ready)

    def _answer(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayActorError as error:
            raise InvalidInput(
                "The Ray process that times latency was lost; run the command again, it goes on "
                "where it was."
            ) from error

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()


class _RemoteScorer:
    """A scorer in a process of the cluster."""

    def __init__(self, scorer: Scorer) -> None:
        _one_thread()
        self._scorer = scorer

    def score(self, architectures: Sequence[Architecture]) -> Batch:
        return self._scorer.score(architectures)


class _RemoteLane:
    """The timing meters, in one process of the node that declares `LANE`."""

    def __init__(self, checkpoint: Checkpoint, timers: Timers) -> None:
        _one_thread()
        self._meters = timers(checkpoint)

    def record(self) -> dict[str, Any]:
        return records_of(self._meters)

    def time(self, batch: Batch) -> Batch:
        # The weights need not travel on.
        return replace(add_columns(self._meters, batch, monotonic()), subnets=[])


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
