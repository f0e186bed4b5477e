"""The comparison of strategies: its measures on pictures whose answer is known, its tables, and its resuming."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from talker.api.edit_run import EditRun, TrainingOptions
from talker.core.losses import PyramidBank
from talker.core.metrics import blur
from talker.core.types import Silent
from talker.evaluation.mouth import LoudnessGuess
from talker.radfield.fit_take import fit_scene
from talker.radfield.kernels import TorchKernels
from tests.evaluation.faces import DarkestSpot
from tests.radfield.conftest import TINY_FIT, native_or_none
from tests.radfield.conftest import ball_take as ball_take
from tools import bench, compare
from tools.editing.drive import Drive, deflickered
from tools.editing.judge import directions, measure_detail
from tools.editing.matrix import PER_FRAME, WAYS, Comparison, Size
from tools.editing.paraphrases import parser_figures
from tools.editing.table import COLUMNS, as_json, paired, table

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
STILL = np.repeat(blur(RNG.random((1, 48, 48, 3))[0], 3.0)[None], 12, axis=0)
KEYS_OF_THE_ISSUE = {"mouth_corr", "lip_lmd", "direction", "identity", "e_w_excess", "seconds"}


def as_bytes(pictures):
    return np.rint(pictures * 255).clip(0, 255).astype(np.uint8)


def test_blending_along_the_flow_takes_flicker_away_and_nothing_else():
    still = as_bytes(STILL)
    assert np.array_equal(deflickered(still, still), still)
    flickering = as_bytes(STILL + 0.1 * RNG.standard_normal((12, 1, 1, 3)))
    before, after = (
        np.abs(np.diff(video.astype(float), axis=0)).mean() for video in (flickering, deflickered(flickering, still))
    )
    assert after < 0.5 * before


def test_the_direction_of_an_edit():
    unedited = as_bytes(STILL)
    wanted = as_bytes(STILL + [0.2, 0.0, -0.1])
    bank = PyramidBank()
    assert directions(wanted, wanted, unedited, bank) == pytest.approx((1.0, 1.0))
    cosine, share = directions(as_bytes(STILL + [0.1, 0.0, -0.05]), wanted, unedited, bank)
    assert cosine > 0.99 and share == pytest.approx(0.5, abs=0.03)
    cosine, share = directions(as_bytes(STILL - [0.2, 0.0, -0.1]), wanted, unedited, bank)
    assert cosine < -0.9 and share < -0.9
    assert directions(unedited, wanted, unedited, bank) == (0.0, 0.0)


def test_detail_that_comes_back_is_found():
    wanted = as_bytes(RNG.random((3, 32, 32, 3)))
    plain = as_bytes(np.stack([blur(picture, 1.0) for picture in wanted]))
    found = measure_detail(plain, wanted, wanted, PyramidBank())
    assert found.detail_gain == 1.0 and found.highpass_energy == pytest.approx(1.0)
    assert found.highpass_corr == pytest.approx(1.0) and found.highpass_corr_without < 0.99
    nothing = measure_detail(plain, plain, wanted, PyramidBank())
    assert nothing.detail_gain == 0.0 and nothing.highpass_energy < 0.7
    noise = measure_detail(plain, as_bytes(RNG.random((3, 32, 32, 3))), wanted, PyramidBank())
    assert noise.highpass_energy == pytest.approx(1.0, abs=0.1) and abs(noise.highpass_corr) < 0.1


def cell(lmd):
    row = dict.fromkeys(COLUMNS, 0.5) | {"identity": None, "lip_lmd": lmd}
    names = ("progressive", "once", "iterative", "no lip edge", "per frame")
    found = {name: dict(row) for name in names} | {"builtin": row | {"builtin_psnr_db": 27.0}}
    found["once"]["lip_lmd"] = 2 * lmd
    found["no lip edge"]["lip_lmd"] = 1.25 * lmd
    return found


def test_tables_know_every_key_of_the_issue_and_print_what_is_missing_as_missing():
    cells = [cell(1.0), cell(2.0)]
    found = as_json(cells)
    assert all(set(found[name]) == KEYS_OF_THE_ISSUE for name in ("progressive", "once", "iterative", "per_frame"))
    assert found["builtin_psnr_db"] == 27.0 and found["lip_edge_gain"] == pytest.approx(0.2)
    assert found["once"]["lip_lmd"] == 3.0 and found["once"]["identity"] is None
    assert paired(cells, "once", "progressive", "lip_lmd") == [1.0, 2.0]
    text = table(cells)
    assert "1.50 ± 0.71" in text and "standard error 0.50, 2 of 2 cells" in text


@pytest.fixture(scope="module")
def comparison(ball_take, tmp_path_factory):
    kernels, work = native_or_none() or TorchKernels(), tmp_path_factory.mktemp("compare")
    original = fit_scene(ball_take, replace(TINY_FIT, steps=20, lip_steps=0), kernels, Silent(), work / "fit")
    frames = tuple(ball_take.held_out)
    unknown = np.full((len(frames), 68, 2), np.nan)
    guess = LoudnessGuess(np.zeros(len(frames)), np.zeros(len(frames)))
    drive = Drive(ball_take, frames, ball_take.frames[list(frames)], unknown, DarkestSpot, guess)
    size = Size(2, TrainingOptions(round_steps=2, lip_steps=1, patches=1, patch_px=8))
    return Comparison(original, drive, "fit", work / "cells", size, PyramidBank(), None, Silent())


def test_every_way_is_judged_once_and_a_second_run_only_reads(comparison, monkeypatch):
    cells = comparison.run(["make him bronze"], [0])
    assert set(PER_FRAME) | set(WAYS) | {"progressive, w 0", "progressive, w 0.4", "once, w 0"} == set(cells[0])
    assert cells[0]["operator"]["direction"] == pytest.approx(1.0) and cells[0]["operator"]["share"] == pytest.approx(
        1.0
    )
    assert cells[0]["per frame"]["e_w"] > cells[0]["operator"]["e_w"]
    assert cells[0]["progressive"]["lip_lmd"] is None, "nobody finds a face in a ball"
    assert np.isfinite(cells[0]["builtin"]["builtin_psnr_db"]) and table(cells)
    assert next(comparison.work.glob("*/sheet.png")).is_file() and not list(comparison.work.glob("*/*.work"))
    monkeypatch.setattr(EditRun, "run", lambda self: pytest.fail("edited again"))
    assert comparison.run(["make him bronze"], [0]) == cells
    with pytest.raises(pytest.fail.Exception, match="edited again"):
        comparison.run(["make him bronze"], [1])


def test_an_unfinished_edit_of_another_fit_is_not_gone_on_with(comparison, monkeypatch):
    begun = []

    def cut_short(run):
        run.folder.mkdir(parents=True, exist_ok=True)
        begun.append(run.folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(EditRun, "run", cut_short)
    for fingerprint in ("fit", "another fit", "another fit"):
        with pytest.raises(KeyboardInterrupt):
            replace(comparison, fingerprint=fingerprint).cell("make him bronze", 2)
    assert begun[0] != begun[1] == begun[2] and not begun[0].exists() and begun[2].is_dir()


def test_the_parser_is_scored_by_what_people_meant(tmp_path):
    said = [
        {"say": "make him a Van Gogh painting", "want": [{"style": "Van Gogh painting"}]},
        {
            "say": "make the background blue and his hair red",
            "want": [{"colour": "red", "on": "hair"}, {"colour": "blue", "on": "background"}],
        },
        {"say": "make him an old man", "want": None},
        {"say": "make him bronze", "want": None},
        {"say": "quxify him", "want": [{"style": "bronze statue"}]},
    ]
    (tmp_path / "said.json").write_text(json.dumps(said))
    assert parser_figures(tmp_path / "said.json") == {"parser_right": 0.6, "parser_silent_wrong": 0.2}
    assert parser_figures(tmp_path / "none.json") == {"parser_right": None, "parser_silent_wrong": None}


def test_bench_edit_prints_every_key_of_the_issue(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(compare, "compare", lambda *_, **__: [cell(1.0)])
    timed = {"edit_12s_256_s": 100.0, "edit_12s_256_psnr_db": 27.0}
    monkeypatch.setattr(bench, "timed_edit", lambda *_: timed)
    assert bench.main(["edit", "--work", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found) >= {
        *("builtin_psnr_db", "progressive", "once", "iterative", "per_frame", "lip_edge_gain", "detail_gain"),
        *("highpass_energy", "edit_12s_256_s", "parser_right", "parser_silent_wrong"),
    }


def test_what_cannot_be_compared_is_one_line(capsys, tmp_path):
    assert compare.main(["--project", str(tmp_path), "--work", str(tmp_path / "work")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
