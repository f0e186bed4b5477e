"""The mouth reader learns opening and width from toy mouths, and its crop follows the pose alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.metrics import pearson
from talker.core.types import Camera
from tools.quality.mouth import CROP_PX, Box, as_crops, mouth_box, train_reader, vary

pytestmark = pytest.mark.slow


def toy_mouths(count: int, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Dark ellipses on skin, with their half height and half width as truth."""
    rng = np.random.default_rng(seed)
    sizes = np.stack([rng.uniform(1, 10, count), rng.uniform(6, 16, count)], axis=1)
    centres = np.array([20.0, 16.0]) + rng.uniform(-2, 2, (count, 2))
    y, x = np.mgrid[0:32, 0:40]
    distance = ((y - centres[:, 1, None, None]) / sizes[:, 0, None, None]) ** 2
    distance = distance + ((x - centres[:, 0, None, None]) / sizes[:, 1, None, None]) ** 2
    inside = 1 / (1 + np.exp(np.minimum(4 * (distance - 1), 50)))
    skin, dark = np.array([0.8, 0.6, 0.5]), np.array([0.3, 0.1, 0.1])
    images = skin + inside[..., None] * (dark - skin)
    return torch.from_numpy(images).permute(0, 3, 1, 2).float(), sizes


def test_the_reader_reads_mouths_it_has_never_seen_even_blurred():
    crops, sizes = toy_mouths(200, seed=0)
    reader = train_reader(crops, sizes, steps=120)
    unseen, truth = toy_mouths(100, seed=1)
    soft = torch.nn.functional.avg_pool2d(unseen, 3, 1, 1, count_include_pad=False)
    for pictures in (unseen, soft):
        found = reader.read(pictures)
        assert pearson(found[:, 0], truth[:, 0]) > 0.97
        assert pearson(found[:, 1], truth[:, 1]) > 0.95


def test_training_repeats_and_leaves_the_global_generator_alone():
    crops, sizes = toy_mouths(60, seed=0)
    state = torch.random.get_rng_state()
    first, second = (train_reader(crops, sizes, steps=3).read(crops) for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.equal(state, torch.random.get_rng_state())


def test_variation_keeps_shape_and_brightness():
    crops, _ = toy_mouths(30, seed=2)
    varied = vary(crops, torch.Generator().manual_seed(0))
    assert varied.shape == crops.shape
    assert varied.mean().item() == pytest.approx(crops.mean().item(), abs=0.03)
    assert (varied - crops).abs().mean() > 0.005


def frontal(size_px: int, x: float = 0.0) -> Camera:
    c2w = torch.eye(4)
    c2w[:3, 3] = torch.tensor([-x, 0.0, -6.0])
    return Camera(c2w, 2.0 * size_px, (size_px / 2, size_px / 2), (size_px, size_px))


def test_the_box_follows_the_pose_and_keeps_its_size():
    mouth = torch.tensor([0.0, 0.4, -0.5])
    here, there = (mouth_box(frontal(256, x), mouth, 6.0) for x in (0.0, 0.3))
    assert (here.width, here.height) == (there.width, there.height)
    assert there.left - here.left == pytest.approx(0.3 * 512 / 5.5, abs=1)
    assert here.left + here.width / 2 == pytest.approx(128, abs=1)
    outside = mouth_box(frontal(256, 5.0), mouth, 6.0)
    assert outside.left + outside.width == 256


def test_box_pixels_read_as_the_box_cuts():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    box = Box(4, 7, 6, 5)
    x, y = box.pixels().T.numpy()
    assert np.array_equal(image[y, x].reshape(5, 6, 3), box.cut(image))


def test_crops_of_any_size_become_the_readers_size():
    assert as_crops([np.zeros((64, 80, 3), np.uint8)] * 2).shape == (2, 3, CROP_PX[1], CROP_PX[0])
