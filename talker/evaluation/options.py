"""How a speaker is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Interval

from talker.core.bounds import check_fields
from talker.core.errors import BadInput

FEWEST_FRAMES = 10


@dataclass(frozen=True)
class EvalOptions:
    """What is looked at, and where optional weights are."""

    frames: Annotated[int, Interval(ge=FEWEST_FRAMES, le=100_000)] = 250
    """judge at most so many frames, from the beginning of the held-out part"""
    caption_before: str | None = None  # what the unedited speaker shows: "a photo of a man" (CLIP direction)
    caption_after: str | None = None  # what the edit is meant to show: "a bronze statue of a man"
    clip: str = "openai/clip-vit-large-patch14"  # CLIP from this folder or hub name
    syncnet: Path | None = None  # SyncNet's weights, if not where torch.hub would have put them
    arcface: Path | None = None  # an ArcFace iResNet's weights, if not where torch.hub would have put them

    def __post_init__(self) -> None:
        check_fields(self)
        captions = (self.caption_before, self.caption_after)
        if any(caption is not None and not caption.strip() for caption in captions):
            raise BadInput("An empty caption says nothing; describe the picture: --caption-before 'a photo of a man'")
        if (self.caption_before is None) != (self.caption_after is None):
            raise BadInput("--caption-before and --caption-after go together; say what the pictures show with both")
        if self.caption_before is None and self.clip != EvalOptions.clip:
            raise BadInput("--clip is for captions; add --caption-before and --caption-after")
