import numpy as np
import pytest
import torch

from talker.pdu.store import EditStore
from talker.pdu.targets import EditedTargets, MostlyPixels, patch_pixels

CENTRES = {4: (20.0, 25.0), 9: (1.0, 31.0)}
NEWEST = {4: 2, 9: 2}


@pytest.fixture
def store(tmp_path):
    """Two 32x32 frames whose colours name the pixel: red is x, green is y, blue the frame."""
    store = EditStore(tmp_path)
    y, x = np.mgrid[0:32, 0:32]
    for index in CENTRES:
        store.write(2, index, np.stack([x, y, np.full_like(x, index)], axis=-1) / 255.0)
    return store


def test_patch_is_in_reading_order():
    assert patch_pixels(3, 5, 2).tolist() == [[3, 5], [4, 5], [3, 6], [4, 6]]


@pytest.mark.parametrize(("stage", "side"), [("patch", 16), ("lips", 4)])
def test_targets_are_the_edited_pixels(store, stage, side):
    targets = EditedTargets(store, NEWEST, CENTRES, stage=stage, patches=3)
    batch = targets.next_batch(0, torch.Generator().manual_seed(0))
    assert batch.patch == (side, side)
    assert batch.pixels.shape == (3, side * side, 2) and batch.pixels.dtype == torch.int64
    said = torch.round(batch.target * 255).long()
    assert (said[..., :2] == batch.pixels).all()
    assert (said[..., 2] == torch.tensor(batch.frames)[:, None]).all()


def test_random_patches_reach_every_pixel(store):
    targets = EditedTargets(store, NEWEST, CENTRES)
    seen = torch.zeros(32, 32)
    generator = torch.Generator().manual_seed(1)
    for step in range(2500):
        x, y = targets.next_batch(step, generator).pixels[0].unbind(-1)
        seen[y, x] += 1
    assert (seen > 0).all()


def test_lip_patches_hold_the_lips_and_stay_inside(store):
    targets = EditedTargets(store, NEWEST, CENTRES, stage="lips")
    generator = torch.Generator().manual_seed(2)
    corners = set()
    for step in range(60):
        batch = targets.next_batch(step, generator)
        x, y = batch.pixels[0].unbind(-1)
        centre_x, centre_y = CENTRES[batch.frames[0]]
        assert x.min() <= centre_x <= x.max() + 1 and y.min() <= centre_y <= y.max() + 1
        assert x.min() >= 0 and y.max() <= 31
        corners.add((int(x.min()), int(y.min())))
    assert len(corners) > 6, "patches must move about"


def test_same_generator_same_batch(store):
    targets = EditedTargets(store, NEWEST, CENTRES, patches=2)
    first, second = (targets.next_batch(7, torch.Generator().manual_seed(3)) for _ in range(2))
    assert first.frames == second.frames and (first.pixels == second.pixels).all()


def test_no_frames_are_refused(store):
    with pytest.raises(ValueError, match="no frames"):
        EditedTargets(store, {}, CENTRES)


def test_a_frame_that_was_edited_again_is_shown_anew(store):
    targets = EditedTargets(store, NEWEST, CENTRES)
    before = targets.images.clone()
    store.write(3, 9, np.full((32, 32, 3), 0.5))
    targets.show({4: 2, 9: 3})
    assert torch.equal(targets.images[0], before[0]) and (targets.images[1] == 128).all()


def test_most_steps_see_pixels_of_many_frames(store):
    allowed = {4: torch.tensor([33, 70]), 9: torch.arange(100, 132)}
    sources = MostlyPixels(EditedTargets(store, NEWEST, CENTRES), allowed, patch_every=3, frames=6, per_frame=5)
    generator = torch.Generator().manual_seed(0)
    batches = [sources.next_batch(step, generator) for step in range(6)]
    assert [batch.patch is None for batch in batches] == [False, True, True] * 2
    seen = set()
    for batch in (batch for batch in batches if batch.patch is None):
        assert batch.pixels.shape == (6, 5, 2)
        for frame, pixels in zip(batch.frames, batch.pixels, strict=True):
            assert set((pixels[:, 1] * 32 + pixels[:, 0]).tolist()) <= set(allowed[frame].tolist())
        said = torch.round(batch.target * 255).long()
        assert (said[..., :2] == batch.pixels).all()
        assert (said[..., 2] == torch.tensor(batch.frames)[:, None]).all()
        seen |= set(batch.frames)
    assert seen == set(CENTRES)
