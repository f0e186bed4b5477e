"""What a page wants to see next: one frame of one speaker, under everything that can be chosen on the stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from talker.drive import USUAL_DETAIL, DriveOptions, Motion, check_options
from talker.errors import BadInput, check_range
from talker.names import check_name
from talker.types import View
from talker.view import VIEW_LIMITS

LEAST_SHARE = 0.25
LIVE = "live"  # the voice that the page's microphone hears
_MOST_FRAMES = 25 * 24 * 3600


@dataclass(frozen=True)
class Wish:
    """One frame."""

    project: str  # its folder's name
    edit: str | None = None  # None: the speaker as filmed
    view: View = View()
    detail: float = USUAL_DETAIL
    strength: float = 1.0
    eyes: float | None = None
    motion: Motion = "take"
    background: str | None = None  # a picture of the folder, or #rrggbb; None: the speaker's own
    voice: str | None = None  # a sound of the folder, LIVE, or None: silence
    index: int = 0  # frame of the voice
    share: float = 1.0  # of the take's size, each way
    playing: bool = False  # frame follows frame: how many a second counts, and not how soon one comes
    pair: bool = False  # the speaker as filmed at the left of the same picture


def wish_of(facts: object) -> Wish:
    """BadInput for what is none."""
    if not isinstance(facts, dict):
        raise BadInput("A wish is an object")
    view = View(
        **{
            name: _number(facts, key, default, VIEW_LIMITS[key])
            for key, name, default in (
                ("yaw", "yaw_deg", 0.0),
                ("pitch", "pitch_deg", 0.0),
                ("roll", "roll_deg", 0.0),
                ("zoom", "zoom", 1.0),
            )
        }
    )
    edit = _text(facts, "edit")
    options = DriveOptions(
        view=view,
        motion=_choice(facts, "motion", ("take", "still")),
        detail=_number(facts, "detail", USUAL_DETAIL),
        strength=_number(facts, "strength", 1.0) if edit else 1.0,
        eyes=None if facts.get("eyes") is None else _number(facts, "eyes", 1.0),
    )
    check_options(options, edit)
    return Wish(
        project=_text(facts, "project") or "",
        edit=check_name(edit) if edit else None,
        view=view,
        detail=options.detail,
        strength=options.strength,
        eyes=options.eyes,
        motion=options.motion,
        background=_text(facts, "background"),
        voice=_text(facts, "voice"),
        index=int(_number(facts, "index", 0, (0, _MOST_FRAMES))),
        share=_number(facts, "share", 1.0, (LEAST_SHARE, 1.0)),
        playing=facts.get("playing") is True,
        pair=facts.get("pair") is True and bool(edit),
    )


def _number(
    facts: dict[str, Any], key: str, default: float, limits: tuple[float, float] = (-math.inf, math.inf)
) -> float:
    value = facts.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadInput(f"{key} is a number")
    try:
        number = float(value)
    except OverflowError:  # JSON has integers of any length
        raise BadInput(f"{key} is too large a number") from None
    check_range(key, number, *limits)
    return number


def _text(facts: dict[str, Any], key: str) -> str | None:
    value = facts.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > 255):
        raise BadInput(f"{key} is a name")
    return value or None


def _choice(facts: dict[str, Any], key: str, choices: tuple[Literal["take", "still"], ...]) -> Motion:
    value = facts.get(key, choices[0])
    if value not in choices:
        raise BadInput(f"{key} is one of {', '.join(choices)}")
    return value
