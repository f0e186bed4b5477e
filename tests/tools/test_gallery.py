import cv2
import numpy as np
import pytest

from talker.core.metrics import face_width
from talker.editors.builtin.parser import parse
from talker.projects.project import Project
from talker.take.store import save_take
from tests.evaluation.faces import DarkestSpot, a_face
from tools import gallery


@pytest.fixture
def project(tmp_path, toy_take):
    found = Project.create(tmp_path / "toy.talker")
    save_take(toy_take, found.path("take"))
    return found.root


class StillsOnly(DarkestSpot):
    detect = None


def face_at(x: int) -> np.ndarray:
    picture = np.full((256, 256, 3), 200, np.uint8)
    picture[128, x] = 0
    return picture


def test_lips_that_move_are_measured_in_each_picture_by_itself(monkeypatch):
    before, after = [face_at(80), face_at(160)], [face_at(82), face_at(162)]
    monkeypatch.setattr(gallery, "load_detector", lambda name: StillsOnly())
    assert gallery.lips_moved(before, before) == 0.0
    assert gallery.lips_moved(before, after) == pytest.approx(2 / face_width(a_face(40.0)))


def test_a_sheet_shows_the_originals_and_each_edit(toy_take):
    """Two rows of the same frames: the first as filmed, the second as the editor makes them."""
    row = [gallery.edited(gallery.picture_of(toy_take, k), parse("a red background")) for k in (0, 6)]
    paper = gallery.sheet(toy_take, (0, 6), {"red": parse("a red background")}, 16, 1, lips=False)
    for picture in (toy_take.frames[0], toy_take.frames[6], *row):
        found = cv2.matchTemplate(paper, np.ascontiguousarray(picture), cv2.TM_SQDIFF)
        assert found.min() < 100.0  # of ten millions elsewhere
    assert (row[0] != toy_take.frames[0]).any()


def test_every_style_by_default_side_by_side(project, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "STYLES", gallery.STYLES[7:18])
    sheets = [tmp_path / "one.png", tmp_path / "three.png"]
    for path, beside in zip(sheets, ("1", "3"), strict=True):
        assert gallery.main([str(project), "-o", str(path), "--height", "16", "--frames", "3", "--beside", beside]) == 0
    one, three = (cv2.imread(str(path)) for path in sheets)
    rows = len(gallery.STYLES) + 1
    assert one.shape[0] == 22 * rows + 6 and three.shape[0] == 22 * 4 + 6 and three.shape[1] > 2 * one.shape[1]


@pytest.mark.parametrize("wrong", [["--frames", "12"], ["--instruction", "make him a zombie"]])
def test_bad_input_writes_nothing(project, tmp_path, wrong, capsys):
    assert gallery.main([str(project), "-o", str(tmp_path / "sheet.png"), *wrong]) == 2
    said = capsys.readouterr().err
    assert said.startswith("gallery: ") and said.count("\n") == 1
    assert not (tmp_path / "sheet.png").exists()
