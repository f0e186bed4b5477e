"""Which files ffmpeg is given, and that a file which names others makes it open none of them."""

from __future__ import annotations

import ast
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import talker
from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ
from talker.video import ffmpeg_path, probe, read_audio, read_frames
from tests.hostile_media import KINDS, write_secret


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_secret(tmp_path_factory.mktemp("elsewhere") / "secret.mp4")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody listens on; nobody may have called when the test ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_names_others_is_refused_whatever_its_name(kind: str, secret: Path, port: int, tmp_path: Path):
    for name, read in (("leak.mp4", probe), ("leak.wav", read_audio), (f"leak.{kind}", probe)):
        path = tmp_path / name
        path.write_text(KINDS[kind](secret, port))
        with pytest.raises(BadInput, match=r"^leak\.\S+ is no") as refusal:
            read(path)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["dash", "hls", "concat"])
def test_these_files_are_read_by_a_reader_that_goes_by_content(kind: str, secret: Path, port: int, tmp_path: Path):
    """Or the test above would prove nothing."""
    path = tmp_path / "leak.m3u8"
    path.write_text(KINDS[kind](secret, port))
    trusting = ["-protocol_whitelist", "file,data,crypto", *(["-safe", "0"] if kind == "concat" else [])]
    done = subprocess.run([ffmpeg_path(), *trusting, "-i", path, "-f", "null", "-"], capture_output=True, check=False)
    assert b"Audio: aac" in done.stderr and done.returncode == 0, done.stderr


def test_a_row_of_pictures_is_no_video(tmp_path: Path):
    picture = tmp_path / "p1.png"
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", "color=s=32x32", "-frames:v", "1", picture], check=True
    )
    (tmp_path / "p2.png").write_bytes(picture.read_bytes())
    row = tmp_path / "p%d.png"
    row.write_bytes(b"the name is what counts")
    with pytest.raises(BadInput, match="no recording"):
        probe(row)


def test_a_film_whose_sound_lies_in_another_file_is_not_completed(tmp_path: Path):
    """QuickTime's data reference: a track's samples may be said to lie elsewhere."""
    (tmp_path / "secret.raw").write_bytes(b"\x11\x22" * 32_000)
    path = tmp_path / "refers.mov"
    tone = ["-f", "lavfi", "-i", "sine=300:r=16000:d=2", "-c:a", "pcm_s16le"]
    subprocess.run([ffmpeg_path(), "-v", "error", *tone, path], check=True)
    data = path.read_bytes()
    path.write_bytes(_with_reference(data, tmp_path / "secret.raw"))
    trusting = [ffmpeg_path(), "-v", "error", "-enable_drefs", "1", "-use_absolute_path", "1", "-i", path]
    read = subprocess.run([*trusting, "-f", "s16le", "-"], capture_output=True, check=False).stdout
    assert b"\x11\x22" * 100 in read, "the file does not refer to the other as it should"
    with pytest.raises(BadInput, match="without sound"):
        read_audio(path)


def _with_reference(data: bytes, target: Path) -> bytes:
    """The same film, whose only track has its samples in `target`: an alias with the absolute path (type 2)."""
    name = str(target).encode()
    record = bytes(150) + struct.pack(">hh", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hh", -1, 0)
    alias = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    place = data.index(b"dref") - 4
    (size,) = struct.unpack(">I", data[place : place + 4])
    table = struct.pack(">I4sII", 16 + len(alias), b"dref", 0, 1) + alias
    data = data[:place] + table + data[place + size :]
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):  # each holds the next
        at = data.index(box) - 4
        (old,) = struct.unpack(">I", data[at : at + 4])
        data = data[:at] + struct.pack(">I", old + len(table) - size) + data[at + 4 :]
    return data


def test_ffmpeg_gets_its_files_from_one_place():
    """Elsewhere `-i` stands before a pipe only."""
    sources = [path for path in Path(talker.__file__).parent.rglob("*.py") if '"-i"' in path.read_text()]
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            words = [getattr(word, "value", None) for word in getattr(node, "elts", [])]
            if "-i" in words and path.name != "source.py":
                after = node.elts[words.index("-i") + 1]
                assert ast.unparse(after).strip("f'\"").startswith("pipe:"), f"{path}:{node.lineno}"


PICTURES = {
    **{suffix: ["-c:v", "libx264", "-c:a", "aac"] for suffix in ["mp4", "mov", "m4v", "mkv", "flv", "ts", "m2ts"]},
    "webm": ["-c:v", "libvpx", "-c:a", "libopus"],
    "avi": ["-c:v", "mpeg4", "-c:a", "mp3"],
    "wmv": ["-c:v", "wmv2", "-c:a", "wmav2"],
    "mpg": ["-c:v", "mpeg2video", "-c:a", "mp2"],
    "3gp": ["-c:v", "libx264", "-c:a", "aac"],
    "mxf": ["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
    "dv": ["-s", "720x576", "-pix_fmt", "yuv420p", "-ar", "48000", "-ac", "2"],
}
SOUNDS = "wav w64 aiff au caf mp3 m4a aac flac ogg opus wv tta ac3 wma mka weba".split()


@pytest.mark.parametrize("suffixes", [[*PICTURES], SOUNDS], ids=["pictures", "sounds"])
def test_what_people_have_is_read(secret: Path, tmp_path: Path, suffixes: list[str]):
    for suffix in suffixes:
        path = tmp_path / f"clip.{suffix}"
        how = ["-vn", *({"weba": ["-f", "webm"]}.get(suffix, []))] if suffix in SOUNDS else PICTURES[suffix]
        command = [ffmpeg_path(), "-v", "error", "-i", secret, "-t", "0.4", *how, path]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        info = probe(path)
        assert info.has_audio and info.has_video == (suffix in PICTURES), suffix
        assert 0.3 < info.sound_s < 0.6 and len(read_audio(path)) > 0.3 * AUDIO_RATE_HZ, suffix
        assert suffix in SOUNDS or len(list(read_frames(path))) >= 9, suffix
