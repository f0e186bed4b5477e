"""A check from a file, through the command line: a drawn speaker whose face, lips and sound are known."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talker.api import commands
from talker.checking.cost import LOOKS_PER_PICTURE, field_seconds, stand_in, take_seconds
from talker.checking.examine import TOLD_BY_THE_TAKE, Examiner, examine
from talker.cli import main
from talker.core.errors import BadInput
from talker.core.types import Silent
from talker.radfield.field import FieldOptions
from talker.radfield.fit_take import FieldFitOptions
from talker.radfield.kernels import TorchKernels
from talker.radfield.torso import TorsoOptions
from talker.take.audio import channels_of
from talker.take.build import TakeOptions
from talker.take.crop import SEARCH_SIDE_PX, checked_span
from talker.take.landmarks import LANDMARK_DETECTORS, load_detector
from talker.video import VideoWriter, require_video
from tests.cli.console import film, refused
from tests.take.test_sync import speaker
from tests.take.toy import face_landmarks

pytestmark = pytest.mark.slow

SIDE, SECONDS = 96, 15
TINY = FieldFitOptions(
    steps=8,
    lip_steps=1,
    frames_per_step=2,
    pixels_per_frame=32,
    head=FieldOptions(4, 32, 8, 4, 32, 8, occupancy=16),
    torso=TorsoOptions(levels=4, finest=32, table_log2=8),
)


class DrawnFace:
    """Finds the bright square that is the face, and reads how far its mouth is open from the dark bar in it."""

    ibug = tuple(range(68))
    oval: tuple[int, ...] = ()

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        rows, columns = np.nonzero(rgb[..., 0] > 150)
        if not len(rows):
            return np.zeros((0, 4))
        return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        boxes = self.find_faces(rgb)
        if not len(boxes):
            return None
        x0, y0, x1, y1 = boxes[0]
        size = (x1 - x0) / 1.1
        points = face_landmarks() * size
        points[:, :2] += [(x0 + x1) / 2, y0 + 0.45 * size]
        middle = rgb[int(y0) : int(y1), int((x0 + x1) / 2), 0].astype(float)
        opening = (255.0 - middle).clip(0, 200).sum() / 200.0
        points[[61, 62, 63], 1] = points[66, 1]
        points[[65, 66, 67], 1] = points[66, 1] + opening
        points[[56, 57, 58], 1] += opening
        return points.astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A speaker whose sound comes 0.2 s after the lips."""
    path = tmp_path_factory.mktemp("footage") / "late.mp4"
    landmarks, wav = speaker(1)
    opening = landmarks[:, 66, 1] - landmarks[:, 62, 1]
    sound = wav[round((0.8 - 0.2) * 16_000) :][: SECONDS * 16_000]
    generator = np.random.default_rng(0)
    texture = generator.integers(-25, 25, (44, 40, 1))
    with VideoWriter(path, (SIDE, SIDE), audio=0.3 * sound, crf=6) as writer:
        for index, gap in enumerate(opening):
            picture = np.full((SIDE, SIDE, 3), 90.0)
            left = 28 + round(4 * np.sin(index / 30.0))
            picture[20:64, left : left + 40] = 210 + texture
            rows = 48 + np.arange(12)
            dark = np.clip(max(0.0, gap) / 3.0 - np.arange(12), 0.0, 1.0)[:, None, None]
            face = picture[rows, left + 14 : left + 26]
            picture[rows, left + 14 : left + 26] = face + dark * (55.0 - face)
            writer.write(picture.clip(0, 255).astype(np.uint8))
    return path


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LANDMARK_DETECTORS, "drawn", DrawnFace)
    monkeypatch.setattr(
        "talker.checking.examine.person_segmenter", lambda: lambda rgb: (rgb[..., 0] > 150).astype(np.float32)
    )
    monkeypatch.setattr("talker.api.commands.choose_kernels", lambda name, reporter: TorchKernels())
    monkeypatch.setattr(FieldFitOptions, "preset", classmethod(lambda cls, *arguments: TINY))


OPTIONS = TakeOptions(size_px=64, landmarks="drawn")


def test_the_sound_that_is_late_is_found_in_the_file(clip, drawn):
    report = examine(clip, OPTIONS, TINY, TorchKernels(), Silent())
    assert report.clip.offset.is_sure
    assert report.clip.offset.offset_s == pytest.approx(0.2, abs=0.03)
    assert report.serves and report.findings[0].key == "av-offset"
    assert np.nanmedian(report.clip.looks.face_px) == pytest.approx(44, abs=1)
    assert report.cost.take_s > 0 and report.cost.field_s > 0
    told = examine(clip, TakeOptions(size_px=64, landmarks="drawn", av_offset_s=0.2), TINY, TorchKernels(), Silent())
    assert "av-offset" not in {finding.key for finding in told.findings}


class SlowFace(DrawnFace):
    """As a network on a CPU."""

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        time.sleep(0.13)
        return super().detect(rgb)


def test_where_the_offset_is_not_measured_the_report_says_why_and_plots_nothing(clip, drawn, tmp_path, monkeypatch):
    def said(options: TakeOptions) -> str:
        page = tmp_path / "report.html"
        report = examine(clip, options, TINY, TorchKernels(), Silent(), page)
        assert not (report.clip.offset and report.clip.offset.is_sure)
        assert "How well the sound fits" not in page.read_text()
        return dict(report.facts())["sound to lips"]

    assert said(replace(OPTIONS, end_s=3.5)) == "too short to tell: 4 s with the face are needed"
    monkeypatch.setitem(LANDMARK_DETECTORS, "drawn", SlowFace)
    assert said(replace(OPTIONS, end_s=5.0)).startswith("not measured: 100 pictures at 0.1")


def test_a_fit_hears_what_should_be_mended(clip, drawn):
    class Listener(Silent):
        said: list[str] = []  # noqa: RUF012

        def notice(self, text: str) -> None:
            self.said.append(text)

    examiner = Examiner(OPTIONS, TINY, TorchKernels())
    info = require_video(clip)
    found = examiner.search(clip, info, checked_span(info, "late", None, None), load_detector("drawn"), Listener())
    assert len(found.boxes) == 5 * SECONDS and max(info.size_px) < SEARCH_SIDE_PX
    own = [finding.sentence for finding in examiner.report.warnings() if finding.key not in TOLD_BY_THE_TAKE]
    assert Listener.said == own and "--av-offset 0.2" in Listener.said[0]


def test_the_command_prints_writes_a_page_and_speaks_json(clip, drawn, tmp_path, capsys):
    out = tmp_path / "report.html"
    words = ["check", str(clip), "--size", "64", "--landmarks", "drawn"]
    assert main([*words, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "late.mp4: This footage will do" in said and "--av-offset 0.2" in said and str(out) in said
    assert out.read_text().startswith("<!doctype html>") and "late.mp4" in out.read_text()
    assert main([*words, "-o", str(out)]) == 2 and "--force" in capsys.readouterr().err
    assert main([*words, "--json", "-o", str(out), "--force"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["av_offset_s"] == pytest.approx(0.2, abs=0.03) and facts["findings"][0]["key"] == "av-offset"


def test_footage_that_cannot_serve_is_told_in_full_and_exits_with_2(place, drawn, capsys):
    film(Path("noise.mp4"), 4)
    said = refused(capsys, "check", "noise.mp4", "--quiet")
    assert "face" in said
    assert main(["check", "noise.mp4"]) == 2
    streams = capsys.readouterr()
    assert "cannot be fitted" in streams.out and streams.err == said
    film(Path("mute.mp4"), 4, sound=False)
    assert "No sound" in refused(capsys, "check", "mute.mp4", "--quiet")


def test_files_that_cannot_be_looked_at(place, capsys):
    assert "nowhere.mp4" in refused(capsys, "check", "nowhere.mp4")
    film(Path("short.mp4"), 2)
    assert "at least 3" in refused(capsys, "check", "short.mp4")
    film(Path("clip.mp4"), 4)
    assert ".html" in refused(capsys, "check", "clip.mp4", "-o", "report.pdf")


def test_costs_grow_with_pictures_and_steps():
    assert take_seconds(100, 1.0, 32) == pytest.approx(100 * LOOKS_PER_PICTURE, rel=0.1)
    short = field_seconds(10, 32, 8, TINY, TorchKernels())
    long = field_seconds(10, 32, 8, replace(TINY, steps=800), TorchKernels())
    assert 0.0 < 10 * short < long


@pytest.mark.parametrize("audio", ["mel", "viseme", "hubert"])
def test_the_field_is_timed_with_the_channels_of_the_encoder_that_is_chosen(clip, drawn, monkeypatch, audio):
    timed = []
    monkeypatch.setattr(
        "talker.checking.examine.field_seconds",
        lambda pictures, size_px, channels, *others: timed.append(channels) or 1.0,
    )
    report = examine(clip, replace(OPTIONS, audio=audio, end_s=4.0), TINY, TorchKernels(), Silent())
    assert timed == [channels_of(audio)]
    assert ("what hubert needs to hear it" in dict(report.facts())["fitting here"]) == (audio == "hubert")


def test_the_stand_in_is_a_take_that_can_be_fitted():
    take = stand_in(64, 8)
    assert len(take.held_out) and take.parts.any(axis=(1, 2)).all()
    assert 0.15 < (take.alpha > 0).mean() < 0.6


def test_python_has_it_too(clip, drawn):
    assert commands.check(clip, take_options=OPTIONS).serves
    with pytest.raises(BadInput, match="Unknown audio encoder"):
        commands.check(clip, take_options=replace(OPTIONS, audio="ear", end_s=4.0))
    with pytest.raises(BadInput, match="No such file"):
        commands.check(Path("nowhere.mp4"))
