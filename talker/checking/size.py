"""How large the face was filmed, how much of that a take keeps, and which --size would keep it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from talker.checking.clip_stats import ClipStats
from talker.checking.finding import Finding

# Filmed faces made smaller, three clips of three people: the mouth's opening by landmarks agrees with that of the
# full picture to r = 0.96 to 0.98 at a height of 100 px, 0.84 to 0.96 at 60, 0.61 to 0.88 at 45.
LEAST_FACE_PX = 100.0
ENLARGED = 1.25  # times: a take that must be made larger than it was filmed
REDUCED_FACE_PX = 80.0  # a face that a take shows smaller than this, and that was filmed larger
SIZE_STEP_PX = 16
LARGEST_SIZE_PX = 1024  # a fit's time and memory grow with the square of its size


@dataclass(frozen=True)
class FaceSize:
    """Heights of the face, which its detector's box takes from the brows or above down to the chin."""

    filmed_px: float
    fitted_px: float
    keeping_px: int  # the --size that shows it as large as it was filmed, or the largest that is sensible
    kept_px: float  # the face's height in that

    @classmethod
    def of(cls, clip: ClipStats) -> FaceSize | None:
        """None where there is no face."""
        crop = clip.crop
        if crop is None:
            return None
        filmed_px = float(np.nanmedian(clip.looks.face_px))
        keeping_px = min(LARGEST_SIZE_PX, max(2 * SIZE_STEP_PX, -(-crop.side // SIZE_STEP_PX) * SIZE_STEP_PX))
        kept_px = filmed_px * min(1.0, keeping_px / crop.side)
        return cls(filmed_px, filmed_px * clip.size_px / crop.side, keeping_px, kept_px)

    def words(self, size_px: int) -> str:
        """What a fit of that size keeps."""
        fitted = f"a fit shows {self.fitted_px:.0f} with --size {size_px}"
        if size_px == self.keeping_px:
            return fitted
        return f"{fitted}, {self.kept_px:.0f} with --size {self.keeping_px}"


def size_findings(clip: ClipStats) -> Iterator[Finding]:
    face = FaceSize.of(clip)
    if face is None:
        return
    enlarged = clip.size_px > ENLARGED * clip.crop.side
    if face.filmed_px < LEAST_FACE_PX:
        what = (
            f"The face is {face.filmed_px:.0f} px high: {LEAST_FACE_PX:.0f} are the least for lips to be followed well"
        )
        more = f"; more than --size {face.keeping_px} only enlarges it" if enlarged else ""
        yield Finding("size", "warn", what, f"come closer, or film in a higher resolution{more}")
    elif enlarged:
        what = (
            f"The face is {face.filmed_px:.0f} px high: head and shoulders fill {clip.crop.side} px and are "
            f"enlarged to {clip.size_px}"
        )
        way_out = f"film closer or in a higher resolution, or fit with --size {face.keeping_px}"
        yield Finding("size", "warn", what, way_out)
    elif face.fitted_px < REDUCED_FACE_PX and face.keeping_px > ENLARGED * clip.size_px:
        what = f"The face is {face.filmed_px:.0f} px high and keeps {face.fitted_px:.0f} with --size {clip.size_px}"
        way_out = f"a larger take shows more of the lips, and takes longer: --size {face.keeping_px} keeps "
        yield Finding("size", "warn", what, f"{way_out}{face.kept_px:.0f}")
