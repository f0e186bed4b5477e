"""The edits of a project: a look at one before it is made; what there are; renaming and removing them.

An edit is known by its fingerprint, which it keeps under every name: what was made with it (renders) or built upon it
(other edits) finds it again.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from talker.api.artifacts import (
    dependents,
    edit_command,
    edit_record,
    load_portrait,
    name_of,
    open_project,
    scene_record,
)
from talker.api.options import EditOptions, PreviewOptions, TrainingOptions
from talker.api.result import Outcome
from talker.core.contact_sheet import save_picture
from talker.core.errors import BadInput, Conflict
from talker.core.locks import check_place, sole_writer
from talker.core.metrics import LEAST_LEVELS
from talker.core.records import Figure, open_ended, read_record, write_record
from talker.core.types import Reporter, Silent
from talker.editors.editor import Editor
from talker.editors.region import Region, within
from talker.editors.registry import open_editor
from talker.editors.sequence import one_after_the_other
from talker.projects import renders
from talker.projects.names import check_name, slug
from talker.projects.project import Project, Stage
from talker.radfield.backends import choose_kernels
from talker.take.store import open_take

PICTURES = (".png", ".jpg")
WELL_TAKEN = 0.45  # of the way: brush strokes, which differ from frame to frame, go 0.5; statues 0.8


def preview(
    project_dir: Path | None,
    instruction: str,
    options: PreviewOptions = PreviewOptions(),
    editing: EditOptions = EditOptions(),
    *,
    region: Region = Region(),  # what the edit may change
    base: str | None = None,  # the edit that it builds on; None: the speaker as fitted
    out: Path | None = None,  # None: in the project's previews/
    force: bool = False,
    reporter: Reporter = Silent(),
) -> Outcome:
    """Edit three frames over a small grid, as a picture; with the command that makes the edit."""
    from talker.api.preview import preview_sheet, telling_moments  # which driving does without

    plan = options.plan(instruction)
    project = open_project(project_dir)
    fingerprint = scene_record(project, base)["fingerprint"]
    editor, who = open_for(plan.instruction, editing, region, reporter)
    understood = editor.describe(plan.instruction)
    asked = {**who, **asdict(plan)}
    stage = Stage("previews", {"scene": fingerprint, **asked, **asdict(options)})
    path = out or project.path(f"{stage.path}/{slug(plan.instruction)}-{stage.fingerprint[:6]}.png")
    if out is None and path.is_file() and path.with_suffix(".json").is_file() and not force:
        return Outcome(path, _matching(path, understood, asked, base, project_dir), already_done=True)
    if out is not None:
        check_place(out, force)
    if path.suffix.lower() not in PICTURES:
        raise BadInput(f"{path} does not end in {' or '.join(PICTURES)}, which talker writes")
    take = open_take(project.path("take"))
    moments = telling_moments(take)
    region.check(take.parts[index] for index in moments)
    with sole_writer(path, path.with_suffix(".json")):
        portrait = load_portrait(project, take, base, choose_kernels(editing.kernels, reporter))
        scene, refiner = portrait.scene, portrait.refiner
        sheet = preview_sheet(take, scene, refiner, editor, plan.instruction, options, moments, reporter)
        save_picture(path, sheet.picture)
        if out is None:  # for who wants to point at a cell
            where = {"rows": sheet.rows, "columns": sheet.columns, "cells": sheet.cells}
            write_record(path.with_suffix(".json"), {"instruction": instruction, "understood": understood, **where})
    return Outcome(path, _matching(path, understood, asked, base, project_dir))


def _matching(path: Path, understood: str, asked: dict[str, Any], base: str | None, project_dir: Path | None) -> str:
    """Where the picture is, and the edit that it shows."""
    return (
        f"{path}: {understood}\n"
        f"To make it: {edit_command(asked, base, project_dir=project_dir)}\n"
        "It ends like the last column; --text-guidance LOW,HIGH ends like the column of HIGH"
    )


def open_for(
    instruction: str, options: EditOptions, region: Region, reporter: Reporter
) -> tuple[Editor, dict[str, Any]]:
    """The editor of an instruction within a region, and what is recorded of both."""
    editor = open_editor(options.editor, instruction, options.editor_options, reporter)
    who = {"editor": editor.name, **asdict(editor.options), **region.inputs()}
    return within(one_after_the_other(editor), region), who


def edited(
    folder: Path,
    measured: dict[str, Any],  # from the edit's record
    training: TrainingOptions,
) -> str:
    """Where an edit is and how it is used; and, where it hardly shows, that it does not, and the way out."""
    told = f"{folder}: drive it with --edit {folder.name}. Look at {folder / 'preview.png'}"
    levels, taken = measured.get("asked_levels"), measured.get("change_taken")
    if levels is None or taken is None:  # an edit of an earlier version
        return told
    if levels < LEAST_LEVELS:
        return (
            f"{told}\nIt changes next to nothing: that is all the editor made of the frames; look with talker preview, "
            "and say it otherwise, raise --text-guidance or leave out --only and --keep"
        )
    if taken < WELL_TAKEN:
        steps = max(2 * training.round_steps, TrainingOptions.round_steps)
        return (
            f"{told}\nIt hardly took: it went {max(0.0, taken):.0%} of the way to what the editor made of the frames; "
            f"train longer: --training-steps {steps} --force"
        )
    return told


def list_edits(project_dir: Path | Project | None) -> list[dict[str, Any]]:
    """Every finished edit, as JSON values, by name."""
    project = open_project(project_dir)
    field = project.record("field")
    found = []
    for name in project.edit_names():
        record = edit_record(project, name)
        inputs = record["inputs"]
        found.append(
            {
                "name": name,
                **{key: inputs.get(key) for key in ("instruction", "editor", "strategy", "rounds", "frames", "seed")},
                "only": inputs.get("only", []),
                "keep": inputs.get("keep", []),
                "from": name_of(project, inputs["from"]) or "an edit that is gone" if "from" in inputs else None,
                "finished": record["finished"],
                "seconds": record["seconds"],
                "measured": {**record["measured"], **_judged(project, record["fingerprint"])},
                "current": field is not None and inputs["field"] == field["fingerprint"],
            }
        )
    return found


def rename_edit(project_dir: Path | Project | None, old: str, new: str) -> Outcome:
    """Give an edit another name; what was made with it, and edits that build on it, know it by its fingerprint."""
    project = open_project(project_dir)
    edit_record(project, old)
    if new == old:
        raise BadInput(f"{old} is called that already; nothing to rename")
    check_name(new)
    with project.lock():
        if project.record(f"edits/{new}") is not None:
            raise Conflict(f"There is an edit called {new} already; choose another name for {old}")
        project.rename(f"edits/{old}", f"edits/{new}")
        renders.rename_edit(project, old, new)
    return Outcome(project.path(f"edits/{new}"), f"{old} is called {new} now: drive it with --edit {new}")


def remove_edit(project_dir: Path | Project | None, name: str, *, force: bool = False) -> Outcome:
    """Remove an edit for good; videos made with it stay. Refused while another edit builds on it."""
    project = open_project(project_dir)
    record = edit_record(project, name)
    above = dependents(project, record)
    if above:
        first = " and ".join(f"talker edits --remove {other} --force" for other in above)
        raise Conflict(f"{' and '.join(above)} builds on {name}; remove what builds on it first: {first}")
    if not force:
        instruction = record["inputs"]["instruction"]
        raise Conflict(f'{name} ("{instruction}") would be gone for good; add --force to remove it')
    with project.lock():
        kept = project.remove(f"edits/{name}")
    linked = f"only the link to {kept} went, which is still there; " if kept else ""
    return Outcome(project.path(f"edits/{name}"), f"{name} is removed; {linked}videos made with it are still there")


@open_ended
class _JudgedInputs(TypedDict):
    made_from: dict[str, str]  # fingerprints
    speech_sha256: str | None


@open_ended
class _JudgedMetric(TypedDict):
    value: Figure


@open_ended
class _Judgement(TypedDict):
    """eval.json, as far as a list of edits goes by it."""

    inputs: _JudgedInputs
    metrics: dict[str, _JudgedMetric]


def _judged(project: Project, fingerprint: str) -> dict[str, Figure]:
    """What `talker eval` found of an edit on the held-out part, if it was asked."""
    figures: dict[str, Figure] = {}
    evaluations = (folder / "eval.json" for folder in project.glob("eval/*"))
    for path in filter(os.path.lexists, evaluations):
        facts = read_record(path, _Judgement, whole=path)
        if fingerprint in facts["inputs"]["made_from"].values() and facts["inputs"]["speech_sha256"] is None:
            figures |= {key: metric["value"] for key, metric in facts["metrics"].items()}
    return figures
