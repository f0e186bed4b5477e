"""Files that are not what they seem, given wherever the command line takes a video, a sound or a picture."""

from __future__ import annotations

import json

import numpy as np
import pytest

from talker.cli import main
from talker.driving.render import DriveOptions
from talker.projects.project import inputs_of
from talker.take.build import TakeOptions
from talker.video import probe, write_wav
from tests.cli.console import refused, spoken_into, tone
from tests.hostile_media import KINDS, USUAL, write_secret
from tests.video.test_video_tracks import file_of, speech, write_float_wav

pytestmark = pytest.mark.slow

NOBODY_LISTENS = 9  # the port; who calls it is refused, and that would be told otherwise
INPUTS = (
    ["fit", "leak.mp4"],
    ["check", "leak.mp4"],
    ["drive", "leak.wav"],
    ["drive", "secret.mp4", "--background", "leak.png"],
    ["eval", "--speech", "leak.wav"],
)


def test_nothing_is_read_of_what_a_file_names(project, place, capsys):
    secret = write_secret(place / "secret.mp4")
    for kind in USUAL:
        for name in ("leak.mp4", "leak.wav", "leak.png"):
            (place / name).write_text(KINDS[kind](secret, NOBODY_LISTENS))
        for words in INPUTS:
            said = refused(capsys, *words)
            assert "leak" in said and ("is no" in said or "cannot be read" in said), f"{words}, {kind}: {said}"


def test_what_is_no_path_is_no_file(project, place, capsys):
    secret = write_secret(place / "secret.mp4")
    urls = ["data:audio/wav;base64,UklGRg==", "http://127.0.0.1:9/x.wav", "lavfi:sine=440", f"concat:{secret}|{secret}"]
    for url in (*urls, f"file:{secret}", f"file://{secret}", f"subfile,,start,0,end,0,,:{secret}"):
        for words in (["fit"], ["check"], ["drive"], ["eval", "--speech"]):
            assert "No such file" in refused(capsys, *words, url)


def test_the_track_with_speech_is_driven_or_the_one_that_is_named(project, place, capsys):
    two = file_of(place, np.zeros(64_000, "f4"), speech(4.0), titles=("Desktop", "Mic/Aux"))
    assert main(["drive", two.name]) == 0
    told = capsys.readouterr().out
    assert "2 (Mic/Aux) is heard, not 1 (Desktop, silent); --track N" in told
    assert main(["drive", two.name, "--track", "2"]) == 0 and "sound tracks" not in capsys.readouterr().out
    inputs = [json.loads(project.path(f"renders/000{number}.json").read_text())["inputs"] for number in (1, 2)]
    assert "track" not in inputs[0] and inputs[1]["track"] == 2
    assert "is silent" in refused(capsys, "drive", two.name, "--track", "1")
    assert "2 sound tracks; --track 3 is none" in refused(capsys, "drive", two.name, "--track", "3")
    assert "--track 5 is none" in refused(capsys, "fit", two.name, "--track", "5")


def test_live_sound_has_no_tracks(project, capsys, monkeypatch):
    with spoken_into(monkeypatch, bytes(640)):
        assert "--track is of a file" in refused(capsys, "drive", "--live", "--track", "2", "-o", "out.mp4")


def test_what_was_made_before_there_were_tracks_counts_as_made():
    for options in (TakeOptions, DriveOptions):
        assert "track" not in inputs_of(options()) and inputs_of(options(track=2))["track"] == 2
    old = {"start_s", "end_s", "size_px", "landmarks", "audio", "audio_model", "av_offset_s"}
    assert old <= inputs_of(TakeOptions()).keys()


def test_a_header_decides_not_how_long_a_video_is(project, place, capsys):
    write_wav(place / "lies.wav", speech(2.0))
    data = bytearray((place / "lies.wav").read_bytes())
    data[40:44] = (100).to_bytes(4, "little")
    (place / "lies.wav").write_bytes(data)
    assert main(["drive", "lies.wav", "-o", "out.mp4"]) == 0
    assert "lies.wav claims 100 bytes" in capsys.readouterr().out
    assert abs(probe(place / "out.mp4").duration_s - 2.0) < 0.05
    write_wav(place / "blink.wav", tone(0.003))
    assert "lasts 0.003 s" in refused(capsys, "drive", "blink.wav")


def test_strange_numbers_are_told_before_the_work(project, place, capsys):
    write_float_wav(place / "nan.wav", np.full((32_000, 1), np.nan))
    assert "nan.wav is damaged: 100%" in refused(capsys, "drive", "nan.wav")
    write_float_wav(place / "loud.wav", speech(1.0)[:, None] * 1e30)
    assert main(["drive", "loud.wav"]) == 0 and "dB beyond full scale" in capsys.readouterr().out


def test_a_silent_film_is_not_fitted(place, capsys):
    quiet = file_of(place, np.zeros(64_000, "f4"))
    assert "tracks.mkv is silent (all samples are zero)" in refused(capsys, "fit", quiet.name)
