"""Fixtures that several rooms' tests share: a tiny space, its supernet, images, a study."""

import gc
import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import settings

# Two threads in each of two test processes on two cores are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from altered import altering

from foxnas_core.families import space_from_dict
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.tasks.dataset import Dataset, ImageSet

# How long an example takes hangs on what else a machine does.
settings.register_profile("any machine", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("any machine")

altering.begin()

# What is imported and collected stays, so no collection of garbage finds anything of it.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


REPOSITORY = Path(__file__).parents[1]
DEMO = REPOSITORY / "data" / "demo"


def tiny_document(**changes) -> dict:
    """A space of the MBConv family small enough to train in seconds."""
    stage = {
        "stride": 2, "depths": [1, 2], "kernels": [3, 5], "expands": [1, 2],
        "squeeze_excitation": False, "activation": "relu6",
    }  # fmt: skip
    document = {
        "format": 1, "family": "mbconv", "name": "tiny", "input_channels": 1, "classes": 3,
        "resolutions": [8, 12], "stem_width": 4, "stem_stride": 1, "first_width": 0,
        "activation": "relu6", "head_width": 8, "feature_width": 0, "channel_divisor": 4,
        "stages": [{**stage, "width": 4}, {**stage, "width": 8}],
    }  # fmt: skip
    return json.loads(json.dumps(document)) | changes


@pytest.fixture(scope="session")
def tiny_space() -> SearchSpace:
    return space_from_dict(tiny_document())


@pytest.fixture(scope="session")
def tiny_supernet(tiny_space):
    """Of the tiny space, its weights random."""
    import torch
    from weights import randomised

    torch.set_num_threads(1)
    return randomised(tiny_space)


def stripes(count: int, seed: int = 0) -> ImageSet:
    """Images of 12 px whose class is the direction of their stripes, under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    rows, columns = np.mgrid[:12, :12]
    phases = np.stack([rows, columns, rows + columns])[labels] + rng.integers(0, 4, (count, 1, 1))
    pixels = 128 + 60 * np.sin(phases * np.pi / 2) + rng.normal(0, 30, phases.shape)
    return ImageSet(pixels.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


@pytest.fixture(scope="session")
def tiny_dataset() -> Dataset:
    return Dataset(
        "stripes", "made here", ("rows", "columns", "diagonal"), stripes(400, 1), stripes(300, 2)
    )


@pytest.fixture(scope="session", autouse=True)
def no_further_runtimes(tmp_path_factory) -> None:
    """What an export writes must not depend on which runtimes a developer has installed."""
    os.environ["FOXNAS_RUNTIMES"] = str(tmp_path_factory.mktemp("runtimes"))


@pytest.fixture(scope="session", autouse=True)
def shared_fits(tmp_path_factory) -> Iterator[None]:
    """What one test fits, of a table that others have copies of, all read, in all processes."""
    from foxnas_core.steps.kept_fits import KeptFits

    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    users = root / "foxnas" / "fits"
    keep = KeptFits._keep

    def keep_for_all(self: KeptFits, *made) -> None:
        keep(self, *made)
        if users in self.folders:
            keep(KeptFits((users,)), *made)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(KeptFits, "_keep", keep_for_all)
        patched.setenv("XDG_CACHE_HOME", str(root))
        yield


@pytest.fixture(scope="session", autouse=True)
def altered_latencies(tmp_path_factory) -> None:
    """What is measured in tests may be altered, also by the runner that goes to other devices; see
    `altering`. Each test must pass all the same."""
    if os.environ.get(altering.SEED):
        from foxnas_core.measurement import hosts

        altered = tmp_path_factory.mktemp("altered") / hosts.RUNNER.name
        altered.write_text(altering.altered_source(hosts.RUNNER.read_text()))
        hosts.RUNNER = altered


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Bound BLAS to one thread whoever loaded it first."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def brief_timing() -> Iterator[None]:
    """As `briefly.time_briefly`."""
    from briefly import time_briefly

    with pytest.MonkeyPatch.context() as patched:
        time_briefly(patched)
        yield


@pytest.fixture(scope="session")
def tiny_checkpoint(brief_timing, tiny_space, tiny_dataset, tmp_path_factory):
    """A supernet trained for a moment on stripes."""
    import torch

    from foxnas_core.supernet.checkpoint import Checkpoint
    from foxnas_core.tasks.classification import Classification
    from foxnas_core.training.recipe import Recipe
    from foxnas_core.training.supernets import train

    torch.set_num_threads(1)
    state = tmp_path_factory.mktemp("training") / "state.safetensors"
    task = Classification.of(tiny_dataset)
    trained = train(tiny_space, task, tiny_dataset, Recipe(8, 40, 2e-2), state_file=state)
    return Checkpoint(trained.supernet, trained.record)


@pytest.fixture
def lenient_checks(brief_timing, monkeypatch):
    """Networks of some microseconds, timed beside other tests, are not steady enough to be judged:
    how many rows a fit reads must not depend on what else runs. For what is measured in the test
    itself; the numbers of `tiny_rows` are fixed, also for processes that a test starts."""
    from briefly import judge_leniently

    judge_leniently(monkeypatch)


@pytest.fixture
def fixed_latencies(lenient_checks, monkeypatch):
    """Latencies measured in the test are the same on every machine: for what is about the rows."""
    from fixed import fixed_visit

    from foxnas_core.measurement.latency import LatencyMeter

    monkeypatch.setattr(LatencyMeter, "_visit", fixed_visit)


@pytest.fixture
def tiny_study(lenient_checks, tiny_checkpoint, tiny_dataset, tmp_path):
    """A study of its own for each test: weights and images, no measurements yet."""
    from foxnas_core.study import create_study
    from foxnas_core.supernet.checkpoint import save_checkpoint

    study = create_study(tmp_path / "tiny", tiny_checkpoint.supernet.space, name="Tiny")
    save_checkpoint(study.checkpoint_file, tiny_checkpoint.supernet, tiny_checkpoint.record)
    study.save_images(tiny_dataset.training.take(slice(0, 100)), tiny_dataset.held_out)
    return study


@pytest.fixture(scope="session")
def tiny_rows(tiny_checkpoint, tiny_dataset):
    """Forty subnets with fixed numbers for what depends on a machine: (measured rows,
    circumstances)."""
    from fixed import FixedMeter

    from foxnas_core.measurement.campaign import run_campaign
    from foxnas_core.measurement.cost import CostMeter

    rows, circumstances = [], {}

    def keep(part, record):
        rows.extend(part)
        circumstances.update(record)

    run_campaign(
        tiny_checkpoint,
        tiny_checkpoint.supernet.space.sample(40, seed=0),
        meters=[FixedMeter(), CostMeter()],
        calibration=tiny_dataset.training.take(slice(0, 100)),
        seed=0,
        keep=keep,
    )
    return rows, circumstances


@pytest.fixture
def measured_study(tiny_study, tiny_rows):
    """`tiny_study` with the forty rows of fixed numbers in its table."""
    rows, circumstances = tiny_rows
    tiny_study.append([r.architecture for r in rows], [r.values for r in rows], circumstances)
    return tiny_study


@pytest.fixture
def elsewhere(measured_study, monkeypatch):
    """`measured_study` on another machine than the one that its latencies are of, whose own are
    fixed numbers too."""
    from fixed import FixedDevice

    from foxnas_core.measurement import device_meters, runner

    monkeypatch.setattr(runner, "device_name", lambda: "Another processor")
    monkeypatch.setattr(device_meters, "meter_of", FixedDevice)
    return measured_study


@pytest.fixture
def begun_study(tiny_study, tiny_rows):
    """`tiny_study` with the first of them: how fast the machine is at rest is known, so commands
    need not wait until it settles."""
    (first, *_), circumstances = tiny_rows
    tiny_study.append([first.architecture], [first.values], circumstances)
    return tiny_study


def copy_of_demo(folder: Path, *more: str) -> None:
    """What every copy of the shipped study has, and `more` of its files."""
    folder.mkdir(parents=True)
    for name in ("study.json", "space.json", "measurements.parquet", "optima.parquet", *more):
        shutil.copy(DEMO / name, folder / name)


@pytest.fixture
def studies(tmp_path, monkeypatch):
    """A folder of studies that the app is pointed at, with a copy of the demo's table in it."""
    folder = tmp_path / "studies"
    copy_of_demo(folder / "demo")
    monkeypatch.setenv("FOXNAS_STUDIES", str(folder))
    return folder


@pytest.fixture
def cells(studies):
    """A study "cells" of listed operations, one group each, beside the demo's."""
    from hand import choice_space

    from foxnas_core.study import create_study

    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
    space = choice_space({f"edge{i}": operations for i in range(4)})
    study = create_study(studies / "cells", space, name="Cells")
    architectures = space.sample(120, seed=0)
    codes = space.encode(architectures)
    noise = np.random.default_rng(0).normal(0, 0.1, len(codes))
    study.append(
        architectures,
        [
            {"accuracy": 60 + row.sum() + e, "latency_ms": 1 + 0.1 * row.sum() + 0.01 * e}
            for row, e in zip(codes, noise, strict=True)
        ],
    )
    return study


@pytest.fixture
def cell_study(studies):
    """A study "nas" of NAS-Bench-201's cells, beside the demo's."""
    from cell_study import cell_study

    from foxnas_core.study import open_study

    folder = studies / "nas"
    # Some modules keep one folder of studies for all their tests.
    return open_study(folder) if folder.exists() else cell_study(folder)


@cache
def spare_what_tests_need_not() -> None:
    """Before each page Streamlit's test looks through all installed packages for components, and
    then asks a thousand times a second, in the interpreter that draws it, whether it is drawn;
    together that takes longer than some pages do."""
    from streamlit.components.v2 import manifest_scanner as scanner
    from streamlit.testing.v1 import local_script_runner as running

    asking = running.require_widgets_deltas

    def wait_then_ask(runner, timeout: float = 3) -> None:
        runner._script_thread.join(timeout)
        asking(runner, 1)  # which says so where it took longer

    scanner.scan_component_manifests = cache(scanner.scan_component_manifests)
    running.require_widgets_deltas = wait_then_ask


def run_page(name: str, **address: str):
    """A page as Streamlit runs it on a cold deep link, without a browser; its name may go on as an
    address does, as in pages/7_Devices.py?view=int8."""
    from streamlit.testing.v1 import AppTest

    spare_what_tests_need_not()
    name, _, query = name.partition("?")
    # Pages are found, and linked to, from the entry point only.
    page = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=300)
    if name != "app.py":
        page.switch_page(name)
    for key, value in (dict(parse_qsl(query)) | address).items():
        page.query_params[key] = value
    return page.run()


def unguarded_page(name: str, **address: str):
    """The same in a session that holds predictions to the limits, whatever is measured."""
    return run_page(name, **{"guard": "0", **address})


def sentences(page) -> str:
    """Everything a page says: text, captions, cards."""
    parts = [*page.markdown, *page.caption, *page.error, *page.warning, *page.info, *page.success]
    return "\n".join(str(part.value) for part in parts)
