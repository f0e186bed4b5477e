"""How ffmpeg is given a media file to read: the one place for the whole program.

A file may be made to name others: a playlist, a manifest, a script, a picture that is one of a row. ffmpeg goes by what
is in a file, whatever its name, and would open them all. So it is held to formats that carry their own pictures and
sound, and to the protocol `file`. What mov could refer to elsewhere stays off (`enable_drefs`, ffmpeg's default).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# ffmpeg's names (`ffmpeg -demuxers`), by what people have.
FORMATS = (
    *("mov", "matroska", "avi", "flv", "asf"),  # mp4, m4a, m4v, 3gp; webm; wmv, wma
    *("mpegts", "mpeg", "dv", "mxf"),  # camcorders: mts, m2ts, vob, mpg
    *("wav", "w64", "aiff", "au", "caf", "mp3", "aac", "flac", "ogg", "wv", "tta", "ape", "amr", "ac3", "eac3"),
    *("gif", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe"),  # to be told what they are
)
NOT_ALLOWED = "Format not on whitelist"  # ffmpeg's words

_ENDLESS = 0x7FFF0000  # bytes: who writes to a pipe claims so many or more, or none; ffmpeg then reads to the end
_SPARE_BYTES = 1024  # of what follows the sound: tags that are no chunks
_MOST_CHUNKS = 1000


def opened(
    path: Path | str,
    start_s: float | None = None,
    end_s: float | None = None,
    decoder: str | None = None,  # of the pictures, instead of ffmpeg's first choice
) -> list[str]:
    """ffmpeg's arguments for one part of a local file."""
    part = ["-ss", f"{start_s:.6f}"] if start_s else []
    part += ["-t", f"{end_s - (start_s or 0.0):.6f}"] if end_s is not None else []
    part += ["-c:v", decoder] if decoder is not None else []
    safe = ["-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS)]
    claimed, there = wav_claim(path)  # a header must not decide that sound is not heard
    whole = ["-f", "wav", "-ignore_length", "1"] if claimed < there else []
    return [*safe, *whole, *part, "-i", f"file:{path}"]


def wav_claim(path: Path | str) -> tuple[int, int]:
    """Bytes of sound that a WAV file's header claims, and that there are; (0, 0) where both are left to ffmpeg."""
    with open(path, "rb") as file:
        head, size = file.read(12), file.seek(0, 2)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return 0, 0
        claimed = start = end = 0
        for name, place, length in _chunks(file):
            if name == b"data":
                claimed, start = length, place
            if place + length > size:
                break
            end = place + length + length % 2
    if not claimed or claimed >= _ENDLESS:
        return 0, 0
    if start + claimed > size:
        return claimed, size - start
    rest = size - end
    return claimed, claimed + rest if rest > max(_SPARE_BYTES, claimed // 10) else claimed


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of a WAV's chunks, as far as they look like some."""
    place = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if len(head) < 8 or not all(32 <= letter < 127 for letter in name):
            return
        yield name, place + 8, length
        place += 8 + length + length % 2
