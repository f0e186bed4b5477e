"""Names and words of any bytes: they are used, told and written down, or refused in one line before any work."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from talker.cli import main
from talker.core.files import load_tensors
from talker.core.text import path_of, text_of
from talker.projects.project import Project
from talker.take.store import load_take
from talker.video import write_wav
from tests.cli.console import everything, refused, tone

pytestmark = pytest.mark.slow

ODD = os.fsdecode(b"v\xfcdeo")
MINE = [
    b"\xff\xfe",
    b"a\nb",
    b"\x1b[31mred",
    b"%03d",
    b"it's",
    b"-o",
    b"\xc3\xbc",
    b"a\\xfcb",
    b"..",
    b"\xed\xa0\x80",
    b" ",
]


def random_names(seed: int, count: int) -> list[str]:
    """Names of any bytes but / and zero, as Python holds them."""
    chance = random.Random(seed)
    any_byte = [byte for byte in range(1, 256) if byte != ord("/")]
    found = [bytes(chance.choices(any_byte, k=chance.randint(1, 40))) for _ in range(count)]
    return [os.fsdecode(name) for name in [*MINE, *found]]


@contextmanager
def ascii_only(monkeypatch) -> Iterator[io.BytesIO]:
    """Standard output and standard error that take no letter but ASCII's, and fail at any other."""
    said = io.BytesIO()
    with monkeypatch.context() as patch, io.TextIOWrapper(said, "ascii", "strict", write_through=True) as stream:
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        yield said


def test_text_leads_back_to_the_file(place):
    for name in random_names(0, 200):
        (place / "odd").mkdir()
        path = place / "odd" / f"{name}.wav"
        path.touch()
        text = text_of(path.name)
        assert json.loads(json.dumps(text)) == text and text.encode().decode() == text == text_of(text)
        assert path_of(text, path.parent) == path
        path.unlink()
        path.parent.rmdir()
    assert path_of("b\\xfc\0\ud800") == Path(os.fsdecode(b"b\xfc\xef\xbf\xbd\xef\xbf\xbd"))


def test_any_name_is_driven_told_and_found_again(project, monkeypatch):
    names = random_names(1, 2)[::2]
    for name in names:
        write_wav(Path(f"in {name}.wav"), tone(0.04))
        words = ["drive", f"in {name}.wav", "-o", f"out {name}.mp4"]
        with ascii_only(monkeypatch):
            assert main(words) == 0 and Path(f"out {name}.mp4").stat().st_size > 1000
            assert main(words) == 0  # done already: its record names the file
            assert main(["info"]) == 0
    with ascii_only(monkeypatch) as said:
        assert main(["info", "--json"]) == 0
        renders = json.loads(said.getvalue())["renders"]
    assert len(renders) == len(names) and all(path_of(render["video"], project.root).is_file() for render in renders)


def test_a_project_of_any_name_is_worked_in(project, capsys):
    """Pictures, tensors, records and locks are found in it; what was printed of it names it again."""
    project.root.rename(f"{ODD}.talker")
    words = ["--instruction", "make the background blue", "--rounds", "1", "--frames", "2", "--training-steps", "1"]
    assert main(["edit", *words, "--name", "blue", "--quiet"]) == 0
    found = Project.find(Path.cwd())
    assert len(load_take(found.path("take"))) == 12 and load_tensors(found.path("edits/blue/field.safetensors"))
    capsys.readouterr()
    assert main(["preview", "--instruction", "make the background blue", "--project", f"{ODD}.talker"]) == 0
    printed = re.search(r"--project '(.+?)'", capsys.readouterr().out)[1]
    assert printed == r"v\xfcdeo.talker" and main(["edits", "--project", printed]) == 0


def test_words_of_any_bytes_are_refused_before_any_work(project, monkeypatch):
    Path("clip.mp4").touch()
    before = everything()
    for name in random_names(2, 4)[::2]:
        for words in (
            ["edit", "--instruction", name],
            ["edit", f"--instruction=make the background {name}", "--dry-run"],
            ["edit", "--instruction", "make the background blue", f"--name={name}/"],
            ["edit", "--instruction", "make the background blue", "--dry-run", f"--only={name}"],
            ["edits", "--remove", name, "--force"],
            ["drive", "clip.mp4", f"--background={name}"],
            ["drive", "clip.mp4", f"--edit={name}"],
            ["fit", f"./{name}.mp4"],
            ["check", "clip.mp4", f"-o{name}/page.html"],
            ["info", f"--project={name}"],
            [name],
        ):
            with ascii_only(monkeypatch) as stream:
                assert main(words) == 2, words
                said = stream.getvalue()
            assert said.startswith(b"talker: ") and said.count(b"\n") == 1 and b"\x1b" not in said, words
    assert everything() == before


def test_a_console_without_letters_and_a_locale_without_names(project):
    """The file system's names as bytes alone, standard output as ASCII alone: a program of its own has them from the
    start."""
    project.path("edits/bronze").rename(project.path("edits/Größe"))
    project.root.rename(f"{ODD}.talker")
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    environment = {**os.environ, **bare, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "talker", "info", "--project", f"{ODD}.talker"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.startswith(b"v\\xfcdeo.talker\n") and b"edits/Gr\\xf6\\xdfe" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["edits", "--remove", ""],
        ["edits", "--rename", "bronze", ""],
        ["edit", "--instruction", ""],
        ["edit", "--instruction", "make the background blue", "--name", ""],
        ["edit", "--instruction", "make the background blue", "--from", ""],
        ["edit", "--instruction", "make the background blue", "--model", ""],
        ["edit", "--instruction", "make the background blue", "--only", " "],
        ["preview", "--instruction", "make the background blue", "--project", ""],
        ["drive", ""],
        ["drive", "speech.wav", "--edit", ""],
        ["drive", "speech.wav", "-o", ""],
        ["drive", "speech.wav", "--background", ""],
        ["drive", "speech.wav", "--kernels", ""],
        ["drive", "speech.wav", "--view", ""],
        ["eval", "--speech", ""],
        ["eval", "--edit", "bronze", "--caption-before", "", "--caption-after", "a"],
        ["eval", "--clip", ""],
        ["eval", "--arcface", ""],
        ["fit", ""],
        ["fit", "clip.mp4", "-o", ""],
        ["fit", "clip.mp4", "--audio-model", ""],
        ["speaker", "a.mp4", "--truth", ""],
        ["check", "clip.mp4", "-o", ""],
        ["studio", ""],
        ["studio", "--host", ""],
    ],
)
def test_nothing_is_no_name(project, capsys, words):
    assert "is empty" in refused(capsys, *words)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["eval", "--edit", "bronze", "--caption-before", "a man"], "go together"),
        (["eval", "--edit", "bronze", "--caption-after", "a statue"], "go together"),
        (["eval", "--caption-before", "a man", "--caption-after", "a statue"], "name it with --edit"),
        (["eval", "--clip", "a/b"], "--clip is for captions"),
        (["edits", "--force"], "--force is for --remove"),
        (["edits", "--rename", "bronze", "copper", "--json"], "--json is for the list"),
        (["edit", "--instruction", "bronze", "--editor", "builtin", "--sampler", "dpm++"], "--editor ip2p"),
        (["fit", "clip.mp4", "--audio", "mel", "--audio-model", "a/b"], "takes no model"),
        (["fit", "clip.mp4", "--audio", "bogus"], "viseme"),
    ],
)
def test_flags_that_go_together_are_refused_apart(project, capsys, monkeypatch, words, hint):
    monkeypatch.setattr("talker.api.commands.choose_kernels", lambda *_: pytest.fail("it began to work"))
    assert hint in refused(capsys, *words)
