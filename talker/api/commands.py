"""What talker can do, as functions: the API that the command line and the studio both call.

Every function checks what it is given before it begins, holds the lock of what it writes, and returns an `Outcome`, or
what it found out. Nothing here prints. What driving does without is imported where it is needed: that saves half a
second.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

from talker import __version__
from talker.api.artifacts import REFINER_FILE, SCENE_FILE, automatic_name, load_portrait, open_project, scene_record
from talker.api.edits import edited, open_for
from talker.api.edits import list_edits as list_edits
from talker.api.edits import preview as preview
from talker.api.edits import remove_edit as remove_edit
from talker.api.edits import rename_edit as rename_edit
from talker.api.options import EditOptions, FitOptions
from talker.api.result import Outcome
from talker.core.contact_sheet import save_picture
from talker.core.errors import BadInput, Conflict
from talker.core.files import file_hash
from talker.core.images import spaced
from talker.core.locks import check_place, sole_writer
from talker.core.lpips import choose_lip_bank
from talker.core.records import plain, write_record
from talker.core.temporary import unfinished
from talker.core.types import FPS, EditPlan, Reporter, Silent
from talker.driving.live import check_live
from talker.driving.live import drive_live as drive_speech_live
from talker.driving.render import DriveOptions, Portrait, check_options, load_background, picture_size
from talker.driving.render import drive as drive_speech
from talker.editors.region import CHECKED_FRAMES, Region
from talker.evaluation.options import EvalOptions
from talker.pdu.plan import check_plan, report_plan
from talker.projects import renders
from talker.projects.names import check_name, slug
from talker.projects.project import SUFFIX, Project, Stage, describe_changes, inputs_of
from talker.radfield.backends import choose_kernels
from talker.radfield.fit_take import fit_scene
from talker.take.build import TakeOptions, build_take
from talker.take.crop import checked_span
from talker.take.speech import Speech
from talker.take.store import TakeFolder, load_encoder_of, load_take, open_take
from talker.video import read_audio, require_video

if TYPE_CHECKING:
    from talker.checking.report import Report
    from talker.speaker.record import SpeakerOptions

CHECK_PAGE = "check.html"  # in the project folder


def speaker(
    out: Path, options: SpeakerOptions, *, truth: Path | None = None, force: bool = False, reporter: Reporter = Silent()
) -> Outcome:
    """Record the demo speaker."""
    from talker.speaker.record import record_speaker

    renders.check_mp4(out)
    places = [out, *filter(None, [truth])]
    if len({path.resolve() for path in places}) < len(places):
        raise BadInput(f"--truth is a folder beside the video; give it another name than {out}")
    for path in places:
        check_place(path, force, folder=path is truth)
    with sole_writer(*places):
        record_speaker(out, options, truth, reporter)
    known = f"; what is true of it: {truth}" if truth else ""
    return Outcome(out, f"{out}: {options.seconds:g} s of the demo speaker{known}")


def check(
    video: Path,
    out: Path | None = None,  # an .html; None: no page
    take_options: TakeOptions = TakeOptions(),
    options: FitOptions = FitOptions(),
    *,
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Report:
    """Say what is wrong with footage and how long it would take to fit; write that as a page, too."""
    from talker.checking.examine import examine

    if out is not None:
        check_place(out, force)
    span_s = checked_span(require_video(video), video.name, take_options.start_s, take_options.end_s)
    kernels = choose_kernels(options.kernels, reporter)
    field_options = options.field(kernels, span_s[1] - span_s[0], take_options.size_px)
    with sole_writer(out) if out is not None else nullcontext():
        return examine(video, take_options, field_options, kernels, reporter, out)


def fit(
    video: Path,
    root: Path | None = None,
    take_options: TakeOptions = TakeOptions(),
    options: FitOptions = FitOptions(),
    *,
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Outcome:
    """Turn a video into a take and a fitted field, in the project at `root` (None: the video's name here).

    The footage is checked on the way; what should be mended becomes notices, and the whole report `CHECK_PAGE`.
    """
    from talker.checking.examine import Examiner, write_page
    from talker.evaluation import held_out

    info = require_video(video)
    span_s = checked_span(info, video.name, take_options.start_s, take_options.end_s)
    kernels = choose_kernels(options.kernels, reporter)
    field_options = options.field(kernels, span_s[1] - span_s[0], take_options.size_px)
    take_stage = Stage("take", {"source_sha256": file_hash(video), **inputs_of(take_options)})
    field_stage = Stage("field", {"take": take_stage.fingerprint, **asdict(field_options)})
    project = Project.create(root or Path(video.stem + SUFFIX))
    if project.settled(take_stage, field_stage):
        return Outcome(project.root, f"Already done: {project.root}", already_done=True)
    project.ask_before_redoing([take_stage, field_stage], force, "-o")
    page = project.path(CHECK_PAGE)
    with project.lock():
        if not project.is_done(take_stage):
            with project.build(take_stage, discard_if_bad=True) as build:
                examiner = Examiner(take_options, field_options, kernels)
                take = build_take(video, build.folder, take_options, reporter, examiner.search)
                with sole_writer(page):
                    write_page(page, examiner.report, video, reporter)
                build.measured.update(frames=len(take), seconds=len(take) / FPS, size_px=take.size_px)
        take = load_take(project.path("take"))
        with project.build(field_stage) as build:
            bank = choose_lip_bank(reporter)
            scene = fit_scene(take, field_options, kernels, reporter, build.folder / "work", bank)
            scene.save(build.folder / SCENE_FILE)
            portrait = Portrait(scene, take)
            metrics = {**held_out.held_out_metrics(portrait, reporter), "kernels": kernels.name, "lip_bank": bank.name}
            write_record(build.folder / "options.json", asdict(field_options))
            write_record(build.folder / "metrics.json", metrics)
            save_picture(build.folder / "preview.png", held_out.fit_preview(portrait))
            shutil.rmtree(build.folder / "work", ignore_errors=True)
            build.measured.update(metrics)
    return Outcome(
        project.root,
        f"{project.root}: {len(take) / FPS:.1f} s fitted; held-out head PSNR {metrics['head_psnr_db']:.1f} dB "
        f"(without a field {metrics['null_psnr_db']:.1f}). Look at {project.path('field/preview.png')}",
    )


def edit(
    project_dir: Path | None,
    plan: EditPlan,
    options: EditOptions = EditOptions(),
    *,
    name: str | None = None,  # None: from the instruction
    region: Region = Region(),  # what it may change
    base: str | None = None,  # the edit that it builds on; None: the speaker as fitted
    dry_run: bool = False,
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Outcome:
    """Edit the fitted speaker; with `dry_run`, only say how."""
    from talker.api.edit_run import EditRun, estimate, measure_likeness
    from talker.evaluation import held_out

    name = check_name(name if name is not None else automatic_name(plan.instruction, region.name))
    check_plan(plan)
    project = open_project(project_dir)
    field = scene_record(project, None)
    began = {"from": scene_record(project, base)["fingerprint"]} if base is not None else {}
    if base == name:
        raise BadInput(f"The edit {name} cannot build on itself; give the new one another --name")
    editor, who = open_for(plan.instruction, options, region, reporter)
    kernels = choose_kernels(options.kernels, reporter)
    training = options.training(kernels.device)
    inputs = {**asdict(plan), **who, "training": asdict(training), **began}
    stage = Stage(f"edits/{name}", {"field": field["fingerprint"], **inputs})
    folder = project.path(stage.path)
    if not dry_run and project.settled(stage):
        done = edited(folder, project.record(stage.path)["measured"], training)
        return Outcome(folder, f"Already done: {done}", already_done=True)
    if not dry_run:
        project.ask_before_redoing([stage], force, "--name")
    stored = open_take(project.path("take"))
    region.check(stored.parts[index] for index in spaced(stored.training, CHECKED_FRAMES))
    if plan.frames > max(EditPlan.frames, len(stored.training)):
        reporter.notice(f"--frames {plan.frames}: the take has only {len(stored.training)} to train on; all are edited")
    take = load_take(project.path("take"))
    original = load_portrait(project, take, base, kernels)

    def begin(workdir: Path, reporter: Reporter) -> EditRun:
        return EditRun(take, original.scene, editor, plan, training, workdir, reporter, refiner=original.refiner)

    if dry_run:
        run = begin(folder, Silent())  # a plan has no progress
        edit_s, train_s = estimate(run)
        report = report_plan(plan, editor, len(run.frames), edit_s=edit_s, train_s=train_s)
        facts = {**report.as_json(), **region.inputs(), "from": base, "into": str(folder)}
        return Outcome(folder, "\n".join([*report.lines(), f"into         {folder}"]), facts=facts)
    with project.lock(), project.build(stage) as build:
        run = begin(build.folder, reporter)
        run.run()
        run.scene.save(build.folder / SCENE_FILE)
        run.net.save(build.folder / REFINER_FILE)
        after = Portrait(run.scene, take, run.net)
        save_picture(build.folder / "preview.png", held_out.edit_preview(original, after))
        understood = editor.describe(plan.instruction)
        write_record(build.folder / "edit.json", {**inputs, "understood": understood, "edited_frames": run.frames})
        likeness = measure_likeness(run)
        run.forget_work()  # last: a run that is killed before this goes on from it
        build.measured.update(kernels=kernels.name, edited_frames=len(run.frames), **likeness)
    return Outcome(folder, edited(folder, build.measured, training))


def drive(
    project_dir: Path | None,
    audio: Path,
    options: DriveOptions = DriveOptions(),
    *,
    edit: str | None = None,
    background: str | None = None,  # a picture's path or #rrggbb
    out: Path | None = None,
    kernels: str = "auto",
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Outcome:
    """Render the speaker, or one of its edits, saying `audio`. Without `out`, into the project's renders/."""
    check_options(options, edit)
    if out is not None:
        renders.check_mp4(out)
        check_place(out, force=True)  # what is there may be this very render
        renders.check_apart(out, [audio, Path(background or "")])
    project = open_project(project_dir)
    scene, take = scene_record(project, edit), open_take(project.path("take"))
    room = load_background(background, picture_size(take, options)) if background is not None else None
    chosen = choose_kernels(kernels, reporter)
    reporter.progress("listen", 0.0)
    speech = Speech.listen(audio, options.track, reporter)
    reporter.progress("listen", 1.0)
    inputs = {
        "audio_sha256": file_hash(audio),
        "scene": scene["fingerprint"],
        "background": file_hash(Path(background)) if background and Path(background).is_file() else background,
        **inputs_of(options),
    }
    same = renders.find(project, inputs, out)
    if same is not None and not force:
        return Outcome(same, f"Already done: {same}", already_done=True)
    if out is not None and out.exists() and not force:
        raise Conflict(f"{out} exists and is not this render; add --force to replace it, or choose another -o")
    renders.prepare(project)
    place = out or project.path(f"{renders.FOLDER}/{Stage(renders.FOLDER, inputs).fingerprint}.mp4")
    with sole_writer(place), unfinished(place) as video:
        portrait = load_portrait(project, take, edit, chosen, options.motion, options.strength)
        encoder = load_encoder_of(project.path("take"))
        count = drive_speech(portrait, speech, video, options, reporter, encoder, room)
        facts = {"audio": audio.name, "edit": edit, "frames": count, "talker": __version__, "inputs": inputs}
        kept = renders.keep(project, video, out, facts)
    return Outcome(kept, f"{kept}: {count / FPS:.1f} s")


def drive_live(
    project_dir: Path | None,
    source: BinaryIO,  # raw 16 kHz mono signed 16-bit little-endian sound: a pipe
    out: Path | BinaryIO,  # an mp4, or a pipe that somebody watches
    options: DriveOptions = DriveOptions(),
    *,
    edit: str | None = None,
    background: str | None = None,  # a picture's path or #rrggbb
    kernels: str = "auto",
    force: bool = False,
    stop: Event | None = None,  # set it to end the video
    reporter: Reporter = Silent(),
) -> str:
    """Render the speaker saying what comes in, as it comes in; returns a line for people. Keeps no record."""
    check_options(options, edit)
    if isinstance(out, Path):
        renders.check_mp4(out)
        renders.check_apart(out, [Path(background or "")])
        check_place(out, force)
    project = open_project(project_dir)
    scene_record(project, edit)
    take, encoder = open_take(project.path("take")), load_encoder_of(project.path("take"))
    check_live(encoder)
    room = load_background(background, picture_size(take, options)) if background is not None else None
    chosen = choose_kernels(kernels, reporter)
    with sole_writer(out) if isinstance(out, Path) else nullcontext():
        portrait = load_portrait(project, take, edit, chosen, options.motion, options.strength)
        report = drive_speech_live(portrait, source, out, options, reporter, encoder, stop or Event(), room)
    return f"{out}: {report.describe()}" if isinstance(out, Path) else report.describe()


def evaluate(
    project_dir: Path | None,
    options: EvalOptions = EvalOptions(),
    *,
    edit: str | None = None,  # judge this edit against the unedited speaker; None: the speaker against the take
    speech: Path | None = None,  # judge them saying this; None: the held-out part's own words
    out: Path | None = None,  # None: eval/ in the project
    kernels: str = "auto",
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Outcome:
    """Measure how good the speaker, or one of its edits, is; a table, and a folder with JSON, plot and pictures."""
    from talker.evaluation import report
    from talker.evaluation.instruments import Instruments
    from talker.evaluation.run import NewSpeech
    from talker.evaluation.run import evaluate as measure
    from talker.take.landmarks import load_detector

    if edit is None and options.caption_before is not None:
        raise BadInput("--caption-before and --caption-after are of an edit; name it with --edit")
    if out is not None:
        check_place(out, force=True, folder=True)  # what is there may be this very evaluation
    project = open_project(project_dir)
    fingerprints = {name or "field": scene_record(project, name)["fingerprint"] for name in {None, edit}}
    chosen = choose_kernels(kernels, reporter)
    said = NewSpeech.listen(speech, options.frames, load_encoder_of(project.path("take")), reporter) if speech else None
    instruments = Instruments.load(options, compares=edit is None and speech is None, edited=edit is not None)
    heard, given = file_hash(speech) if speech else None, plain(asdict(options))
    inputs = {"made_from": fingerprints, "speech_sha256": heard, "instruments": instruments.names, **given}
    folder = out or project.path("eval/" + "-".join(filter(None, (edit or "field", speech and slug(speech.stem)))))
    before = report.load(folder)
    if before is not None and not force:
        if before["inputs"] == inputs:
            return Outcome(folder, f"{report.table(before)}\nAlready done: {folder}", already_done=True)
        changes = describe_changes(before["inputs"], inputs)
        raise Conflict(f"{changes}: {folder} would be made again; add --force to do so, or -o to keep both")
    with sole_writer(*(folder / name for name in (report.FACTS, report.PLOT, report.SHEET))):
        take = load_take(project.path("take"))
        filmed = load_portrait(project, take, None, chosen)
        edited = load_portrait(project, take, edit, chosen) if edit else None
        detector = project.record("take")["inputs"]["landmarks"]
        own = read_audio(TakeFolder(project.path("take")).audio)
        found = measure(
            filmed, own, lambda: load_detector(detector), options, reporter,
            edited=edited, speech=said, instruments=instruments,
        )  # fmt: skip
        facts = report.save(found, folder, inputs)
    return Outcome(folder, f"{report.table(facts)}\nLook at {folder / report.PLOT} and {folder / report.SHEET}")


def info(project_dir: Path | None) -> dict[str, Any]:
    """What a project holds, as JSON values."""
    project = open_project(project_dir)
    records = project.stages()
    field = records.get("field", {}).get("fingerprint")
    for path, record in records.items():
        record["current"] = not path.startswith("edits/") or record["inputs"]["field"] == field
    return {"project": str(project.root), "stages": records, "renders": renders.records(project)}
