"""A speaker who was cut out beforehand: the video's transparency is the matte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from talker.take import track
from talker.take.build import build_take
from talker.take.landmarks import LANDMARK_DETECTORS
from talker.take.masks import CUT_OUT, is_cut_out
from talker.video import ffmpeg_path, probe, write_wav
from talker.video.frames import PLATE
from tests.take.test_build import COUNT, OPTIONS, SIDE, Listener, ToyDetector
from tests.take.toy import nodding, render

pytestmark = pytest.mark.slow


def write_film(path: Path, rgba: np.ndarray, codec: list[str]) -> None:
    """[B, H, W, 4] uint8 at 25 frames a second, with a hum."""
    hum = 0.1 * np.sin(np.arange(len(rgba) * 640) / 10.0)
    write_wav(path.with_suffix(".wav"), hum)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{rgba.shape[2]}x{rgba.shape[1]}", "-r", "25", "-i", "-"]
    command = [ffmpeg_path(), "-v", "error", *raw, "-i", path.with_suffix(".wav"), *codec, path]
    subprocess.run(command, input=rgba.tobytes(), check=True)


def cut_out_speaker() -> tuple[np.ndarray, np.ndarray]:
    """The toy speaker [B, H, W, 4] in a picture whose transparent part is bright green underneath, and its matte."""
    pictures, mattes = render(nodding(COUNT, SIDE), SIDE)
    rgb = np.where(mattes[..., None] > 0, pictures[..., None], np.array([0, 255, 0], np.uint8))
    return np.concatenate([rgb, mattes[..., None]], axis=-1), mattes


def test_its_matte_is_what_the_video_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rgba, mattes = cut_out_speaker()
    write_film(tmp_path / "cut.mov", rgba, ["-c:v", "png"])
    monkeypatch.setitem(LANDMARK_DETECTORS, "toy", type("Toy", (ToyDetector,), {}))
    monkeypatch.setattr("talker.take.motion.refine_motion", lambda motion, *_: motion)  # takes most of the time
    monkeypatch.setattr(track, "person_segmenter", lambda: pytest.fail("nothing is left to segment"))
    listener = Listener()
    take = build_take(tmp_path / "cut.mov", tmp_path / "take", OPTIONS, listener)
    assert CUT_OUT in listener.said
    assert np.abs(take.alpha.astype(int) - mattes).mean() < 0.5
    assert np.abs(take.background.astype(int) - PLATE).max() <= 1  # no green anywhere
    outside = take.frames[mattes == 0]
    assert np.abs(outside.astype(int) - PLATE).max() <= 1
    assert np.abs(take.frames[mattes > 0][:, 0].astype(int) - rgba[mattes > 0][:, 0]).mean() < 1


@pytest.mark.parametrize(
    "codec",
    [
        ["-c:v", "libvpx-vp9", "-lossless", "1", "-pix_fmt", "yuva420p"],
        ["-c:v", "libvpx", "-auto-alt-ref", "0", "-crf", "4", "-b:v", "4M", "-pix_fmt", "yuva420p"],
        ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"],
        ["-c:v", "qtrle", "-pix_fmt", "argb"],
    ],
    ids=lambda codec: codec[1],
)
def test_transparency_is_read_and_told_from_solid_pictures(tmp_path: Path, codec: list[str]):
    rgba = cut_out_speaker()[0][:25]
    path = tmp_path / ("cut.webm" if "vpx" in codec[1] else "cut.mov")
    sound = ["-c:a", "libopus"] if path.suffix == ".webm" else []
    write_film(path, rgba, [*codec, *sound])
    assert probe(path).has_alpha and is_cut_out(path, probe(path), (0.0, 1.0))
    path.unlink()
    rgba[..., 3] = 255
    write_film(path, rgba, [*codec, *sound])
    assert not is_cut_out(path, probe(path), (0.0, 1.0))
