from __future__ import annotations

import numpy as np
import pytest

from talker.core import camera as cameras
from talker.core.types import BACKGROUND, BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO, View
from talker.speaker.head import HeadState, head_model
from talker.speaker.render import SpeakerFrame, head_camera, render_frame, room_plate, studio_camera, world_camera

SIDE = 96


def _frame(state: HeadState, plate: np.ndarray | None = None, light: str = "world") -> SpeakerFrame:
    model = head_model()
    plate = room_plate((SIDE, SIDE), 0) if plate is None else plate
    return render_frame(model, model.pose(state), studio_camera(SIDE), plate, light=light)


@pytest.fixture(scope="module")
def talking() -> SpeakerFrame:
    return _frame(HeadState(shapes={"jawOpen": 0.6}))


def test_the_same_state_gives_the_same_bits(talking):
    again = _frame(HeadState(shapes={"jawOpen": 0.6}))
    np.testing.assert_array_equal(talking.rgb, again.rgb)
    np.testing.assert_array_equal(talking.parts, again.parts)
    np.testing.assert_array_equal(talking.alpha, again.alpha)


def test_alpha_composites_in_stored_numbers():
    state = HeadState(rotation=(0.0, 0.3, 0.0))
    black, white = (_frame(state, np.full((SIDE, SIDE, 3), level, np.uint8)) for level in (0, 255))
    alpha = black.alpha.astype(float) / 255
    through = (white.rgb.astype(float) - black.rgb.astype(float)) / 255
    np.testing.assert_allclose(through, np.repeat(1 - alpha[..., None], 3, 2), atol=1.5 / 255 + 1e-6)
    plate = room_plate((SIDE, SIDE), 3)
    mixed = black.rgb + (1 - alpha[..., None]) * plate
    np.testing.assert_allclose(_frame(state, plate).rgb, mixed, atol=2.0)
    assert ((alpha > 0.05) & (alpha < 0.95)).sum() > 100  # the matte is soft


def test_parts_lie_where_a_face_has_them(talking):
    parts = talking.parts
    assert set(np.unique(parts)) == {BACKGROUND, FACE, BROWS, EYES, LIPS, MOUTH, HAIR, EARS, NECK, TORSO}
    height = {part: np.argwhere(parts == part)[:, 0].mean() for part in range(10)}
    assert height[HAIR] < height[BROWS] < height[EYES] < height[LIPS] < height[NECK] < height[TORSO]
    np.testing.assert_array_equal(parts == BACKGROUND, talking.alpha < 127.5)
    assert np.argwhere(parts == MOUTH)[:, 1].mean() == pytest.approx(SIDE / 2, abs=3)


def test_jaw_line_is_one_clean_border():
    parts = _frame(HeadState()).parts
    below_lips = np.argwhere(parts == LIPS)[:, 0].max() + 1
    border = []
    for x in range(SIDE // 2 - 12, SIDE // 2 + 13):
        column = parts[below_lips:, x]
        first_neck = int(np.argmax(column == NECK))
        assert (column[:first_neck] == FACE).all() and not (column[first_neck:] == FACE).any()
        border.append(first_neck)
    assert border[12] > border[0] + 3 and border[12] > border[-1] + 3  # the chin is lowest
    assert np.abs(np.diff(border, 2)).max() <= 2  # no teeth


def test_seen_from_its_own_head_camera_the_picture_is_the_same():
    model, camera = head_model(), studio_camera(SIDE)
    head = model.pose(HeadState(rotation=(0.05, -0.3, 0.0)))
    plate = room_plate((SIDE, SIDE), 0)
    direct = render_frame(model, head, camera, plate)
    around = render_frame(model, head, world_camera(head_camera(camera, head), head), plate)
    assert np.abs(direct.rgb.astype(int) - around.rgb).mean() < 0.1


def test_head_light_turns_with_the_head():
    """Under a light fixed to the head, turning head or camera is the same; under the world's it is not."""
    model, camera = head_model(), studio_camera(SIDE)
    still, turned = model.pose(HeadState()), model.pose(HeadState(rotation=(0.0, 0.3, 0.0)))
    plate = np.zeros((SIDE, SIDE, 3), np.uint8)
    eye = world_camera(head_camera(camera, turned), still)  # where the camera stands as the turned head sees it
    differences = {}
    for light in ("head", "world"):
        a = render_frame(model, turned, camera, plate, light=light)
        b = render_frame(model, still, eye, plate, light=light)
        face = (a.parts == FACE) & (b.parts == FACE)
        assert face.sum() > 300
        differences[light] = np.abs(a.rgb[face].astype(float) - b.rgb[face]).mean()
    assert differences["world"] > 2.0 * differences["head"]


def test_views_turn_the_way_they_say():
    model, camera = head_model(), studio_camera(SIDE)
    head = model.pose(HeadState())
    view = cameras.apply_view(head_camera(camera, head), View(yaw_deg=25))
    frame = render_frame(model, head, world_camera(view, head), room_plate((SIDE, SIDE), 0))
    nose_side = np.argwhere(frame.parts == LIPS)[:, 1].mean()
    assert nose_side > np.argwhere(frame.parts == HAIR)[:, 1].mean() + 3
