"""The demo speaker: a synthetic talker with exact ground truth, rendered on the CPU.

Files, from below: noise, mesh, raster, shadow, materials, shade (compiled with numba); hair, head (what he looks like);
lexicon, phonetics, speech, visemes, motion (what he says and does); render, truth, record (what comes out).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba

from talker.core.cache_dirs import cache_dir, private_folder


def _kernel_cache() -> Path:
    """One folder per version of the compiled sources: numba notices a changed file, but not a changed callee."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        text = source.read_bytes()
        if b"\n@numba.njit" in text:
            digest.update(text)
    return cache_dir() / f"numba-{digest.hexdigest()[:12]}"


NOT_KEPT: str | None = None  # why compiled kernels are made anew by every run, if they are
if not numba.config.CACHE_DIR:  # NUMBA_CACHE_DIR is not set
    try:
        numba.config.CACHE_DIR = str(private_folder(_kernel_cache()))
    except OSError as error:
        NOT_KEPT = f"the cache folder {cache_dir()} does not serve ({error.strerror or error})"
