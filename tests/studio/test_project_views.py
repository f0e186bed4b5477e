"""What the page shows beside the stage."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.core.records import write_record
from talker.editors.builtin.styles import STYLES
from talker.projects.names import slug
from talker.studio import project_views
from talker.studio.job_specs import edit_of
from talker.take.store import write_image


def test_every_suggestion_is_understood_as_what_it_says():
    words = project_views.words()
    assert len(words["styles"]) == len(STYLES) and words["styles"][0]["say"] == "make it look like a Van Gogh painting"
    for style in words["styles"]:
        understood = project_views.understand({"instruction": style["say"]})["understood"]
        assert style["title"] in understood and " and " not in understood, (style["say"], understood)
    for region in words["regions"]:
        for colour in words["colours"]:
            assert colour in project_views.understand({"instruction": f"make the {region} {colour}"})["understood"]
    assert words["bounds"]["edit"]["rounds"] == {"min": 1, "max": 100}
    assert (
        words["bounds"]["fit"].keys() >= {"start", "end", "av-offset"} and words["bounds"]["view"]["yaw"]["max"] == 90
    )
    assert words["colours"]["red"] == "#b81a17" and "hair" in words["parts"]


def test_what_is_not_understood_is_said_as_the_command_line_says_it(monkeypatch):
    for editor in ("builtin", "auto"):
        with pytest.raises(BadInput, match=r"zombie.*nearest"):
            project_views.understand({"instruction": "make him a zombie", "editor": editor})
    with monkeypatch.context() as patch:
        patch.setattr(project_views, "is_here", lambda model: True)
        assert "any words" in project_views.understand({"instruction": "make him a zombie"})["understood"]
        with pytest.raises(BadInput, match="zombie"):
            project_views.understand({"instruction": "make him a zombie", "editor": "builtin"})
    with pytest.raises(BadInput, match="--only shoes"):
        project_views.understand({"instruction": "blue hair", "only": ["shoes"]})
    assert "any words" in project_views.understand({"instruction": "make him a zombie", "editor": "ip2p"})["understood"]


def test_the_rounds_of_an_edit_in_the_making_are_those_of_its_latest_run(project):
    picture = np.zeros((4, 4, 3), np.uint8)
    for number, count in ((1, 30), (2, 2)):
        for index in range(count):
            folder = project.path(f"edits/statue.partial-ab/frames/round-{number}")
            folder.mkdir(parents=True, exist_ok=True)
            write_image(folder / f"{index:05d}.png", picture)
    found = project_views.rounds(project, "statue")
    assert not found["finished"] and [each["count"] for each in found["rounds"]] == [30, 2]
    assert [len(each["frames"]) for each in found["rounds"]] == [12, 2]
    assert found["rounds"][1]["frames"][0].startswith("/files/toy.talker/edits/statue.partial-ab/frames/round-2/")
    assert project_views.rounds(project, "bronze") == {"edit": "bronze", "finished": True, "rounds": []}
    with pytest.raises(BadInput):
        project_views.rounds(project, "../take")


@pytest.mark.parametrize("instruction", ["make him a bronze statue", "mach ihn grün", "сделай его синим"])
def test_a_preview_of_any_words_is_found(page, project, instruction):
    name = f"{slug(instruction)}-0a1b2c"
    facts = {"instruction": instruction, "columns": [[3.0, 10]], "rows": ["frame 0"], "cells": [[[0, 0, 1, 1]]]}
    write_record(project.path(f"previews/{name}.json"), facts)
    found = page.get(f"/api/projects/toy.talker/previews/{name}.json").json()
    assert found["instruction"] == instruction and unquote(found["picture"]).endswith(f"/{name}.png")
    assert page.get("/api/home").json()["projects"][0]["previews"] == [f"{name}.json"]


def test_an_edit_has_a_name_before_it_is_there():
    assert edit_of({"kind": "edit", "instruction": "make him a bronze statue"}) == "bronze-statue"
    limits = {"only": ["hair"], "keep": ["face"]}
    assert edit_of({"kind": "edit", "instruction": "blue hair", **limits}) == "blue-hair-only-hair-keep-face"
    assert edit_of({"kind": "edit", "instruction": "x", "name": "mine"}) == "mine"
    assert edit_of({"kind": "edit", "instruction": "x", "name": "gru\u0308n"}) == "gr\u00fcn"
    assert edit_of({"kind": "edit", "instruction": "x", "only": ["shoes"]}) is None
    assert edit_of({"kind": "fit"}) is None


def test_a_thumbnail_is_made_once(workspace, viewport, project, monkeypatch):
    path = project_views.thumbnail(workspace, viewport, project, "bronze")
    assert path.read_bytes()[:2] == b"\xff\xd8" and path.is_relative_to(workspace.own)
    monkeypatch.setattr(viewport, "render", lambda *arguments: 1 / 0)
    assert project_views.thumbnail(workspace, viewport, project, "bronze") == path
    with pytest.raises(BadInput, match="nobody"):
        project_views.thumbnail(workspace, viewport, project, "nobody")
