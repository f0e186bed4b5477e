"""Where talker keeps what can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """talker's place in the user's cache, or $TALKER_CACHE."""
    override = os.environ.get("TALKER_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(override) if override else Path(base) / "talker"
