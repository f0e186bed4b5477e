"""Pinhole geometry and views."""

import pytest
import torch

from talker.core.camera import apply_view, pixel_grid, project, rays_through, view_rotation
from talker.core.types import Camera, View

NOSE, CROWN = torch.tensor([[0.0, 0.2, -0.8]]), torch.tensor([[0.0, -0.8, 0.0]])


def frontal() -> Camera:
    w2c = torch.eye(4)
    w2c[2, 3] = 6.0
    return Camera(torch.linalg.inv(w2c), 600.0, (128.0, 120.0), (256, 240))


def test_projection_inverts_rays():
    camera = apply_view(frontal(), View(10, -20, 5))
    pixels = torch.tensor([[0, 0], [100, 30], [255, 239]])
    rays = rays_through(camera, pixels)
    assert torch.allclose(rays.directions.norm(dim=-1), torch.ones(3), atol=1e-6)
    assert torch.allclose(project(camera, rays.origins + 5.0 * rays.directions), pixels + 0.5, atol=1e-3)


def test_pixels_are_in_reading_order():
    assert pixel_grid((3, 2)).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]


@pytest.mark.parametrize(
    ("view", "point", "axis", "sign"),
    [
        (View(yaw_deg=20), NOSE, 0, 1),  # the nose turns to the viewer's right
        (View(pitch_deg=20), NOSE, 1, -1),  # the chin lifts: the nose rises
        (View(roll_deg=20), CROWN, 0, 1),  # clockwise: the crown goes right
    ],
)
def test_views_turn_the_way_they_say(view, point, axis, sign):
    moved = project(apply_view(frontal(), view), point) - project(frontal(), point)
    assert sign * moved[0, axis] > 5.0


def test_a_view_keeps_the_head_in_place_and_zoom_enlarges_about_the_centre():
    origin = torch.zeros(1, 3)
    turned = apply_view(frontal(), View(20, 10, 5))
    assert torch.allclose(project(turned, origin), project(frontal(), origin), atol=1e-4)
    centre = torch.tensor([128.0, 120.0])
    zoomed = project(apply_view(frontal(), View(zoom=2.0)), NOSE)
    assert torch.allclose(zoomed - centre, 2.0 * (project(frontal(), NOSE) - centre), atol=1e-3)


def test_there_and_back_is_the_identity():
    camera = frontal()
    there = apply_view(camera, View(yaw_deg=33))
    assert torch.allclose(apply_view(there, View(yaw_deg=-33)).c2w, camera.c2w, atol=1e-5)
    assert torch.allclose(view_rotation(View()), torch.eye(3))
