"""A live voice: what the page's microphone hears, as the audio code of the frame that can be shown by now.

The codes are those of `talker drive --live` (look-ahead, running level, pauses). A stage that cannot render every frame
skips to the newest, so that the lips never fall behind.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from torch import Tensor

from talker.core.types import AUDIO_RATE_HZ, Take
from talker.driving.live import Heard, check_live, lookahead_samples, speak_live
from talker.driving.render import Portrait
from talker.take.audio import AudioEncoder

_log = logging.getLogger("talker.studio")
_HELD_S = 5.0  # of sound that waits: more is a page that sends faster than time


class _Face:
    """The portrait whose codes are wanted: another edit may be picked while somebody speaks."""

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait

    @property
    def take(self) -> Take:
        return self.portrait.take

    def encode(self, windows: Tensor) -> Tensor:
        return self.portrait.encode(windows)


class Microphone:
    """Sound in, the newest code out; `told` is called from its own thread."""

    def __init__(self, portrait: Portrait, encoder: AudioEncoder, told: Callable[[], None]) -> None:
        check_live(encoder)
        self.lookahead_s = lookahead_samples(encoder) / AUDIO_RATE_HZ
        self.frames = 0  # that can be shown by now
        self.code: Tensor | None = None  # [A] of the newest
        self._face, self._encoder, self._told = _Face(portrait), encoder, told
        self._sound: queue.Queue[Heard | None] = queue.Queue()
        self._waiting, self._lock = 0, threading.Lock()  # samples that wait
        self._thread = threading.Thread(target=self._work, name="microphone", daemon=True)
        self._thread.start()

    def show(self, portrait: Portrait) -> None:
        self._face.portrait = portrait

    def hear(
        self,
        data: bytes,  # mono signed 16-bit little-endian at 16 kHz
    ) -> None:
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768.0
        with self._lock:
            is_heard = 0 < len(samples) <= _HELD_S * AUDIO_RATE_HZ - self._waiting
            self._waiting += len(samples) if is_heard else 0
        if is_heard:
            self._sound.put(Heard(samples, time.monotonic()))

    def close(self) -> None:
        self._sound.put(None)
        self._thread.join(5.0)

    def _blocks(self) -> Iterator[Heard]:
        while (heard := self._sound.get()) is not None:
            with self._lock:
                self._waiting -= len(heard.samples)
            yield heard

    def _work(self) -> None:
        try:
            for spoken in speak_live(self._face, self._blocks(), self._encoder, lookahead_samples(self._encoder)):
                self.code, self.frames = spoken.code, self.frames + 1
                self._told()
        except Exception:  # the last code stays, and the page may begin again
            _log.exception("a live voice")
