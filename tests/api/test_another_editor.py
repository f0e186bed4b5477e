"""Another editor is one file (tests/editors/tint.py) and one entry: commands, records and the page then know it."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields

import numpy as np
import pytest

from talker.api import commands
from talker.api.artifacts import edit_command
from talker.api.options import EditOptions, PreviewOptions
from talker.cli import main
from talker.core.errors import BadInput, Conflict
from talker.core.types import EditPlan
from talker.editors.registry import EDITORS, EditorEntry, open_editor, option_classes
from talker.studio import project_views
from talker.take.store import read_image
from tests.cli.conftest import place as place
from tests.cli.conftest import project as project
from tests.cli.console import refused

PLAN = EditPlan("a mist, then more mist", rounds=1, frames=2)


@pytest.fixture(autouse=True)
def tint(monkeypatch):
    monkeypatch.setitem(EDITORS, "tint", EditorEntry("the tint", "mist alone", "tests.editors.tint:TintEditor"))


def test_it_edits_and_its_option_is_recorded(project):
    options = EditOptions("tint", {"opacity": 0.8}, training_steps=1)
    assert commands.edit(None, PLAN, options, name="mist").text
    inputs = json.loads(project.path("edits/mist/stage.json").read_text())["inputs"]
    assert inputs["editor"] == "tint" and inputs["opacity"] == 0.8
    assert not {"model", "sampler", "precision"} & inputs.keys()
    # Twice 80 % of the way to grey, for it makes one instruction after the other.
    for path in project.path("edits/mist/frames/round-1").glob("*.png"):
        assert np.abs(read_image(path).astype(int) - 127.5).max() <= 0.04 * 127.5 + 1
    assert commands.edit(None, PLAN, options, name="mist").already_done
    with pytest.raises(Conflict, match=r"opacity 0\.8 -> 0\.5"):
        commands.edit(None, PLAN, EditOptions("tint", training_steps=1), name="mist")
    assert {each["name"]: each["editor"] for each in commands.list_edits(None)}["mist"] == "tint"
    words = shlex.split(edit_command(inputs))
    assert words[words.index("--editor") + 1] == "tint" and words[words.index("--opacity") + 1] == "0.8"


def test_the_command_line_has_its_flag(project, capsys):
    asked = ["preview", "--instruction", "mist", "--editor", "tint"]
    assert main([*asked, "--opacity", "0.8"]) == 0
    assert "mist, 80%" in capsys.readouterr().out
    assert "--opacity is 2; choose a number from 0 to 1" in refused(capsys, *asked, "--opacity", "2")
    assert main(["edit", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "{auto,builtin,ip2p,tint}" in told and "tint (the tint: mist alone)" in told and "of the tint [0.5;" in told
    said = refused(capsys, "edit", "--instruction", "bronze", "--editor", "builtin", "--opacity", "0.8")
    assert "--opacity is of the tint; choose --editor tint with it" in said


def test_auto_asks_it_after_the_others():
    assert open_editor("auto", "make him bronze").name == "builtin"
    assert open_editor("auto", "mist", {"opacity": 0.2}).options.opacity == 0.2


def test_the_page_is_told_of_it():
    found = {each.pop("name"): each for each in project_views.words()["editors"]}
    assert found["tint"] == {"label": "the tint: mist alone", "model": None, "uses_steps": False}
    assert found["ip2p"]["model"] == "timbrooks/instruct-pix2pix" and found["ip2p"]["uses_steps"]
    assert found["builtin"]["model"] is None and not found["builtin"]["uses_steps"]
    for editor in ("auto", "tint"):
        assert project_views.understand({"instruction": "mist", "editor": editor}) == {"understood": "mist, 50%"}


def test_an_option_that_nobody_has_is_refused():
    with pytest.raises(BadInput, match="no editor has an option 'colour'"):
        EditOptions("auto", {"colour": "red"})


def test_every_editor_is_called_as_in_the_registry_and_its_options_like_nothing_else():
    assert {name: entry.editor.name for name, entry in EDITORS.items()} == {name: name for name in EDITORS}
    others = {each.name for kind in (EditPlan, EditOptions, PreviewOptions) for each in fields(kind)}
    assert not others & option_classes().keys()
