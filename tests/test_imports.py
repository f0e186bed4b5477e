"""Imports point one way, and what is slow or optional is not imported until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each package may import those of lower floors, and its own; packages of one floor do not import each other.
FLOORS = (
    ("__init__",),
    ("core",),
    ("video", "projects", "editors"),
    ("take", "speaker"),
    ("driving", "radfield"),
    ("refine", "pdu", "evaluation"),
    ("checking",),
    ("api",),
    ("studio",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
LAZY = {"torchvision", "torchaudio", "lpips", "mediapipe", "librosa", "transformers", "diffusers", "face_alignment"}


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(names if node.module == "talker" else {node.module})
    return {name for name in found if name.split(".")[0] == "talker"}


def sources() -> list[Path]:
    return sorted((ROOT / "talker").rglob("*.py"))


PUBLIC = ROOT / "talker" / "__init__.py"  # which imports what it offers when that is first used


@pytest.mark.parametrize("path", sorted({*sources()} - {PUBLIC}), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_lies_below_it(path):
    own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imported_modules(path):
        other = "__init__" if module == "talker.__version__" else room_of(module)
        assert other == own or FLOOR_OF[other] < FLOOR_OF[own] or own == other == "__init__", f"{own} imports {module}"


def run_statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a module but what only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield node
            yield from run_statements(node)


def modules_imported() -> dict[str, set[str]]:
    """Every module of talker, and the modules of talker that it imports, at any depth and inside functions, too."""
    paths = {path.relative_to(ROOT).with_suffix(""): path for path in sources()}
    names = {".".join(parts.parts).removesuffix(".__init__"): path for parts, path in paths.items()}
    graph = {}
    for name, path in names.items():
        graph[name] = set()
        for node in run_statements(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names} & names.keys()
                graph[name] |= inner or {node.module} & names.keys()
            elif isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names} & names.keys()
    return graph


def test_no_imports_run_in_circles():
    graph = modules_imported()
    order = TopologicalSorter(graph)
    order.prepare()  # CycleError names the circle
    assert {"talker.radfield.kernels", "talker.api.commands"} <= graph.keys()


def test_nothing_lies_loose_at_the_top():
    assert {path.name for path in (ROOT / "talker").glob("*.py")} == {"__init__.py", "__main__.py"}


def test_the_demo_speaker_knows_nothing_of_projects_and_edits():
    for path in (ROOT / "talker" / "speaker").glob("*.py"):
        assert {room_of(module) for module in imported_modules(path)} <= {"core", "video", "speaker", "__init__"}, path


@pytest.mark.parametrize("folder", ["talker", "tools"])
def test_nobody_imports_tools_but_tools(folder):
    for path in (ROOT / folder).rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        names = {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
        assert folder == "tools" or not any(name.split(".")[0] == "tools" for name in names), path


def test_slow_and_optional_packages_are_imported_inside_functions():
    for path in sources():
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not LAZY & {name.split(".")[0] for name in names}, path


def test_the_overview_does_not_load_torch():
    code = "import sys, talker.cli; sys.exit(talker.cli.main(['--version']) or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_driving_loads_nothing_that_only_fitting_needs():
    """Every import here is a delay before the first frame; torch alone takes a second."""
    slow = LAZY | {
        "numba",
        "talker.speaker",
        "talker.api.edit_run",
        "talker.api.preview",
        "talker.evaluation.held_out",
        "talker.checking",
        "talker.evaluation.run",
    }
    code = f"import sys, talker.api.commands; print(*({slow!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.stdout.split() == []
