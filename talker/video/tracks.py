"""Which of a file's sounds is heard, and how ffmpeg makes one clean channel of it.

A recorder may write several tracks, the first of them silent; a cable may turn the phase of one channel, so that left
and right cancel each other out where they are added; a file may hold numbers that are no sound, or have a full scale of
its own. So every track is surveyed before any of it is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from talker.core.errors import BadInput
from talker.video.files import BROKEN_S, Decoder, SoundTrack, VideoInfo, probe, reading
from talker.video.source import wav_claim
from talker.video.survey import BEYOND, Survey, Surveyor

_SPEAKS = 0.2  # of `survey.swelling`
_STRAY = 0.01  # of the numbers: where more are beyond full scale, the file has another one
_DAMAGED = 0.5  # of the numbers
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class SoundSource:
    """One track of a file, as it is to be heard."""

    path: Path
    track: int  # from 0
    filters: tuple[str, ...] = ()  # ffmpeg's, which make it clean
    notices: tuple[str, ...] = ()  # for people: what was chosen, and what was mended
    seconds: float = 0.0


def sound_source(
    path: Path,
    track: int | None = None,  # counted from 1; None: the one with speech
    start_s: float | None = None,
    end_s: float | None = None,
) -> SoundSource:
    """What is to be heard of a file, or of a part of it. BadInput where it has no sound, or nothing but damage."""
    path, info = Path(path), require_sound(path)
    if track is not None and not 1 <= track <= len(info.tracks):
        many = f"{len(info.tracks)} sound track{'s' if len(info.tracks) > 1 else ''}"
        raise BadInput(f"{path.name} has {many}; --track {track} is none of them")
    numbers = range(len(info.tracks)) if track is None else [track - 1]
    surveys = {number: _survey(path, number, start_s, end_s) for number in numbers}
    chosen = choose_track(surveys) if track is None else track - 1
    found, gain = surveys[chosen]
    if found.stray > _DAMAGED * found.numbers:
        share = found.stray / found.numbers
        raise BadInput(f"{path.name} is damaged: {share:.0%} of its samples are not numbers; export it again")
    notices = [_choice(path.name, info.tracks, surveys, chosen)] if len(surveys) > 1 else []
    if start_s is None and end_s is None:
        notices += _header_mistakes(path, info, found)
    filters = []
    if gain != 1.0:
        filters.append(f"volume={gain:.9g}:precision=double")
        notices.append(f"{path.name} goes {-20 * math.log10(gain):.0f} dB beyond full scale; it is brought back to it")
    if found.stray:
        filters.append(f"aeval='if(lte(abs(val(ch)),{BEYOND}),val(ch),0)':c=same")
        notices.append(
            f"{found.stray} samples of {path.name} are no sound (not a number, or far beyond full scale); "
            "they are heard as silence"
        )
    if found.loudest is not None:
        filters.append(f"pan=mono|c0=c{found.loudest}")
        notices.append(f"The channels of {path.name} cancel each other out; only the louder one is heard")
    return SoundSource(path, chosen, tuple(filters), tuple(notices), found.seconds)


def require_sound(path: Path) -> VideoInfo:
    """`probe`, and BadInput unless the file holds sound."""
    info = probe(path)
    if not info.has_audio:
        name = Path(path).name
        raise BadInput(f"{name} has no sound; talker learns lips from speech, so give a recording with its sound")
    return info


def choose_track(
    surveys: dict[int, tuple[Survey, float]],
) -> int:
    """The first that speaks; or else the first that is not silent; or else the first."""
    audible = [number for number, (survey, _) in surveys.items() if not survey.is_silent]
    speaking = [number for number in audible if surveys[number][0].swelling >= _SPEAKS]
    return next(iter([*speaking, *audible, *surveys]))


def _survey(path: Path, track: int, start_s: float | None, end_s: float | None) -> tuple[Survey, float]:
    """The survey, and the gain that it was made with: what brings the track to full scale."""
    state = path.stat()
    key = (str(path.resolve()), state.st_mtime_ns, state.st_size, track, start_s, end_s)
    found, gain = _look_through(*key, 1.0), 1.0
    if found.beyond > _STRAY * found.numbers:
        gain = 1.0 / found.highest
        found = _look_through(*key, gain)
    return found, gain


@lru_cache(maxsize=32)
def _look_through(
    path: str, _modified_ns: int, _bytes: int, track: int, start_s: float | None, end_s: float | None, gain: float
) -> Survey:
    command = [*reading(Path(path), start_s, end_s), "-map", f"0:a:{track}"]
    command += ["-af", f"volume={gain:.9g}:precision=double"] if gain != 1.0 else []
    command += ["-c:a", "pcm_f32be", "-f", "au", "pipe:1"]  # a format that says rate and channels, and is streamed
    with Decoder(command) as ffmpeg:
        head = ffmpeg.output.read(24)
        if len(head) < 24:
            return Surveyor(1, 1).report()
        _, offset, _, _, rate_hz, channels = np.frombuffer(head, ">u4").tolist()
        ffmpeg.output.read(offset - 24)
        surveyor = Surveyor(rate_hz, channels)
        step = 4 * channels
        while block := ffmpeg.output.read(max(1, _BLOCK_BYTES // step) * step):
            whole = block[: len(block) // step * step]
            surveyor.look(np.frombuffer(whole, ">f4").astype(np.float32).reshape(-1, channels))
    return surveyor.report()


# -------------------------------------------------------------------- what people are told


def _choice(
    name: str,
    tracks: Sequence[SoundTrack],
    surveys: dict[int, tuple[Survey, float]],
    chosen: int,
) -> str:
    def named(number: int) -> str:
        facts = [tracks[number].title, "silent" if surveys[number][0].is_silent else ""]
        known = ", ".join(filter(None, facts))
        return f"{number + 1} ({known})" if known else f"{number + 1}"

    others = " or ".join(named(number) for number in surveys if number != chosen)
    return f"{name} has {len(tracks)} sound tracks: {named(chosen)} is heard, not {others}; --track N chooses another"


def _header_mistakes(path: Path, info: VideoInfo, found: Survey) -> list[str]:
    claimed, there = wav_claim(path)
    if claimed < there:
        all_s = f"all {found.seconds:.1f} s are heard"
        return [f"The header of {path.name} claims {claimed} bytes of sound, the file has {there}: {all_s}"]
    claimed_s = found.seconds * claimed / there if there else info.duration_s
    if not info.has_video and found.seconds < claimed_s - BROKEN_S:
        return [f"{path.name} breaks off after {found.seconds:.1f} of {claimed_s:.1f} s; that much is heard"]
    return []
