"""Lips at the phones of real speech: shut at p, b and m, open at open vowels, calm where a vowel is held.

What is said when is told by the whole recogniser of pip's `hama`. It names a phone late: by 85 ms in the median of 22
p, b and m of the demo speaker's speech, whose phones are known (10th and 90th percentile -10 and 100 ms). That is taken
out.

Notation: B frames at 25 Hz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from talker.core.errors import Missing
from talker.core.images import to_bytes
from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter
from talker.driving.render import Portrait
from talker.evaluation.faces import find_faces
from talker.evaluation.mouth import mouth_sizes
from talker.take.landmarks import load_detector

SHUT_PHONES = frozenset("pbm")
OPEN_VOWELS = frozenset("aɑæɐɒʌ")
VOWELS = OPEN_VOWELS | frozenset("eiouɛɔəɪʊɜyø")
NAMED_LATE_S = 0.085
REACH_FRAMES = 2  # before and after a phone's frame, in which lips may do what it asks for
SHUT_SHARE = 0.25  # of the range of an opening (5th to 95th percentile): below, lips count as shut
HELD_S = 0.16  # a vowel as long is held


class Phone(NamedTuple):
    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class LipsAtPhones:
    """Counts, so that several speeches can be pooled."""

    closed: int = 0  # p, b and m at which lips shut
    bilabials: int = 0
    shut_vowels: int = 0  # open vowels at which lips stay shut
    open_vowels: int = 0
    jitter: tuple[float, ...] = ()  # of held vowels: mean change of opening from frame to frame, shares of its range

    @classmethod
    def pooled(cls, found: Sequence[LipsAtPhones]) -> LipsAtPhones:
        return cls(
            *(
                sum(getattr(one, name) for one in found)
                for name in ("closed", "bilabials", "shut_vowels", "open_vowels")
            ),
            tuple(value for one in found for value in one.jitter),
        )

    def as_json(self) -> dict[str, float | None]:
        return {
            "closed_share": self.closed / self.bilabials if self.bilabials else None,
            "open_vowels_shut_share": self.shut_vowels / self.open_vowels if self.open_vowels else None,
            "held_vowel_jitter": float(np.mean(self.jitter)) if self.jitter else None,
        }


def spoken_phones(
    wav: np.ndarray,  # [n] 16 kHz
) -> list[Phone]:
    """What is said when. Missing without the recogniser's package."""
    try:
        from hama import ASRModel
    except ImportError as error:
        raise Missing("The phones of real speech are told by hama; pip install hama==1.7.0") from error
    model = ASRModel()
    spans = model.phoneme_spans(model(wav, AUDIO_RATE_HZ))
    return [Phone(s.phoneme, s.start_ms / 1000 - NAMED_LATE_S, s.end_ms / 1000 - NAMED_LATE_S) for s in spans]


def lips_at_phones(portrait: Portrait, phones: Sequence[Phone], reporter: Reporter) -> LipsAtPhones:
    """Of the speech that the portrait has been given: rendered as driven, measured by the usual detector."""
    frames = np.stack([to_bytes(portrait.render(index).rgb) for index in range(len(portrait))])
    landmarks = find_faces(frames, lambda: load_detector("mediapipe"), "faces of the drive", reporter)
    opening, _ = mouth_sizes(landmarks)
    return judge(opening, phones)


def judge(
    opening: np.ndarray,  # [B] nan without a face
    phones: Sequence[Phone],
) -> LipsAtPhones:
    low, high = np.nanpercentile(opening, (5, 95))
    share = (opening - low) / max(high - low, 1e-9)

    def around(phone: Phone, reach: int = REACH_FRAMES) -> np.ndarray:
        first, last = round(phone.start_s * FPS) - reach, round(phone.start_s * FPS) + reach
        return share[max(0, first) : max(0, last + 1)]

    shut = [np.nanmin(near) < SHUT_SHARE for p in phones if p.name in SHUT_PHONES and len(near := around(p))]
    vowels = [np.nanmax(near) < SHUT_SHARE for p in phones if p.name[:1] in OPEN_VOWELS and len(near := around(p))]
    held = [
        float(np.nanmean(np.abs(np.diff(piece))))
        for p in phones
        if p.name[:1] in VOWELS
        and p.end_s - p.start_s >= HELD_S
        and len(piece := share[round(p.start_s * FPS) : round(p.end_s * FPS)]) > 2
    ]
    return LipsAtPhones(sum(shut), len(shut), sum(vowels), len(vowels), tuple(held))
