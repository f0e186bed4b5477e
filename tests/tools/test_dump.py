"""Dumps are lossless, and nowhere when nobody asked."""

from __future__ import annotations

import json

import cv2
import numpy as np

from tools.quality.dump import Dump


def test_pictures_come_back_as_they_were(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    (Dump(tmp_path) / "demo" / "held_out").picture("00004", picture)
    read = cv2.imread(str(tmp_path / "demo" / "held_out" / "00004.png"))[..., ::-1]
    assert np.array_equal(read, picture)


def test_tracks_are_json(tmp_path):
    Dump(tmp_path).tracks("mouth", {"opening": np.array([0.1, 0.2])})
    assert json.loads((tmp_path / "mouth.json").read_text()) == {"opening": [0.1, 0.2]}


def test_no_folder_means_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (Dump(None) / "demo").picture("x", np.zeros((2, 2, 3), np.uint8))
    assert not list(tmp_path.iterdir())
