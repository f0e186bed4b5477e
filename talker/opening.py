"""Opening what a project holds: the project itself, the record of a field or an edit, the speaker that it shows."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

from talker.drive import Motion, Portrait
from talker.errors import BadInput, Conflict
from talker.project import Project, check_name
from talker.radfield.kernels import Kernels, choose_kernels
from talker.radfield.scene import Scene
from talker.refine.network import RefinementNet
from talker.types import EditPlan, Take

SCENE_FILE, REFINER_FILE = "field.safetensors", "refine.safetensors"


def open_project(project_dir: Path | None) -> Project:
    """The project named, or the nearest."""
    return Project.open(project_dir) if project_dir else Project.find(Path.cwd())


def scene_record(project: Project, edit_name: str | None) -> dict[str, Any]:
    """The record of the field, or of an edit that still belongs to it."""
    take = project.require("take", "make it: talker fit VIDEO")
    field = project.require("field", "finish it: talker fit VIDEO")
    if field["inputs"]["take"] != take["fingerprint"]:
        raise Conflict(f"The last fit of {project.root.name} was interrupted; finish it: talker fit VIDEO --force")
    if edit_name is None:
        return field
    record = project.record(f"edits/{check_name(edit_name)}")
    if record is None:
        names = ", ".join(project.edit_names())
        there = f"there are: {names}" if names else "there are none yet; make one: talker edit --instruction TEXT"
        raise BadInput(f"No edit called {edit_name} in {project.root.name}; {there}")
    if record["inputs"]["field"] != field["fingerprint"]:
        again = command_again(edit_name, record["inputs"])
        raise Conflict(f"The edit {edit_name} belongs to an earlier fit; make it again: {again}")
    return record


def command_again(
    name: str,
    inputs: dict[str, Any],  # of the edit's record
) -> str:
    """The command line that makes an edit anew."""
    words = ["talker", "edit", "--instruction", inputs["instruction"], "--name", name]
    for plan in fields(EditPlan):
        value = inputs.get(plan.name, plan.default)
        value = tuple(value) if isinstance(value, list) else value
        if plan.name != "instruction" and value != plan.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"--{plan.name.replace('_', '-')}", shown]
    if inputs["editor"] == "ip2p":
        words += ["--editor", "ip2p"]
    if inputs.get("model") is not None:
        words += ["--model", inputs["model"]]
    return shlex.join([*words, "--force"])


def load_portrait(
    project: Project,
    take: Take,
    edit_name: str | None = None,
    kernels: Kernels | None = None,  # None: the fastest that this machine has
    motion: Motion = "take",
) -> Portrait:
    """The speaker as fitted, or as edited."""
    folder = project.path(f"edits/{edit_name}" if edit_name else "field")
    scene = Scene.load(folder / SCENE_FILE, kernels or choose_kernels())
    refiner = RefinementNet.load(folder / REFINER_FILE).to(scene.device) if edit_name else None
    return Portrait(scene, take, refiner, motion)
