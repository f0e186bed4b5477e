"""What a page wants to see next: one frame of one speaker, under everything that can be chosen on the stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from talker.core.bounds import Bounds, numbers_of
from talker.core.errors import BadInput
from talker.core.types import View
from talker.core.view import VIEW_BOUNDS
from talker.driving.render import USUAL_DETAIL, DriveOptions, Motion, check_options
from talker.projects.names import check_name

LEAST_SHARE = 0.25
LIVE = "live"  # the voice that the page's microphone hears
_INDEX, _SHARE = Bounds(float, 0, 25 * 24 * 3600), Bounds(float, LEAST_SHARE, 1)


@dataclass(frozen=True)
class FrameRequest:
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


def frame_request_of(facts: object) -> FrameRequest:
    """BadInput for what is none."""
    if not isinstance(facts, dict):
        raise BadInput("A request is an object")
    view = View(
        **{
            name: _number(facts, key, default, VIEW_BOUNDS[key])
            for key, name, default in (
                ("yaw", "yaw_deg", 0.0),
                ("pitch", "pitch_deg", 0.0),
                ("roll", "roll_deg", 0.0),
                ("zoom", "zoom", 1.0),
            )
        }
    )
    edit, asked = _text(facts, "edit"), numbers_of(DriveOptions)
    options = DriveOptions(
        view=view,
        motion=_choice(facts, "motion", ("take", "still")),
        detail=_number(facts, "detail", USUAL_DETAIL, asked["--detail"]),
        strength=_number(facts, "strength", 1.0, asked["--strength"]) if edit else 1.0,
        eyes=None if facts.get("eyes") is None else _number(facts, "eyes", 1.0, asked["--eyes"]),
    )
    check_options(options, edit)
    return FrameRequest(
        project=_text(facts, "project") or "",
        edit=check_name(edit) if edit else None,
        view=view,
        detail=options.detail,
        strength=options.strength,
        eyes=options.eyes,
        motion=options.motion,
        background=_text(facts, "background"),
        voice=_text(facts, "voice"),
        index=int(_number(facts, "index", 0, _INDEX)),
        share=_number(facts, "share", 1.0, _SHARE),
        playing=facts.get("playing") is True,
        pair=facts.get("pair") is True and bool(edit),
    )


def _number(facts: dict[str, Any], key: str, default: float, bounds: Bounds) -> float:
    value = facts.get(key, default)
    bounds.check(key, value)
    return float(value)


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
