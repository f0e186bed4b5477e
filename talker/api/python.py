"""The public functions of `import talker`: the commands of `talker.api.commands`, with paths as str or Path.

A project is a `Project`, or the path of a `*.talker` folder. Bad input raises `talker.core.errors.TalkerError`, whose
message is one line with the way out.
"""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talker.api import commands
from talker.api.artifacts import load_portrait, open_project
from talker.api.options import EditOptions, FitOptions, PreviewOptions
from talker.core.types import EditPlan, Reporter, Silent, View
from talker.core.view import ViewPath
from talker.driving.render import DriveOptions, Portrait
from talker.editors.region import Region
from talker.evaluation.options import EvalOptions
from talker.projects.project import Project
from talker.radfield.backends import choose_kernels
from talker.take.build import TakeOptions
from talker.take.store import open_take

if TYPE_CHECKING:
    from talker.checking.report import Report

AnyPath = str | PathLike[str]
AnyProject = Project | AnyPath


def fit(
    video: AnyPath,
    out: AnyPath | None = None,
    *,
    take: TakeOptions = TakeOptions(),
    options: FitOptions = FitOptions(),
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Project:
    """Turn a video of a speaker into a talking radiance field.

    Args:
        video: a file that ffmpeg reads, with a face and speech.
        out: the project folder; None: the video's name with `.talker`, in the working folder.
        take: what is used of the video, and how it is understood.
        options: how the field is trained.
        force: replace a take or field made from other inputs.
        reporter: told of progress and notices.

    Returns:
        The project. What is there already is not made again.

    Raises:
        BadInput: for footage that cannot be fitted.
        Conflict: where something else would be replaced.

    Examples:
        >>> project = talker.fit("speaker.mp4", take=TakeOptions(size_px=64), options=FitOptions(training_steps=24))
        >>> project.root
        PosixPath('speaker.talker')
    """
    root = None if out is None else Path(out)
    done = commands.fit(Path(video), root, take, options, force=force, reporter=reporter)
    return Project.open(done.path)


def check(
    video: AnyPath,
    out: AnyPath | None = None,
    *,
    take: TakeOptions = TakeOptions(),
    options: FitOptions = FitOptions(),
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Report:
    """Say what is wrong with footage, how to mend it, and how long a fit takes on this machine.

    Args:
        video: a file that ffmpeg reads.
        out: also write a page with pictures and plots there (`.html`).
        take: as for `fit`.
        options: as for `fit`.
        force: replace a page that is there.
        reporter: told of progress and notices.

    Returns:
        The report; `report.as_json()` holds plain values.

    Raises:
        BadInput: for files that cannot be read.

    Examples:
        >>> report = talker.check("speaker.mp4")
        >>> report.as_json()["span_s"]
        [0.0, 3.2]
    """
    page = None if out is None else Path(out)
    return commands.check(Path(video), page, take, options, force=force, reporter=reporter)


def edit(
    project: AnyProject,
    instruction: str | EditPlan,
    *,
    name: str | None = None,
    region: Region = Region(),
    base: str | None = None,
    options: EditOptions = EditOptions(),
    force: bool = False,
    reporter: Reporter = Silent(),
) -> str:
    """Edit the fitted speaker by an instruction.

    Args:
        project: a fitted project.
        instruction: what to make of the speaker; an `EditPlan` also says in how many rounds and how strongly.
        name: the edit's name; None: from the instruction.
        region: what the edit may change, for example `Region(only=("hair",))`.
        base: the earlier edit that it builds on; None: the speaker as filmed.
        options: who edits, and how long is trained.
        force: replace an edit of that name made from other inputs.
        reporter: told of progress and notices.

    Returns:
        The edit's name, for `drive` and `evaluate`.

    Raises:
        BadInput: for an instruction that the editor does not understand.
        Missing: for weights that are not on this machine.

    Examples:
        >>> plan = talker.EditPlan("make him a bronze statue", rounds=1, frames=2)
        >>> talker.edit("speaker.talker", plan, name="bronze", options=EditOptions(training_steps=2))
        'bronze'
    """
    plan = EditPlan(instruction) if isinstance(instruction, str) else instruction
    return commands.edit(
        _folder(project), plan, options, name=name, region=region, base=base, force=force, reporter=reporter
    ).path.name


def preview(
    project: AnyProject,
    instruction: str,
    out: AnyPath | None = None,
    *,
    region: Region = Region(),
    base: str | None = None,
    options: PreviewOptions = PreviewOptions(),
    editing: EditOptions = EditOptions(),
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Path:
    """Show three frames of the speaker edited at several strengths, without training.

    Args:
        project: a fitted project.
        instruction: what to make of the speaker.
        out: the picture (`.png` or `.jpg`); None: in the project's `previews/`.
        region: what the edit may change.
        base: the earlier edit that it builds on.
        options: the strengths to show.
        editing: who edits.
        force: make a picture again that is there.
        reporter: told of progress and notices.

    Returns:
        The picture's path.

    Raises:
        BadInput: for an instruction that the editor does not understand.

    Examples:
        >>> talker.preview("speaker.talker", "make him a marble statue", "marble.png")
        PosixPath('marble.png')
    """
    picture = None if out is None else Path(out)
    return commands.preview(
        _folder(project),
        instruction,
        options,
        editing,
        region=region,
        base=base,
        out=picture,
        force=force,
        reporter=reporter,
    ).path


def drive(
    project: AnyProject,
    audio: AnyPath,
    out: AnyPath | None = None,
    *,
    edit: str | None = None,
    view: View | ViewPath | None = None,
    background: str | None = None,
    options: DriveOptions = DriveOptions(),
    kernels: str = "auto",
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Path:
    """Render the speaker, or an edit, saying any speech from any view.

    Args:
        project: a fitted project.
        audio: a sound file, or a video with sound.
        out: the video (`.mp4`); None: numbered, in the project's `renders/`.
        edit: the name of an edit; None: the speaker as filmed.
        view: from where, on top of the head's own motion; None: as `options` say.
        background: a picture's path, or a colour as `#rrggbb`; None: the speaker's own room.
        options: motion, eyes, size and the strength of an edit.
        kernels: what computes.
        force: replace a video that is there.
        reporter: told of progress and notices.

    Returns:
        The video's path.

    Raises:
        BadInput: for sound without speech, or an edit that is not there.

    Examples:
        >>> talker.drive("speaker.talker", "speech.wav", "turned.mp4", view=talker.View(yaw_deg=20))
        PosixPath('turned.mp4')
    """
    chosen = options if view is None else replace(options, view=view)
    place = None if out is None else Path(out)
    return commands.drive(
        _folder(project), Path(audio), chosen,
        edit=edit, background=background, out=place, kernels=kernels, force=force, reporter=reporter,
    ).path  # fmt: skip


def evaluate(
    project: AnyProject,
    *,
    edit: str | None = None,
    speech: AnyPath | None = None,
    out: AnyPath | None = None,
    options: EvalOptions = EvalOptions(),
    kernels: str = "auto",
    force: bool = False,
    reporter: Reporter = Silent(),
) -> dict[str, Any]:
    """Measure how good a speaker or an edit is, on frames that the fit never saw.

    Args:
        project: a fitted project.
        edit: judge this edit against the unedited speaker; None: the speaker against the footage.
        speech: judge them saying this; None: the held-out part's own words.
        out: the folder for tables, plot and sheet; None: `eval/` in the project.
        options: how many frames, and the weights of networks that judge.
        kernels: what computes.
        force: measure again.
        reporter: told of progress and notices.

    Returns:
        The figures with their controls, as in the folder's `eval.json`.

    Raises:
        BadInput: where there is nothing to judge.

    Examples:
        >>> facts = talker.evaluate("speaker.talker", options=EvalOptions(frames=40))
        >>> facts["metrics"]["psnr_db"]["value"] > 0
        True
    """
    from talker.evaluation import report

    place, said = (None if path is None else Path(path) for path in (out, speech))
    done = commands.evaluate(
        _folder(project), options, edit=edit, speech=said, out=place, kernels=kernels, force=force, reporter=reporter
    )
    facts = report.load(done.path)
    assert facts is not None, "it was just written"
    return dict(facts)


def open_portrait(project: AnyProject, edit: str | None = None, *, kernels: str = "auto") -> Portrait:
    """A speaker to render single frames of.

    Args:
        project: a fitted project.
        edit: the name of an edit; None: the speaker as filmed.
        kernels: what computes.

    Returns:
        A `Portrait`, which has been given the take's own sound.

    Raises:
        BadInput: for an edit that is not there.

    Examples:
        >>> portrait = talker.open_portrait("speaker.talker")
        >>> tuple(portrait.render(0, talker.View(yaw_deg=20)).rgb.shape)
        (64, 64, 3)
    """
    opened = open_project(_folder(project))
    take = open_take(opened.path("take"))
    portrait = load_portrait(opened, take, edit, choose_kernels(kernels, Silent()))
    portrait.set_audio(take.audio_features, len(take))
    return portrait


def _folder(project: AnyProject) -> Path:
    return project.root if isinstance(project, Project) else Path(project)
