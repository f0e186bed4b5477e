"""What only moves does not flicker; what flickers, does so by as much as was put in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from talker.core.types import Silent
from talker.evaluation.warping import flow_between, measure_warping, warp, warping_error

SIDE = 96


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    """[SIDE + 40, SIDE + 40, 3] uint8 smooth noise."""
    noise = np.random.default_rng(0).random((SIDE + 40, SIDE + 40, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3.0)
    return (40 + 150 * (soft - soft.min()) / (soft.max() - soft.min())).astype(np.uint8)


def window(texture: np.ndarray, x: int, y: int) -> np.ndarray:
    return texture[y : y + SIDE, x : x + SIDE]


def test_warping_brings_back_what_a_known_flow_moved(texture):
    here, there = window(texture, 20, 20), window(texture, 17, 15)  # what is at x in `here` is at x + (3, 5) there
    flow = np.broadcast_to(np.float32([3, 5]), (SIDE, SIDE, 2))
    inside = np.zeros((SIDE, SIDE), bool)
    inside[:-5, :-3] = True
    assert warping_error(here, there, flow, inside) == pytest.approx(0.0, abs=1e-6)
    assert warping_error(here, there, -flow, inside) > 0.02
    assert np.array_equal(warp(there, flow)[:-5, :-3], here[:-5, :-3])
    assert np.isnan(warping_error(here, there, flow, np.zeros((SIDE, SIDE), bool)))


def test_the_flow_of_a_translation_is_found_and_its_edge_is_hidden(texture):
    flow, visible = flow_between(window(texture, 20, 20)[..., 1].copy(), window(texture, 14, 20)[..., 1].copy())
    assert np.median(flow[..., 0]) == pytest.approx(6.0, abs=0.2)
    assert visible[:, 8:-12].mean() > 0.95 and not visible[:, -4:].any()


def test_what_a_mover_covers_is_not_compared(texture):
    here, there = window(texture, 20, 20).copy(), window(texture, 20, 20).copy()
    patch = texture[:30, :30][::-1]
    here[30:60, 20:50], there[30:60, 32:62] = patch, patch
    flow, visible = flow_between(here[..., 1].copy(), there[..., 1].copy())
    assert not visible[33:57, 54:60].mean() > 0.2  # bare here, covered there
    assert warping_error(here, there, flow, visible) < 0.5 * warping_error(here, there, flow, np.ones_like(visible))


def pan(texture: np.ndarray, count: int = 5) -> np.ndarray:
    return np.stack([window(texture, 10 + 3 * t, 20) for t in range(count)])


def test_a_pan_does_not_flicker_and_a_flicker_is_measured(texture):
    steady = pan(texture)
    flickering = steady.copy()
    flickering[1::2] += 20  # the first frame and every second one are as they were
    figures = measure_warping(flickering, steady, Silent(), one_motion=True)
    assert figures.e_w_reference < 0.01 < np.abs(steady[1] / 255.0 - steady[0] / 255.0).mean()
    assert figures.warp_previous == pytest.approx(20 / 255, abs=0.005)
    assert figures.warp_first == pytest.approx(20 / 255 / 2, abs=0.006)
    assert figures.e_w == pytest.approx(figures.warp_previous + figures.warp_first)
    assert np.isnan(figures.tracks["warp_previous"][0]) and len(figures.tracks["warp_previous"]) == 5


def test_videos_that_move_differently_have_flows_of_their_own(texture):
    right, left = pan(texture), pan(texture)[::-1].copy()
    apart = measure_warping(right, left, Silent(), one_motion=False)
    assert max(apart.warp_previous, apart.warp_previous_reference) < 0.005
    assert measure_warping(right, left, Silent(), one_motion=True).warp_previous > 0.01
    left[1::2] += 20
    assert measure_warping(right, left, Silent(), one_motion=False).warp_previous_reference > 0.05
