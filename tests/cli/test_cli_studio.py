"""`talker studio` on the command line, and the journal that it reads of other commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from talker.cli import main
from talker.core.journal import VARIABLE, Journal
from talker.core.types import Onlooker, Silent
from tests.cli.console import refused

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_what_cannot_be_opened_is_refused(place, capsys):
    assert "not a folder" in refused(capsys, "studio", "nowhere")
    said = refused(capsys, "studio", "--host", "0.0.0.0")
    assert "other machines" in said and "--token" in said
    for host in ("127.0.0.1", "0.0.0.0"):
        for token in ("short", ""):
            assert "8 letters" in refused(capsys, "studio", "--host", host, "--token", token)


def test_a_token_may_come_by_the_environment(place, capsys, monkeypatch):
    """There, unlike on a command line, other users of the machine do not see it."""
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    monkeypatch.setenv("TALKER_TOKEN", "short")
    assert "8 letters" in refused(capsys, "studio")
    monkeypatch.setenv("TALKER_TOKEN", "a long secret")
    assert main(["studio", "--host", "0.0.0.0", "--port", "0", "--open"]) == 0
    assert "/?token=a%20long%20secret (Ctrl-C" in capsys.readouterr().out
    assert "once=" in opened[0] and "secret" not in opened[0], "a browser's command line can be read, too"
    assert main(["studio", "--port", "0", "--token", "another secret"]) == 0
    assert "/?token=another%20secret " in capsys.readouterr().out
    from talker.studio.jobs import _environment

    assert "TALKER_TOKEN" not in _environment()
    assert main(["studio", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "list of processes (ps): rather set TALKER_TOKEN" in said


def test_without_its_extra_it_says_how_to_get_it(place, capsys, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("talker.studio.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "[studio]" in refused(capsys, "studio")


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_is_taken_is_refused(place, capsys, port):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = str(listener.getsockname()[1]) if port == "taken" else port
        assert main(["studio", "--port", number]) == 2
    assert "--port" in capsys.readouterr().err


def test_a_studio_is_open_until_it_is_told_to_end(project, place):
    """Given the project itself, it opens the folder that the project lies in."""
    command = [sys.executable, "-m", "talker", "studio", str(project.root), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        address = process.stdout.readline().split(" is at ")[1].split()[0]
        with urllib.request.urlopen(f"{address}api/home") as answer:
            assert [each["name"] for each in json.load(answer)["projects"]] == ["toy.talker"]
        assert (place / ".studio" / "checks").is_dir(), "`talker check -o` makes no folder"
        second = subprocess.run([*command[:-1], "0"], capture_output=True, text=True, env=environment)
        assert second.returncode == 2 and "a studio" in second.stderr
        process.send_signal(signal.SIGINT)
        assert "closed" in process.stdout.read() and process.wait(20) == 0


def test_a_command_keeps_a_journal_where_it_is_asked_to(place, project, monkeypatch):
    path = place / "0001.jsonl"
    monkeypatch.setenv(VARIABLE, str(path))
    assert main(["info"]) == 0
    assert main(["drive", "nothing.wav"]) == 2
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["ended"] for event in told if "ended" in event] == [0, 2]
    assert "toy.talker" in told[0]["text"] and "nothing.wav" in told[-1]["text"]


def test_a_journal_tells_each_task_and_shows_pictures(place):
    journal = Journal(place / "1.jsonl")
    for share in (0.0, 0.1, 0.2, 1.0):
        journal.progress("fit", share)
    journal.progress("measure", 0.0, "a note")
    journal.picture(np.full((8, 8, 3), 200, np.uint8))
    told = [json.loads(line) for line in (place / "1.jsonl").read_text().splitlines()]
    assert [event["fraction"] for event in told if event.get("progress") == "fit"] == [0.0, 1.0]
    assert told[-2]["note"] == "a note" and told[-1]["picture"] == "1.jpg"
    assert (place / "1.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert isinstance(journal, Onlooker) and not isinstance(Silent(), Onlooker)
