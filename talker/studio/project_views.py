"""What the page shows of an edit, a preview, an evaluation, a sound: facts of a project, as JSON values."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from typing_extensions import TypedDict

from talker.api.artifacts import scene_record
from talker.api.options import EditOptions
from talker.core.errors import BadInput
from talker.core.files import file_hash
from talker.core.hub import is_here
from talker.core.images import spaced
from talker.core.records import Count, Seconds, open_ended, read_record, write_record
from talker.core.temporary import replacing, sweep
from talker.core.text import text_of
from talker.core.types import Silent
from talker.editors.builtin.styles import STYLES, Style
from talker.editors.builtin.vocabulary import COLOURS, REGION_OPERATORS
from talker.editors.region import COVERAGE, PARTS_OF, Region
from talker.editors.registry import EDITORS, EditorEntry
from talker.evaluation import report
from talker.projects.names import check_name
from talker.projects.project import Project
from talker.studio import speech_track
from talker.studio.frame_request import FrameRequest
from talker.studio.job_specs import bounds
from talker.studio.viewport import Viewport
from talker.studio.workspace import Workspace
from talker.video import stream_audio, write_wav

_WITHOUT_ARTICLE = ("watercolour", "pop art", "stained glass")
_SHOWN_FRAMES = 12  # of a round
_THUMBNAIL = 0.5  # of a take's size
_PREVIEW = re.compile(r"[^\W_][\w-]*\.json")  # begins with a `slug`, in letters of any language


@open_ended
class PreviewRecord(TypedDict):
    """Beside a preview's picture: its grid."""

    instruction: str
    columns: list[list[float]]  # text guidance and steps of each
    rows: list[str]
    cells: list[list[list[float]]]  # by row: x, y, width, height as shares of the picture


@open_ended
class Waveform(TypedDict):
    seconds: Seconds
    frames: Count
    peaks: list[float]


def words() -> dict[str, Any]:
    """The editors, the built-in one's vocabulary as things to say, and what the numbers of orders may be."""
    return {
        "bounds": bounds(),
        "editors": [_editor(name, entry) for name, entry in EDITORS.items()],
        "styles": [{"kind": style.kind, "title": style.title, "say": suggestion(style)} for style in STYLES],
        "regions": list(REGION_OPERATORS),
        "colours": {name: "#" + "".join(f"{round(255 * level):02x}" for level in COLOURS[name]) for name in COLOURS},
        "parts": list(PARTS_OF),
        "coverage": COVERAGE,
    }


def _editor(name: str, entry: EditorEntry) -> dict[str, Any]:
    """An editor to choose; `model` is the one that it takes from the hub, unless another is named."""
    editor = entry.editor
    return {"name": name, "label": entry.label, "model": editor.hub_model, "uses_steps": editor.cost_follows_steps}


def suggestion(style: Style) -> str:
    title = style.title
    is_mass = title in _WITHOUT_ARTICLE or title.endswith(("light", "vision"))
    article = "" if is_mass else "an " if title[0] in "aeiou" else "a "
    return f"{'turn into' if style.kind == 'statue' else 'make it look like'} {article}{title}"


def understand(facts: Mapping[str, Any]) -> dict[str, str]:
    """What an editor makes of an instruction; BadInput with the way out where it is none. No weights are loaded: who
    has some is taken to understand any words."""
    from talker.api.edits import open_for

    instruction, chosen = facts.get("instruction"), facts.get("editor", EditOptions.editor)
    limits = [facts.get(name, []) for name in ("only", "keep")]
    if not isinstance(instruction, str) or not all(isinstance(limit, list) for limit in limits):
        raise BadInput("instruction is missing")
    options, region = EditOptions(editor=chosen), Region(*(tuple(map(str, limit)) for limit in limits))
    refusals = []
    for name, entry in EDITORS.items():
        if chosen not in ("auto", name):
            continue
        model = entry.editor.hub_model
        if model is not None:
            if chosen == name or (instruction.strip() and is_here(model)):
                return {"understood": f"{entry.title} takes any words"}
            continue
        try:
            found, _ = open_for(instruction, replace(options, editor=name), region, Silent())
            return {"understood": found.describe(instruction)}
        except BadInput as error:
            refusals.append(error)
    raise refusals[0]


def rounds(project: Project, edit: str) -> dict[str, Any]:
    """The frames that an edit has edited so far, round by round; of a finished edit, or of one in the making."""
    stage = f"edits/{check_name(edit)}"
    folder = project.path(stage)
    unfinished = sorted(project.unfinished(stage), key=lambda path: path.stat().st_mtime)
    folder = unfinished[-1] if unfinished else folder
    found = []
    for path in sorted(folder.glob("frames/round-[0-9]*")):
        frames = sorted(path.glob("[0-9]*.png"))
        chosen = [frames[place] for place in spaced(range(len(frames)), _SHOWN_FRAMES)] if frames else []
        urls = [_url(project, frame) for frame in chosen]
        found.append({"number": int(path.name.removeprefix("round-")), "count": len(frames), "frames": urls})
    return {"edit": edit, "finished": not unfinished, "rounds": found}


def preview(project: Project, name: str) -> dict[str, Any]:
    """A preview's grid: where its picture is, and which guidance and steps each column has."""
    path = project.path(f"previews/{name}")
    if not _PREVIEW.fullmatch(name) or not path.is_file():
        raise BadInput(f"There is no preview {name!r} in {project.root.name}")
    facts = read_record(path, PreviewRecord, whole=path)
    return {**facts, "picture": _url(project, path.with_suffix(".png"))}


def _url(project: Project, path: Path) -> str:
    """Where the page finds a file of a project."""
    return f"/files/{quote(text_of(path.relative_to(project.workspace or project.root.parent).as_posix()))}"


def thumbnail(workspace: Workspace, viewport: Viewport, project: Project, edit: str | None) -> Path:
    """A small picture of the speaker, or of an edit."""
    fingerprint = scene_record(project, edit)["fingerprint"]
    path = workspace.kept("thumbnails", f"{fingerprint}.jpg")
    if not path.is_file():
        picture = viewport.submit(FrameRequest(project.root.name, edit, share=_THUMBNAIL)).result()
        with replacing(path) as temporary:
            temporary.write_bytes(picture.jpeg)
    return path


def waveform(workspace: Workspace, path: Path) -> dict[str, Any]:
    """How a sound looks; kept, for hours of it take a while to read."""
    state = path.stat()
    key = hashlib.sha256(os.fsencode(f"{path.name} {state.st_mtime_ns} {state.st_size}")).hexdigest()
    kept = workspace.kept("waveforms", f"{key[:16]}.json")
    if not kept.is_file():
        write_record(kept, speech_track.waveform(path))
    return read_record(kept, Waveform, whole=kept)


def as_wav(workspace: Workspace, path: Path) -> Path:
    """A sound that a browser may not play, as one that it does."""
    kept = workspace.kept("sounds", f"{file_hash(path)[:16]}.wav")
    if not kept.is_file():
        with replacing(kept) as temporary:
            write_wav(temporary, stream_audio(path))
    return kept


def figures(project: Project) -> list[dict[str, Any]]:
    """Every evaluation: a table, and where its pictures are."""
    found = []
    for path in project.glob(f"eval/*/{report.FACTS}"):
        facts = report.load(path.parent)
        found.append(
            {
                "name": path.parent.name,
                "frames": facts["frames"],
                "rows": report.rows(facts),
                "left_out": facts["left_out"],
                "plot": _url(project, path.with_name(report.PLOT)),
                "sheet": _url(project, path.with_name(report.SHEET)),
            }
        )
    return found


def forget_unfinished(workspace: Workspace) -> None:
    """What a killed studio was at."""
    for folder in ("thumbnails", "waveforms", "sounds"):
        sweep(workspace.kept(folder).glob(".*"))
