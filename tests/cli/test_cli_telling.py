"""What edits are called and what is told of them: names, notices, and whether they took."""

from __future__ import annotations

import json
import re

import pytest

from talker.cli import main
from talker.core.records import write_record
from talker.take.store import load_take
from tests.cli.console import refused
from tests.cli.test_cli_edits import BLUE, LENGTH, edit, facts

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("command", ["edit", "preview"])
def test_what_the_built_in_editor_knows_is_in_the_help(place, capsys, command):
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Van Gogh painting" in said and "#rrggbb" in said and max(map(len, said.splitlines())) < 115


def test_other_limits_are_another_edit_without_a_name(project, capsys):
    for words in ([], ["--only", "background"], ["--keep", "hair", "--keep", "face"]):
        edit(*BLUE, *words)
    names = {"bronze", "background-blue", "background-blue-only-background", "background-blue-keep-hair-face"}
    assert set(project.edit_names()) == names
    said = refused(capsys, "edit", *BLUE, "--only", "hair", "--name", "background-blue", *LENGTH)
    assert "only none -> hair:" in said and "[" not in said


def test_an_edit_that_did_not_take_is_told_with_the_way_out(project, capsys):
    words = ["edit", "--instruction", "make him a bronze statue", *LENGTH]
    assert main(words) == 0
    done, told = capsys.readouterr().out.strip().splitlines()[-2:]
    assert "--edit bronze-statue" in done and "hardly took" in told and "--training-steps 220 --force" in told
    assert facts("bronze-statue", "stage.json")["measured"]["change_taken"] < 0.45
    assert main(words) == 0
    done, told = capsys.readouterr().out.strip().splitlines()
    assert done.startswith("Already done") and "hardly took" in told
    record = json.loads(project.path("edits/bronze-statue/stage.json").read_text())
    for figures, hint in (({"change_taken": 0.8}, ""), ({"asked_levels": 0.1}, "next to nothing")):
        changed = {**record, "measured": record["measured"] | figures}
        write_record(project.path("edits/bronze-statue/stage.json"), changed)
        assert main(words) == 0
        _, *told = capsys.readouterr().out.strip().splitlines()
        assert (hint in told[0]) if hint else not told


def test_more_frames_than_there_are_is_said(project, capsys):
    assert main(["edit", *BLUE, "--frames", "100000", "--rounds", "1", "--training-steps", "1", "--dry-run"]) == 0
    said = capsys.readouterr().out
    frames = len(load_take(project.path("take")).training)
    assert f"note: --frames 100000: the take has only {frames} to train on" in said
    assert main(["edit", *BLUE, "--rounds", "1", "--training-steps", "1", "--dry-run"]) == 0
    assert "note:" not in capsys.readouterr().out  # nobody asked for the usual number


def test_names_are_of_any_language(project, capsys):
    edit(*BLUE, "--name", "gru\u0308n")  # u and its dots, two signs
    assert main(["edits", "--rename", "gr\u00fcn", "Größe_2"]) == 0
    assert project.edit_names() == ["Größe_2", "bronze"]
    for name in ("a b", "a/b", ".x", "", "x" * 65):
        said = refused(capsys, "edit", *BLUE, "--name", name)
        assert re.search("cannot name an edit|too long for the name|--name: is empty", said)


def test_figures_are_listed_in_words(project, capsys):
    edit(*BLUE, "--name", "blue")
    fingerprint = facts("blue", "stage.json")["fingerprint"]
    folder = project.path("eval/blue")
    folder.mkdir(parents=True)
    values = {"lmd_px": 1.234, "e_w": 0.01234, "mouth_lag_ms": -40.0, "faces_found": 1.0, "sync_confidence": None}
    write_record(
        folder / "eval.json",
        {
            "inputs": {"made_from": {"blue": fingerprint}, "speech_sha256": None},
            "metrics": {key: {"value": value} for key, value in values.items()},
        },
    )
    capsys.readouterr()
    assert main(["edits"]) == 0
    said = capsys.readouterr().out
    for words in ("lip landmark distance, px: 1.23;", "warping error E_w: 0.0123", "lag, ms: -40;", "of the way there"):
        assert words in said
    assert not any(key in said for key in (*values, "edited_psnr_db", "change_taken", "asked_levels"))
    assert "1 round\n" in said and "3 rounds" in said
