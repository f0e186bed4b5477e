"""Which sound of a file is heard, and what becomes of sound that is not as it should be."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ
from talker.video import VideoWriter, ffmpeg_path, probe, read_audio, sound_source, stream_audio, write_wav
from talker.video.survey import Surveyor, swelling


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ)).astype("f4")


def speech(seconds: float) -> np.ndarray:
    """A voice as far as the choice of a track knows one: it swells and fades four times a second."""
    time_s = np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    return (tone(seconds, 150.0) * (1 - np.cos(2 * np.pi * 4 * time_s)) / 2).astype("f4")


def write_float_wav(path: Path, channels: np.ndarray, kind: str = "<f4") -> None:
    """[n, C] as 32- or 64-bit float at 16 kHz, whatever the numbers are."""
    data, size = channels.astype(kind).tobytes(), np.dtype(kind).itemsize
    count = channels.shape[1]
    head = struct.pack("<HHIIHH", 3, count, AUDIO_RATE_HZ, AUDIO_RATE_HZ * size * count, size * count, 8 * size)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def file_of(folder: Path, *tracks: np.ndarray, titles: tuple[str, ...] = ()) -> Path:
    """A film with a sound track for each of the given."""
    film = folder / "tracks.mkv"
    words: list[object] = ["-f", "lavfi", "-i", "color=s=32x32:r=25:d=4"]
    for number, samples in enumerate(tracks):
        write_wav(folder / f"{number}.wav", samples)
        words += ["-i", folder / f"{number}.wav"]
    words += ["-map", "0:v", *(word for number in range(len(tracks)) for word in ("-map", f"{number + 1}:a"))]
    for number, title in enumerate(titles):
        words += [f"-metadata:s:a:{number}", f"title={title}"]
    command = [ffmpeg_path(), "-v", "error", "-y", *map(str, words), "-c:a", "pcm_s16le", "-t", "4", str(film)]
    subprocess.run(command, check=True)
    return film


def same(heard: np.ndarray, meant: np.ndarray) -> bool:
    return abs(len(heard) - len(meant)) < 200 and bool(
        np.corrcoef(heard[200:-200], meant[200 : len(heard) - 200])[0, 1] > 0.99
    )


# -------------------------------------------------------------------- tracks


@pytest.mark.parametrize(
    ("first", "chosen"),
    [(np.zeros(64_000, "f4"), 1), (tone(4.0), 1), (speech(4.0)[::-1], 0)],
    ids=["silence", "a steady tone", "another voice"],
)
def test_the_first_track_with_speech_is_heard_and_said(tmp_path: Path, first: np.ndarray, chosen: int):
    film = file_of(tmp_path, first, speech(4.0), titles=("Desktop", "Mic\x1b[31m"))
    source = sound_source(film)
    assert source.track == chosen and len(source.notices) == 1 and source.notices[0].isprintable()
    assert "2 sound tracks" in source.notices[0] and "--track" in source.notices[0]
    assert ("2 (Mic?[31m) is heard, not 1 (Desktop", "1 (Desktop) is heard, not 2")[1 - chosen] in source.notices[0]
    assert same(read_audio(film), (first, speech(4.0))[chosen])
    with VideoWriter(tmp_path / "out.mp4", (32, 32), audio=source) as video:
        for _ in range(100):
            video.write(np.zeros((32, 32, 3), np.uint8))
    assert same(read_audio(video.path)[:64_000], (first, speech(4.0))[chosen])


def test_a_track_is_chosen_by_its_number(tmp_path: Path):
    film = file_of(tmp_path, speech(4.0), tone(4.0))
    for number, meant in enumerate((speech(4.0), tone(4.0)), 1):
        source = sound_source(film, number)
        assert source.notices == () and same(read_audio(source), meant)
    for wrong in (0, 3, -1):
        with pytest.raises(BadInput, match=f"2 sound tracks; --track {wrong} is none"):
            sound_source(film, wrong)
    assert [round(track.seconds) for track in probe(film).tracks] == [4, 4]


def test_speech_swells_and_what_is_steady_does_not():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=500) * 0.02 + 1.0
    beat = np.sin(2 * np.pi * 0.5 * np.arange(500) / 50) * 0.3 + 1.0  # a chord that comes and goes
    syllables = 1 + 0.8 * np.sin(2 * np.pi * 4 * np.arange(500) / 50)
    assert swelling(syllables) > 0.3 and max(swelling(noise), swelling(beat)) < 0.02
    assert swelling(np.zeros(500)) == 0.0 and swelling(np.ones(3)) >= 0.0
    assert swelling(7.0 * syllables) == pytest.approx(swelling(syllables))


# -------------------------------------------------------------------- channels


@pytest.mark.parametrize(("left", "right"), [(1.0, -1.0), (0.3, -0.31), (-0.5, 0.55)])
def test_channels_that_cancel_are_not_added(tmp_path: Path, left: float, right: float):
    write_float_wav(tmp_path / "phase.wav", speech(2.0)[:, None] * (left, right))
    source = sound_source(tmp_path / "phase.wav")
    assert len(source.notices) == 1 and "cancel" in source.notices[0]
    louder = left if abs(left) >= abs(right) else right
    assert np.allclose(read_audio(source), louder * speech(2.0), atol=1e-4)


@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (1.0, 0.0), (0.2, 0.9), (1.0, -0.2)])
def test_other_channels_are(tmp_path: Path, left: float, right: float):
    write_float_wav(tmp_path / "stereo.wav", speech(2.0)[:, None] * (left, right))
    source = sound_source(tmp_path / "stereo.wav")
    assert source.notices == source.filters == ()
    assert np.allclose(read_audio(source), (left + right) * np.sqrt(0.5) * speech(2.0), atol=1e-3)


def test_a_survey_is_the_same_in_any_pieces():
    generator = np.random.default_rng(0)
    sound = generator.normal(size=(5000, 3)).astype("f4") * (0.1, 0.2, 0.3)
    sound[100, 1], sound[200, 2] = np.nan, 1e9
    found = []
    for pieces in (1, 7):
        surveyor = Surveyor(8000, 3)
        for piece in np.array_split(sound.astype("f4"), pieces):
            surveyor.look(piece)
        found.append(surveyor.report())
    assert found[0] == found[1]
    assert (
        found[0].seconds == 0.625
        and (found[0].stray, found[0].numbers) == (2, 15_000)
        and found[0].highest == pytest.approx(1e9)
    )


# -------------------------------------------------------------------- numbers that are no sound


@pytest.mark.parametrize("stray", [np.nan, -np.inf, 1e30])
def test_numbers_that_are_no_sound_are_silence(tmp_path: Path, stray: float):
    for channels in (1, 2):
        sound = np.repeat(speech(2.0)[:, None], channels, axis=1)
        sound[4000:4010] = stray
        write_float_wav(tmp_path / "stray.wav", sound)
        source = sound_source(tmp_path / "stray.wav")
        assert len(source.notices) == 1 and f"{10 * channels} samples of stray.wav are no sound" in source.notices[0]
        heard = read_audio(source)
        assert np.isfinite(heard).all() and np.abs(heard).max() < 0.5
        assert same(heard[5000:], speech(2.0)[5000:])
    with VideoWriter(tmp_path / "out.mp4", (32, 32), audio=source) as video:
        for _ in range(50):
            video.write(np.zeros((32, 32, 3), np.uint8))
    assert same(read_audio(video.path)[:32_000], speech(2.0))


@pytest.mark.parametrize(("scale", "kind"), [(1e30, "<f4"), (32768.0, "<f4"), (1e30, "<f8"), (100.0, "<f8")])
def test_another_full_scale_is_brought_to_ours(tmp_path: Path, scale: float, kind: str):
    write_float_wav(tmp_path / "loud.wav", speech(2.0).astype("f8")[:, None] * scale, kind)
    source = sound_source(tmp_path / "loud.wav")
    assert len(source.notices) == 1 and f"{20 * np.log10(0.3 * scale):.0f} dB beyond full scale" in source.notices[0]
    assert np.allclose(read_audio(source), speech(2.0) / 0.3, atol=1e-3)


@pytest.mark.parametrize(("number", "kind"), [(np.nan, "<f4"), (np.inf, "<f4"), (1e300, "<f8")])
def test_nothing_but_strange_numbers_is_damage(tmp_path: Path, number: float, kind: str):
    write_float_wav(tmp_path / "bad.wav", np.full((32_000, 1), number), kind)
    with pytest.raises(BadInput, match=r"bad\.wav is damaged: 100%"):
        list(stream_audio(tmp_path / "bad.wav"))


# -------------------------------------------------------------------- headers


@pytest.mark.parametrize("claimed", [100, 101, 6400])
def test_a_header_that_claims_too_little_hides_no_sound(tmp_path: Path, claimed: int):
    path = tmp_path / "lies.wav"
    write_wav(path, speech(2.0))
    data = path.read_bytes()
    place = data.index(b"data") + 4
    path.write_bytes(data[:place] + struct.pack("<I", claimed) + data[place + 4 :])
    source = sound_source(path)
    assert len(source.notices) == 1 and "all 2.0 s are heard" in source.notices[0]
    assert same(read_audio(source), speech(2.0))


def test_what_follows_the_sound_is_not_heard(tmp_path: Path):
    path = tmp_path / "tagged.wav"
    write_wav(path, speech(2.0))
    whole = path.read_bytes()
    for tail in (b"LIST" + struct.pack("<I", 5000) + bytes(5000), b"TAG" + bytes(125), b"\0" * 100):
        path.write_bytes(whole + tail)
        assert sound_source(path).notices == () and same(read_audio(path), speech(2.0))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_header_that_claims_too_much_is_told(tmp_path: Path, suffix: str):
    write_wav(tmp_path / "whole.wav", speech(4.0))
    path = tmp_path / f"short.{suffix}"
    subprocess.run([ffmpeg_path(), "-v", "error", "-i", tmp_path / "whole.wav", path], check=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = sound_source(path)
    assert len(source.notices) == 1 and "breaks off after" in source.notices[0] and "of 4.0 s" in source.notices[0]
    assert 1.0 < len(read_audio(source)) / AUDIO_RATE_HZ < 3.0


@pytest.mark.parametrize("claimed", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_who_writes_to_a_pipe_cannot_know_the_length(tmp_path: Path, claimed: int):
    path = tmp_path / "piped.wav"
    write_wav(path, speech(2.0))
    data = path.read_bytes()
    place = data.index(b"data") + 4
    path.write_bytes(data[:place] + struct.pack("<I", claimed) + data[place + 4 :])
    assert sound_source(path).notices == () and same(read_audio(path), speech(2.0))


def test_a_header_may_claim_any_rate_and_any_number_of_channels(tmp_path: Path):
    """Memory follows what there is, not what is claimed."""
    for rate_hz, channels in ((0x7FFFFFFF, 1), (192_000, 60), (1, 1)):
        head = struct.pack("<HHIIHH", 1, channels, rate_hz, min(rate_hz * 2 * channels, 2**32 - 1), 2 * channels, 16)
        data = (speech(0.2) * 32767).astype("<i2").tobytes()
        body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
        (tmp_path / "odd.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
        tracemalloc.start()
        with contextlib.suppress(BadInput):
            next(stream_audio(tmp_path / "odd.wav"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**25, f"{peak} bytes for {len(data)} of sound"
