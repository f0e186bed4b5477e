"""Mattes, parts and the plate, on pictures whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.images import grown
from talker.core.types import BACKGROUND, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO
from talker.take.masks import guided_filter, keep_speaker, refine_matte
from talker.take.parts import (
    FaceOutlines,
    brow_polygons,
    fit_colours,
    hanging,
    head_places,
    label_parts,
    polygon_mask,
    seed_colours,
    unit_length,
)
from talker.take.plate import background_plate, fill_smoothly, plate_samples
from talker.take.pose import HeadMotion
from tests.take.toy import face_landmarks

SIDE = 96


def test_guided_filter_is_its_formula():
    """Against numpy's own solver, pixel by pixel (He et al. 2013, equations 19-21)."""
    generator = np.random.default_rng(0)
    guide = generator.random((14, 12, 3)).astype(np.float32)
    image = generator.random((14, 12)).astype(np.float32)
    radius, noise = 2, 1e-2

    def window_means(layer: np.ndarray) -> np.ndarray:
        padded = np.pad(layer, [(radius, radius)] * 2 + [(0, 0)] * (layer.ndim - 2), mode="symmetric")
        rows, columns = layer.shape[:2]
        size = 2 * radius + 1
        means = [padded[r : r + size, c : c + size].mean((0, 1)) for r in range(rows) for c in range(columns)]
        return np.array(means).reshape(layer.shape)

    mean_i, mean_p = window_means(guide), window_means(image)
    outer = window_means(guide[..., :, None] * guide[..., None, :]) - mean_i[..., :, None] * mean_i[..., None, :]
    across = window_means(guide * image[..., None]) - mean_i * mean_p[..., None]
    slope = np.linalg.solve(outer + noise * np.eye(3), across[..., None])[..., 0]
    offset = mean_p - (slope * mean_i).sum(-1)
    expected = (window_means(slope) * guide).sum(-1) + window_means(offset)
    assert guided_filter(guide, image, radius, noise) == pytest.approx(expected, abs=1e-3)


def test_matte_moves_onto_the_edge_of_the_picture():
    rgb = np.full((64, 64, 3), (30, 60, 90), np.uint8)
    rgb[:, 32:] = (200, 170, 140)
    blurred = np.clip((np.arange(64) - 24) / 10.0, 0, 1)  # the network's edge: soft, three pixels off
    matte = refine_matte(rgb, np.tile(blurred, (64, 1)).astype(np.float32))
    truth = (np.arange(64) >= 32).astype(float)
    assert np.abs(matte[32] - truth).sum() < 0.9 * np.abs(blurred - truth).sum()
    assert np.diff(matte, axis=1).argmax(axis=1).tolist() == [31] * 64  # steepest where the picture is


def test_a_mask_grows_by_squares():
    mask = np.zeros((9, 9), bool)
    mask[4, 3] = True
    assert np.argwhere(grown(mask, 2)).tolist() == [[y, x] for y in range(2, 7) for x in range(1, 6)]


def test_only_the_speakers_piece_stays():
    matte = np.zeros((40, 60), np.float32)
    matte[5:35, 5:20] = 1.0
    matte[5:35, 40:55] = 1.0
    face = np.zeros((40, 60), bool)
    face[10:15, 8:15] = True
    kept = keep_speaker(matte, face)
    assert kept[20, 10] == 1.0 and kept[:, 35:].max() == 0.0


def painted_speaker():
    """A frontal speaker of flat colours: the picture, its matte, and its outlines and places."""
    landmarks = face_landmarks()
    motion = HeadMotion(landmarks, np.eye(3)[None], np.array([[0.0, -0.35, 6.5]]), 1.9 * SIDE, (SIDE / 2, SIDE / 2))
    pixels = (landmarks + motion.translation[0])[:, :2] / (landmarks + motion.translation[0])[:, 2:]
    pixels = pixels * motion.focal_px + SIDE / 2
    places = head_places(motion, 0, (SIDE, SIDE))
    x, y = places[..., 0], places[..., 1]
    rgb = np.full((SIDE, SIDE, 3), (90, 130, 160), np.uint8)
    torso = (y > 1.1) & (np.abs(x) < 1.3)
    neck = (np.abs(x) < 0.3) & (y > 0.5) & (y < 1.15)
    head = (x / 0.52) ** 2 + ((y - 0.05) / 0.78) ** 2 < 1
    ears = (np.abs(np.abs(x) - 0.53) < 0.07) & (np.abs(y - 0.12) < 0.15)
    rgb[torso] = (40, 50, 120)
    rgb[neck | head | ears] = (220, 170, 140)
    rgb[head & (y < -0.35)] = (60, 40, 30)
    rgb[polygon_mask((SIDE, SIDE), pixels[48:60])] = (170, 60, 60)
    matte = (torso | neck | head | ears).astype(np.float32)
    outline = np.concatenate([pixels[:17], pixels[26:16:-1]])
    return rgb, matte, FaceOutlines(pixels, outline, brow_polygons(pixels, 2.0)), places


def test_parts_of_a_painted_speaker():
    rgb, matte, outlines, places = painted_speaker()
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    x, y = places[..., 0], places[..., 1]

    def at(px: float, py: float) -> int:
        return int(parts[np.unravel_index(np.argmin((x - px) ** 2 + (y - py) ** 2), x.shape)])

    assert at(0.0, 0.25) == FACE and at(0.0, -0.25) == FACE
    assert at(0.0, -0.6) == HAIR
    assert at(0.55, 0.12) == EARS and at(-0.55, 0.12) == EARS
    assert at(0.0, 1.0) == NECK and at(0.0, 1.3) == TORSO and at(1.0, 1.3) == TORSO
    for place, part in ((outlines.landmarks[60:68].mean(0), MOUTH), (outlines.landmarks[[57, 66]].mean(0), LIPS)):
        assert parts[int(place[1]), int(place[0])] == part
    assert at(0.0, -1.2) == BACKGROUND and (parts == EYES).sum() > 10
    # Seen from the speaker's left, the ear on the far side is hidden: skin there is cheek.
    turned = label_parts(rgb, matte, outlines, places, np.array([3.0, 0.0, -5.5]), colours)
    assert (turned[(parts == EARS) & (x < 0)] == FACE).all() and (turned[(parts == EARS) & (x > 0)] == EARS).all()


def test_a_neck_in_shadow_is_no_hair_and_long_hair_is():
    rgb, matte, outlines, places = painted_speaker()
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    x, y = places[..., 0], places[..., 1]
    shadow = (x > 0.38) & (x < 0.5) & (y > 0.6) & (y < 0.9)
    lock = (x < -0.4) & (x > -0.6) & (y > -0.5) & (y < 0.9)
    rgb[shadow | lock] = (60, 40, 30)
    matte[shadow | lock] = 1.0
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    below = y > 0.7
    assert (parts[shadow & below] != HAIR).all()
    assert (parts[lock & below] == HAIR).mean() > 0.8


def test_long_hair_on_clothes_of_its_colour_is_hair_and_a_collar_is_not():
    rgb, matte, outlines, places = painted_speaker()
    x, y = places[..., 0], places[..., 1]
    lock = (x < -0.45) & (x > -0.75) & (y > -0.5) & (y < 1.1)
    collar = (x > 0.55) & (x < 0.9) & (y > 0.7) & (y < 1.2)
    suit = (y > 1.1) & (np.abs(x) < 1.3)
    rgb[lock | collar | suit] = (60, 40, 30)
    matte[lock | collar | suit] = 1.0
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    hangs = (y > 0.6) & (y < 0.9)
    assert (parts[lock & hangs] == HAIR).mean() > 0.8
    assert (parts[collar & hangs] == TORSO).mean() > 0.8


def test_hair_that_ends_on_a_collar_does_not_make_it_hair():
    rgb, matte, outlines, places = painted_speaker()
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    x, y = places[..., 0], places[..., 1]
    beside = (np.abs(x) > 0.55) & (np.abs(x) < 0.8)
    bob, collar = beside & (y > -0.5) & (y < 0.6), beside & (y >= 0.6) & (y < 1.2)
    rgb[bob], rgb[collar] = (60, 40, 30), (40, 50, 120)
    matte[bob | collar] = 1.0
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    assert (parts[collar & (y > 0.7)] == TORSO).mean() > 0.9 and (parts[bob] == HAIR).mean() > 0.9


def test_blond_hair_is_hair_beside_the_neck_and_skin_on_it():
    rgb, matte, outlines, places = painted_speaker()
    x, y = places[..., 0], places[..., 1]
    top = (y < -0.35) & (matte > 0)
    rgb[top & (np.indices(x.shape).sum(0) % 3 == 0)] = (220, 170, 140)  # a third of the hair has the skin's colour
    lock = (x < -0.4) & (x > -0.8) & (y > -0.5) & (y < 1.0)
    rgb[lock & (y < 0.5)], rgb[lock & (y >= 0.5)] = (60, 40, 30), (220, 170, 140)
    matte[lock] = 1.0
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    hangs = lock & (y > 0.6) & (y < 0.9)
    assert (parts[hangs & (x < -0.55)] == HAIR).mean() > 0.9
    assert (parts[hangs & (x > -0.45)] == NECK).mean() > 0.9


def test_loose_curls_hang_together():
    rgb, matte, outlines, places = painted_speaker()
    colours = fit_colours(seed_colours(rgb, matte, outlines, places))
    x, y = places[..., 0], places[..., 1]
    lock = (x < -0.5) & (x > -0.8) & (y > -0.5) & (y < 0.9) & (np.indices(x.shape)[1] % 2 == 0)
    rgb[lock], matte[lock] = (60, 40, 30), 1.0
    parts = label_parts(rgb, matte, outlines, places, np.array([0.0, 0.0, -6.5]), colours)
    assert (parts[lock & (y > 0.6)] == HAIR).mean() > 0.8


def test_hanging_hair_is_joined_by_more_than_a_thread():
    mask, anchored = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    anchored[:10] = True
    mask[2:28, 2:8] = True  # a lock from top to bottom
    mask[15:28, 15:22] = True  # a patch of its own ...
    mask[2:28, 18] = True  # ... and a thread to it
    kept = hanging(mask, anchored, 4)
    assert kept[2:28, 2:8].all() and not kept[:, 12:].any()


def test_places_are_where_points_were():
    _, _, outlines, places = painted_speaker()
    assert np.abs(places[SIDE // 2, SIDE // 2] - (0.02, 0.37)).max() < 0.05
    assert unit_length(places) == pytest.approx(6.5 / (1.9 * SIDE), rel=0.01)
    inside = polygon_mask((SIDE, SIDE), outlines.oval)
    assert inside.any() and not inside[0].any()


def test_polygons_respect_pixel_centres():
    square = np.array([(2.0, 3.0), (6.0, 3.0), (6.0, 8.0), (2.0, 8.0)])
    mask = polygon_mask((12, 12), square)
    inner = np.zeros((12, 12), bool)
    inner[3:8, 2:6] = True
    assert mask[inner].all() and mask.sum() <= 6 * 7  # at most the border's half pixels besides


def test_plate_is_what_the_speaker_uncovers():
    generator = np.random.default_rng(0)
    room = generator.integers(0, 255, (40, 50, 3), np.uint8)
    frames, covered = np.repeat(room[None], 12, axis=0), np.zeros((12, 40, 50), bool)
    for index in range(12):
        covered[index, 10:, 2 * index : 2 * index + 20] = True
    covered[:, 30:, 20:25] = True  # never seen
    frames[covered] = 77
    plate, seen = background_plate(frames, covered)
    assert not seen[35, 22] and seen[:10].all()
    assert (plate[seen] == room[seen]).all()
    assert plate[~seen].std() < room.std()  # filled in smoothly


def test_plate_of_a_speaker_who_covers_everything():
    frames = np.full((4, 16, 16, 3), 50, np.uint8)
    plate, seen = background_plate(frames, np.ones((4, 16, 16), bool))
    assert (plate == 50).all() and seen.all()


def test_filling_continues_a_flat_surrounding():
    image = np.full((33, 47, 3), 120.0, np.float32)
    known = np.ones((33, 47), bool)
    known[8:25, 10:40] = False
    image[~known] = 0.0
    assert fill_smoothly(image, known) == pytest.approx(np.full_like(image, 120.0), abs=0.1)


def test_samples_spread_over_long_takes():
    assert list(plate_samples(5)) == [0, 1, 2, 3, 4]
    many = plate_samples(7500)
    assert len(many) <= 160 and many[0] == 0 and many[-1] == 7499
