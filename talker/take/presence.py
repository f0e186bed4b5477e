"""Which pictures of a clip show the speaker, what is left out, and when too little remains.

A picture without a face between others of the same shot is bridged when the face is away for a moment only: detectors
miss one now and then. All else that does not show the speaker is left out of the training, with its sound: frames keep
their places.

Notation: n pictures of a clip, at the rate of its frames or a lower one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from talker.core.axis import runs
from talker.core.errors import BadInput
from talker.take.cuts import CUT_OVER_OTHERS, CUT_STEP, NEARBY

LONGEST_GAP_S = 0.6  # for so long, poses can be guessed
LONGEST_WAY_S = 1.0  # that somebody needs to enter or leave the picture, or a fade to come or go
MINIMUM_S = 3.0  # of pictures that show the speaker
LEAST_SHARE = 0.5  # of the clip that must show the speaker
NAMED_PLACES = 4
TOLD_S = 0.2  # pieces shorter than this are left out without a word


class LeftOut(NamedTuple):
    """A reason for which pictures are left out, and when."""

    key: str  # one word for programs
    what: str
    way_out: str
    where_s: tuple[tuple[float, float], ...]  # start and end of each place, seconds of the file

    @property
    def sentence(self) -> str:
        return f"{self.what} ({told_places(self.where_s)}); {self.way_out}"


NO_FACE = ("absent", "No face, or not all of it", "left out of the training")
SOMEBODY_ELSE = ("others", "Somebody else is seen", "left out of the training: the speaker is who is seen longest")
UNFOLLOWED = ("unfollowed", "The face cannot be followed", "left out of the training")
HIDDEN_MOUTH = ("mouth", "Something hides the mouth", "no lips are learnt there")


def told_places(where_s: Iterable[tuple[float, float]]) -> str:
    """Pieces of time, for people."""
    places = [f"{a:.1f}" if b - a < 0.1 else f"{a:.1f}-{b:.1f}" for a, b in where_s]
    more = f" and {len(places) - NAMED_PLACES} more" if len(places) > NAMED_PLACES else ""
    return f"at {', '.join(places[:NAMED_PLACES])} s{more}"


@dataclass(frozen=True)
class Attendance:
    """Who is there in n pictures of a clip."""

    usable: np.ndarray  # [n] bool: the speaker, to be trained on
    other: np.ndarray  # [n] bool: somebody else
    unfollowed: np.ndarray  # [n] bool: the speaker, but in no pose that is known
    shots: np.ndarray  # [n] int: which shot each belongs to
    rate_hz: float  # of the pictures
    start_s: float  # of the first, in the file

    @property
    def gone(self) -> list[LeftOut]:
        """What is left out of the training, by its reason."""
        reasons = ((SOMEBODY_ELSE, self.other), (UNFOLLOWED, self.unfollowed & ~self.other))
        missing = ~self.usable & ~self.other & ~self.unfollowed
        told = [self.places(reason, ~self.usable & flags) for reason, flags in (*reasons, (NO_FACE, missing))]
        return [one for one in told if one.where_s]

    def without(
        self,
        places: np.ndarray,  # of pictures that show the speaker, in poses that turned out not to be known
    ) -> Attendance:
        lost = np.isin(np.arange(len(self.usable)), places)
        return replace(self, usable=self.usable & ~lost, unfollowed=self.unfollowed | lost)

    def places(
        self,
        reason: tuple[str, str, str],
        flags: np.ndarray,  # [n] bool
    ) -> LeftOut:
        pieces = [run for run in runs(flags) if len(run) >= TOLD_S * self.rate_hz]
        return LeftOut(*reason, tuple((self._second(piece.start), self._second(piece.stop)) for piece in pieces))

    def _second(self, place: int) -> float:
        return self.start_s + place / self.rate_hz

    def require_enough(self) -> None:
        """BadInput where too little of the clip shows the speaker; says what to cut, where that helps."""
        shown, count = int(self.usable.sum()), len(self.usable)
        if shown >= max(LEAST_SHARE * count, (MINIMUM_S - LONGEST_GAP_S) * self.rate_hz):
            return
        why = "; ".join(f"{one.what[0].lower()}{one.what[1:]} {told_places(one.where_s)}" for one in self.gone)
        seen = f"The speaker is seen for only {shown / self.rate_hz:.1f} s of {count / self.rate_hz:.1f} ({why})"
        longest = max(runs(self.usable), key=len, default=range(0))
        start_s = np.ceil(10.0 * self._second(longest.start) - 1e-6) / 10.0
        end_s = np.floor(10.0 * self._second(longest.stop) + 1e-6) / 10.0
        if end_s - start_s < MINIMUM_S - 1e-6:
            raise BadInput(f"{seen}, and never for {MINIMUM_S:.0f} s in one piece; film again, facing the camera")
        raise BadInput(f"{seen}; use the longest piece: --start {start_s:.1f} --end {end_s:.1f}")


def bridged(
    seen: np.ndarray,  # [n] bool
    shots: np.ndarray,  # [n] int
    rate_hz: float,
    steps: np.ndarray | None = None,  # [n - 1] mean change from picture to picture, as `talker.take.cuts`
) -> np.ndarray:  # [n] bool
    """`seen`, with the short gaps between pictures of one shot. A flash of something else is no gap."""
    found = seen.copy()
    for run in runs(~seen):
        before, after = run.start - 1, run.stop
        if before < 0 or after >= len(seen) or shots[before] != shots[after]:
            continue
        if len(run) <= LONGEST_GAP_S * rate_hz and (steps is None or not is_flash(steps, run)):
            found[list(run)] = True
    return found


def is_flash(
    steps: np.ndarray,  # [n - 1]
    run: range,  # pictures
) -> bool:
    """Whether the pictures at both ends of a piece change as at a cut."""
    first, last = run.start - 1, run.stop - 1
    others = np.concatenate([steps[max(0, first - NEARBY) : first], steps[last + 1 : last + 1 + NEARBY]])
    return bool(min(steps[first], steps[last]) > max(CUT_STEP, CUT_OVER_OTHERS * others.max(initial=0.0)))


def trimmed(
    usable: np.ndarray,  # [n] bool
    shots: np.ndarray,  # [n] int
    whole: np.ndarray,  # [n] bool: all of the face is there, as it usually is
    rate_hz: float,
) -> np.ndarray:  # [n] bool
    """`usable` without the first and last pictures of each piece in which the face is on its way in or out of the
    picture, or of the dark."""
    found = usable.copy()
    for piece in runs(usable, shots):
        places = np.array(piece)
        for way in (places, places[::-1]):
            way = way[: round(LONGEST_WAY_S * rate_hz)]
            there = np.flatnonzero(whole[way])
            found[way[: there[0] if len(there) else len(way)]] = False
    return found
