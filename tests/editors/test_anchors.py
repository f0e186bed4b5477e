import math

import torch

from talker.core.camera import apply_view, project
from talker.core.types import Camera, View
from talker.editors.anchors import HEAD_RADII, head_anchors


def camera(size=64, distance=6.0):
    c2w = torch.eye(4)
    c2w[2, 3] = -distance
    return Camera(c2w, size * 1.6, (size / 2, size / 2), (size, size))


def anchor_at(anchors, xy):
    column, row = (int(v) for v in xy)
    return anchors[row, column]


def test_points_of_the_head_keep_their_anchor_under_every_view():
    """What the whole thing is for: texture moves with the head."""
    angles = torch.tensor([[0.0, 0.0], [0.4, 0.1], [-0.3, 0.5], [0.2, -0.6]])
    sideways = angles.norm(dim=-1)
    across = angles / sideways.clamp_min(1e-9)[:, None] * torch.sin(sideways)[:, None]
    unit_sphere = torch.cat([across, -torch.cos(sideways)[:, None]], dim=-1)
    points = unit_sphere * torch.tensor(HEAD_RADII)
    for view in (View(), View(yaw_deg=15), View(pitch_deg=-12, roll_deg=8)):
        seen = apply_view(camera(256), view)
        anchors = head_anchors(seen)
        for point, expected in zip(points, angles, strict=True):
            found = anchor_at(anchors, project(seen, point))
            assert torch.allclose(found, expected, atol=0.03)


def test_right_and_down_are_positive():
    anchors = head_anchors(camera())
    assert anchors[32, 40, 0] > 0.1 > abs(anchors[32, 40, 1])
    assert anchors[44, 32, 1] > 0.1


def test_the_map_has_no_jump_at_the_silhouette():
    anchors = head_anchors(camera(256))
    step = (anchors[:, 1:] - anchors[:, :-1]).norm(dim=-1)
    assert torch.isfinite(anchors).all()
    assert step.max() < 0.35
    row = anchors[128, 128:, 0]
    assert (row[1:] > row[:-1]).all() and row[-1] > math.pi / 2
