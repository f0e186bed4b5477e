"""Taking a frame apart: shares of the matte, and the torso under the chin."""

import numpy as np

from talker.core.types import BACKGROUND, FACE, NECK
from talker.radfield.layers import separate


def column_picture():
    """A head over a neck in the middle columns: rows 2-11 face, 12-19 neck; a wall of 200 elsewhere."""
    parts = np.full((20, 20), BACKGROUND, np.uint8)
    parts[2:12, 5:15], parts[12:, 5:15] = FACE, NECK
    rgb = np.full((20, 20, 3), 200, np.uint8)
    rgb[2:12, 5:15], rgb[12:, 5:15] = 100, 50
    alpha = np.where(parts == BACKGROUND, 0, 255).astype(np.uint8)
    return rgb, alpha, parts, np.full((20, 20, 3), 200, np.uint8)


def test_every_pixel_of_the_matte_goes_to_one_layer():
    rgb, alpha, parts, plate = column_picture()
    alpha[5, 4] = 128  # a soft rim beside the face
    layers = separate(rgb, alpha, parts, plate)
    assert layers.head_alpha[5, 4] == 128 and layers.torso_alpha[5, 4] == 0
    assert (layers.head_alpha[parts == FACE] == 255).all()
    assert (layers.torso_alpha[parts == NECK] == 255).all()


def test_behind_the_head_stands_the_torso_near_the_chin_and_the_plate_above():
    layers = separate(*column_picture())
    assert (layers.behind[12:, 5:15] == 50).all()
    assert (layers.behind[11, 5:15] == 50).all() and layers.torso_alpha[11, 10] == 255
    assert (layers.behind[2:9, 5:15] == 200).all() and layers.torso_alpha[5, 10] == 0


def test_a_frame_without_a_torso_is_all_head():
    rgb, alpha, parts, plate = column_picture()
    parts[parts == NECK], alpha[12:] = BACKGROUND, 0
    layers = separate(rgb, alpha, parts, plate)
    assert layers.torso_alpha.max() == 0
    assert (layers.behind == plate).all()
