"""Times model files on the device it runs on: `python3 runner.py FOLDER`.

It stands alone, so that it can be copied to any device with Python 3.9, numpy and one runtime.
FOLDER holds `job.json` and the model files; `rows.json` is written beside them. The job is

    {"runtime": onnxruntime | openvino | executorch | litert,
     "models": [{"name", "file", "shape": [N, C, H, W], "precision"}],
     "references": {PRECISION: {"file", "shape"}},
     "runs", "warm_up_runs", "rounds", "seed", "threads", "settle", "looks", "seconds", "lenient"}

and the result `{"rows", "settled_ms", "refused", "circumstances"}`. Each round visits all models in
a fresh random order, and the reference of a model's precision, briefly, before and after each;
where the two differ, the clock changed meanwhile, and the visit is made again. A row is one model
in one round: `tenth_ms` (10th percentile of the runs), `minimum_ms`, `count`, what the sensors say
after it (`clock_mhz`, `temperature_c`, null where the device tells none), and `reference_ms`,
`reference_low_ms`, `reference_high_ms` (mean and range of the reference before and after it).
`settled_ms` has each reference's time before the first round, looked at `settle` visits at a time
until it has settled or `looks` times, or is null. `seconds` bounds a visit, see `timed`. A model
that the runtime can't load ends the job; with `lenient` it has no rows, and `refused` why.
"""

from __future__ import annotations  # Python 3.9 knows no `int | None` yet

import contextlib
import ctypes
import importlib.metadata
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FORMAT = 1
# When a device's time has settled, see `settled`.
LOOKS_ALIKE, ALIKE, MOST_LOOKS = 5, 0.02, 40
# Of a model's visit, the share of a look at the reference; what two looks may differ by, and how
# often a visit is made where they differ by more.
BRIEF, STEADY, MOST_VISITS = 1 / 4, 0.05, 3
# Runs of a visit, however long they take, and how long it lasts unless told.
LEAST_RUNS, MOST_SECONDS = 5, 1.0
# Of each runtime: the package that runs its models, and what it calls itself.
PACKAGES = {
    "onnxruntime": ("onnxruntime", "ONNX Runtime"),
    "openvino": ("openvino", "OpenVINO"),
    "executorch": ("executorch", "ExecuTorch"),
    "litert": ("ai-edge-litert", "LiteRT"),
}

Run = Callable[[], object]

_PROCESSORS = Path("/sys/devices/system/cpu")


class Timing(NamedTuple):
    """Runs of one model at one visit: their 10th percentile and minimum (ms), and how many."""

    tenth: float
    minimum: float
    runs: int


def timed(
    run: Run, runs: int, warm_up: int, seconds: float | None = None, share: float = 1
) -> Timing:
    """Time `runs` calls of `run`, after `warm_up` that don't count, or a `share` of both.

    Where these would take longer than `seconds` (`MOST_SECONDS` where None), calls end then, but
    not before `LEAST_RUNS`, and those that don't count after a tenth of that time.
    """
    runs, warm_up = math.ceil(runs * share), math.ceil(warm_up * share)
    clock, most = time.perf_counter_ns, (seconds or MOST_SECONDS) * share * 1e9
    began = clock()
    for _ in range(warm_up):
        run()
        if clock() - began > most / 10:
            break
    taken = np.empty(runs)
    began, count = clock(), 0
    while count < runs and (count < LEAST_RUNS or clock() - began < most):
        start = clock()
        run()
        taken[count] = clock() - start
        count += 1
    taken = taken[:count] / 1e6
    return Timing(float(np.quantile(taken, 0.1)), float(taken.min()), count)


def interleaved(
    models: Mapping[str, Callable[[], Timing]],
    references: Mapping[str, Callable[[], Timing]],
    *,
    precisions: Mapping[str, str],
    rounds: int,
    rng: np.random.Generator,
    sense: Callable[[], dict[str, Any]],
) -> list[dict[str, Any]]:
    """One row a model and round, as the module describes; a slow second falls on both alike.

    `precisions` names the reference of each model.
    """
    names = list(models)
    rows = []
    for number in range(rounds):
        marks: dict[str, float] = {}
        for index in rng.permutation(len(names)):
            name = names[index]
            own = precisions[name]
            before = marks[own] if own in marks else references[own]().tenth
            timing, before, after = _between(models[name], references[own], before)
            # Time has gone by since any other reference was looked at.
            marks = {own: after}
            row = {"model": name, "round": number, "tenth_ms": timing.tenth}
            row.update(minimum_ms=timing.minimum, count=timing.runs, **sense())
            row.update(reference_ms=(before + after) / 2)
            row.update(reference_low_ms=min(before, after), reference_high_ms=max(before, after))
            rows.append(row)
    return rows


def _between(
    model: Callable[[], Timing], reference: Callable[[], Timing], before: float
) -> tuple[Timing, float, float]:
    """A visit, and the reference's time before and after it: the one of at most `MOST_VISITS`
    within which the reference differed least, and the first where it did by no more than `STEADY`.
    """
    tried = []
    for _ in range(MOST_VISITS):
        timing, after = model(), reference().tenth
        change = max(before, after) / min(before, after) - 1
        tried.append((change, timing, before, after))
        if change <= STEADY:
            break
        before = after
    return min(tried, key=lambda visit: visit[0])[1:]


def settled(
    reference: Callable[[], Timing], visits: int, looks: int | None = None, pause: float = 0.2
) -> float:
    """The reference's time (ms): the median over visits of the 10th percentile.

    A processor may run faster or slower than it mostly does for a second or two. So it is looked
    at again, `visits` at a time and `pause` seconds apart, until the medians of `LOOKS_ALIKE`
    in a row lie within `ALIKE` of each other, or `looks` times, `MOST_LOOKS` at most.
    """
    seen: list[float] = []
    while True:
        seen.append(float(np.median([reference().tenth for _ in range(visits)])))
        last = seen[-LOOKS_ALIKE:]
        if len(last) == LOOKS_ALIKE and max(last) <= (1 + ALIKE) * min(last):
            return float(np.median(last))
        if len(seen) >= min(looks or MOST_LOOKS, MOST_LOOKS):
            return float(np.median(seen))
        time.sleep(pause)


def settled_each(
    references: Mapping[str, Callable[[], Timing]], visits: int, looks: int | None = None
) -> dict[str, float] | None:
    """Each reference's time once it has `settled`, or None for no visits."""
    return {n: settled(r, visits, looks) for n, r in references.items()} if visits else None


@contextlib.contextmanager
def one_core() -> Iterator[bool | None]:
    """Hold the calling thread to the core it is on, and let it go where it was allowed before.

    Gives whether that worked, or None on a system that knows no such thing. The scheduler has put
    a running thread where there was room, so its choice is kept rather than one of ours.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {_current_core()})
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def governor(processors: Path = _PROCESSORS) -> str | None:
    """What governs the clock of the current core; None where the system does not tell."""
    return _told(processors, "scaling_governor")


def clock_mhz(processors: Path = _PROCESSORS) -> float | None:
    """The current core's clock in MHz; None where the system does not tell."""
    told = _told(processors, "scaling_cur_freq")
    return float(told) / 1000 if told is not None and told.isdigit() else None


def _told(processors: Path, name: str) -> str | None:
    with contextlib.suppress(OSError):
        return (processors / f"cpu{_current_core()}" / "cpufreq" / name).read_text().strip()
    return None


def _current_core() -> int:
    with contextlib.suppress(AttributeError, OSError):
        return int(ctypes.CDLL(None).sched_getcpu())
    return 0


def sensors() -> dict[str, Any]:
    """The clock of the current core (MHz) and the temperature (°C, the warmest zone), None where
    the system tells none."""
    zones = [_number(p) for p in Path("/sys/class/thermal").glob("thermal_zone*/temp")]
    known = [zone / 1000 for zone in zones if zone is not None]
    return {"clock_mhz": clock_mhz(), "temperature_c": max(known) if known else None}


def device_name() -> str:
    """The processor's or the board's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    board = Path("/proc/device-tree/model")
    if board.exists():
        return board.read_text().strip("\0 \n")
    return platform.processor() or platform.machine()


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None


# Runtimes: from a file to a call that runs it once, on one fixed input.


def _image(shape: list[int]) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def bound_session(session: Any, image: np.ndarray) -> Run:
    """An ONNX Runtime session bound to one input, so that a run costs no copy."""
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, image)
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding)


def onnxruntime_options(threads: int) -> Any:
    """Session options with so many threads, which do not spin while they wait."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without VNNI, a processor's quicker int8 kernel overflows, which would time wrong answers.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _onnxruntime(path: Path, shape: list[int], threads: int) -> Run:
    import onnxruntime

    providers = ["CPUExecutionProvider"]
    options = onnxruntime_options(threads)
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=providers)
    return bound_session(session, _image(shape))


def _openvino(path: Path, shape: list[int], threads: int) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape(shape)
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Else processors with bf16 would silently use it, and the column would not be fp32.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(_image(shape)))
    return request.infer


def _executorch(path: Path, shape: list[int], threads: int) -> Run:
    import torch
    from executorch.extension.pybindings import portable_lib
    from executorch.runtime import Runtime

    if portable_lib._threadpool_get_thread_count() != threads:
        portable_lib._unsafe_reset_threadpool(threads)
    method = Runtime.get().load_program(path).load_method("forward")
    inputs = [torch.from_numpy(_image(shape))]
    return lambda: method.execute(inputs)


def _litert(path: Path, shape: list[int], threads: int) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    image = _image(shape).reshape(entry["shape"])
    if entry["dtype"] == np.int8:
        scale, zero = entry["quantization"]
        image = np.clip(np.round(image / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(entry["index"], image)
    return interpreter.invoke


_LOADERS = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "executorch": _executorch,
    "litert": _litert,
}


class Refusal(Exception):
    """What keeps the job from being done, as one sentence."""


def run_job(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a job whose files lie in `folder`; raises `Refusal`."""
    package, title = PACKAGES[job["runtime"]]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise Refusal(
            f"{package} is not installed for {sys.executable}; run "
            f"'{sys.executable} -m pip install {package}' on that device."
        ) from None
    load, threads = _LOADERS[job["runtime"]], job["threads"]

    def visit(model: Mapping[str, Any], share: float = 1) -> Callable[[], Timing]:
        # The name is ours, but what comes over a wire must not lead out of the folder.
        run = load(folder / Path(model["file"]).name, model["shape"], threads)
        return lambda: timed(run, job["runs"], job["warm_up_runs"], job.get("seconds"), share)

    # Before the runtime is loaded, so that its own threads are held as well.
    with one_core() as held:
        references = {name: visit(own, BRIEF) for name, own in job["references"].items()}
        models, refused = {}, {}
        for model in job["models"]:
            try:
                models[model["name"]] = visit(model)
            except Exception as error:
                if not job.get("lenient"):
                    raise
                refused[model["name"]] = str(error).strip().splitlines()[-1][:200]
        found = settled_each(references, job["settle"], job.get("looks"))
        rows = interleaved(
            models,
            references,
            precisions={model["name"]: model["precision"] for model in job["models"]},
            rounds=job["rounds"],
            rng=np.random.default_rng(job["seed"]),
            sense=sensors,
        )
    circumstances = {
        "device": device_name(),
        "runtime": f"{title} {version}",
        "device_python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "pinned": held,
        "governor": governor(),
    }
    result = {"format": FORMAT, "rows": rows, "settled_ms": found, "refused": refused}
    return result | {"circumstances": circumstances}


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0])
    try:
        result = run_job(folder, json.loads((folder / "job.json").read_text()))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 3
    unfinished = folder / "rows.json.tmp"
    unfinished.write_text(json.dumps(result))
    os.replace(unfinished, folder / "rows.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
