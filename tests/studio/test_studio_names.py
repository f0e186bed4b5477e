"""Files of any name in the studio's folder: listed, shown, played and used; and names that no file can have."""

from __future__ import annotations

import json
import os
import shutil
from urllib.parse import quote

import pytest

from talker.studio.jobs import Queue
from talker.studio.records import JobFolder
from talker.video import write_wav
from tests.cli.console import film, tone
from tests.studio.sessions import STAGE, next_frame, next_of

ODD = os.fsdecode(b"od\xfcd #1")
TOLD = "od\\xfcd #1"  # as JSON and pages have it


@pytest.fixture
def odd(place, workspace):
    """One more video, sound, picture and project, all of a name that is not UTF-8."""
    film(place / f"{ODD}.mp4", 0.2)
    write_wav(place / f"{ODD}.wav", tone(0.2))
    shutil.copy(place / "toy.talker/take/background.png", place / f"{ODD}.png")
    shutil.copytree(place / "toy.talker", place / f"{ODD}.talker")
    return workspace


def test_they_are_listed_and_shown(odd, page):
    facts = page.get("/api/home").json()
    assert f"{TOLD}.mp4" in facts["videos"] and f"{TOLD}.wav" in facts["sounds"] and f"{TOLD}.png" in facts["pictures"]
    assert {project["name"]: project["error"] for project in facts["projects"]}[f"{TOLD}.talker"] is None
    for url in (
        f"/files/{quote(TOLD)}.png",
        f"/files/{quote(TOLD)}.talker/take/background.png",
        f"/api/sounds/{quote(TOLD)}.wav",
        f"/api/sounds/{quote(TOLD)}.wav/wav",
        f"/api/projects/{quote(TOLD)}.talker",
        f"/api/projects/{quote(TOLD)}.talker/thumbnail",
        f"/api/projects/{quote(TOLD)}.talker/edits/bronze/rounds",
    ):
        assert page.get(url).status_code == 200, url
    with page.websocket_connect(STAGE) as socket:
        request = {"project": f"{TOLD}.talker", "voice": f"{TOLD}.wav", "background": f"{TOLD}.png"}
        socket.send_json({"seq": 1, "request": request})
        assert next_frame(socket)[0]["seq"] == 1


def test_they_are_worked_on_and_the_record_of_it_is_read_again(odd, place, page):
    """What a job is run with names the file on the command line, too."""
    order = {"kind": "drive", "project": f"{TOLD}.talker", "audio": f"{TOLD}.wav", "background": f"{TOLD}.png"}
    answer = page.post("/api/command", json=order)
    assert f"'{TOLD}.wav'" in answer.json()["command"], answer.text
    queue = Queue(odd, program=("true",))
    job = queue.ask(order)
    queue.close()
    (again,) = (kept for kept in JobFolder(odd).load() if kept.number == job.number)
    assert again.words == job.words and again.words[1] == f"{TOLD}.wav"


def test_names_that_no_file_has_are_refused_in_a_line(page):
    for name in ("\ud800.wav", "\udcfc.wav", "a\0.wav", "x" * 5000 + ".wav", "/.wav", "..", "\\xfc.wav"):
        project = name.replace(".wav", ".talker")
        body = {"kind": "drive", "project": project, "audio": name}
        for order in (body, {**body, "audio": "speech.wav"}, {**body, "project": "toy.talker"}):
            content = json.dumps(order)  # with surrogates, which the client's own encoder refuses
            answer = page.post("/api/jobs", content=content, headers={"content-type": "application/json"})
            assert answer.status_code == 400 and set(answer.json()) == {"error"}, answer.text
        with page.websocket_connect(STAGE) as socket:
            socket.send_text(json.dumps({"seq": 3, "request": {"project": project, "voice": name}}))
            assert "\n" not in next_of(socket, "error")["error"]


def test_messages_of_any_values_are_answered(page):
    texts = [*("[]", '"a"', "[" * 10_000, '{"request": {}}', '{"seq": 1, "seq": 2, "request": {}}')]
    texts += [f'{{"seq": {seq}, "request": {{}}}}' for seq in ("NaN", "1e999", '"1"', "true", "[]", "9" * 400)]
    texts += ['{"seq": 1, "request": ' + "[" * 200 + "]" * 200 + "}"]
    texts += [
        f'{{"seq": 1, "request": {{"project": "toy.talker", "index": {index}}}}}' for index in ("NaN", "1e999", "{}")
    ]
    with page.websocket_connect(STAGE) as socket:
        for text in texts:
            socket.send_text(text)
            said = next_of(socket, "error")["error"]
            assert "made a mistake" not in said and "\n" not in said, text
        socket.send_json({"seq": 2, "request": {"project": "toy.talker"}})
        assert next_frame(socket)[0]["seq"] == 2
