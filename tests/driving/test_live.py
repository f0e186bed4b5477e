"""Live driving: exact timing, a bounded delay, and an end that is always clean."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, FPS, Silent
from talker.driving.live import FRAME_SAMPLES, LiveReport, LiveSound, Shown, drive_live, lookahead_samples
from talker.driving.render import DriveOptions, Portrait
from talker.take.audio import FrameWindows, MelEncoder, VisemeEncoder
from talker.video import LiveWriter, probe, read_audio, read_frames
from talker.video.sound import to_pcm
from tests.toys import ToyScene

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def babble(seconds: float) -> np.ndarray:
    """Noise that comes and goes."""
    time_s = np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    noise = np.random.default_rng(0).normal(0, 0.1, len(time_s))
    return (noise * np.sin(4 * np.pi * time_s) ** 2).astype(np.float32)


@pytest.fixture(scope="module")
def encoder() -> MelEncoder:
    return MelEncoder().fit(babble(3.0))


@pytest.fixture
def portrait(toy_take, encoder) -> Portrait:
    """Of a speaker whose own pauses sound like -9."""
    pauses = torch.zeros(24, encoder.channels)
    pauses[5] = -9.0
    return Portrait(ToyScene(), replace(toy_take, audio_features=pauses))


@contextmanager
def piped(*pieces: bytes | float, leave_open: bool = False):
    """The reading end of a pipe into which a thread writes bytes, and between them waits for so many seconds."""
    ear, mouth = os.pipe()

    def speak() -> None:
        for piece in pieces:
            if isinstance(piece, float):
                time.sleep(piece)
            else:
                os.write(mouth, piece)
        if not leave_open:
            os.close(mouth)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    with os.fdopen(ear, "rb") as source:
        yield source
        thread.join()
    if leave_open:
        os.close(mouth)


def live(portrait, source, out, encoder, stop=None, reporter=Silent()) -> LiveReport:
    return drive_live(portrait, source, out, DriveOptions(), reporter, encoder, stop or threading.Event())


def test_a_live_video_has_every_frame_and_all_the_sound_in_its_place(portrait, encoder, tmp_path):
    wav = babble(1.3)
    data, out = to_pcm(wav), tmp_path / "out.mp4"
    with piped(data[:1001], 0.03, data[1001:30000], 0.03, data[30000:] + b"!") as source:  # and half a sample
        report = live(portrait, source, out, encoder)
    frames, heard = list(read_frames(out)), read_audio(out)
    assert report.frames == len(frames) == 32
    assert abs(len(heard) / AUDIO_RATE_HZ - 1.3) < 0.07
    shifts = {lag: np.dot(heard[lag + 4000 : lag + 16000], wav[4000:16000]) for lag in range(-2000, 2000, 4)}
    assert abs(max(shifts, key=shifts.get)) <= 8  # not a frame late, nor by the delay of AAC
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("kind", [MelEncoder, VisemeEncoder])
def test_a_frame_is_complete_when_its_look_ahead_is_there(kind):
    """No sample more is waited for than is stated, and none less."""
    wav, frame = babble(3.0), 20
    encoder = kind().fit(wav)
    needed = frame * FRAME_SAMPLES + lookahead_samples(encoder)

    class Unity:
        gain, mean, deviation = 1.0, 0.0, 1.0

    for samples, complete in ((needed - 1, frame), (needed, frame + 1)):
        windows, stream = FrameWindows(), encoder.stream(Unity)
        windows.push(stream.push(wav[:samples]))
        assert windows.frames == complete


def test_no_sound_is_said_and_leaves_nothing(portrait, encoder, tmp_path):
    for nothing in (b"", b"!"):
        with piped(nothing) as source, pytest.raises(BadInput, match="No sound came in"):
            live(portrait, source, tmp_path / "out.mp4", encoder)
    assert not list(tmp_path.iterdir())


def test_stopping_ends_a_video_whose_sound_goes_on(portrait, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(LiveSound, "skip_backlog", lambda self: [])
    stop, out = threading.Event(), tmp_path / "out.mp4"
    threading.Timer(0.6, stop.set).start()
    with piped(to_pcm(babble(3.0))[:60_000], leave_open=True) as source:
        report = live(portrait, source, out, encoder, stop)
    assert report.frames == len(list(read_frames(out))) == 47  # 1.875 s of sound


def test_an_error_in_rendering_is_the_error_that_is_seen(portrait, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(LiveSound, "skip_backlog", lambda self: [])
    render, count = portrait.scene.render, []

    def breaking(*args, **kwargs):
        count.append(1)
        return render(*args, **kwargs) if len(count) < 43 else 1 / 0  # when there is no more sound for now

    portrait.scene.render = breaking
    with piped(to_pcm(babble(2.0)), leave_open=True) as source, pytest.raises(ZeroDivisionError):
        live(portrait, source, tmp_path / "out.mp4", encoder)


def test_a_reader_that_goes_away_is_one_line(portrait, encoder):
    ear, mouth = os.pipe()
    os.close(ear)
    with piped(to_pcm(babble(3.0))) as source, os.fdopen(mouth, "wb") as out:
        with pytest.raises(BadInput, match="Nobody reads"):
            live(portrait, source, out, encoder)
        while source.read(1 << 16):  # let the writing thread end
            pass


def test_a_slow_machine_shows_pictures_longer_and_says_so(portrait, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("talker.driving.live._RATE_FRAMES", 25)
    said = []
    render = portrait.scene.render

    def slowly(*args, **kwargs):
        time.sleep(0.1)
        return render(*args, **kwargs)

    class Listener(Silent):
        def notice(self, text: str) -> None:
            said.append(text)

    portrait.scene.render = slowly
    with piped(to_pcm(babble(2.5))) as source:
        started = time.monotonic()
        report = live(portrait, source, tmp_path / "out.mp4", encoder, reporter=Listener())
    assert time.monotonic() - started < 4.5  # 62 frames of 0.1 s would take 6.2
    assert report.frames == len(list(read_frames(tmp_path / "out.mp4"))) == 62
    assert 10 < report.rendered < 40 and "shown again" in report.describe()
    assert sum("of 25 frames a second" in text for text in said) == 1


@pytest.mark.parametrize(
    ("pieces", "kept_s"),
    [
        ([to_pcm(babble(0.5))], 0.5),  # a short file
        ([to_pcm(babble(6.0))], 4.0),  # a long one: at least so much of it
        ([to_pcm(babble(1.5)), *[0.02, to_pcm(babble(0.02))] * 15], 0.0),  # a microphone that waited for 1.5 s
        ([0.15, to_pcm(babble(0.5))], 0.0),  # one that has not begun
    ],
)
def test_what_a_microphone_said_before_the_start_is_skipped(pieces, kept_s):
    with piped(*pieces) as source:
        kept = LiveSound(source, threading.Event()).skip_backlog()
        while source.read(1 << 16):
            pass
    assert sum(len(heard.samples) for heard in kept) >= kept_s * AUDIO_RATE_HZ
    assert kept_s or not kept


def test_the_report_tells_the_delays_without_keeping_them():
    report = LiveReport(lookahead_s=0.3)
    for delay_ms in [40] * 90 + [200] * 9 + [99_999]:
        report.note(Shown(np.zeros(0), 10.0, True), 10.0 + delay_ms / 1000)
    assert report.latency_ms() == pytest.approx(340, abs=1)
    assert report.latency_ms(0.95) == pytest.approx(500, abs=1)
    assert "latency 340" in report.describe() and "shown again" not in report.describe()


def test_the_lips_rest_where_nobody_speaks(portrait, encoder, tmp_path):
    """A microphone's noise shows what the speaker's own pauses show, speech does not, nor do short closures."""
    noise = np.random.default_rng(1).normal(0, 1e-3, 3 * AUDIO_RATE_HZ).astype(np.float32)
    noise[AUDIO_RATE_HZ : 2 * AUDIO_RATE_HZ] += babble(1.0)
    with piped(to_pcm(noise)) as source:
        live(portrait, source, tmp_path / "out.mp4", encoder)
    codes = [float(condition.audio.mean()) for _, condition in portrait.scene.seen[3:]]  # after the warm-up
    assert codes[0] > -9.0  # 0.2 s of quiet are not yet silence
    assert np.allclose(codes[14:18], -9.0, atol=1e-4) and np.allclose(codes[-8:], -9.0, atol=1e-4)
    assert min(codes[26:48]) > -8.0


@pytest.mark.parametrize("sound_s", [0.02, 0.5])
def test_pictures_after_the_sounds_end_are_waited_for_by_nobody(tmp_path, sound_s):
    """ffmpeg lets pictures get a little ahead of the sound, and no further until it knows that there is no more."""
    out = tmp_path / "short.mp4"

    def write():
        with LiveWriter(out, (64, 64)) as video:
            video.hear(np.full(round(sound_s * AUDIO_RATE_HZ), 0.1, np.float32))
            video.hear_no_more()
            for _ in range(60):
                video.write(np.zeros((64, 64, 3), np.uint8))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    writer.join(20)
    assert not writer.is_alive()
    assert probe(out).duration_s == pytest.approx(60 / FPS, abs=0.1)


def test_a_reader_who_stalls_is_left_once_the_video_was_told_to_end(monkeypatch):
    monkeypatch.setattr("talker.video.live.PATIENCE_S", 0.3)
    ear, mouth = os.pipe()  # nobody reads
    stop, generator = threading.Event(), np.random.default_rng(0)
    with (
        pytest.raises(BadInput, match="Nobody reads"),
        os.fdopen(mouth, "wb") as out,
        LiveWriter(out, (256, 256), stop) as video,
    ):
        video.hear(np.zeros(20 * AUDIO_RATE_HZ, np.float32))
        threading.Timer(1.0, stop.set).start()
        for _ in range(500):
            video.write(generator.integers(0, 256, (256, 256, 3), np.uint8))
    os.close(ear)
