"""What the page asks for, as the `talker` command that does it.

An order is a JSON object with a `kind`; the command line that it becomes is shown to people, run, and kept. Numbers
are held to their options' bounds here; what else values may be is the command's own business to say.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from talker.api.artifacts import automatic_name
from talker.api.options import EditOptions, FitOptions, PreviewOptions
from talker.core import links
from talker.core.bounds import Bounds, numbers_of
from talker.core.errors import BadInput
from talker.core.text import text_of
from talker.core.types import EditPlan
from talker.core.view import VIEW_BOUNDS
from talker.driving.render import DriveOptions
from talker.editors.region import Region
from talker.evaluation.options import EvalOptions
from talker.projects.names import check_name, edit_name
from talker.projects.project import SUFFIX
from talker.speaker.record import SpeakerOptions
from talker.studio.workspace import Workspace
from talker.take.build import TakeOptions

Order = Mapping[str, Any]
LONGEST_TEXT = 600  # of an instruction
_MOST_EXACT = 2**53 - 1  # whole numbers up to this are themselves in a page
LIMITS = ("only", "keep")  # of an edit: the parts that it may change, as `Region` takes them
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # no path leads out of the folder


def command_of(workspace: Workspace, order: object) -> tuple[str, list[str]]:
    """Its title for people, and the words after `talker`. BadInput for what is no order."""
    if not isinstance(order, dict) or not isinstance(order.get("kind"), str) or order["kind"] not in _WORDS:
        raise BadInput(f"The studio knows these orders: {', '.join(_WORDS)}")
    title, words = _WORDS[order["kind"]](workspace, order)
    return text_of(title), [text_of(word) for word in words]  # the command line knows files by their text, too


def shown(words: list[str]) -> str:
    """The command, to copy into a terminal in the studio's folder."""
    return shlex.join(["talker", *words])


def edit_of(order: Order) -> str | None:
    """The name that an order's edit has, or will have; None where it makes none."""
    if order.get("kind") != "edit":
        return None
    try:
        if order.get("name"):
            return _name(order, "name")
        return automatic_name(_text(order, "instruction"), Region(*(_regions(order, each) for each in LIMITS)).name)
    except BadInput:  # what the command refuses
        return None


# -------------------------------------------------------------------- the orders


def _speaker(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    out = workspace.free("demo.mp4").name
    words = ["speaker", out, *_numbers(order, "seconds", "size", "seed", "motion")]
    return "Record the demo speaker", words


def _check(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    video = workspace.file(order.get("video"), "video")
    page = workspace.check_page(video).relative_to(workspace.root).as_posix()
    words = ["check", video.name, *_numbers(order, "start", "end", "size"), "-o", page, "--force"]
    return f"Check {video.name}", words


def _fit(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    video = workspace.file(order.get("video"), "video")
    words = ["fit", video.name, *_numbers(order, "start", "end", "size", "av-offset", "training-steps", "seed")]
    words += _choices(order, "preset", "audio", "landmarks", "kernels")
    out = f"{video.stem}{SUFFIX}"
    if "name" in order:
        out = f"{_name(order, 'name')}{SUFFIX}"
        words += ["-o", out]
    links.check_inside(workspace.root / out, workspace.root)
    return f"Fit {out}", [*words, *_force(order)]


def _preview(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    words = ["preview", *_what(workspace, order), *_editor(order)]
    words += _numbers(order, "text-guidance", "steps", "image-guidance", "seed")
    return f"Preview “{_text(order, 'instruction')}”", [*words, *_project(workspace, order), *_force(order)]


def _edit(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    words = ["edit", *_what(workspace, order)]
    if order.get("name"):
        words += ["--name", _name(order, "name")]
    words += _numbers(order, "text-guidance", "steps", "rounds", "frames", "image-guidance", "seed")
    words += [*_numbers(order, "training-steps"), *_choices(order, "strategy", "preset"), *_editor(order)]
    return f"Edit “{_text(order, 'instruction')}”", [*words, *_project(workspace, order), *_force(order)]


def _drive(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    audio = workspace.file(order.get("audio"), "sound")
    words = ["drive", audio.name, *_edit_name(order)]
    view = order.get("view")
    if view:
        words += [f"--view={view_words(view)}"]
    background = order.get("background")
    if background is not None:
        text = _text(order, "background")
        words += ["--background", text if text.startswith("#") else workspace.file(text, "picture").name]
    words += [*_numbers(order, "detail", "strength", "eyes", "size"), *_choices(order, "motion")]
    return f"Render {audio.name}", [*words, *_project(workspace, order), *_force(order)]


def _eval(workspace: Workspace, order: Order) -> tuple[str, list[str]]:
    words = ["eval", *_edit_name(order), *_numbers(order, "frames")]
    return f"Measure {order.get('edit') or 'the speaker'}", [*words, *_project(workspace, order), *_force(order)]


_WORDS: dict[str, Callable[[Workspace, Order], tuple[str, list[str]]]] = {
    "speaker": _speaker,
    "check": _check,
    "fit": _fit,
    "preview": _preview,
    "edit": _edit,
    "drive": _drive,
    "eval": _eval,
}

_OPTIONS: dict[str, tuple[type, ...]] = {  # whose numbers an order may give
    "speaker": (SpeakerOptions,),
    "check": (TakeOptions,),
    "fit": (TakeOptions, FitOptions),
    "preview": (PreviewOptions,),
    "edit": (EditPlan, EditOptions),
    "drive": (DriveOptions,),
    "eval": (EvalOptions,),
}


def bounds() -> dict[str, dict[str, dict[str, float]]]:
    """What the numbers of every kind of order may be, and those of a view, as a page's forms have it."""
    kinds = {**{kind: _bounds_of(kind) for kind in _OPTIONS}, "view": VIEW_BOUNDS}
    return {
        kind: {flag: {"min": each.least, "max": min(each.most, _MOST_EXACT)} for flag, each in numbers.items()}
        for kind, numbers in kinds.items()
    }


def _bounds_of(kind: str) -> dict[str, Bounds]:
    return {flag[2:]: each for options in _OPTIONS[kind] for flag, each in numbers_of(options).items()}


# -------------------------------------------------------------------- their parts


def view_words(view: object) -> str:
    """`--view`'s value from {"yaw": 20} or {"yaw": [-20, 20]}: keys that are passed through."""
    if not isinstance(view, dict):
        raise BadInput("A view is an object: yaw, pitch, roll, zoom")
    parts = []
    for key, value in view.items():
        values = value if isinstance(value, list) else [value]
        if key not in VIEW_BOUNDS or not values:
            raise BadInput("A view holds numbers, or rows of them, for yaw, pitch, roll, zoom")
        for number in values:
            VIEW_BOUNDS[key].check(key, number)
        parts.append(f"{key}={'..'.join(map(str, values))}")
    return ",".join(parts)


def _what(workspace: Workspace, order: Order) -> list[str]:
    """What is edited: instruction, region, base. `--flag=value`, because a value may begin with a dash."""
    words = [f"--instruction={_text(order, 'instruction')}"]
    for limit in LIMITS:
        words += [f"--{limit}={region}" for region in _regions(order, limit)]
    if order.get("from"):
        words += ["--from", _name(order, "from")]
    return words


def _regions(order: Order, limit: str) -> tuple[str, ...]:
    regions = order.get(limit, [])
    if not isinstance(regions, list):
        raise BadInput(f"{limit} is a list of regions")
    return tuple(map(_plain, regions))


def _name(order: Order, key: str) -> str:
    return check_name(edit_name(_text(order, key)))


def _editor(order: Order) -> list[str]:
    words = _choices(order, "editor", "sampler", "precision")
    if order.get("model"):
        if not _HUB_NAME.fullmatch(_text(order, "model")):
            raise BadInput("A model is the hub's name of one, such as timbrooks/instruct-pix2pix")
        words += [f"--model={_text(order, 'model')}"]
    return words


def _project(workspace: Workspace, order: Order) -> list[str]:
    return ["--project", workspace.project(order.get("project")).root.name]


def _edit_name(order: Order) -> list[str]:
    return ["--edit", _name(order, "edit")] if order.get("edit") else []


def _force(order: Order) -> list[str]:
    return ["--force"] if order.get("force") is True else []


def _numbers(order: Order, *flags: str) -> list[str]:
    """Flags of the order's options; a row of numbers where they take several."""
    words, bounds = [], _bounds_of(order["kind"])
    for flag in flags:
        if order.get(flag) is not None:
            values = order[flag] if isinstance(order[flag], list) else [order[flag]]
            if not values:
                raise BadInput(f"{flag} is a row without numbers")
            for value in values:
                bounds[flag].check(flag, value)
            words.append(f"--{flag}={','.join(map(str, values))}")
    return words


def _choices(order: Order, *flags: str) -> list[str]:
    return [f"--{flag}={_plain(order[flag])}" for flag in flags if order.get(flag) is not None]


def _text(order: Order, key: str) -> str:
    """A text without what a command line, or a record of it, could not hold."""
    value = order.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{key} is missing")
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise BadInput(f"{key} is one line of at most {LONGEST_TEXT} letters")
    return value.strip()


def _plain(value: object) -> str:
    if not isinstance(value, str) or not value.replace("-", "").replace("+", "").isalnum():
        raise BadInput(f"{str(value)[:40]!r} is no choice")
    return value
