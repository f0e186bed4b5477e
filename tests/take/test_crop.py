"""Where the speaker is: a face that shows for a moment is none, and one square holds the head wherever it goes."""

import numpy as np
import pytest

from talker.take.crop import (
    FACE_SHARE_SEEN,
    HAIR_ABOVE,
    HAIR_BESIDE,
    WORTH_CUTTING,
    choose_crop,
    most_seen,
)
from talker.video import Crop
from tests.take.searches import search_of

HEAD = 1.0 + HAIR_ABOVE  # heights of a face


def still_face(x: float, y: float, side: float, looks: int = 10) -> np.ndarray:  # [n, 4] with its middle at x, y
    return np.tile([x - side / 2, y - side / 2, x + side / 2, y + side / 2], (looks, 1))


def test_a_pattern_taken_for_a_face_now_and_then_is_no_speaker():
    seen = np.zeros(20, bool)
    seen[[2, 3, 9]] = True
    assert most_seen(seen) < FACE_SHARE_SEEN


def test_a_speaker_who_is_there_for_three_seconds_of_a_minute_is_one():
    seen = np.zeros(300, bool)
    seen[100:115] = True
    assert most_seen(seen) == 1.0


def test_a_face_in_every_look_is_seen_always_however_short_the_clip():
    assert most_seen(np.ones(3, bool)) == 1.0


def test_a_head_that_holds_still_has_half_of_the_squares_height():
    """A phone's upright picture: the square follows the head, not the picture's width."""
    crop = choose_crop(search_of(still_face(540, 800, 312)), (1080, 1920))
    assert crop.side == pytest.approx(2 * HEAD * 312, abs=2) and crop.x0 + crop.side / 2 == pytest.approx(540, abs=1)
    chin, crown = 800 + 156, 800 + 156 - HEAD * 312
    above, below = crown - crop.y0, crop.y0 + crop.side - chin
    assert 0.1 * crop.side < above < 0.2 * crop.side and below > 0.3 * crop.side


def test_a_square_grows_only_for_motion_that_it_has_no_room_for():
    face = still_face(540, 800, 200, 100)
    still = choose_crop(search_of(face), (1080, 1920))
    sway = np.sin(np.arange(100) / 5.0)[:, None] * [1.0, 0.0, 1.0, 0.0]
    assert choose_crop(search_of(face + 80 * sway), (1080, 1920)) == still
    wide = choose_crop(search_of(face + 300 * sway), (1080, 1920))
    assert wide.side > 1.2 * still.side and wide.x0 < 540 - 300 - 100 and wide.x0 + wide.side > 540 + 300 + 100


@pytest.mark.parametrize("share", [0.3, 0.46, 0.53, 0.7, 0.9])
def test_a_square_source_with_a_fair_sized_face_is_taken_whole(share):
    assert choose_crop(search_of(still_face(256, 256, share * 512)), (512, 512)) == Crop(0, 0, 512)


def test_a_square_source_is_cut_where_the_face_is_small_in_it():
    crop = choose_crop(search_of(still_face(256, 256, 0.2 * 512)), (512, 512))
    assert 2 * HEAD * 0.2 * 512 - 3 < crop.side < WORTH_CUTTING * 512


def test_a_head_in_a_corner_keeps_the_square_inside_the_picture():
    for x, y in ((60, 80), (1900, 80), (60, 1050), (1900, 1050)):
        crop = choose_crop(search_of(still_face(x, y, 100)), (1920, 1080))
        assert crop.side == 284 and 0 <= crop.x0 <= 1920 - 284 and 0 <= crop.y0 <= 1080 - 284


def random_footage(generator: np.random.Generator) -> tuple[np.ndarray, tuple[int, int]]:
    """Face boxes [n, 4] of any size, going anywhere, with looks that show none; and the picture's size."""
    width, height = generator.integers(64, 4097, 2)
    if generator.random() < 0.3:
        height = width
    looks = int(generator.integers(1, 200))
    face = np.exp(generator.uniform(np.log(8), np.log(2 * max(width, height))))
    middle = generator.uniform(-0.1, 1.1, 2) * (width, height)  # detectors give boxes that leave the picture
    steps = generator.normal(0, face * generator.choice([0.0, 0.01, 0.1, 0.5]), (looks, 2))
    path = middle + np.cumsum(steps, axis=0)
    half = face / 2 * np.exp(generator.normal(0, 0.05, (looks, 1))) * generator.uniform(0.6, 1.4, 2)
    boxes = np.concatenate([path - half, path + half], axis=1)
    boxes[generator.random(looks) < generator.choice([0.0, 0.3])] = np.nan
    boxes[generator.integers(looks)] = [*(middle - face / 2), *(middle + face / 2)]
    return boxes, (int(width), int(height))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_a_head_does_the_square_lies_in_the_picture_and_holds_the_head_where_it_can(seed):
    generator = np.random.default_rng(seed)
    for _ in range(100):
        boxes, (width, height) = random_footage(generator)
        crop = choose_crop(search_of(boxes), (width, height))
        assert crop == choose_crop(search_of(boxes.copy()), (width, height))
        assert all(isinstance(number, int) for number in (crop.x0, crop.y0, crop.side))
        assert crop.side >= 2 and 0 <= crop.x0 <= width - crop.side and 0 <= crop.y0 <= height - crop.side
        assert crop.side % 2 == 0 or crop == Crop(0, 0, width)

        seen = boxes[np.isfinite(boxes[:, 0])]
        face = np.median(seen[:, 3] - seen[:, 1])
        low = np.percentile(seen[:, :2], 2, axis=0) - face * np.array([HAIR_BESIDE, HAIR_ABOVE])
        high = np.percentile(seen[:, 2:], 98, axis=0) + face * np.array([HAIR_BESIDE, 0.0])
        corner = np.array([crop.x0, crop.y0])
        for axis, whole in enumerate((width, height)):
            if high[axis] - low[axis] <= crop.side:
                assert corner[axis] <= max(0.0, low[axis]) + 1 or corner[axis] == whole - crop.side
                assert corner[axis] + crop.side >= min(whole, high[axis]) - 1 or corner[axis] == 0
            else:  # no square of the picture holds all of it
                assert crop.side >= min(width, height) - 1
        if crop.side < min(width, height) - 1:
            assert HEAD * face <= 0.5 * crop.side + 1
