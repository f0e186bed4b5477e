"""Driving by command: what cannot be driven, live driving, and what is left when things go wrong."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from talker.cli import main
from talker.cli.live import first_interrupt
from talker.core.locks import sole_writer
from talker.core.types import AUDIO_RATE_HZ
from talker.video import VideoWriter, probe, read_frames, write_wav
from talker.video.sound import to_pcm
from tests.cli.console import film, refused, spoken_into, tone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nowhere.wav"], "nowhere.wav"),
        (["silence.wav"], "silent"),
        (["notes.txt"], "export"),
        (["speech.wav", "--view", "yow=20"], "yaw, pitch, roll, zoom"),
        (["speech.wav", "--view", "yaw=far"], "number"),
        (["speech.wav", "--detail", "1.6"], "0 .* 1.5"),
        (["speech.wav", "--detail", "-1"], "0 .* 1.5"),
        (["speech.wav", "--detail", "much"], "choose a number from 0 to 1.5"),
        (["speech.wav", "--edit", "marble"], "there are: bronze"),
        (["speech.wav", "--edit", "../field"], "letters"),
        (["speech.wav", "--background", "nowhere.png"], "#rrggbb"),
        (["speech.wav", "--background", "#12"], "#rrggbb"),
        (["speech.wav", "--motion", "wild"], "take.*still"),
        (["speech.wav", "-o", "out.avi"], r"\.mp4"),
        (["speech.wav", "--kernels", "quantum"], "torch"),
        (["speech.wav", "--project", "elsewhere.talker"], "talker fit"),
        (["speech.wav", "--deatil", "1"], "did you mean --detail"),
        (["--veiw", "yaw=1", "speech.wav"], "did you mean --view"),
        ([], "missing AUDIO"),
    ],
)
def test_what_cannot_be_driven(project, capsys, words, hint):
    write_wav(Path("speech.wav"), tone(0.4))
    write_wav(Path("silence.wav"), np.zeros(AUDIO_RATE_HZ, np.float32))
    Path("notes.txt").write_text("these are notes")
    assert re.search(hint, refused(capsys, "drive", *words))


def test_no_video_takes_the_place_of_what_it_is_made_from(project, capsys):
    write_wav(Path("clip.mp4"), tone(0.4))  # read by what it holds, not by its name
    before = Path("clip.mp4").read_bytes()
    assert "another -o" in refused(capsys, "drive", "clip.mp4", "-o", "clip.mp4", "--force")
    assert Path("clip.mp4").read_bytes() == before


def test_a_disk_that_fills_up(project, capsys, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))
    full = ["sh", "-c", "echo 'No space left on device' >&2; exit 1"]
    monkeypatch.setattr(VideoWriter, "_command", lambda self: full)
    assert "disk is full" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")
    assert "disk is full" in refused(capsys, "drive", "speech.wav")


def test_live_driving_hears_standard_input(project, capsys, monkeypatch):
    with spoken_into(monkeypatch, to_pcm(tone(1.0))):
        assert main(["drive", "--live", "--edit", "bronze", "-o", "live.mp4"]) == 0
    said = capsys.readouterr().out  # free for words, as the video goes to a file
    assert len(list(read_frames(Path("live.mp4")))) == 25 and probe(Path("live.mp4")).has_audio
    assert "look-ahead" in said and "live.mp4: 1.0 s, latency" in said
    with spoken_into(monkeypatch, b""):
        assert "--force" in refused(capsys, "drive", "--live", "-o", "live.mp4")


def test_a_live_video_on_standard_output_is_nothing_but_video(project, monkeypatch, capfd):
    ear, mouth = os.pipe()
    with spoken_into(monkeypatch, to_pcm(tone(0.4))), os.fdopen(mouth, "w") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert main(["drive", "--live", "-o", "-"]) == 0
    with os.fdopen(ear, "rb") as video:
        Path("out.mp4").write_bytes(video.read())
    assert len(list(read_frames(Path("out.mp4")))) == 10
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--live"], "-o out.mp4"),
        (["--live", "-o", "out.avi"], r"\.mp4"),
        (["--live", "speech.wav", "-o", "out.mp4"], "leave speech.wav out"),
        (["--live", "-o", "out.mp4", "--edit", "marble"], "there are: bronze"),
        (["--live", "-o", "out.mp4", "--background", "#12"], "#rrggbb"),
        (["speech.wav", "-o", "-"], "--live"),
    ],
)
def test_what_cannot_be_driven_live(project, capsys, monkeypatch, words, hint):
    with spoken_into(monkeypatch, to_pcm(tone(0.4))):
        assert re.search(hint, refused(capsys, "drive", *words))


def test_live_driving_wants_a_pipe_on_either_side(project, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stdin, hint in ((Terminal(), "is a terminal"), (None, "is closed")):
        monkeypatch.setattr("sys.stdin", stdin)
        assert hint in refused(capsys, "drive", "--live", "-o", "out.mp4")
    with spoken_into(monkeypatch, to_pcm(tone(0.4))):
        for stdout, hint in ((Terminal(), "is a terminal"), (None, "is closed")):
            with monkeypatch.context() as patch:
                patch.setattr("sys.stdout", stdout)
                assert main(["drive", "--live", "-o", "-"]) == 2
            assert hint in capsys.readouterr().err


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """What runs in the background of a shell script may have been started deaf to Ctrl-C."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.usefixtures("_interruptible")
def test_the_first_ctrl_c_ends_a_live_video_and_the_second_interrupts():
    usual = signal.getsignal(signal.SIGINT)
    with first_interrupt() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is usual


def test_there_is_no_project(place, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    for words in (["drive", "speech.wav"], ["edit", "--instruction", "make him a Van Gogh painting"], ["info"]):
        assert "talker fit" in refused(capsys, *words)


def test_a_silent_video_is_no_speech(project, capsys):
    film(Path("mute.mp4"), 1, sound=False)
    said = refused(capsys, "drive", "mute.mp4")
    assert "mute.mp4 holds no sound" in said and "learns" not in said


def test_a_view_names_each_turn_once(project, capsys):
    assert "names yaw twice" in refused(capsys, "drive", "speech.wav", "--view", "yaw=1,pitch=2,yaw=3")


def test_driving_writes_a_video_once(project, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    words = ["drive", "speech.wav", "--edit", "bronze", "--view", "yaw=20", "-o", "out/a.mp4"]
    assert "no folder out" in refused(capsys, *words)
    Path("out").mkdir()
    assert main(words) == 0 and Path("out/a.mp4").is_file()
    assert main(words) == 0 and "Already done" in capsys.readouterr().out
    assert "--force" in refused(capsys, "drive", "speech.wav", "-o", "out/a.mp4")
    assert main(["drive", "speech.wav", "-o", "out/a.mp4", "--force"]) == 0
    assert main(["drive", "speech.wav"]) == 0 and project.path("renders").joinpath("0003.mp4").is_file()
    capsys.readouterr()
    assert main(["drive", "speech.wav", "--quiet"]) == 0 and capsys.readouterr().out == ""
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert "renders/0003.mp4" in said and "out/a.mp4" in said and "bronze" in said


def test_two_drives_of_one_video_do_not_mix(project, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    with sole_writer(Path("out.mp4")):
        assert "Another talker" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")
        assert "Another talker" in refused(capsys, "speaker", "out.mp4")
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 0 and not list(Path.cwd().glob(".*"))


def test_a_project_without_room_for_records_is_refused_before_rendering(project, capsys, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))
    monkeypatch.setattr("os.access", lambda _path, mode: mode != os.W_OK)  # root may write everywhere
    assert "cannot be written" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")


def test_what_a_killed_drive_left_is_gone_after_the_next(project):
    write_wav(Path("speech.wav"), tone(0.4))
    for folder, name in ((project.path("renders"), "0123456789abcdef"), (Path.cwd(), "other")):
        folder.mkdir(exist_ok=True)
        (folder / f".{name}.01234567.partial.mp4").write_bytes(b"piece")
        (folder / f".{name}.mp4.talker-lock").touch()  # which nobody holds
    assert main(["drive", "speech.wav"]) == 0
    assert sorted(path.name for path in project.path("renders").iterdir()) == ["0001.json", "0001.mp4"]
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 0
    assert not [path for path in Path.cwd().glob(".*")]
    (Path.cwd() / ".out.mp4.talker-lock").touch()  # of a kill right after the video was there
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 0
    assert not [path for path in Path.cwd().glob(".*")]


@pytest.mark.parametrize("out", [[], ["-o", "out.mp4"]])
def test_a_drive_killed_between_its_record_and_its_video_is_made_again_in_its_place(project, monkeypatch, out):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    write_wav(Path("speech.wav"), tone(0.4))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupt)
        assert main(["drive", "speech.wav", *out]) == 130
    assert [path.name for path in project.path("renders").iterdir()] == ["0001.json"]
    assert main(["drive", "speech.wav", *out]) == 0
    assert sorted(path.name for path in project.path("renders").glob("*.json")) == ["0001.json"]
    assert Path(*out[1:] or [project.path("renders/0001.mp4")]).is_file()
