"""What the speaker on the stage says: the features of a sound, and the audio codes of its frames as they are needed.

Codes belong to a scene (each edit trains its own audio network); features belong to the speaker's encoder. Notation: T
features of C channels, A the length of a code.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from talker.core.types import AUDIO_RATE_HZ, Take
from talker.driving.live import quietest
from talker.driving.render import Portrait
from talker.take.audio import AudioEncoder, audio_windows
from talker.take.speech import Speech, frames_of
from talker.video.sound import stream_audio

_CHUNK = 32  # frames whose codes are made at once: 20 ms of work
_CHUNKS_HELD = 256  # of all scenes together
BINS = 400  # of a waveform's picture
_PIECE = 40  # samples whose peak is held while a sound is read: 2.5 ms, of which the shortest sounds have enough


class SpeechTrack:
    """A sound, heard; codes of any frame, for any scene."""

    def __init__(
        self,
        features: Tensor,  # [T, C]
        frames: int,
    ) -> None:
        self.features, self.frames = features, frames
        self._codes: OrderedDict[tuple[Hashable, int], Tensor] = OrderedDict()  # [32, A] each
        self._lock = threading.Lock()

    @classmethod
    def listen(cls, path: Path, encoder: AudioEncoder) -> SpeechTrack:
        """BadInput where there is nothing to hear."""
        speech = Speech.listen(path)
        stream = encoder.stream(speech.loudness)
        parts = [stream.push(block) for block in stream_audio(speech.source)]
        return cls(torch.cat([*parts, stream.finish()]), speech.frames)

    @classmethod
    def silence(cls, take: Take, encoder: AudioEncoder) -> SpeechTrack:
        """What the speaker's own pauses sound like."""
        features = take.own_features
        hush = quietest(features, encoder.speaking(features))
        return cls(hush[None], 1)

    def code(
        self,
        index: int,  # frame; after the end, the last
        portrait: Portrait,
        key: Hashable,  # of the portrait's scene
    ) -> Tensor:  # [A]
        chunk, place = divmod(min(index, self.frames - 1), _CHUNK)
        with self._lock:
            codes = self._codes.get((key, chunk))
        if codes is None:
            last = min((chunk + 1) * _CHUNK, self.frames)
            codes = portrait.encode(audio_windows(self.features, range(chunk * _CHUNK, last)))
            with self._lock:
                self._codes[key, chunk] = codes
                while len(self._codes) > _CHUNKS_HELD:
                    self._codes.popitem(last=False)
        return codes[place]


def waveform(path: Path) -> dict[str, object]:
    """How loud a sound is along its length, for the page to draw: `BINS` peaks in [0, 1]. It is never all in memory."""
    fine, count = [np.zeros(0, np.float32)], 0
    rest = np.zeros(0, np.float32)  # samples that do not fill a piece yet
    for block in stream_audio(path):
        count += len(block)
        block = np.concatenate([rest, np.abs(block)])
        whole = len(block) // _PIECE * _PIECE
        fine.append(block[:whole].reshape(-1, _PIECE).max(1))
        rest = block[whole:]
    pieces = np.concatenate([*fine, rest.max(keepdims=True)] if len(rest) else fine)
    edges = np.linspace(0, len(pieces), BINS + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(pieces, np.minimum(edges, len(pieces) - 1))
    loudest = max(float(peaks.max()), 1e-6)
    seconds = count / AUDIO_RATE_HZ
    return {"seconds": seconds, "frames": frames_of(seconds), "peaks": [round(float(p) / loudest, 3) for p in peaks]}
