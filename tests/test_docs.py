"""What the documentation says of the program is true: links lead somewhere, commands, flags and routes exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from talker.cli.subcommands import SUBCOMMANDS, parser_of, read
from talker.studio.app import Studio, application
from tests.cli.conftest import place as place
from tests.studio.conftest import project as project
from tests.studio.conftest import studio as studio
from tests.studio.conftest import viewport as viewport
from tests.studio.conftest import workspace as workspace
from tests.test_imports import FLOORS, modules_imported, room_of

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "bench" / "RESULTS.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_LINES = 150  # of the README
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.M)
ROUTE = re.compile(r"^\| `(?P<method>GET|PUT|POST|DELETE|WS) (?P<path>/\S+)` \|", re.M)
SHELL = {"sh", "bash", "console"}
ENDS = {"|", "||", "&&", ";", "&"}  # of a command in a line of the shell
FLAGS_OF_OTHERS = {"--json"}  # of curl

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def fenced(text: str, languages: set[str]) -> list[str]:
    return [match["text"] for match in FENCE.finditer(text) if match["language"] in languages]


def words_of(script: str) -> Iterator[list[str]]:
    """The words of every line of a script, comments left out; a quoted text may go over several lines."""
    pending = ""
    for line in script.replace("\\\n", " ").replace("|\n", "| ").splitlines():
        lexer = shlex.shlex(pending + line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            yield list(lexer)
            pending = ""
        except ValueError:  # a quotation that has not ended
            pending += f"{line}\n"
    assert not pending, pending


def commands_in(script: str) -> list[list[str]]:
    """The words after `talker` of every command in a script of the shell."""
    found = []
    for line in words_of(script):
        command: list[str] = []
        for word in [*line, ";"]:
            if word not in ENDS:
                command.append(word)
                continue
            while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):  # VARIABLE=value before it
                command.pop(0)
            if command and command[0] == "talker":
                found.append(command[1:])
            command = []
    return found


def plain_commands(text: str) -> list[list[str]]:
    """Commands of talker in scripts and between backticks, without those whose name alone is mentioned."""
    found = [words for script in fenced(text, SHELL) for words in commands_in(script)]
    for code in CODE.findall(FENCE.sub("", text)):
        words = shlex.split(code)
        if words[0] == "talker" and len(words) > 1 and words[1] != "COMMAND":
            found.append(words[1:])
    return [words for words in found if len(words) > 1 or words[0] not in SUBCOMMANDS]


def anchors_of(page: Path) -> set[str]:
    """What a link may name after #, as GitHub and mkdocs make it of headings without punctuation."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower()) for text in headings}


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES


@pages
def test_links_lead_to_files_and_headings_that_exist(page):
    for match in LINK.finditer(FENCE.sub("", page.read_text())):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http://", "https://")):
            continue
        path = page.parent / target if target else page
        assert path.exists(), f"{page.name}: {match['target']}"
        assert not anchor or anchor in anchors_of(path), f"{page.name}: {match['target']}"


@pages
def test_commands_are_understood(page, capsys):
    for words in plain_commands(page.read_text()):
        if words[-1] == "--help":
            with pytest.raises(SystemExit):
                read(words)
        else:
            assert read(words).call is SUBCOMMANDS[words[0]].call


def test_commands_are_found_where_they_stand():
    script = (
        "A=1 talker fit a.mp4 # talker no\n"
        "curl -d '{\n}' talker/x\n"
        "cat x |\n  talker drive --live -o - | ffplay -\n"
        "make && talker \\\n  info\n"
    )
    assert commands_in(script) == [["fit", "a.mp4"], ["drive", "--live", "-o", "-"], ["info"]]
    text = f"```sh\n{script}```\n`talker`, `talker drive` and `talker edits --json`; `talker COMMAND --help`"
    assert plain_commands(text) == [["fit", "a.mp4"], ["drive", "--live", "-o", "-"], ["edits", "--json"]]


@pages
def test_flags_exist(page):
    known = {flag for name in SUBCOMMANDS for flag in parser_of(name)._option_string_actions} | FLAGS_OF_OTHERS
    for code in CODE.findall(FENCE.sub("", page.read_text())):
        if code.startswith("--"):
            assert code.split()[0] in known, f"{page.name}: {code}"


@pages
def test_python_compiles_and_imports_what_exists(page):
    for text in fenced(page.read_text(), {"python"}):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                assert all(import_module(alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert all(hasattr(import_module(node.module), alias.name) for alias in node.names), node.module
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "talker":
                assert hasattr(import_module("talker"), node.attr), node.attr


def test_every_route_of_the_studio_is_told(studio: Studio):
    told = {(match["method"], match["path"]) for match in ROUTE.finditer((ROOT / "docs" / "studio.md").read_text())}
    there = set()
    for route in application(studio)._app.routes:
        path = re.sub(r":\w+}", "}", route.path)
        if path.startswith(("/api", "/files", "/stage")):
            methods = getattr(route, "methods", None) or {"WS"}
            there |= {(method, path) for method in methods - {"HEAD"}}
    assert told == there


def test_the_floors_are_those_of_the_house():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    told = {int(floor): set(re.findall(r"`(\w+)`:", text)) for floor, text in rows}
    assert told == {number: set(rooms) for number, rooms in enumerate(FLOORS, 1) if not rooms[0].startswith("__")}


def test_the_diagram_of_packages_draws_the_imports():
    diagram = (ROOT / "docs" / "internals.md").read_text().split("flowchart BT")[1].split("```")[0]
    drawn: dict[str, set[str]] = {}
    for left, right in re.findall(r"^  ([\w &]+) --> ([\w &]+)$", diagram, re.M):
        for package in left.split(" & "):
            drawn.setdefault(package, set()).update(right.split(" & "))
    real: dict[str, set[str]] = {}
    for module, imports in modules_imported().items():
        real.setdefault(room_of(module), set()).update(map(room_of, imports))
    hidden = {"__init__", "__main__"}
    assert closure(drawn) == closure({room: found - hidden for room, found in real.items() if room not in hidden})


def closure(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Of every package, all that can be reached from it; packages that import nothing are left out."""
    found = {package: set(below) - {package} for package, below in graph.items()}
    while True:
        grown = {name: below.union(*(found.get(each, ()) for each in below)) for name, below in found.items()}
        if grown == found:
            return {name: below for name, below in found.items() if below}
        found = grown
