"""Sound of any file, streamed or whole."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ
from talker.video.files import Decoder, probe, reading
from talker.video.tracks import SoundSource, sound_source

ALIGNED = "aresample=async=1:first_pts=0"  # gaps and a late start become silence: sample 0 belongs to frame 0
BLOCK_S = 1.0


def stream_audio(
    source: Path | SoundSource,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Iterator[np.ndarray]:
    """Mono float32 blocks of at most `BLOCK_S`, at 16 kHz, of any file with sound; none of them is empty.

    Of a path, the track with speech is heard. BadInput when the file has no sound, or when its sound breaks off long
    before its end.
    """
    if not isinstance(source, SoundSource):
        source = sound_source(source, None, start_s, end_s)
    info = probe(source.path)
    filters = ",".join([*source.filters, ALIGNED])
    command = [*reading(source.path, start_s, end_s), "-map", f"0:a:{source.track}", "-af", filters]
    command += ["-ac", "1", "-ar", str(AUDIO_RATE_HZ), "-f", "f32le", "pipe:1"]
    count = 0
    with Decoder(command) as ffmpeg:
        while block := ffmpeg.output.read(4 * round(BLOCK_S * AUDIO_RATE_HZ)):
            samples = np.frombuffer(block[: len(block) // 4 * 4], np.float32)
            count += len(samples)
            yield samples
    name = source.path.name
    if count == 0:
        part = "; export it again" if start_s is None and end_s is None else " there; check --start and --end"
        raise BadInput(f"{name} is without sound, or its sound is broken{part}")
    whole_s = info.tracks[source.track].seconds or info.duration_s or np.inf
    wanted_s = min(end_s if end_s is not None else np.inf, whole_s) - (start_s or 0.0)
    if ffmpeg.complaints and np.isfinite(wanted_s) and count / AUDIO_RATE_HZ < 0.5 * wanted_s:
        raise BadInput(f"The sound of {name} breaks off after {count / AUDIO_RATE_HZ:.1f} s; export it again")


def read_audio(
    source: Path | SoundSource,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
) -> np.ndarray:
    """All of `stream_audio` at once: float32 [T]."""
    return np.concatenate(list(stream_audio(source, start_s=start_s, end_s=end_s)))


def write_wav(
    path: Path,
    samples: np.ndarray | Iterable[np.ndarray],  # [T] float in [-1, 1], 16 kHz; or blocks of it, which are not kept
) -> None:
    """Mono 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(AUDIO_RATE_HZ)
        for block in [samples] if isinstance(samples, np.ndarray) else samples:
            file.writeframes(to_pcm(block))


def to_pcm(
    samples: np.ndarray,  # [T] float in [-1, 1]
) -> bytes:
    """Signed 16-bit little-endian."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()
