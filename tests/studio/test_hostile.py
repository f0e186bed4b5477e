"""Requests that no page of the studio makes: nothing is lost, nothing leaves the folder, the studio stays up."""

from __future__ import annotations

import asyncio
import hashlib
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from talker.core.errors import BadInput
from talker.studio import uploads
from talker.studio.app import application
from talker.studio.workspace import Workspace
from tests.studio.sessions import STAGE, next_frame

pytestmark = pytest.mark.slow

REQUEST = {"seq": 1, "request": {"project": "toy.talker"}}


@pytest.fixture
def untouched(place, workspace, page):
    """The folder's own files, and its surroundings, are the same before and after."""

    def fingerprints() -> dict[str, str]:
        files = [path for path in place.parent.rglob("*") if path.is_file() and ".studio" not in path.parts]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.name != ".lock"}

    before = fingerprints()
    yield
    after = fingerprints()
    assert {name: after.get(name) for name in before} == before
    assert set(after) == set(before), "a file was left behind"
    assert not any((workspace.own / "uploads").glob("*")), "half an upload was left"
    with page.websocket_connect(STAGE) as socket:
        socket.send_json(REQUEST)
        assert next_frame(socket)[0]["seq"] == 1
    assert page.get("/api/home").status_code == 200


REQUESTS = [
    ("GET", "/files/..%2f..%2f..%2fetc%2fpasswd", {}, (400, 404)),
    ("GET", "/page/..%2f..%2fapp.py", {}, (404,)),
    ("GET", "/api/checks/..%2f..%2fx", {}, (400, 404)),
    ("GET", "/api/projects/..%2ftoy.talker", {}, (400, 404)),
    ("GET", "/api/projects/toy.talker/previews/..%2f..%2ftake%2ftake.json", {}, (400, 404)),
    ("GET", "/api/projects/toy.talker/edits/..%2f..%2f/rounds", {}, (400, 404)),
    ("DELETE", "/api/projects/toy.talker/edits/..%2f..%2ftake", {}, (400, 404)),
    ("DELETE", "/api/projects/toy.talker/edits/nobody", {}, (400,)),
    ("GET", "/api/projects/toy.talker/thumbnail?edit=../x", {}, (400,)),
    ("PUT", "/api/files?name=evil.sh", {"content": b"#!/bin/sh"}, (400,)),
    ("PUT", "/api/files?name=..%2f..%2fevil.mp4", {"content": b"not a video"}, (400,)),
    ("PUT", "/api/files?name=film.mp4", {"content": b"#EXTM3U\nfile:///etc/passwd\n"}, (400,)),
    ("PUT", "/api/files?name=picture.png", {"content": b"\x89PNG\r\n\x1a\n" + b"\0" * 40}, (400,)),
    ("PUT", "/api/files?name=empty.wav", {"content": b""}, (400,)),
    ("PUT", "/api/files?name=claims.mp4", {"content": b"x", "headers": {"content-length": str(10 << 30)}}, (400,)),
    ("PUT", "/api/files", {"content": b"x"}, (400,)),
    ("POST", "/api/jobs", {"json": {"kind": "fit", "video": "../../clip.mp4"}}, (400,)),
    ("POST", "/api/jobs", {"content": b"kind=fit", "headers": {"content-type": "text/plain"}}, (400,)),
    ("POST", "/api/jobs", {"content": b"[" * 9999, "headers": {"content-type": "application/json"}}, (400,)),
    ("POST", "/api/jobs", {"content": b"x" * 99_999, "headers": {"content-type": "application/json"}}, (400,)),
    ("POST", "/api/jobs/999", {"json": {}}, (400,)),
    ("DELETE", "/api/jobs/999", {}, (400,)),
    ("POST", "/api/understand", {"json": {"instruction": ["x"], "only": "face"}}, (400,)),
    ("POST", "/api/understand", {"json": {"instruction": "blue hair", "only": [["face"]]}}, (400,)),
    ("POST", "/api/projects/toy.talker/edits/bronze", {"json": {"name": "../../x"}}, (400,)),
    ("PATCH", "/api/home", {}, (405,)),
    ("GET", "/api/nothing", {}, (404,)),
]


@pytest.mark.parametrize(("method", "url", "body", "codes"), REQUESTS, ids=lambda value: str(value)[:60])
def test_it_is_refused_in_a_line(untouched, page, method, url, body, codes):
    answer = page.request(method, url, **body)
    assert answer.status_code in codes, answer.text
    assert "Traceback" not in answer.text and "root:" not in answer.text
    if answer.status_code == 400:
        assert set(answer.json()) == {"error"} and "\n" not in answer.json()["error"]


def test_ten_gigabytes_are_refused_before_they_come(untouched, page):
    answer = page.put("/api/files?name=claims.mp4", content=b"x", headers={"content-length": str(10 << 30)})
    assert answer.json()["error"] == "A video may have 4096 MiB here, this one has 10240"


@pytest.mark.parametrize("announced", [1000, 1_000_000])
def test_what_is_not_as_long_as_was_announced_is_not_taken(untouched, workspace, place, announced):
    """A server passes on no more than was announced; another one, or a page that breaks off, may."""

    async def body():
        yield (place / "speech.wav").read_bytes()

    size = (place / "speech.wav").stat().st_size
    with pytest.raises(BadInput, match=f"{size} bytes came, {announced} were announced"):
        asyncio.run(uploads.receive(workspace, "speech.wav", announced, body()))


def test_more_than_is_allowed_is_not_taken(untouched, page, monkeypatch):
    monkeypatch.setitem(uploads.LARGEST_MIB, "sound", 1)

    def endless():
        for _ in range(40):
            yield b"\0" * 65_536

    answer = page.put("/api/files?name=long.wav", content=endless())
    assert answer.status_code == 400 and "1 MiB" in answer.json()["error"]


@pytest.mark.parametrize(("name", "most"), [("speech.wav", "180 min of a sound"), ("clip.mp4", "60 min of a video")])
def test_what_is_too_long_is_told_how_long_it_may_be(untouched, page, place, monkeypatch, name, most):
    for probe in ("require_sound", "require_video"):
        monkeypatch.setattr(uploads, probe, lambda path: SimpleNamespace(duration_s=4 * 3600.0, sound_s=0.0))
    answer = page.put(f"/api/files?name={name}", content=(place / name).read_bytes())
    assert answer.status_code == 400 and f"240 min long; the studio takes {most}" in answer.json()["error"]


def test_a_picture_that_would_fill_the_memory_is_not_opened(untouched, page, place, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_PIXELS", 99)
    Image.fromarray(np.zeros((10, 10, 3), np.uint8)).save(place.parent / "bomb.png")
    data = (place.parent / "bomb.png").read_bytes()
    (place.parent / "bomb.png").unlink()
    answer = page.put("/api/files?name=bomb.png", content=data)
    assert answer.status_code == 400 and "megapixels" in answer.json()["error"]


def test_a_file_that_is_what_it_says_is_kept_under_a_free_name(page, place):
    for expected in ("speech-2.wav", "speech-3.wav"):
        answer = page.put("/api/files?name=..%2Fspeech.wav", content=(place / "speech.wav").read_bytes())
        assert answer.json() == {"name": expected}
    assert (place / "speech-2.wav").read_bytes() == (place / "speech.wav").read_bytes()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:7860"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"sec-fetch-site": "cross-site"},
    ],
    ids=str,
)
def test_a_page_of_another_site_gets_nothing_done(untouched, page, headers):
    assert page.post("/api/jobs", json={"kind": "speaker"}, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(STAGE, headers=headers) as socket:
        socket.receive()
    if "host" in headers:
        assert page.get("/api/home", headers=headers).status_code == 403


PLACE = "http://10.0.0.7:7860"


def test_a_token_is_asked_for_and_kept_in_a_cookie(studio):
    with TestClient(application(studio, "a long secret"), base_url=PLACE) as client:
        assert client.get("/api/home").status_code == 403
        assert client.get("/?token=wrong").status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://10.0.0.7:7860/stage") as socket:
            socket.receive()
        answer = client.get("/?token=a%20long%20secret", follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
        kept = answer.headers["set-cookie"].lower()
        assert "httponly" in kept and "samesite=strict" in kept and "secret" not in kept
        assert client.get("/api/home").status_code == 200
        stale = client.get("/?token=wrong", follow_redirects=False)
        assert stale.status_code == 303 and "set-cookie" not in stale.headers
        assert client.get("/api/home").status_code == 200, "the right cookie was replaced by a wrong one"
        other = {"host": "10.0.0.7:7861"}  # another studio of that machine has a cookie of its own
        assert client.get("/api/home", headers=other).status_code == 403
        for value in ("wrong", "a long secret"):
            client.cookies.clear()
            client.cookies.set("talker-studio-7860", value)
            assert client.get("/api/home").status_code == 403


@pytest.mark.parametrize("token", ["a long secret", "geheimes W\u00f6rtchen \u20ac", "a;b=c, d\\e"])
def test_a_token_comes_by_header_or_cookie_and_in_no_address_but_the_pages(studio, token):
    with TestClient(application(studio, token), base_url=PLACE) as client:
        for address in ("/api/home", "/files/clip.mp4", "/page/main.js"):
            assert client.get(address, params={"token": token}).status_code == 403
        assert client.post("/", params={"token": token}).status_code == 403
        viewport = "ws://10.0.0.7:7860/stage"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{viewport}?token={quote(token)}") as socket:
            socket.receive()
        for scheme, code in (("Bearer", 200), ("bearer", 200), ("Basic", 403)):
            headers = {"authorization": f"{scheme} {token}".encode()}
            assert client.get("/api/home", headers=headers).status_code == code
        assert client.get("/api/home", headers={"authorization": b"Bearer wrong"}).status_code == 403
        headers = {"authorization": f"Bearer {token}".encode()}
        with client.websocket_connect(viewport, headers=headers) as socket:
            assert "jobs" in socket.receive_json()
        assert client.get("/", params={"token": token}).status_code == 200 and not client.get("/").url.query
        assert client.get("/api/home").status_code == 200


def test_an_invitation_serves_once(studio):
    guarded = application(studio, "a long secret")
    invitation = guarded.invite()
    with TestClient(guarded, base_url=PLACE) as client:
        assert client.get(f"/api/home?once={invitation}").status_code == 403
        assert client.get(f"/?once={invitation}", follow_redirects=False).status_code == 303
        assert client.get("/api/home").status_code == 200
        client.cookies.clear()
        assert client.get(f"/?once={invitation}").status_code == 403
        assert client.get("/?once=").status_code == 403


def test_an_empty_token_lets_nobody_in(studio):
    with TestClient(application(studio, ""), base_url=PLACE) as client:
        assert client.get("/api/home").status_code == 403
        assert client.get("/?token=", follow_redirects=False).status_code == 403
        for empty in ({"cookie": "talker-studio-7860="}, {"authorization": "Bearer "}, {"authorization": "Bearer"}):
            assert client.get("/api/home", headers=empty).status_code == 403
        client.cookies.set("talker-studio-7860", hashlib.sha256(b"talker studio\0").hexdigest())
        assert client.get("/api/home").status_code == 403


def test_two_pages_and_one_that_dies(untouched, page):
    with page.websocket_connect(STAGE) as first:
        first.send_json(REQUEST)
        with page.websocket_connect(STAGE) as second:
            for seq in range(20):
                second.send_json({**REQUEST, "seq": seq})
        first.send_json({**REQUEST, "seq": 2})
        assert next_frame(first)[0]["seq"] == 1 and next_frame(first)[0]["seq"] == 2


def test_a_bug_is_told_in_a_line_and_logged(page, monkeypatch, caplog):
    monkeypatch.setattr(Workspace, "contents", lambda self: 1 / 0)
    answer = page.get("/api/home")
    assert answer.status_code == 500 and "made a mistake" in answer.json()["error"]
    assert "ZeroDivisionError" not in answer.text and "ZeroDivisionError" in caplog.text
