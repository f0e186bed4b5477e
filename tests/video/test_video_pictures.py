"""HDR and transparency: how pictures that are more than RGB are read."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from talker.video import Crop, VideoWriter, ffmpeg_path, hdr, probe, read_frames
from talker.video.frames import PLATE

COLOURS = [(128, 128, 128), (200, 40, 30), (20, 60, 220), (230, 180, 150)]


def run_ffmpeg(*arguments: object) -> None:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


# -------------------------------------------------------------------- HDR


def test_light_is_that_of_the_standard():
    """Reference white: 75 % of HLG's signal, 58 % of PQ's (BT.2408, table 1); grey of 18 %, and both ends."""
    white, grey = np.full(3, 0.75), np.full(3, 0.38)
    assert hdr.hlg_light(white) == pytest.approx(1.0, abs=0.01)
    assert hdr.pq_light(np.full(3, 0.58)) == pytest.approx(1.0, abs=0.01)
    assert hdr.hlg_light(grey) == pytest.approx(26 / 203, abs=0.01) and hdr.pq_light(grey) == pytest.approx(
        26 / 203, abs=0.01
    )
    for light, brightest in ((hdr.hlg_light, 1000), (hdr.pq_light, 10_000)):
        assert light(np.zeros(3)) == pytest.approx(0.0, abs=1e-6)
        assert light(np.ones(3)) == pytest.approx(brightest / 203, rel=1e-3)


def test_what_is_brighter_than_white_keeps_its_colour_and_its_order():
    red = np.linspace(0, 1000 / 203, 200)[:, None] * (1.0, 0.4, 0.3)
    shown = hdr.compressed(red)
    assert np.array_equal(shown[red[:, 0] < 0.8], red[red[:, 0] < 0.8])
    assert (np.diff(shown[:, 0]) > 0).all() and shown.max() == pytest.approx(1.0)
    assert np.allclose(shown[1:, 1] / shown[1:, 0], 0.4)


@pytest.mark.parametrize("transfer", hdr.TRANSFERS)
def test_the_table_is_what_the_formulas_say(transfer, tmp_path):
    """As ffmpeg looks it up, with greys and with colours that BT.709 can show."""
    signal = np.random.default_rng(0).uniform(0.0, 0.7, (64, 64, 3))
    signal[:32] = signal[:32, :, :1]
    signal[32:] = 0.8 * signal[32:, :, :1] + 0.2 * signal[32:]
    raw = (signal * 65535).round().astype("<u2")
    (tmp_path / "hdr.csp").write_text(hdr.table(transfer))
    raw_video = ["-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "64x64"]
    looked_up = ["-vf", f"format=gbrp16le,lut3d=file={tmp_path}/hdr.csp,format=rgb24", "-f", "rawvideo", "-"]
    command = [ffmpeg_path(), "-v", "error", *raw_video, "-i", "-", *looked_up]
    done = subprocess.run(command, input=raw.tobytes(), capture_output=True, check=True)
    found = np.frombuffer(done.stdout, np.uint8).reshape(64, 64, 3)
    error = np.abs(found - 255.0 * hdr.to_sdr(hdr.coded(raw / 65535, transfer)))
    assert error[:32].max() < 3.0 and error[32:].mean() < 1.0


@pytest.mark.parametrize("transfer", hdr.TRANSFERS)
def test_hdr_looks_as_it_did_in_sdr(transfer, tmp_path, monkeypatch):
    """Whatever the temporary folder is called."""
    folder = tmp_path / "it's, a:[folder];\\"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    clip, wide = tmp_path / "clip.mp4", tmp_path / "wide.mov"
    with VideoWriter(clip, (64, 48), crf=1) as video:
        for colour in COLOURS:
            for _ in range(10):
                video.write(np.full((48, 64, 3), colour, np.uint8))
    to_hdr = f"zscale=t={transfer}:p=bt2020:m=bt2020nc:npl=203,format=yuv420p10le"
    tags = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    run_ffmpeg("-i", clip, "-vf", to_hdr, "-c:v", "libx265", "-x265-params", tags, wide)
    assert probe(wide).hdr == transfer and hdr.TRANSFERS[transfer] in probe(wide).notices[0]
    frames = list(read_frames(wide, crop=Crop(3, 1, 40), size_px=20))
    for number, colour in enumerate(COLOURS):
        assert np.abs(frames[10 * number + 5][10, 10].astype(int) - colour).max() <= 7, colour
    assert not list(folder.iterdir())


# -------------------------------------------------------------------- transparency


def test_what_is_transparent_stands_before_a_plate_and_keeps_its_colours_to_itself(tmp_path):
    """Left: bright green, unseen; middle: half seen; right: red."""
    rgba = np.zeros((64, 96, 4), np.uint8)
    rgba[:, :32], rgba[:, 32:64], rgba[:, 64:] = (0, 255, 0, 0), (200, 100, 0, 128), (200, 30, 40, 255)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", "96x64", "-r", "25", "-i", "-"]
    film = tmp_path / "film.mov"
    command = [ffmpeg_path(), "-v", "error", *raw, "-c:v", "png", film]
    subprocess.run(command, input=rgba.tobytes() * 10, check=True)
    for shape, third in (({}, 32), ({"max_side_px": 30}, 10), ({"crop": Crop(0, 0, 64), "size_px": 24}, 12)):
        frame = next(read_frames(film, with_alpha=True, **shape)).astype(int)
        assert np.abs(frame[5, third // 2] - (PLATE, PLATE, PLATE, 0)).max() <= 1
        half = 0.5 * np.array([200, 100, 0]) + 0.5 * PLATE
        assert np.abs(frame[5, third + third // 2] - (*half, 128)).max() <= 2
        assert frame[..., 1].max() <= PLATE + 1, "the green that nobody sees has run into the picture"
        assert np.array_equal(next(read_frames(film, **shape)), frame[..., :3])
    assert np.abs(frame[5, -1] - (*half, 128)).max() <= 2  # the crop ends there
    solid = tmp_path / "solid.mp4"
    with VideoWriter(solid, (32, 32)) as video:
        video.write(np.full((32, 32, 3), 90, np.uint8))
        video.write(np.full((32, 32, 3), 90, np.uint8))
        video.write(np.full((32, 32, 3), 90, np.uint8))
    assert (next(read_frames(solid, with_alpha=True))[..., 3] == 255).all()
