"""The demo speaker: a synthetic talker with exact ground truth, rendered on the CPU.

Files, from below: noise, mesh, raster, shadow, materials, shade (compiled with numba); hair, head (what he looks like);
lexicon, phonetics, speech, visemes, motion (what he says and does); render, truth, record (what comes out).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba

from talker.places import cache_dir


def _kernel_cache() -> Path:
    """One folder per version of the compiled sources: numba notices a changed file, but not a changed callee."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        text = source.read_bytes()
        if b"\n@numba.njit" in text:
            digest.update(text)
    return cache_dir() / f"numba-{digest.hexdigest()[:12]}"


if not numba.config.CACHE_DIR:  # NUMBA_CACHE_DIR is not set
    numba.config.CACHE_DIR = str(_kernel_cache())
