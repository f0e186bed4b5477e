"""How large the face was filmed, and how much of that a take keeps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from talker.check.finding import Finding
from talker.check.footage import Footage

ENLARGED = 1.25  # times: a take that must be made larger than it was filmed


def size_findings(footage: Footage) -> Iterator[Finding]:
    crop = footage.crop
    if crop is None or footage.size_px <= ENLARGED * crop.side:
        return
    face_px = float(np.nanmedian(footage.looks.face_px))
    smaller = max(32, crop.side // 32 * 32)
    yield Finding(
        "size",
        "warn",
        f"The face is {face_px:.0f} px wide: head and shoulders fill {crop.side} px and are enlarged to "
        f"{footage.size_px}",
        f"film closer or in a higher resolution, or fit with --size {smaller}",
    )
