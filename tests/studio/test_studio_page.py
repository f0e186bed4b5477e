"""The page's own files: small, served from here, complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "talker/studio/page"
MODULES = sorted(PAGE.glob("*.js"))


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_a_file_reads_like_the_rest_of_the_program(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 350
    assert path.suffix == ".svg" or max(map(len, lines)) <= 140
    assert path.suffix not in (".js", ".css") or lines[0].startswith("/*"), "a file says what it is"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_what_a_module_imports_is_there(path):
    for names, module in re.findall(r"import (?:\{([^}]*)\}|\* as \w+) from \"\./([\w-]+\.js)\"", path.read_text()):
        there = (PAGE / module).read_text()
        for name in filter(None, (each.strip().split(" as ")[0] for each in names.split(","))):
            assert re.search(rf"export (async )?(const|let|class|function) {name}\b", there), (module, name)


def test_nothing_is_fetched_from_elsewhere(page):
    for path in PAGE.iterdir():
        text = path.read_text().replace("http://www.w3.org/", "")
        assert "http://" not in text and "https://" not in text, path
    headers = page.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    for name in re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.get("/").text):
        assert page.get(name).status_code == 200, name
