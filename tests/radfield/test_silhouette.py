"""The screen mask: no ray beside it meets the head, and it is not much larger than it must be."""

import torch

from talker.core.camera import pixel_grid, rays_through
from talker.core.types import Camera
from talker.radfield.occupancy import Occupancy, pack_bricks
from talker.radfield.silhouette import silhouette
from talker.radfield.volume import march_rays


def camera(distance: float, size_px: tuple[int, int] = (80, 64)) -> Camera:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    c2w = torch.eye(4)
    c2w[:3, :3] = turn * torch.linalg.det(turn)
    c2w[:3, 3] = c2w[:3, :3] @ torch.tensor([0.1, -0.2, -distance])
    return Camera(c2w, 120.0, (38.0, 33.0), size_px)


def ball(resolution: int = 16, radius: float = 0.4) -> Occupancy:
    occupancy = Occupancy(resolution)
    occupancy.set_occupied((occupancy.voxel_points() - torch.tensor([0.6, 0.5, 0.4])).norm(dim=1) < radius / 2)
    return occupancy


def test_no_ray_beside_the_mask_meets_the_head():
    occupancy, view = ball(), camera(4.0)
    mask = silhouette(view, occupancy).flatten()
    rays = rays_through(view, pixel_grid(view.size_px))
    samples = march_rays(rays, occupancy.occupied, torch.zeros(16**3), torch.full((len(mask),), 0.5))
    meets = samples.starts.diff() > 0
    assert meets.sum() > 100
    assert not (meets & ~mask).any()
    assert mask.sum() < 1.6 * meets.sum()


def test_what_is_out_of_the_picture_or_empty_masks_nothing():
    occupancy = ball()
    aside = camera(4.0)
    aside.c2w[:3, 3] += aside.c2w[:3, 0] * 50
    assert not silhouette(aside, occupancy).any()
    occupancy.set_occupied(torch.zeros(16**3, dtype=torch.bool))
    assert not silhouette(camera(4.0), occupancy).any()


def test_a_camera_among_the_voxels_sees_them_everywhere():
    assert silhouette(camera(0.2), ball()).all()


def test_bricks_hold_every_voxel_once():
    resolution = 8
    for voxel in (0, 5, 67, 300, 511):
        occupied = torch.zeros(resolution**3, dtype=torch.bool)
        occupied[voxel] = True
        z, y, x = voxel // 64, voxel // 8 % 8, voxel % 8
        bricks = pack_bricks(occupied)
        word = (z // 4 * 2 + y // 4) * 2 + x // 4
        assert bricks.count_nonzero() == 1
        assert bricks[word] == torch.ones((), dtype=torch.int64) << (z % 4 * 16 + y % 4 * 4 + x % 4)
