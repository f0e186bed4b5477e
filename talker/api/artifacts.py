"""Opening what a project holds: the project itself, the record of a field or an edit, the speaker that it shows."""

from __future__ import annotations

import shlex
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from talker.api.options import TrainingOptions
from talker.core.bounds import flag_name
from talker.core.errors import BadInput, Conflict
from talker.core.files import damaged
from talker.core.types import EditPlan, Take
from talker.driving.render import Motion, Portrait
from talker.editors.registry import EDITORS
from talker.projects.names import LONGEST_NAME, check_name, slug
from talker.projects.project import Project
from talker.radfield.backends import choose_kernels
from talker.radfield.kernels import Kernels
from talker.radfield.scene import Scene
from talker.refine.network import RefinementNet

SCENE_FILE, REFINER_FILE = "field.safetensors", "refine.safetensors"


def open_project(project_dir: Path | Project | None) -> Project:
    """The project named, or the nearest; one that is open already is that."""
    if isinstance(project_dir, Project):
        return project_dir
    return Project.open(project_dir) if project_dir else Project.find(Path.cwd())


def scene_record(project: Project, edit_name: str | None) -> dict[str, Any]:
    """The record of the field, or of an edit that still belongs to it."""
    take = project.require("take", "make it: talker fit VIDEO")
    field = project.require("field", "finish it: talker fit VIDEO")
    if field["inputs"]["take"] != take["fingerprint"]:
        raise Conflict(f"The last fit of {project.root.name} was interrupted; finish it: talker fit VIDEO --force")
    if edit_name is None:
        return field
    record = edit_record(project, edit_name)
    if record["inputs"]["field"] != field["fingerprint"]:
        raise Conflict(f"The edit {edit_name} belongs to an earlier fit; {_way_back(project, edit_name)}")
    return record


def edit_record(project: Project, edit_name: str) -> dict[str, Any]:
    """The record of an edit, be it of an earlier fit; BadInput with the names that there are."""
    record = project.record(f"edits/{check_name(edit_name)}")
    if record is None:
        names = ", ".join(project.edit_names())
        there = f"there are: {names}" if names else "there are none yet; make one: talker edit --instruction TEXT"
        raise BadInput(f"No edit called {edit_name} in {project.root.name}; {there}")
    return record


def automatic_name(
    instruction: str,
    region: str,  # `Region.name`
) -> str:
    """What an edit is called that nobody named: the same words within other limits are another edit."""
    limits = f"-{region}" if region else ""
    return (slug(instruction, max(1, min(40, LONGEST_NAME - len(limits)))) + limits)[:LONGEST_NAME]


def name_of(
    project: Project,
    fingerprint: str | None,  # of an edit, which keeps it under every name
) -> str | None:
    """What that edit is called now; None where it is gone."""
    names = (name for name in project.edit_names() if edit_record(project, name)["fingerprint"] == fingerprint)
    return next(names, None)


def dependents(
    project: Project,
    record: dict[str, Any],  # of an edit
) -> list[str]:
    """The names of the edits that began from it."""
    inputs = {name: edit_record(project, name)["inputs"] for name in project.edit_names()}
    return [name for name, other in inputs.items() if other.get("from") == record["fingerprint"]]


def _way_back(project: Project, name: str) -> str:
    """How an edit of an earlier fit is made again: what it builds on is of that fit, too, and comes first."""
    commands, base = [], name
    while base is not None:
        inputs, above = edit_record(project, base)["inputs"], base
        base = name_of(project, inputs["from"]) if "from" in inputs else None
        commands.insert(0, f"{edit_command(inputs, base, above)} --force")
    gone = (
        "what it built on is gone or was made anew: add --from EDIT to build on an edit; " if "from" in inputs else ""
    )
    return f"{gone}make it again: {' && '.join(commands)}"


def edit_command(
    inputs: dict[str, Any],  # of an edit: its plan, editor, model, region and training
    base: str | None = None,
    name: str | None = None,  # None: from the instruction
    project_dir: Path | None = None,  # None: the nearest
) -> str:
    """The command line that makes an edit, training flags included where this machine would train otherwise."""
    words = ["talker", "edit", "--instruction", inputs["instruction"]]
    words += ["--name", name] if name else []
    words += ["--from", base] if base else []
    for plan in fields(EditPlan):
        value = inputs.get(plan.name, plan.default)
        value = tuple(value) if isinstance(value, list) else value
        if plan.name != "instruction" and value != plan.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"--{plan.name.replace('_', '-')}", shown]
    words += _editor_words(inputs)
    for limit in ("only", "keep"):
        for word in inputs.get(limit, []):
            words += [f"--{limit}", word]
    words += _training_words(inputs["training"]) if "training" in inputs else []
    words += ["--project", str(project_dir)] if project_dir else []
    return shlex.join(words)


def _editor_words(inputs: dict[str, Any]) -> list[str]:
    """The flags of an edit's editor, without those that change nothing."""
    name = inputs["editor"]
    words = ["--editor", name] if name != next(iter(EDITORS)) else []  # the one that `auto` asks first
    if name in EDITORS:  # another version of talker may know another one
        for option, default in asdict(EDITORS[name].editor.options).items():
            if inputs.get(option, default) != default:
                words += [flag_name(option), str(inputs[option])]
    return words


def _training_words(training: dict[str, Any]) -> list[str]:
    """The flags of a training, as it is recorded, without those that change nothing here."""
    words = []
    if training["patch_px"] != TrainingOptions.preset("auto", "cuda" if torch.cuda.is_available() else "cpu").patch_px:
        words += ["--preset", "gpu" if training["patch_px"] is None else "cpu"]
    if training["round_steps"] == training["lip_steps"]:  # in no preset
        words += ["--training-steps", str(training["round_steps"])]
    return words


def load_portrait(
    project: Project,
    take: Take,
    edit_name: str | None = None,
    kernels: Kernels | None = None,  # None: the fastest that this machine has
    motion: Motion = "take",
    strength: float = 1.0,  # 0: the speaker as fitted, 1: the edit
) -> Portrait:
    """The speaker as fitted, as edited, or in between."""
    kernels = kernels or choose_kernels()
    if edit_name is None or strength == 0:
        return Portrait(_load_scene(project.path("field"), take, kernels), take, None, motion)
    folder = project.path(f"edits/{edit_name}")
    scene = _load_scene(folder, take, kernels)
    if strength < 1:
        scene = _load_scene(project.path("field"), take, kernels).blended(scene, strength)
    refiner = RefinementNet.load(folder / REFINER_FILE).to(scene.device)
    return Portrait(scene, take, refiner, motion, strength)


def _load_scene(folder: Path, take: Take, kernels: Kernels) -> Scene:
    """The scene of a stage; BadInput where it was fitted to something else than the take."""
    scene = Scene.load(folder / SCENE_FILE, kernels)
    fitted_to = (scene.options.audio_encoder, scene.options.audio_channels, scene.options.frames)
    if fitted_to != (take.audio_encoder, take.audio_features.shape[1], len(take)):
        raise damaged(folder / SCENE_FILE, why="does not suit the take")
    return scene
