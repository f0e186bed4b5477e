"""The table and the JSON object: the issue's keys, targets judged, nothing claimed where nothing was measured."""

from __future__ import annotations

import dataclasses
import json

from tools.quality.driven import LipSync
from tools.quality.figures import LINES, Figures, table

KEYS_OF_THE_ISSUE = (
    "head_psnr_db null_psnr_db mouth_corr mouth_corr_shifted mouth_corr_loudness mouth_amplitude mouth_lag_ms "
    "mouth_width_corr right_audio_gain_db yaw20_psnr_db fit_s peak_rss_mib "
    "rot_err_deg rot_err_p95_deg eye_corr mouth_track_corr iou_person iou_head iou_lips plate_psnr_db face_psnr_db "
    "hair_psnr_db mouth_psnr_db mouth_sharpness yaw20_narrow_psnr_db silence_opening jitter_x blink_corr lmd_px seam"
).split()


def test_every_key_of_the_issue_is_in_the_object():
    values = Figures(head_psnr_db=27.12345).as_json()
    assert set(KEYS_OF_THE_ISSUE) <= set(values)
    assert values["head_psnr_db"] == 27.123
    assert values["mouth_corr"] is None


def test_lip_sync_speaks_of_figures_that_exist():
    assert {field.name for field in dataclasses.fields(LipSync)} <= set(Figures().as_json())


def test_what_is_not_a_number_becomes_null():
    text = json.dumps(Figures(mouth_corr=float("nan")).as_json(), allow_nan=False)
    assert json.loads(text)["mouth_corr"] is None


def test_lines_name_figures_that_exist():
    values = Figures().as_json()
    for line in LINES:
        assert line.key in values
        assert line.less is None or line.less in values
        assert all(key in values for _, key in line.controls)


def test_the_table_judges_and_shows_the_nulls_beside():
    good = Figures(head_psnr_db=29.0, null_mean_psnr_db=21.5, null_nearest_psnr_db=22.0, mouth_lag_ms=-80)
    text = table({"demo": good})
    assert "ok" in text.splitlines()[1] and "nearest pose 22" in text.splitlines()[1]
    assert "short" in next(line for line in text.splitlines() if "lag" in line)
    assert "above" not in text  # the better null was not measured


def test_margins_are_differences():
    text = table({"demo": Figures(head_psnr_db=28.0, null_psnr_db=26.0, mouth_corr=0.8, mouth_corr_shifted=0.3)})
    margin, drop = (next(line for line in text.splitlines() if word in line) for word in ("above", "drop"))
    assert margin.split()[-4:] == ["2", ">=", "3", "short"]
    assert drop.split()[-4:] == ["0.5", ">=", "0.4", "ok"]


def test_clips_are_apart():
    text = table({"demo": Figures(head_psnr_db=28.0), "clip.mp4": Figures(head_psnr_db=20.0)})
    second = text.split("\n\n")[1]
    assert second.splitlines()[0] == "clip.mp4" and "short" in second and "mouth" not in second
