"""Edits of earlier versions are the same edits: their records, as they were written then, word for word."""

from __future__ import annotations

import pytest

from talker.api import commands
from talker.api.options import EditOptions
from talker.core.types import EditPlan
from talker.editors.diffusion import ip2p
from talker.editors.region import Region
from talker.projects.project import Stage
from tests.cli.conftest import place as place
from tests.cli.conftest import project as project

PLAN = {"seed": 0, "rounds": 1, "text_guidance": [3.0, 6.0], "steps": [10, 20], "image_guidance": 1.5, "frames": 2}
PLAN |= {"strategy": "progressive"}
TRAINING = {"round_steps": 1, "lip_steps": 1, "patches": 2, "patch_px": 64, "patch_every": 3}
BUILTIN = {"instruction": "make him bronze", "editor": "builtin"}
BY_DEFAULT = {
    "instruction": "make him a zombie",
    "editor": "ip2p",
    "model": None,
    "sampler": "dpm++",
    "precision": "auto",
}
BY_MODEL = {
    "instruction": "make him a zombie",
    "editor": "ip2p",
    "model": "x/y",
    "sampler": "ddim",
    "precision": "bfloat16",
}


@pytest.mark.parametrize(
    ("recorded", "editor", "given", "region"),
    [
        (BUILTIN, "auto", {"model": "x/y"}, Region()),
        ({**BUILTIN, "only": ["hair"]}, "builtin", {}, Region(only=("hair",))),
        ({**BY_DEFAULT, "keep": ["hair", "face"]}, "ip2p", {"sampler": "dpm++"}, Region(keep=("hair", "face"))),
        (BY_MODEL, "auto", {"model": "x/y", "precision": "bfloat16"}, Region()),
    ],
)
def test_an_edit_of_before_is_done_already(project, monkeypatch, recorded, editor, given, region):
    field = "56d3404e3a588078"
    assert project.record("field")["fingerprint"] == field
    with project.build(Stage("edits/old", {"field": field, **PLAN, **recorded, "training": TRAINING})):
        pass
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(ip2p, "load", _without_weights)
    options = EditOptions(editor, given, training_steps=1)
    plan = EditPlan(recorded["instruction"], rounds=1, frames=2)
    assert commands.edit(None, plan, options, name="old", region=region).already_done


def test_the_fingerprint_is_the_one_of_before():
    """As talker 0.1.0 wrote it, of such an edit."""
    inputs = {"field": "56d3404e3a588078", **PLAN, **BY_DEFAULT, "keep": ["hair"], "training": TRAINING}
    assert Stage("edits/z", inputs).fingerprint == "abcc85c8fa3556ca"


def _without_weights(options, reporter, *, local_only):
    editor = ip2p.InstructPix2Pix.__new__(ip2p.InstructPix2Pix)
    editor.options = options
    return editor
