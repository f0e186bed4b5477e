"""The table, the JSON and the choice of the worst frames."""

from __future__ import annotations

import json

import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.evaluation import report
from talker.evaluation.figures import METRICS
from talker.evaluation.footage import Footage
from talker.evaluation.run import Evaluation


@pytest.fixture
def evaluation(toy_take) -> Evaluation:
    poses = tuple(range(12))
    footage = Footage(toy_take, poses, toy_take.frames[::-1], toy_take.frames, "original", True, np.zeros(1), 17.0)
    psnr = np.linspace(30, 20, 12)
    psnr[4] = np.nan
    figures = {"psnr_db": 25.04, "psnr_nearest_db": 18.0, "mouth_lag_ms": -40.0, "jitter_px": 0.5}
    figures["jitter_reference_px"] = 0.25
    faces = np.zeros((12, 68, 2))
    return Evaluation(figures, {"psnr_db": psnr}, {"LPIPS": "the package is not there"}, footage, faces, faces)


def test_what_is_saved_is_loaded_and_gives_the_same_table(evaluation, tmp_path):
    assert report.load(tmp_path) is None
    facts = report.save(evaluation, tmp_path, {"frames": 12})
    assert {path.name for path in tmp_path.iterdir()} == {report.FACTS, report.PLOT, report.SHEET}
    loaded = report.load(tmp_path)
    assert loaded == json.loads(json.dumps(facts)) and report.table(loaded) == report.table(facts)
    assert loaded["tracks"]["psnr_db"][4] is None and loaded["tracks"]["psnr_db"][0] == 30.0
    (tmp_path / report.FACTS).write_text("[]")
    with pytest.raises(BadInput, match="damaged"):
        report.load(tmp_path)


def test_every_figure_stands_beside_its_control_direction_and_source(evaluation, tmp_path):
    facts = report.facts_of(evaluation)
    assert facts["metrics"]["jitter_px"]["controls"] == {"original": 0.25}
    lines = report.table(facts).splitlines()
    assert lines[-2].startswith("over 12 frames, 0.5 s; correlations") and "say little" in lines[-2]
    assert "say little" not in report.table({**facts, "frames": 125})
    psnr = next(line for line in lines if line.startswith("PSNR"))
    assert "25.04" in psnr and "higher" in psnr and "nearest pose 18.00" in psnr and "mean frame" not in psnr
    assert next(line for line in lines if "lag" in line).split()[4:7] == ["-40", "near", "0"]
    assert lines[-1] == "left out: LPIPS: the package is not there" and len(lines) == 1 + 3 + 2


def test_metrics_have_names_of_their_own_and_a_source():
    assert len({metric.key for metric in METRICS}) == len(METRICS)
    assert all(metric.source and metric.text for metric in METRICS)


def test_the_worst_frames_are_apart_and_known():
    badness = np.zeros(60)
    badness[[10, 12, 40]] = (5.0, 6.0, 3.0)
    badness[20] = np.nan
    badness[55] = 1.0
    assert report.worst_frames(badness) == [12, 40, 55]
    assert report.worst_frames(np.full(5, np.nan)) == []


def test_the_mouth_is_in_the_middle_of_its_close_up(evaluation):
    footage = evaluation.footage
    footage.take.landmarks_px[:] = 4.0
    footage.take.landmarks_px[:, 54] = 12.0  # between (4, 4) and (12, 12)
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[8, 8] = 255  # covers (8, 8) to (9, 9)
    shown = report.mouth_close_up(picture, footage, 0)
    width, height = report.CLOSE_UP_PX
    scale = width / (report.LIP_WIDTHS * 8 * 2**0.5)
    y, x = (place.mean() for place in np.nonzero(shown[..., 0] > 200))
    assert shown.shape == (height, width, 3)
    assert (x + 0.5, y + 0.5) == pytest.approx((width / 2 + scale / 2, height / 2 + scale / 2), abs=1.0)
