"""The direction of imports: which room may import which, and who alone uses a heavy package."""

import ast
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import REPOSITORY

CORE = REPOSITORY / "foxnas_core"
# Lower rooms first; a room imports only from rooms before it, or from itself.
ROOMS = [
    ("errors", "files", "documents", "glossary", "progress"),
    ("space", "plugins", "registry"),
    ("networks", "pickles", "records", "sampling", "workers"),
    ("families",),
    ("tasks", "table"),
    ("supernet",),
    ("training",),
    ("regression", "measurement"),
    ("search", "export", "profiling", "diagnostics"),
    ("explanation",),
    ("devices", "planning", "evidence"),
    ("quantization",),
    ("study",),
    ("figures",),
    ("steps", "launching"),
    ("methods", "hw_nas_bench_api"),
    ("cards",),
    ("reporting",),
    ("options", "commands"),
    ("testing",),
    ("__main__",),
]
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
# Export takes prepared subnets, which measuring makes: the one arrow between rooms of the middle.
USERS = {
    "streamlit": (),
    "plotly": ("figures", "cards/card", "reporting/layout", "reporting/report"),
    "statsmodels": ("regression", "evidence/verification/judging"),
    "shap": ("explanation/shapley",),
    "sklearn": ("explanation/permutation",),
    "interpret": ("explanation/second_opinion",),
    "numba": ("search",),
    "pymoo": ("search/strategies/nsga2",),
    "optuna": ("search/strategies/samplers",),
    "torch": (
        "networks",
        "families/layers",
        "families/*/layers",
        "families/*/network",
        "families/*/subnet",
        "families/*/supernet",
        "families/mbconv/once_for_all",
        "supernet",
        "tasks/classification",
        "tasks/dice",
        "tasks/images",
        "tasks/segmentation",
        "tasks/task",  # in types alone
        "training",
        "testing/supernets",
        "testing/tasks",
        "testing/updates",
        "measurement",
        "export",
        "quantization",
        "evidence/trust/alone",
        "methods/adversarial",
        "methods/masking",
        "methods/sampled",
        "profiling/layers",
        "evidence/handmade/bench",
        "evidence/handmade/networks",
        "commands",
        "steps",
    ),
    "onnxruntime": ("supernet", "measurement", "profiling"),
    "nibabel": ("tasks/decathlon",),
    "tqdm": ("commands", "launching"),
    "rich": ("commands/printing",),
    "filelock": ("study/locks",),
    "jinja2": ("reporting/report",),
    "ray": ("measurement/cluster",),
}
FILES = sorted(CORE.rglob("*.py"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imported(path: Path) -> set[str]:
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    return path.relative_to(CORE).with_suffix("").parts[0]


def test_rooms_import_only_from_rooms_before_them():
    rooms = {path: room_of(path) for path in FILES}
    rooms = {path: room for path, room in rooms.items() if room != "__init__"}
    assert set(rooms.values()) <= set(LEVEL), "give each room a place in ROOMS"
    wrong = [
        f"{path.relative_to(CORE)}: {name}"
        for path, room in rooms.items()
        for name in imported(path)
        if name.startswith("foxnas_core.")
        and (other := name.split(".")[1]) != room
        and LEVEL[other] >= LEVEL[room]
    ]
    assert wrong == []


def is_user(path: Path, package: str) -> bool:
    here = str(path.relative_to(CORE).with_suffix(""))
    return any(fnmatch(here, a) or here.startswith(a + "/") for a in USERS[package])


def test_heavy_packages_have_their_own_users():
    found = {(path, name.split(".")[0]) for path in FILES for name in imported(path)}
    wrong = [
        f"{path.relative_to(CORE)}: {package}"
        for path, package in found
        if package in USERS and not is_user(path, package)
    ]
    assert wrong == []


def test_no_imports_run_in_circles():
    modules = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
        for path in FILES
    }

    def module_of(name: str) -> str:
        """The module that an imported name is, or stands in."""
        return name if name in modules else name.rpartition(".")[0]

    graph = {
        module: {module_of(name) for name in imported(path)} & set(modules) - {module}
        for module, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' -> '.join(reversed(error.args[1]))}")


# Pages and views that only render cards, and what they may read beside those.
VIEWS = sorted((REPOSITORY / "pages" / "views").glob("*/*.py"))
# What starts a measurement, an export or an import.
COMPUTE = {"views/trust/verify", "views/export/files", "views/studies/table"}
RENDERERS = [
    "1_Coefficients", "2_What_if", "5_Diagnostics",
    *sorted({str(p.relative_to(REPOSITORY / "pages").with_suffix("")) for p in VIEWS} - COMPUTE),
]  # fmt: skip
READ = {"cards", "errors", "glossary", "space", "study", "table"}


def test_modules_and_functions_are_short():
    sources = [*FILES, *(REPOSITORY / "benchmarks").glob("*.py")]
    long = [str(path) for path in sources if path.read_text().count("\n") > 400]
    long += [
        f"{path}: {node.name}"
        for path in sources
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 80
    ]
    assert long == []


@pytest.mark.parametrize("page", RENDERERS)
def test_pages_of_cards_compute_nothing(page):
    names = imported(REPOSITORY / "pages" / f"{page}.py")
    rooms = {name.split(".")[1] for name in names if name.startswith("foxnas_core.")}
    assert rooms <= READ, f"{page} imports {sorted(rooms - READ)}"
    assert not {name.split(".")[0] for name in names} & {"numpy", "pandas", "plotly", "scipy"}


def test_session_state_and_caches_have_one_user_each():
    pages = [REPOSITORY / "app.py", *sorted((REPOSITORY / "pages").rglob("*.py"))]
    state = {p.name for p in pages if "session_state" in p.read_text()}
    caches = {p.parent.name for p in pages if "@st.cache_" in p.read_text()}
    assert state == {"choices.py"}
    assert caches == {"cache"}


def test_importing_a_room_loads_no_torch_nor_shap():
    light = (
        "study", "steps.fit", "steps.export", "commands", "cards.analysis", "space.search_space",
        "table.measurements", "regression.features", "regression", "tasks.task", "training.updates",
    )  # fmt: skip
    code = (
        "import sys\nfrom importlib import import_module\n"
        f"for module in {light}:\n"
        "    import_module(f'foxnas_core.{module}')\n"
        "    heavy = {'torch', 'shap', 'sklearn', 'interpret', 'onnxruntime', 'numba', 'plotly'}\n"
        "    heavy &= set(sys.modules)\n"
        "    assert not heavy, f'{module}: {heavy}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
