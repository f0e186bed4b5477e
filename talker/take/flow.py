"""Where the head's surface goes from frame to frame: points carried by optical flow between pairs of frames.

Landmarks say where a face is to a pixel or two, differently at every turn of the head. The picture itself says it
to a fraction of a pixel, but only relative to another picture. Here such comparisons are made, of every frame with
its neighbours in time and with distant frames of a similar pose; `consensus` joins them into poses.

Notation: B frames, N surface points, E pairs of frames (i, j).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from talker.core.prefetch import side_by_side
from talker.core.types import OUTER_EYE_SPAN
from talker.take.pose import HeadMotion, project_points

NEIGHBOURS = (1, 3)  # frames ahead that every frame is compared with
DISTANT = 4  # frames of similar pose, far in time, that every frame is compared with
DISTANT_FROM = 12  # frames apart that count as far in time
SIMILAR_TURN_DEG = 10.0
SIMILAR_SHIFT = 0.8  # of the eye span
SHELL = (0.56, 0.80, 0.75)  # half axes of the skull with its hair, head units
SHELL_POINTS = 500
DETAIL = 0.042  # of the eye span: blur that separates texture from shading
WINDOW = 0.15  # of the eye span: side of the patch that is followed
FACING = 0.25  # cosine of normal and view under which a point is too oblique
FARTHEST = 0.1  # of the eye span: a point that ends farther from where the poses put it is lost
FLATTEST = 1e-3  # by how much the map between two frames may shrink areas; heads do not come near
MINIMUM_SHARED = 12  # points that two frames must both show to be compared
INSIDE = 250  # matte above which a patch is the speaker's


@dataclass(frozen=True)
class Surface:
    """Points on the rigid part of the head."""

    points: np.ndarray  # [N, 3] head frame
    normals: np.ndarray  # [N, 3]


@dataclass(frozen=True)
class Comparisons:
    """What flow says about E pairs of frames."""

    pairs: np.ndarray  # [E, 2] frame indices (i, j)
    shift: np.ndarray  # [E, N, 2] float32: from each point's image in i to the same skin in j, pixels
    weight: np.ndarray  # [E, N] float32 in [0, 1]


def rigid_surface(
    shape: np.ndarray,  # [M, 3] landmarks, head frame
) -> Surface:
    """Landmarks of the upper face, without the eyes, and an ellipsoid for the skull and ears where they end."""
    face = shape[(shape[:, 1] < 0.3) & (shape[:, 2] < 0.1)]
    index = np.arange(SHELL_POINTS) + 0.5
    polar, turn = np.arccos(1.0 - 2.0 * index / SHELL_POINTS), np.pi * (1.0 + 5.0**0.5) * index  # a Fibonacci sphere
    sphere = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)
    skull = sphere * SHELL
    skull = skull[(skull[:, 1] < -0.25) & (skull[:, 2] < 0.1)]
    if len(face):
        gap = np.linalg.norm(skull[:, None, :2] - face[None, :, :2], axis=-1).min(axis=1)
        skull = skull[gap > 0.08]
    ears = [(side * 0.52, y, z) for side in (-1, 1) for y in (-0.05, 0.05, 0.15, 0.25) for z in (-0.08, 0.0, 0.06)]
    points = np.concatenate([face, skull, np.array(ears)])
    normals = points / np.square([0.5, 0.8, 0.7])
    eyes = (np.abs(points[:, 1] - 0.04) < 0.07) & (np.abs(np.abs(points[:, 0]) - 0.21) < 0.13)
    return Surface(points[~eyes], (normals / np.linalg.norm(normals, axis=1, keepdims=True))[~eyes])


def texture(
    grey: np.ndarray,  # [H, W] uint8
    eye_span_px: float,
) -> np.ndarray:  # [H, W] uint8
    """Local contrast, normalised: the light's slow shading stays with the room while the head turns, so it goes."""
    sigma = max(1.0, DETAIL * eye_span_px)
    image = grey.astype(np.float32)
    detail = image - cv2.GaussianBlur(image, (0, 0), sigma)
    spread = np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), 2.0 * sigma))
    return np.clip(128.0 + 50.0 * detail / (spread + 2.0), 0, 255).astype(np.uint8)


def eye_span_px(motion: HeadMotion) -> float:
    """How large the speaker is in the picture."""
    return motion.focal_px * OUTER_EYE_SPAN / float(np.median(motion.translation[:, 2]))


def choose_pairs(
    motion: HeadMotion,
    generator: np.random.Generator,
    candidates: int = 200,
    pieces: Sequence[range] = (),  # of the frames, each without a cut; none: all are one
) -> np.ndarray:  # [E, 2]
    """Neighbours in time, and for every frame some distant ones in similar pose: they stop the drift."""
    count = len(motion.rotation)
    pieces = pieces or [range(count)]
    pairs = [(i, i + step) for step in NEIGHBOURS for piece in pieces for i in piece[:-step]]
    quaternion = Rotation.from_matrix(motion.rotation).as_quat()
    place = motion.translation[:, :2] * motion.focal_px / motion.translation[:, 2:]
    shift_px = SIMILAR_SHIFT * eye_span_px(motion)
    every = np.arange(count)
    for i in range(count):
        others = every[np.abs(every - i) > DISTANT_FROM]
        if len(others) > candidates:
            others = generator.choice(others, candidates, replace=False)
        turn_deg = np.degrees(2.0 * np.arccos(np.clip(np.abs(quaternion[others] @ quaternion[i]), 0.0, 1.0)))
        unlike = turn_deg / SIMILAR_TURN_DEG + np.linalg.norm(place[others] - place[i], axis=1) / shift_px
        similar = others[unlike < 1.3]
        if len(similar) > DISTANT:
            similar = generator.choice(similar, DISTANT, replace=False)
        elif not len(similar) and len(others):
            similar = others[np.argsort(unlike)[:1]]
        pairs += [(i, int(j)) for j in similar]
    return np.array(pairs)


def compare(
    motion: HeadMotion,
    surface: Surface,
    pairs: np.ndarray,  # [E, 2]
    textures: np.ndarray,  # [B, H, W] uint8, from `texture`
    mattes: np.ndarray,  # [B, H, W] uint8
) -> Comparisons:
    """Follow every surface point that both frames of a pair show, from i to j."""
    moved = replace(motion, shape=surface.points)
    images, turned, _ = project_points(moved)
    camera_points = turned + motion.translation[:, None]
    normals = np.einsum("bij,nj->bni", motion.rotation, surface.normals)
    facing = -(normals * camera_points).sum(axis=-1) / np.linalg.norm(camera_points, axis=-1)
    inside = np.stack([_sample(matte, image) > INSIDE for matte, image in zip(mattes, images, strict=True)])
    visible = (facing > FACING) & inside
    span_px = eye_span_px(motion)

    def follow(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        i, j = pair
        use = np.flatnonzero(visible[i] & visible[j])
        return use, *follow_points(textures[i], textures[j], images[i, use], images[j, use], span_px)

    shift = np.zeros((len(pairs), len(surface.points), 2), np.float32)
    weight = np.zeros((len(pairs), len(surface.points)), np.float32)
    for index, (use, shifts, found) in enumerate(side_by_side(follow, pairs)):
        shift[index, use], weight[index, use] = shifts, found
    return Comparisons(pairs, shift, weight)


def follow_points(
    texture_i: np.ndarray,  # [H, W] uint8
    texture_j: np.ndarray,  # [H, W] uint8
    at_i: np.ndarray,  # [N, 2] pixels
    at_j: np.ndarray,  # [N, 2] where the present poses expect the same points
    eye_span_px: float,
) -> tuple[np.ndarray, np.ndarray]:  # shift [N, 2] from i to j, pixels; [N] bool: found, and near where expected
    """Pyramidal Lucas-Kanade (Bouguet, 2001) from i to j.

    The expected places move j's picture onto i's first, by the best affine map, so that patches only have to find the
    small rest, in a similar shape.
    """
    nothing = np.zeros((len(at_i), 2)), np.zeros(len(at_i), bool)
    if len(at_i) < MINIMUM_SHARED:
        return nothing
    height, width = texture_i.shape
    window = int(np.clip(2 * round(WINDOW * eye_span_px / 2.0) + 1, 5, 25))
    known = np.column_stack([at_i, np.ones(len(at_i))])
    # OpenCV's solver, for numpy's wakes threads that get in the way of those that follow other pairs.
    affine = np.ascontiguousarray(cv2.solve(known, at_j, flags=cv2.DECOMP_SVD)[1].T)  # [2, 3]
    if not abs(np.linalg.det(affine[:, :2])) > FLATTEST:  # points in a line
        return nothing
    back = cv2.invertAffineTransform(affine)
    low = np.clip(np.floor(at_i.min(axis=0)) - window, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(at_i.max(axis=0)) + window, low + 1, (width, height)).astype(int)
    # OpenCV's integer positions are pixel centres, ours lie at +0.5.
    to_j = affine.copy()
    to_j[:, 2] += affine[:, :2] @ (low + 0.5) - 0.5
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    other = cv2.warpAffine(texture_j, to_j, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    own = np.ascontiguousarray(texture_i[low[1] : high[1], low[0] : high[0]])
    start = (at_i - 0.5 - low).astype(np.float32)
    guess = (at_j @ back[:, :2].T + back[:, 2] - 0.5 - low).astype(np.float32)
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        own, other, start[:, None], guess[:, None].copy(), winSize=(window, window), maxLevel=1,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW, minEigThreshold=1e-4,
    )  # fmt: skip
    end = end[:, 0]
    near = np.linalg.norm(end - guess, axis=1) < max(2.0, FARTHEST * eye_span_px)
    return (end + 0.5 + low) @ affine[:, :2].T + affine[:, 2] - at_i, (found[:, 0] > 0) & near


def _sample(
    image: np.ndarray,  # [H, W]
    at: np.ndarray,  # [N, 2] pixels
) -> np.ndarray:  # [N], 0 outside
    at = (at - 0.5).astype(np.float32)
    return cv2.remap(image, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderValue=0)[0]
