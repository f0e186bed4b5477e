"""The stage's socket: frames as requested, the newest first, one line for what is wrong."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from talker.api.artifacts import load_portrait
from talker.core.errors import BadInput
from talker.core.images import to_bytes
from talker.core.types import AUDIO_RATE_HZ, View
from talker.driving.render import speak
from talker.studio import project_views
from talker.studio.frame_request import FrameRequest, frame_request_of
from talker.studio.mic import Microphone
from talker.studio.speech_track import SpeechTrack, waveform
from talker.studio.viewport import QUALITY
from talker.take.speech import Speech
from talker.take.store import load_encoder_of, open_take
from talker.video import stream_audio, write_wav
from talker.video.sound import to_pcm
from tests.cli.console import tone
from tests.studio.sessions import STAGE, frame_of, next_frame, next_of

REQUEST = {"project": "toy.talker"}


def sent(rgb: np.ndarray) -> np.ndarray:
    """What a JPEG of the stage's quality leaves of a picture."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def test_a_request_brings_the_frame_that_driving_renders(page, project, viewport):
    take, encoder = open_take(project.path("take")), load_encoder_of(project.path("take"))
    portrait = load_portrait(project, take, None, viewport.kernels)
    speech = Speech.listen(Path("speech.wav"))
    codes = list(speak(portrait, stream_audio(speech.source), encoder.stream(speech.loudness), speech.frames))
    request = {**REQUEST, "voice": "speech.wav", "index": 7, "yaw": 30, "zoom": 1.2, "background": "#1e90ff"}
    background = torch.tensor([0x1E, 0x90, 0xFF]).float().div(255).expand(16, 16, 3)
    render = portrait.render(7, View(yaw_deg=30, zoom=1.2), background, code=codes[7])
    with page.websocket_connect(STAGE) as socket:
        socket.send_json({"seq": 1, "request": request})
        header, picture = next_frame(socket)
        assert (header["seq"], header["index"], header["edit"]) == (1, 7, None)
        assert np.array_equal(picture, sent(to_bytes(render.rgb)))
        socket.send_json({"seq": 2, "request": {**request, "share": 0.5, "edit": "bronze", "pair": True}})
        header, picture = next_frame(socket)
        assert picture.shape == (16, 32, 3) and header["pair"], "no smaller than can be seen"


def test_codes_of_a_voice_are_those_of_driving(project, workspace, viewport):
    take, encoder = open_take(project.path("take")), load_encoder_of(project.path("take"))
    portrait = load_portrait(project, take, None, viewport.kernels)
    speech = Speech.listen(Path("speech.wav"))
    codes = list(speak(portrait, stream_audio(speech.source), encoder.stream(speech.loudness), speech.frames))
    voice = viewport.voice(project, "speech.wav")
    assert voice.frames == len(codes) == 25
    for index in (0, 9, 24, 99):  # after its end, the last
        torch.testing.assert_close(voice.code(index, portrait, "key"), codes[min(index, 24)])
    silence = SpeechTrack.silence(take, encoder)
    assert torch.equal(silence.code(0, portrait, "key"), silence.code(77, portrait, "key"))


def test_of_requests_that_wait_only_the_newest_is_rendered(page, viewport, monkeypatch):
    render = viewport.render

    def slowly(request, code=None):
        time.sleep(0.1)
        return render(request, code)

    monkeypatch.setattr(viewport, "render", slowly)
    with page.websocket_connect(STAGE) as socket:
        for seq in range(1, 9):
            socket.send_json({"seq": seq, "request": {**REQUEST, "yaw": seq}})
        dropped, shown = [], []
        while len(dropped) + len(shown) < 8:
            message = socket.receive()
            if message.get("bytes"):
                shown.append(frame_of(message["bytes"])[0]["seq"])
            elif "dropped" in message["text"]:
                dropped.append(int(message["text"].split(":")[1].strip(" }")))
    assert shown[-1] == 8 and len(shown) <= 3, "the newest is shown, and few before it"


def test_what_is_wrong_is_said_in_a_line_and_the_socket_lives(page):
    bad = [
        ({"request": {"project": "../x.talker"}}, "no project"),
        ({"request": {**REQUEST, "edit": "nobody"}}, "No edit called nobody"),
        ({"request": {**REQUEST, "edit": "../../x"}}, "cannot name an edit"),
        ({"request": {**REQUEST, "yaw": 1e9}}, "yaw"),
        ({"request": {**REQUEST, "zoom": None}}, "zoom"),
        ({"request": {**REQUEST, "voice": "../../etc/passwd"}}, "no sound"),
        ({"request": {**REQUEST, "background": "/etc/passwd"}}, "no picture"),
        ({"request": {**REQUEST, "background": "#zzzzzz"}}, "not a colour"),
        ({"request": [1]}, "object"),
        ({"listen": {**REQUEST, "edit": "nobody"}}, "No edit"),
    ]
    with page.websocket_connect(STAGE) as socket:
        for number, (message, words) in enumerate(bad):
            socket.send_json({"seq": number, **message})
            assert words in next_of(socket, "error")["error"]
        for text in ("{", "[1]", "7", '{"seq": "x", "request": {}}', '{"seq": 1e999, "request": {}}', "[" * 5000):
            socket.send_text(text)
            assert "error" in next_of(socket, "error")
        socket.send_bytes(b"\0" * 999)  # nobody listens
        socket.send_json({"seq": 99, "request": REQUEST})
        assert next_frame(socket)[0]["seq"] == 99


def test_a_bug_in_a_frame_is_told_in_a_line_and_logged(page, viewport, monkeypatch, caplog):
    render = viewport.render
    monkeypatch.setattr(
        viewport, "render", lambda request, code: 1 / 0 if request.index == 13 else render(request, code)
    )
    with page.websocket_connect(STAGE) as socket:
        socket.send_json({"seq": 1, "request": {**REQUEST, "index": 13}})
        said = next_of(socket, "error")
        assert said["seq"] == 1 and "mistake" in said["error"] and "ZeroDivisionError" in caplog.text
        socket.send_json({"seq": 2, "request": REQUEST})
        assert next_frame(socket)[0]["seq"] == 2


def test_a_bug_of_the_stage_does_not_end_the_page(page, viewport, monkeypatch, caplog):
    """torch's errors are RuntimeErrors, which starlette's word for a socket that is gone is, too."""
    portrait = viewport.portrait
    for error in (RuntimeError("a kernel"), ValueError("a shape")):
        with page.websocket_connect(STAGE) as socket:
            monkeypatch.setattr(viewport, "portrait", lambda *_, error=error: fail(error))
            socket.send_json({"listen": REQUEST})
            assert "made a mistake" in next_of(socket, "error")["error"] and str(error) in caplog.text
            monkeypatch.setattr(viewport, "portrait", portrait)
            socket.send_json({"seq": 1, "request": REQUEST})
            assert next_frame(socket)[0]["seq"] == 1


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("key", ["yaw", "pitch", "zoom", "detail", "strength", "index", "share", "eyes"])
def test_a_request_holds_numbers_in_range(key):
    for bad in ("1", True, [1], float("nan"), 1e12, 10**400):
        with pytest.raises(BadInput):
            frame_request_of({**REQUEST, "edit": "bronze", key: bad})
    assert frame_request_of({**REQUEST, "strength": 0.2}).strength == 1.0, "without an edit there is none of it"
    assert frame_request_of(REQUEST) == FrameRequest("toy.talker")


def test_a_live_voice_moves_the_lips_frame_by_frame(page, viewport, monkeypatch):
    with page.websocket_connect(STAGE) as socket:
        socket.send_json({"listen": REQUEST})
        lookahead_s = next_of(socket, "listening")["lookahead_s"]
        assert 0.2 < lookahead_s < 0.6
        sound = to_pcm(tone(1.2))
        size = 2 * AUDIO_RATE_HZ // 50
        for place in range(0, len(sound), size):
            socket.send_bytes(sound[place : place + size])
        expected = int((1.2 - lookahead_s) * 25)
        indices, seq = [0], 0
        while indices[-1] < expected and seq < 100:
            seq += 1
            socket.send_json({"seq": seq, "request": {**REQUEST, "voice": "live", "playing": True}})
            indices.append(next_frame(socket)[0]["index"])
        assert indices[-1] >= expected and indices == sorted(indices)
        socket.send_json({"hush": True})
        socket.send_json({"seq": 999, "request": REQUEST})
        assert next_frame(socket)[0]["seq"] == 999


def test_a_microphone_that_fails_says_so(project, viewport, caplog):
    portrait, _ = viewport.portrait(project, FrameRequest("toy.talker"))
    mic = Microphone(portrait, viewport.speaker(project).encoder, lambda: fail(RuntimeError("a shape")))
    mic.hear(to_pcm(tone(1.2)))
    mic.close()
    assert mic.frames == 1 and "a shape" in caplog.text


def test_no_more_sound_waits_than_is_meant_to(project, viewport, monkeypatch):
    monkeypatch.setattr(Microphone, "_work", lambda self: None)
    portrait, _ = viewport.portrait(project, FrameRequest("toy.talker"))
    mic = Microphone(portrait, viewport.speaker(project).encoder, lambda: None)
    for _ in range(9):
        mic.hear(to_pcm(tone(1.0)))
    mic.close()
    assert mic._sound.qsize() == 5 + 1, "five seconds, and the end"


def test_an_edit_that_was_made_anew_is_loaded_anew(project, viewport, workspace):
    request = FrameRequest("toy.talker", "bronze")
    before, _ = viewport.portrait(project, request)
    assert viewport.portrait(project, request)[0] is before
    project.rename("edits/bronze", "edits/statue")
    assert viewport.portrait(project, FrameRequest("toy.talker", "statue"))[0] is before, (
        "the same edit under another name"
    )
    record = project.path("edits/statue/stage.json")
    record.write_text(record.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    assert viewport.portrait(project, FrameRequest("toy.talker", "statue"))[0] is not before


def test_a_drag_of_the_strength_unloads_no_edit(project, viewport):
    request = FrameRequest("toy.talker", "bronze")
    whole, _ = viewport.portrait(project, request)
    for tenths in range(10):
        part, _ = viewport.portrait(project, replace(request, strength=tenths / 10))
    assert viewport.portrait(project, replace(request, strength=0.9))[0] is part, "it is made once"
    assert viewport.portrait(project, request)[0] is whole


def test_where_nobody_speaks_the_head_is_at_rest(project, viewport):
    still, key = viewport.portrait(project, FrameRequest("toy.talker"))
    moving, same = viewport.portrait(project, FrameRequest("toy.talker", voice="speech.wav"))
    assert (still.motion, moving.motion, same) == ("still", "take", key) and still.scene is moving.scene
    assert viewport.portrait(project, FrameRequest("toy.talker", voice="speech.wav", motion="still"))[0] is still


def test_a_waveform_is_that_of_the_whole_sound(workspace, monkeypatch):
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, 33_333).astype(np.float32)
    sound[20_000], sound[-1] = 0.8, -0.4
    write_wav(workspace.root / "speech.wav", sound)
    peaks = project_views.waveform(workspace, workspace.root / "speech.wav")["peaks"]
    loud = [place for place, peak in enumerate(peaks) if peak > 0.2]
    assert loud == [pytest.approx(400 * 20_000 / 33_333, abs=1), 399]
    assert (peaks[loud[0]], peaks[-1]) == (1.0, pytest.approx(0.5, abs=0.002))
    monkeypatch.setattr("talker.studio.speech_track.stream_audio", lambda path: 1 / 0)
    assert project_views.waveform(workspace, workspace.root / "speech.wav")["peaks"] == peaks, "it is read once"
    write_wav(workspace.root / "speech.wav", sound[:9999])
    with pytest.raises(ZeroDivisionError):
        project_views.waveform(workspace, workspace.root / "speech.wav")


def test_a_waveform_is_as_long_as_the_sound(workspace):
    facts = waveform(workspace.root / "speech.wav")
    assert facts["seconds"] == pytest.approx(1.0) and facts["frames"] == 25
    assert len(facts["peaks"]) == 400 and max(facts["peaks"]) == 1.0 and min(facts["peaks"]) > 0.5
