"""The head: built once from the asset, posed for every frame.

Notation: V vertices, T triangles, K strand points. Rest space is the asset's (mesh units: decimetres); world space is
where the posed head stands. The head's own frame (`talker.core.types`: OpenCV axes, head units) moves rigidly with the
skull.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numba
import numpy as np
from scipy.spatial.transform import Rotation

from talker.speaker import hair
from talker.speaker.mesh import EYE, HAIR_CAP, LASH_CARD, SKIN, HeadAsset, load_asset, vertex_normals
from talker.speaker.noise import KERNEL
from talker.speaker.shadow import ambient_occlusion

# head point = diag(1, -1, -1) (rest point - HEAD_ORIGIN) / HEAD_UNIT
HEAD_ORIGIN = np.array([0.0, 8.15, 0.55])
HEAD_UNIT = 1.42  # mesh units in a head unit: outer eye corners are then types.OUTER_EYE_SPAN apart
FLIP = np.diag([1.0, -1.0, -1.0])
LIPS_COLUMN, MOUTH_COLUMN, LID_COLUMN, EAR_COLUMN, FACE_COLUMN, SHIRT_COLUMN, SCALP_COLUMN = range(7)

_AT_REST = {"browInnerUp": 0.15}
# Outlines in the (z, y) plane, back to front.
_HAIRLINE = np.array(
    [
        *([-0.6, 7.22], [-0.3, 7.28], [-0.05, 7.5], [0.12, 8.02], [0.42, 8.12], [0.5, 7.82], [0.63, 7.84]),
        *([0.7, 8.32], [0.9, 8.52], [1.15, 8.68], [1.4, 8.8], [1.7, 8.8]),
    ]
)
_JAWLINE = np.array(
    [
        [-0.6, 7.4],
        [0.2, 7.7],
        [0.38, 7.62],
        [0.5, 7.34],
        [0.7, 7.17],
        [0.9, 7.07],
        [1.1, 6.98],
        [1.3, 6.925],
        [1.5, 6.9],
    ]
)
_PIVOT_ABOVE_NECK = np.array([0.0, 0.25, 0.1])
_NECK_LENGTH = 0.95  # below the jaw line, over which the head's motion fades into the trunk


@dataclass(frozen=True)
class HeadState:
    """One moment of the speaker."""

    shapes: dict[str, float] = field(default_factory=dict)  # ARKit blend shape weights
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)  # rotation vector, world axes, radians
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # mesh units
    gaze: tuple[float, float] = (0.0, 0.0)  # eyes in the head: to the viewer's right, up; radians
    breath: float = 0.0  # -1 out to 1 in


@dataclass(frozen=True)
class PosedHead:
    points: np.ndarray  # [V, 3] float32 world
    normals: np.ndarray  # [V, 3] float32
    strand_points: np.ndarray  # [K, 3] float32 world
    strand_normals: np.ndarray  # [K, 3] float32
    skull_rotation: np.ndarray  # [3, 3] rest to world
    skull_shift: np.ndarray  # [3] so that world = rotation rest + shift for all that is rigid
    landmarks: np.ndarray  # [68, 3] world
    landmarks_head: np.ndarray  # [68, 3] head frame, head units


class HeadModel:
    """All that does not change: surfaces and their attributes, strands, occlusion."""

    def __init__(self, asset: HeadAsset) -> None:
        self._asset = asset
        solid = asset.kinds != LASH_CARD
        triangles, kinds = asset.triangles[solid], asset.kinds[solid]
        skin = triangles[kinds == SKIN]
        on_body = np.zeros(len(asset.points), bool)
        on_body[skin] = True
        shirt = _shirt(asset.points) * on_body
        neutral = asset.points + vertex_normals(asset.points, skin) * (0.035 * np.clip(1.6 * shirt, 0, 1))[:, None]
        scalp = _scalp(neutral, asset.masks) * on_body
        self._neutral, self._mesh_triangles = neutral, triangles.astype(np.int32)
        self._head_weight = np.where(on_body, _head_weight(neutral), 1.0)
        masks = np.stack([*asset.masks.T, shirt, scalp], 1)

        sphere, sphere_triangles = _eyeball()
        self._sphere = sphere
        scalp_triangles = skin[(scalp[skin] > 0.02).any(1)]
        self._cap = np.unique(scalp_triangles)
        at_cap = np.full(len(neutral), -1)
        at_cap[self._cap] = np.arange(len(self._cap))
        self._cap_height = (
            0.5 * hair.hair_thickness(neutral[self._cap]) * np.clip(2.0 * scalp[self._cap] - 1.0, -0.1, 1.0)
        )
        surfaces = [(neutral, masks, triangles, kinds)]
        surfaces += [(sphere, np.zeros((len(sphere), 7)), sphere_triangles, np.full(len(sphere_triangles), EYE))] * 2
        surfaces += [
            (neutral[self._cap], masks[self._cap], at_cap[scalp_triangles], np.full(len(scalp_triangles), HAIR_CAP))
        ]
        starts = np.cumsum([0] + [len(surface[0]) for surface in surfaces])
        self.rest = np.concatenate([surface[0] for surface in surfaces]).astype(np.float32)  # [V, 3]
        self.masks = np.concatenate([surface[1] for surface in surfaces]).astype(np.float32)  # [V, 7] *_COLUMN
        self.triangles = np.concatenate([s[2] + at for s, at in zip(surfaces, starts, strict=False)]).astype(np.int32)
        self.kinds = np.concatenate([surface[3] for surface in surfaces]).astype(np.int32)  # [T]

        normals = vertex_normals(neutral, self._mesh_triangles)
        self._hair = hair.grow_hair(neutral, normals, scalp_triangles, scalp)
        lashes = hair.lash_strands(neutral, asset.lids)
        both = (self._hair, lashes)
        self.strand_openness = np.concatenate([s.openness for s in both]).astype(np.float32)  # [K]
        self.strand_tone = np.concatenate([s.tone for s in both]).astype(np.float32)
        self.strand_radii = np.concatenate([s.radii for s in both]).astype(np.float32)
        self.segments = np.concatenate([self._hair.segments, lashes.segments + len(self._hair.points)])  # [S, 2]
        self.segment_kinds = np.concatenate([np.full(len(s.segments), s.kind, np.int32) for s in both])
        casters = np.arange(len(self.triangles))
        self.occlusion = np.ones(len(self.rest), np.float32)
        posed = self.pose(HeadState())
        self.occlusion[: len(neutral)] = ambient_occlusion(posed.points.astype(float), self.triangles, casters)[
            : len(neutral)
        ]
        self.below_jaw = below_jaw(self.rest).astype(np.float32)  # [V]
        self.mouth_front = (
            float(neutral[asset.masks[:, LIPS_COLUMN] > 0.6, 2].max()) - 0.08
        )  # rest z just behind the lips

    def deform(
        self,
        shapes: dict[str, float],
    ) -> np.ndarray:
        """The head's own mesh [V', 3] in rest space under blend shapes, on top of a kinder face than the asset's."""
        points = self._neutral.copy()
        weights = dict(shapes)
        for name, weight in _AT_REST.items():
            weights[name] = weights.get(name, 0.0) + weight
        for side in ("Left", "Right"):
            open_lid = 1.0 - min(1.0, weights.get(f"eyeBlink{side}", 0.0))
            weights[f"eyeWide{side}"] = weights.get(f"eyeWide{side}", 0.0) + 0.3 * open_lid
        for name, weight in weights.items():
            if abs(weight) > 1e-4:
                moved, offsets = self._asset.shapes[name]
                points[moved] += weight * offsets
        return points

    def pose(self, state: HeadState) -> PosedHead:
        points = self.deform(state.shapes)
        normals = vertex_normals(points, self._mesh_triangles)
        anchors = (points[self._asset.anchor_triangles] * self._asset.anchor_weights[..., None]).sum(1)
        lashes = hair.lash_strands(points, self._asset.lids)
        yaw, pitch = state.gaze
        look = Rotation.from_euler("yx", [yaw, -pitch]).as_matrix()
        ball = _rotated(self._sphere, look)
        ball_normals = ball / np.linalg.norm(ball, axis=1, keepdims=True)
        all_points, all_normals = [points], [normals]
        for eye in self._asset.eyes:
            all_points.append(eye[:3] + ball * eye[3])
            all_normals.append(ball_normals)
        all_points.append(points[self._cap] + normals[self._cap] * self._cap_height[:, None])
        all_normals.append(normals[self._cap])
        weights = np.ones(len(self.rest))
        weights[: len(points)] = self._head_weight

        pivot = self._asset.neck + _PIVOT_ABOVE_NECK
        rotation, shift = np.asarray(state.rotation, float), np.asarray(state.shift, float)
        breath = state.breath * np.array([0.0, 0.02, 0.015])
        bend = (rotation, pivot, shift, breath)
        world, world_normals = _bend(np.concatenate(all_points), np.concatenate(all_normals), weights, *bend)
        rigid = np.ones(len(self.strand_openness))
        strand_points = np.concatenate([self._hair.points, lashes.points])
        strand_normals = np.concatenate([self._hair.normals, lashes.normals])
        strands, strand_normals = _bend(strand_points, strand_normals, rigid, *bend)
        landmarks, _ = _bend(anchors, np.zeros((68, 3)), np.ones(68), *bend)
        matrix = Rotation.from_rotvec(rotation).as_matrix()
        return PosedHead(
            points=world.astype(np.float32),
            normals=world_normals.astype(np.float32),
            strand_points=strands.astype(np.float32),
            strand_normals=strand_normals.astype(np.float32),
            skull_rotation=matrix,
            skull_shift=pivot + shift - _rotated(pivot[None], matrix)[0],
            landmarks=landmarks,
            landmarks_head=(anchors - HEAD_ORIGIN) / HEAD_UNIT * np.diag(FLIP),
        )


@lru_cache(maxsize=1)
def head_model() -> HeadModel:
    return HeadModel(load_asset())


def below_jaw(
    points: np.ndarray,  # [V, 3] rest
) -> np.ndarray:
    """Height [V] of the jaw line above the points: positive on the neck, negative on the face."""
    return np.interp(points[:, 2], _JAWLINE[:, 0], _JAWLINE[:, 1]) - points[:, 1]


def _head_weight(points: np.ndarray) -> np.ndarray:
    """1 on the skull, the whole face and the jaw; fades over the neck to 0 at the trunk."""
    t = np.clip(below_jaw(points) / _NECK_LENGTH, 0.0, 1.0)
    return 1.0 - t * t * (3.0 - 2.0 * t)


def _shirt(points: np.ndarray) -> np.ndarray:
    collar = 6.36 + 0.36 * np.clip((0.5 - points[:, 2]) / 0.9, 0, 1) + 0.9 * np.maximum(0, np.abs(points[:, 0]) - 0.62)
    return np.clip((collar - points[:, 1]) / 0.10, 0, 1) * (points[:, 1] < 6.95)


def _scalp(points: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Where hair grows: 0 at the hairline and off it, 1 inside; not on ears, nor near their holes."""
    line = np.interp(points[:, 2], _HAIRLINE[:, 0], _HAIRLINE[:, 1])
    uneven = 0.03 * np.sin(17 * points[:, 0]) * np.sin(13 * points[:, 2] + 2)
    density = np.clip((points[:, 1] - line + uneven) / 0.13, 0, 1) * (points[:, 1] > 7.1)
    density *= (masks[:, EAR_COLUMN] < 0.3) * (masks[:, MOUTH_COLUMN] < 0.1)
    return density * np.clip((np.linalg.norm(points - (0.0, 8.2, 0.35), axis=1) - 0.55) / 0.1, 0, 1)


def _eyeball(rings: int = 33, spokes: int = 49) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere looking along +z with the cornea's bulge, and its triangles."""
    polar, around = np.meshgrid(np.linspace(0, math.pi, rings), np.linspace(0, 2 * math.pi, spokes), indexing="ij")
    sphere = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1).reshape(
        -1, 3
    )
    index = np.arange(rings * spokes).reshape(rings, spokes)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    bulge = 1.0 + 0.085 * np.clip((sphere[:, 2] - 0.86) / 0.14, 0, 1) ** 0.8
    return sphere * bulge[:, None], np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _rotated(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """points @ matrix.T, in a fixed order of additions."""
    return points[:, :1] * matrix[:, 0] + points[:, 1:2] * matrix[:, 1] + points[:, 2:] * matrix[:, 2]


@numba.njit(**KERNEL)
def _bend(
    points,  # [V, 3] rest
    normals,  # [V, 3]
    weights,  # [V] share of the head's motion
    rotation,  # [3] rotation vector
    pivot,  # [3]
    shift,  # [3] of the head
    breath,  # [3] shift of the trunk
):
    """Rotate each point about the pivot by its share of the angle (Rodrigues), and shift it by its share."""
    angle = math.sqrt(rotation[0] ** 2 + rotation[1] ** 2 + rotation[2] ** 2)
    x, y, z = 0.0, 1.0, 0.0
    if angle > 1e-9:
        x, y, z = rotation[0] / angle, rotation[1] / angle, rotation[2] / angle
    moved, turned = np.empty_like(points), np.empty_like(points)
    matrix = np.empty((3, 3))
    last_weight = -1.0
    for v in range(len(points)):
        w = weights[v]
        if w != last_weight:
            c, s = math.cos(angle * w), math.sin(angle * w)
            d = 1.0 - c
            matrix[0, 0], matrix[0, 1], matrix[0, 2] = c + d * x * x, d * x * y - s * z, d * x * z + s * y
            matrix[1, 0], matrix[1, 1], matrix[1, 2] = d * x * y + s * z, c + d * y * y, d * y * z - s * x
            matrix[2, 0], matrix[2, 1], matrix[2, 2] = d * x * z - s * y, d * y * z + s * x, c + d * z * z
            last_weight = w
        px, py, pz = points[v, 0] - pivot[0], points[v, 1] - pivot[1], points[v, 2] - pivot[2]
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        for axis in range(3):
            turn = matrix[axis, 0] * px + matrix[axis, 1] * py + matrix[axis, 2] * pz
            moved[v, axis] = turn + pivot[axis] + w * shift[axis] + (1.0 - w) * breath[axis]
            turned[v, axis] = matrix[axis, 0] * nx + matrix[axis, 1] * ny + matrix[axis, 2] * nz
    return moved, turned
