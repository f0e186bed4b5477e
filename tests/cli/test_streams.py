"""Standard streams, places and programs that are not what they should be: each is one line that is true."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from talker.cli import main
from talker.video import probe
from talker.video.files import ffmpeg_path
from talker.video.sound import to_pcm
from tests.cli.console import film, refused, spoken_into, tone

pytestmark = pytest.mark.slow


@contextmanager
def full(monkeypatch, name: str = "stdout") -> Iterator[None]:
    """A standard stream onto a full disk."""
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(f"sys.{name}", stream)
        yield
        stream.flush()  # nothing is left for the interpreter to complain of at its end


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["fit", "--help"], ["edits"]])
def test_a_standard_output_that_is_full_is_no_full_disk(project, capsys, monkeypatch, words):
    with full(monkeypatch):
        assert main(words) == 2
    way_out = "send it elsewhere and run the same command again"
    assert capsys.readouterr().err == f"talker: Standard output takes no more (No space left on device); {way_out}\n"


def test_work_is_done_before_it_is_told_that_its_log_is_full(place, capsys, monkeypatch):
    with full(monkeypatch):
        assert main(["speaker", "a.mp4", "--seconds", "0.2", "--size", "32"]) == 2
    assert "takes no more" in capsys.readouterr().err and probe(Path("a.mp4")).has_video


def test_an_error_that_cannot_be_told_is_an_exit_code_all_the_same(place, monkeypatch):
    with full(monkeypatch, "stderr"):
        assert main(["info"]) == 2


def test_the_last_line_of_a_live_video_stays_out_of_it_without_a_standard_error(project, monkeypatch):
    with spoken_into(monkeypatch, to_pcm(tone(0.4))), open("live.mp4", "w") as video:
        monkeypatch.setattr("sys.stdout", video)
        monkeypatch.setattr("sys.stderr", None)  # 2>&-
        assert main(["drive", "--live", "-o", "-"]) == 0
    assert b"frames" not in Path("live.mp4").read_bytes()[-200:] and probe(Path("live.mp4")).has_audio


def test_a_live_video_onto_a_full_disk_is_told(project, capsys, monkeypatch):
    with spoken_into(monkeypatch, to_pcm(tone(2.0))), full(monkeypatch):
        said = refused(capsys, "drive", "--live", "-o", "-", "--quiet")
    assert "Standard output takes no more (No space left on device); the video ended after" in said


@pytest.mark.parametrize("words", [["fit"], ["check"], ["drive"], ["eval", "--speech"]])
def test_a_pipe_is_no_file(project, capsys, words):
    film(Path("clip.mp4"), 0.2)
    ear, mouth = os.pipe()
    os.write(mouth, Path("clip.mp4").read_bytes()[:4096])
    os.close(mouth)
    os.mkfifo("named")
    for path in (f"/dev/fd/{ear}", "named", "/dev/zero"):
        assert "is a pipe or a device" in refused(capsys, *words, path)
    os.close(ear)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["speaker", "x.mp4", "--truth", "x.mp4"], "--truth is a folder beside the video"),
        (["speaker", "x.mp4", "--truth", "./x.mp4"], "--truth is a folder beside the video"),
        (["fit", "clip.mp4", "-o", "/proc/x.talker"], "/proc/x.talker cannot be made"),
        (["speaker", "/proc/x.mp4"], "/proc cannot be written"),
        (["check", "clip.mp4", "-o", "/dev/null", "--force"], "/dev/null is a device or a pipe"),
        (["eval", "-o", "/dev/full"], "/dev/full is a device or a pipe"),
        (["preview", "--instruction", "bronze", "-o", "/proc/x.png"], "/proc cannot be written"),
    ],
)
def test_places_that_take_nothing(project, capsys, words, said):
    film(Path("clip.mp4"), 4)
    assert said in refused(capsys, *words)
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("words", [["info"], ["fit", "clip.mp4"], ["studio"], ["edits"]])
def test_a_working_folder_that_was_removed(place, capsys, words):
    gone = place / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        assert main(words) == 2
    finally:
        os.chdir(place)
    said = capsys.readouterr().err
    assert said.startswith("talker: The working folder has been removed;") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0, "cannot be run (No such file or directory)"),
        ("notes", stat.S_IRUSR, "cannot be run (Permission denied)"),
        ("notes", stat.S_IRWXU, "cannot be run (Exec format error)"),
        ("#!/bin/sh\n", stat.S_IRWXU, "is no ffmpeg"),
    ],
)
def test_an_ffmpeg_that_is_none(place, capsys, monkeypatch, content, mode, said):
    film(Path("clip.mp4"), 4)
    named = place / "ffmpeg"
    if content is not None:
        named.write_text(content)
        named.chmod(mode)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(named))
    for words in (["fit", "clip.mp4"], ["speaker", "a.mp4"]):
        assert f"{named} {said}" in refused(capsys, *words)
    assert "IMAGEIO_FFMPEG_EXE" in refused(capsys, "check", "clip.mp4")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    assert ffmpeg_path() != str(named)
