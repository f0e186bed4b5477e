"""Speech in a file, as driving hears it: which sound it is, how loud, and for how many frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter, Silent
from talker.take.loudness import WholeLoudness, check_audible, measure_loudness
from talker.video import SoundSource, probe, sound_source, stream_audio


@dataclass(frozen=True)
class Speech:
    """Speech in a file: heard once for its level, then streamed, never all in memory."""

    source: SoundSource
    loudness: WholeLoudness

    @classmethod
    def listen(
        cls,
        path: Path,
        track: int | None = None,  # counted from 1; None: the one with speech
        reporter: Reporter = Silent(),
    ) -> Speech:
        """BadInput when there is nothing to hear: lips cannot follow silence."""
        if not probe(path).has_audio:
            raise BadInput(f"{path.name} holds no sound; give the speech to say: a recording in which somebody speaks")
        source = sound_source(path, track)
        for notice in source.notices:
            reporter.notice(notice)
        loudness = measure_loudness(stream_audio(source))
        check_audible(loudness, path.name)
        if loudness.samples < AUDIO_RATE_HZ / FPS:
            seconds = loudness.samples / AUDIO_RATE_HZ
            raise BadInput(f"{path.name} lasts {seconds:.3f} s by its header, less than a picture; export it again")
        return cls(source, loudness)

    @property
    def frames(self) -> int:
        return frames_of(self.loudness.samples / AUDIO_RATE_HZ)


def frames_of(seconds: float) -> int:
    """Video frames that last as long as the audio, within a frame."""
    return max(1, round(seconds * FPS))
