"""One frame: the posed head seen by a camera, in front of a plate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch

from talker.core.types import Camera
from talker.speaker.head import FLIP, HEAD_ORIGIN, HEAD_UNIT, HeadModel, PosedHead
from talker.speaker.raster import draw_strands, draw_triangles, empty_buffer, in_bands
from talker.speaker.shade import Lights, StrandSurface, Surface, resolve
from talker.speaker.shadow import depth_map, transform

KEY_LIGHT = np.array([0.50, 0.52, 0.69]) / np.linalg.norm([0.50, 0.52, 0.69])
SHADOW_SIDE = 512
_CAMERA_AT, _LOOKS_AT = np.array([0.0, 7.75, 9.9]), np.array([0.0, 7.72, 0.3])  # world
_FOCAL_PER_WIDTH = 1200 / 512


@dataclass(frozen=True)
class SpeakerFrame:
    """A rendered moment, with what each pixel is."""

    rgb: np.ndarray  # [H, W, 3] uint8
    parts: np.ndarray  # [H, W] uint8 indices into types.PARTS
    alpha: np.ndarray  # [H, W] uint8: the speaker's exact coverage; rgb = alpha speaker + (1 - alpha) plate


@dataclass(frozen=True)
class WorldCamera:
    """A pinhole in the world, for which the head moves."""

    rotation: np.ndarray  # [3, 3] world to camera, OpenCV axes
    shift: np.ndarray  # [3] mesh units
    focal_px: float
    centre_px: tuple[float, float]
    size_px: tuple[int, int]  # (width, height)


def studio_camera(size_px: int) -> WorldCamera:
    """The camera on its stand in front of the speaker."""
    forward = (_LOOKS_AT - _CAMERA_AT) / np.linalg.norm(_LOOKS_AT - _CAMERA_AT)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    centre = (size_px / 2, size_px / 2)
    return WorldCamera(rotation, -rotation @ _CAMERA_AT, _FOCAL_PER_WIDTH * size_px, centre, (size_px, size_px))


def head_camera(camera: WorldCamera, head: PosedHead) -> Camera:
    """The same picture for a head that stands still: camera to head frame, in head units."""
    world_to_camera = np.eye(4)
    world_to_camera[:3, :3] = camera.rotation @ head.skull_rotation @ FLIP
    origin = head.skull_rotation @ HEAD_ORIGIN + head.skull_shift
    world_to_camera[:3, 3] = (camera.rotation @ origin + camera.shift) / HEAD_UNIT
    c2w = torch.from_numpy(np.linalg.inv(world_to_camera)).float()
    return Camera(c2w, camera.focal_px, camera.centre_px, camera.size_px)


def world_camera(camera: Camera, head: PosedHead) -> WorldCamera:
    """Inverse of `head_camera`."""
    from_head = np.linalg.inv(camera.c2w.double().numpy())
    rotation = from_head[:3, :3] @ FLIP @ head.skull_rotation.T
    origin = head.skull_rotation @ HEAD_ORIGIN + head.skull_shift
    return WorldCamera(
        rotation, from_head[:3, 3] * HEAD_UNIT - rotation @ origin, camera.focal_px, camera.centre_px, camera.size_px
    )


def project_world(
    camera: WorldCamera,
    points: np.ndarray,  # [N, 3] world
) -> np.ndarray:
    """[N, 2] pixels; a pixel's centre is at +0.5."""
    local = points @ camera.rotation.T + camera.shift
    return local[:, :2] / local[:, 2:] * camera.focal_px + camera.centre_px


def render_frame(
    model: HeadModel,
    head: PosedHead,
    camera: WorldCamera,
    plate: np.ndarray,  # [H, W, 3] uint8
    *,
    light: str = "world",  # or "head": the key light moves with the head
) -> SpeakerFrame:
    width, height = camera.size_px
    samples = max(3, math.ceil(320 / max(width, height)))  # strands need a fine grid in small pictures
    key = KEY_LIGHT if light == "world" else head.skull_rotation @ KEY_LIGHT
    shadow, shadow_from_world = depth_map(head.points, model.triangles, key, SHADOW_SIDE)

    visible = empty_buffer(height * samples, width * samples)
    seen = _to_samples(head.points, camera, samples)
    seen_strands = _to_samples(head.strand_points, camera, samples)
    focal = camera.focal_px * samples

    def draw(first: int, last: int) -> None:
        draw_triangles(visible, first, last, seen, model.triangles, model.kinds, True)
        draw_strands(
            visible, first, last, seen_strands, model.segments, model.strand_radii, focal, len(model.triangles)
        )

    in_bands(draw, height * samples)

    camera_centre = (-camera.rotation.T @ camera.shift).astype(np.float32)
    lights = Lights(key.astype(np.float32), camera_centre, shadow, shadow_from_world)
    surface = Surface(
        head.points,
        head.normals,
        model.rest,
        model.masks,
        model.occlusion,
        model.below_jaw,
        model.triangles,
        model.kinds,
    )
    strands = StrandSurface(
        head.strand_points,
        head.strand_normals,
        model.strand_openness,
        model.strand_tone,
        model.segments,
        model.segment_kinds,
    )
    rgb, alpha = np.empty((height, width, 3), np.float32), np.empty((height, width), np.float32)
    parts = np.empty((height, width), np.uint8)
    behind = plate.astype(np.float32) / np.float32(255.0)

    def shade(first: int, last: int) -> None:
        resolve(rgb, alpha, parts, first, last, visible, samples, surface, strands, lights, behind, model.mouth_front)

    in_bands(shade, height)
    return SpeakerFrame((rgb * 255 + 0.5).astype(np.uint8), parts, (alpha * 255 + 0.5).astype(np.uint8))


def _to_samples(points: np.ndarray, camera: WorldCamera, samples: int) -> np.ndarray:
    """[N, 3] float32: x and y on the sample grid, depth."""
    matrix = np.concatenate([camera.rotation, camera.shift[:, None]], 1)
    local = transform(points.astype(np.float64), matrix)
    local[:, 0] = (local[:, 0] / local[:, 2] * camera.focal_px + camera.centre_px[0]) * samples
    local[:, 1] = (local[:, 1] / local[:, 2] * camera.focal_px + camera.centre_px[1]) * samples
    return local.astype(np.float32)


@lru_cache(maxsize=4)
def room_plate(size_px: tuple[int, int], seed: int) -> np.ndarray:
    """A room out of focus [H, W, 3] uint8, read-only: a wall in window light with shelves on it."""
    width, height = size_px
    generator = np.random.default_rng(seed)
    side = 512
    y, x = np.mgrid[0:side, 0:side] / side
    room = np.stack([0.62 - 0.20 * y + 0.10 * x, 0.64 - 0.20 * y + 0.06 * x, 0.66 - 0.16 * y - 0.02 * x], -1)
    for _ in range(26):
        left, wide = generator.uniform(-0.1, 1.0), generator.uniform(0.04, 0.14)
        top, high = generator.uniform(0.0, 0.8), generator.uniform(0.15, 0.3)
        colour = np.clip(generator.uniform(0.25, 0.8) + generator.uniform(-0.16, 0.16, 3), 0, 1)
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + high)
        room[inside] = 0.55 * room[inside] + 0.45 * colour
    room = cv2.GaussianBlur(room.astype(np.float32), (0, 0), 16)
    room = cv2.resize(
        room, (width, height), interpolation=cv2.INTER_AREA if max(width, height) < side else cv2.INTER_CUBIC
    )
    plate = (np.clip(room, 0, 1) * 255 + 0.5).astype(np.uint8)
    plate.flags.writeable = False  # it is shared
    return plate
