"""Driving while somebody speaks: raw sound in, video out as it comes, 25 frames to every second of sound.

A frame needs sound of the future: its neighbours' windows reach 0.3 s ahead. So a picture follows its sound by that
look-ahead, which is the same always, and by the time that rendering takes. Where rendering takes too long, a picture is
shown again in place of the next: the video's rate and the lips' time stay as they are.

The level of the sound is an estimate that runs along. Where nobody speaks, features are those of the speaker's own
pauses.

Notation: frame i lasts as long as samples 640 i to 640 i + 639 and is complete when the features that its windows see
are.
"""

from __future__ import annotations

import itertools
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.images import to_bytes
from talker.core.prefetch import ahead
from talker.core.types import AUDIO_RATE_HZ, FEATURE_RATE_HZ, FPS, Reporter, View
from talker.driving.render import DriveOptions, Portrait, picture_size
from talker.take.audio import LAST_FEATURE, NEIGHBOURS, WINDOW, AudioEncoder, FrameWindows
from talker.take.loudness import RunningLoudness
from talker.take.speech import frames_of
from talker.video import LiveWriter

FRAME_SAMPLES = AUDIO_RATE_HZ // FPS
SAMPLE_BYTES = 2
HELD_FRAMES = 8  # between the steps
LATE_S = 0.2  # a picture that would come later than this after all it needs is not rendered
_BACKLOG_S = 4.0  # more sound than this at once comes from a file, not from a microphone
_PACE_S = 0.1  # how long the pace of the sound is watched to tell
_LOOK_UP_S = 0.1  # how often a wait for sound looks whether it should end
_WARM_UP_FRAMES = 3
PAUSES = 0.05  # the share of a take in which, at least, nobody speaks
_RATE_FRAMES = 5 * FPS  # the rate is judged over so many
ENOUGH = 0.9  # of the frames rendered: nobody sees the rest


class Heard(NamedTuple):
    """Sound, and when it came in."""

    samples: np.ndarray  # [n] float32 in [-1, 1]
    at_s: float


class Spoken(NamedTuple):
    """A frame that can be rendered."""

    code: Tensor  # [A]
    due_s: float  # when all that it needs was there, or would have been at the speed of speech


class Shown(NamedTuple):
    """A frame that can be written."""

    picture: np.ndarray  # [H, W, 3] uint8
    due_s: float
    is_new: bool  # rendered, not shown again


@dataclass
class LiveReport:
    """What a live video came to; it does not grow with the video."""

    lookahead_s: float
    frames: int = 0
    rendered: int = 0
    _delays: np.ndarray = field(default_factory=lambda: np.zeros(5001, np.int64))  # frames per millisecond of delay

    def note(self, shown: Shown, now_s: float) -> None:
        self.frames += 1
        self.rendered += shown.is_new
        self._delays[round(min(max(0.0, 1000 * (now_s - shown.due_s)), len(self._delays) - 1.0))] += 1

    def latency_ms(self, share: float = 0.5) -> float:
        """From a frame's first sample until its picture goes to the encoder, for that share of the frames."""
        delay = np.searchsorted(np.cumsum(self._delays), share * self.frames) if self.frames else 0
        return 1000 * self.lookahead_s + float(delay)

    def describe(self) -> str:
        """A line for people."""
        usual, worst = self.latency_ms(), self.latency_ms(0.95)
        held = self.frames - self.rendered
        rate = (
            f"; {held} of {self.frames} frames shown again, {FPS * self.rendered / self.frames:.1f} rendered a second"
        )
        return (
            f"{self.frames / FPS:.1f} s, latency {usual:.0f} ms (95 % of the frames within {worst:.0f}), "
            f"{1000 * self.lookahead_s:.0f} ms of it look-ahead{rate if held else ''}"
        )


class LiveSound:
    """Raw mono signed 16-bit little-endian sound at 16 kHz from a pipe, until it ends or `stop` is set."""

    def __init__(self, source: BinaryIO, stop: threading.Event) -> None:
        self._file = source.fileno()
        self._stop = stop
        self._odd = b""  # half a sample

    def blocks(self) -> Iterator[Heard]:
        while (heard := self._read(None)) is not None:
            yield heard

    def skip_backlog(self) -> list[Heard]:
        """What waited while the program started, if it must be kept: not when the source is one that waits for nobody.

        A microphone goes on meanwhile, and whoever starts late by two seconds stays late by two seconds. A file
        delivers as fast as it is read.
        """
        kept: list[Heard] = []
        while sum(len(heard.samples) for heard in kept) < _BACKLOG_S * AUDIO_RATE_HZ:
            until_s, count = time.monotonic() + _PACE_S, 0
            while (left_s := until_s - time.monotonic()) > 0:
                heard = self._read(left_s)
                if heard is None:
                    return kept
                kept.append(heard)
                count += len(heard.samples)
                if count > 2 * _PACE_S * AUDIO_RATE_HZ:
                    break
            else:
                return []
        return kept

    def _read(
        self,
        wait_s: float | None,  # None: until there is sound
    ) -> Heard | None:
        """The next sound, empty when there was none in time; None at the end."""
        waited_s = 0.0
        while not self._stop.is_set():
            step_s = _LOOK_UP_S if wait_s is None else min(_LOOK_UP_S, wait_s - waited_s)
            if select.select([self._file], [], [], step_s)[0]:
                data = os.read(self._file, 1 << 16)
                at_s = time.monotonic()
                if not data:
                    return None
                data = self._odd + data
                whole = len(data) // SAMPLE_BYTES * SAMPLE_BYTES
                self._odd = data[whole:]
                return Heard(np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768.0, at_s)
            waited_s += step_s
            if wait_s is not None and waited_s >= wait_s:
                return Heard(np.zeros(0, np.float32), time.monotonic())
        return None


def lookahead_samples(encoder: AudioEncoder) -> int:
    """From a frame's first sample to the last one that its code depends on."""
    feature = AUDIO_RATE_HZ // FEATURE_RATE_HZ
    return (LAST_FEATURE + 1) * feature + round(encoder.lookahead_s * AUDIO_RATE_HZ)


def check_live(encoder: AudioEncoder) -> None:
    if encoder.lookahead_s is None:
        raise BadInput(
            f"The {encoder.name} encoder hears 20 s at a time; "
            "--live needs a speaker fitted with --audio hama, viseme or mel"
        )


def drive_live(
    portrait: Portrait,
    source: BinaryIO,
    out: Path | BinaryIO,
    options: DriveOptions,
    reporter: Reporter,
    encoder: AudioEncoder,  # the take's own
    stop: threading.Event,  # set from elsewhere to end the video where it is
    background: Tensor | None = None,  # [H, W, 3]
) -> LiveReport:
    """Write the video of the speaker saying what comes in, as it comes in.

    Raises:
        BadInput: no sound came at all; or nobody reads the video any more.
    """
    check_live(encoder)
    lookahead = lookahead_samples(encoder)
    report = LiveReport(lookahead / AUDIO_RATE_HZ)
    if not isinstance(options.view, View):
        raise BadInput("--live does not know when it ends; give --view one number for each key")
    if options.track is not None:
        raise BadInput("--track is of a file; --live hears the one sound of standard input")
    size_px = picture_size(portrait.take, options)

    def render(index: int, code: Tensor) -> np.ndarray:
        shown = portrait.render(
            index, options.view, background, options.detail, code=code, eyes=options.eyes, size_px=size_px
        )
        return to_bytes(shown.rgb)

    render_s = _warm_up(portrait, encoder, render)
    sound = LiveSound(source, stop)
    reporter.notice(
        f"latency {1000 * report.lookahead_s:.0f} ms of look-ahead and about {1000 * render_s:.0f} ms of rendering; "
        "listening (Ctrl-C ends the video)"
    )
    blocks = itertools.chain(sound.skip_backlog(), sound.blocks())
    first = next((block for block in blocks if len(block.samples)), None)
    if first is None and stop.is_set():
        raise KeyboardInterrupt  # before there was anything to end properly
    if first is None:  # known before a video that is there already is replaced
        raise BadInput("No sound came in; pipe raw 16 kHz mono signed 16-bit little-endian PCM to standard input")
    video = LiveWriter(out, size_px, stop)

    def heard() -> Iterator[Heard]:
        for block in itertools.chain([first], blocks):
            video.hear(block.samples)
            yield block
        video.hear_no_more()

    def shown() -> Iterator[Shown]:
        spoken = ahead(speak_live(portrait, heard(), encoder, lookahead), HELD_FRAMES)
        picture = None
        with closing(spoken), ending(stop):
            for index, frame in enumerate(spoken):
                is_new = picture is None or time.monotonic() - frame.due_s <= LATE_S
                if is_new:
                    picture = render(index, frame.code)
                yield Shown(picture, frame.due_s, is_new)

    frames = ahead(shown(), HELD_FRAMES)
    judged, warned = 0, False
    with video, closing(frames), ending(stop):
        for frame in frames:
            video.write(frame.picture)
            report.note(frame, time.monotonic())
            if report.frames % _RATE_FRAMES == 0:
                rendered, judged = report.rendered - judged, report.rendered
                if rendered < ENOUGH * _RATE_FRAMES and not warned:
                    warned = True
                    reporter.notice(
                        f"this machine renders {FPS * rendered / _RATE_FRAMES:.0f} of {FPS} frames a second; "
                        "pictures are shown longer, so that lips and sound stay together"
                    )
    return report


@contextmanager
def ending(stop: threading.Event) -> Iterator[None]:
    """Whoever leaves, for whatever reason, lets the sound end: its step may be waiting for what never comes."""
    try:
        yield
    finally:
        stop.set()


def speak_live(
    portrait: Portrait,
    blocks: Iterator[Heard],
    encoder: AudioEncoder,
    lookahead: int,  # samples
) -> Iterator[Spoken]:
    """Every frame as soon as its sound is there; at the end the rest."""
    level, windows = RunningLoudness(), FrameWindows()
    stream = encoder.stream(level)
    features = portrait.take.own_features
    hush = quietest(features, encoder.speaking(features))
    count, known, started_s, at_s = 0, 0, 0.0, 0.0  # samples, features

    def frames(codes: Tensor, first: int) -> Iterator[Spoken]:
        for index, code in enumerate(codes, first):
            needed = min(index * FRAME_SAMPLES + lookahead, count)
            yield Spoken(code, max(at_s, started_s + needed / AUDIO_RATE_HZ))

    def hushed(features: Tensor) -> Tensor:
        nonlocal known
        features[level.silent(range(known, known + len(features)))] = hush
        known += len(features)
        return features

    for samples, at_s in blocks:
        started_s = started_s if count else at_s
        count += len(samples)
        level.hear(samples)
        first = windows.frames
        yield from frames(portrait.encode(windows.push(hushed(stream.push(samples)))), first)
    if count:
        at_s, first = time.monotonic(), windows.frames
        rest = [windows.push(hushed(stream.finish())), windows.finish(frames_of(count / AUDIO_RATE_HZ))]
        yield from frames(portrait.encode(torch.cat(rest)), first)


def quietest(
    features: Tensor,  # [T, C] of the take
    speaking: Tensor,  # [T] how much seems to be said
) -> Tensor:  # [C]
    """What the speaker's own pauses sound like: a microphone's noise is not that, and would move the lips."""
    return features[speaking.argsort()[: max(1, int(PAUSES * len(features)))]].mean(dim=0)


def _warm_up(portrait: Portrait, encoder: AudioEncoder, render: Callable[[int, Tensor], np.ndarray]) -> float:
    """Seconds that a frame takes, once everything is loaded and every buffer has its size."""
    code = portrait.encode(torch.zeros(1, NEIGHBOURS, WINDOW, encoder.channels))[0]
    for _ in range(_WARM_UP_FRAMES):
        started_s = time.monotonic()
        render(0, code)
    return time.monotonic() - started_s
