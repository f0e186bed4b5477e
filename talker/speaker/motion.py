"""What the speaker does while he talks: head, blinks, gaze, brows and breath, all from a seed.

Notation: B frames at 25 a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.core.types import FPS
from talker.speaker.head import HeadState
from talker.speaker.visemes import mouth_shapes

_LARGEST_GAZE = np.array([0.55, 0.40])  # radians, right and up


@dataclass(frozen=True)
class Motion:
    rotation: np.ndarray  # [B, 3] rotation vectors, radians
    shift: np.ndarray  # [B, 3] mesh units
    blink: np.ndarray  # [B] 0 open, 1 shut
    brows: np.ndarray  # [B] 0 at rest, 1 raised
    gaze: np.ndarray  # [B, 2] in the head: to the viewer's right, up; radians
    breath: np.ndarray  # [B]


def head_motion(
    frames: int,
    seed: int,
    amplitude: float = 1.0,  # of the head's rotation and shift
) -> Motion:
    generator = np.random.default_rng(seed + 77)
    seconds = np.arange(frames) / FPS

    def sway(size: float, rate_hz: float) -> np.ndarray:
        """Three waves whose rates have no common period."""
        waves = ((1.0, 0.62), (2.3, 0.28), (5.1, 0.10))
        return size * sum(
            share * np.sin(2 * np.pi * (rate_hz * k * seconds + generator.uniform())) for k, share in waves
        )

    yaw, pitch, roll = sway(np.radians(27), 0.17), sway(np.radians(11), 0.21), sway(np.radians(5), 0.15)
    shift = np.stack([sway(0.12, 0.12), sway(0.06, 0.16), sway(0.10, 0.10)], 1)
    blink, moment_s = np.zeros(frames), generator.uniform(0.6, 2.0)
    while moment_s < frames / FPS + 1:
        after = seconds - moment_s
        lid = np.where(after < 0, 1 + after / 0.09, 1 - (after - 0.05) / 0.16)  # lids shut faster than they open
        blink = np.maximum(blink, np.clip(lid, 0, 1))
        moment_s += generator.uniform(1.6, 4.5)
    brows = np.clip(sway(0.5, 0.3), 0, 1)
    breath = np.sin(2 * np.pi * 0.25 * seconds)
    rotation = amplitude * np.stack([pitch, yaw, roll], 1)
    return Motion(rotation, amplitude * shift, blink, brows, _gaze(seconds, rotation, generator), breath)


def _gaze(
    seconds: np.ndarray,  # [B]
    rotation: np.ndarray,  # [B, 3]
    generator: np.random.Generator,
) -> np.ndarray:
    """Small jumps about the camera, half of the head's turn taken back: [B, 2]."""
    gaze, target, until_s = np.zeros((len(seconds), 2)), np.zeros(2), 0.0
    for frame, moment_s in enumerate(seconds):
        if moment_s >= until_s:
            target = generator.normal(0.0, (0.10, 0.05))
            until_s = moment_s + generator.uniform(0.5, 1.8)
        gaze[frame] = target
    gaze += np.stack([-0.45 * rotation[:, 1], 0.45 * rotation[:, 0]], 1)
    return np.clip(gaze, -_LARGEST_GAZE, _LARGEST_GAZE)


def head_states(
    motion: Motion,
    visemes: np.ndarray,  # [B, 15]
) -> list[HeadState]:
    """One state per frame: speech moves the mouth, motion everything else. Lids follow the gaze."""
    states = []
    for frame, weights in enumerate(visemes):
        shapes = mouth_shapes(weights)
        blink, brows, up = float(motion.blink[frame]), float(motion.brows[frame]), float(motion.gaze[frame, 1])
        for side in ("Left", "Right"):
            shapes[f"eyeBlink{side}"] = blink
            shapes[f"browOuterUp{side}"] = 0.4 * brows
            shapes[f"eyeLookDown{side}"] = max(0.0, -1.6 * up) * (1.0 - blink)
            shapes[f"eyeWide{side}"] = max(0.0, 0.8 * up)
        shapes["browInnerUp"] = 0.5 * brows
        rotation, shift = tuple(motion.rotation[frame]), tuple(motion.shift[frame])
        states.append(HeadState(shapes, rotation, shift, tuple(motion.gaze[frame]), float(motion.breath[frame]) * 0.5))
    return states
