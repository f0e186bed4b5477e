"""The head asset and Catmull-Clark subdivision.

Notation: V vertices, Q quads, T triangles. Mesh units are decimetres, x to the viewer's right, y up, z toward the
viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from scipy import sparse

from talker.speaker.noise import KERNEL

SKIN, TONGUE, TEETH, LASH_CARD, EYE, HAIR_CAP, HAIR, LASH = range(8)  # kinds of surface; the first four as in the asset
ASSET = Path(__file__).with_name("speaker_head.npz")


@dataclass(frozen=True)
class Lid:
    """Where lashes grow on one of the four eyelids."""

    roots: np.ndarray  # [M] vertices along the lid's edge
    tips: np.ndarray  # [M] the vertices where lashes from there end
    is_upper: bool


@dataclass(frozen=True)
class HeadAsset:
    """The file, after one Catmull-Clark step."""

    points: np.ndarray  # [V, 3]
    triangles: np.ndarray  # [T, 3] int
    kinds: np.ndarray  # [T]
    masks: np.ndarray  # [V, 5] in [0, 1]: lips, inside of the mouth, eyelids, ears, face
    eyes: np.ndarray  # [2, 4] centre and radius
    neck: np.ndarray  # [3] the joint at its base
    shapes: dict[str, tuple[np.ndarray, np.ndarray]]  # ARKit's names: vertex indices [n], offsets [n, 3]
    anchor_triangles: np.ndarray  # [68, 3] iBUG landmarks: vertex indices ...
    anchor_weights: np.ndarray  # [68, 3] ... and barycentric weights
    lids: list[Lid]


def load_asset(path: Path = ASSET) -> HeadAsset:
    data = np.load(path)
    points, quads = data["V"].astype(float), data["quads"].astype(int)
    upper_teeth = (data["vid"] >= 15060) & (data["vid"] <= 15127)
    points[upper_teeth] += (0.0, -0.055, 0.015)  # they hide behind the lip otherwise
    subdivide, finer = catmull_clark(quads, len(points))
    shapes = {}
    for index, name in enumerate(data["bs_names"]):
        first, last = data["bs_off"][index : index + 2]
        offsets = np.zeros_like(points)
        offsets[data["bs_idx"][first:last]] = data["bs_d"][first:last] / 1000.0
        offsets = subdivide @ offsets
        moved = np.flatnonzero(np.abs(offsets).sum(1) > 1e-4)
        shapes[str(name)] = (moved, offsets[moved])
    kinds = np.repeat(data["grp"], 4)
    return HeadAsset(
        points=subdivide @ points,
        triangles=np.concatenate([finer[:, [0, 1, 2]], finer[:, [0, 2, 3]]]),
        kinds=np.concatenate([kinds, kinds]),
        masks=subdivide @ (data["masks"] / 255.0),
        eyes=data["eye"].astype(float),
        neck=data["neck"].astype(float),
        shapes=shapes,
        anchor_triangles=data["lm_tri"].astype(int),
        anchor_weights=data["lm_bary"].astype(float),
        lids=_lids(quads[data["grp"] == LASH_CARD], points, data["eye"]),
    )


def catmull_clark(
    quads: np.ndarray,  # [Q, 4] int
    vertices: int,
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """One step of Catmull-Clark subdivision with the boundary rule (Catmull and Clark 1978; DeRose et al. 1998).

    Returns the matrix [V', V] that makes the new points (moved vertices, then edges, then faces) and quads [4 Q, 4].
    """
    count = len(quads)
    corners = np.sort(np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2), 1)
    edges, edge_of_corner, uses = np.unique(corners, axis=0, return_inverse=True, return_counts=True)
    edge_of_corner = edge_of_corner.reshape(count, 4)

    def matrix(rows: np.ndarray, columns: np.ndarray, value: float, shape: tuple[int, int]) -> sparse.csr_matrix:
        return sparse.csr_matrix((np.full(len(rows), value), (rows, columns)), shape)

    each_face, each_edge = np.repeat(np.arange(count), 4), np.repeat(np.arange(len(edges)), 2)
    face_points = matrix(each_face, quads.ravel(), 0.25, (count, vertices))
    midpoints = matrix(each_edge, edges.ravel(), 0.5, (len(edges), vertices))
    edge_faces = matrix(edge_of_corner.ravel(), each_face, 1.0, (len(edges), count))
    vertex_faces = matrix(quads.ravel(), each_face, 1.0, (vertices, count))
    vertex_edges = matrix(edges.ravel(), each_edge, 1.0, (vertices, len(edges)))

    inner = (uses == 2).astype(float)
    edge_points = sparse.diags(1.0 - 0.5 * inner) @ midpoints + sparse.diags(0.25 * inner) @ (edge_faces @ face_points)

    valence = np.bincount(quads.ravel(), minlength=vertices).astype(float)
    degree = np.asarray(vertex_edges.sum(1)).ravel()
    rim_edges = vertex_edges @ sparse.diags((uses == 1).astype(float))
    rim_degree = np.asarray(rim_edges.sum(1)).ravel()
    inverse = 1.0 / np.maximum(valence, 1.0)
    identity = sparse.identity(vertices)
    inside = (
        sparse.diags(inverse**2) @ vertex_faces @ face_points
        + sparse.diags(2.0 * inverse / np.maximum(degree, 1.0)) @ vertex_edges @ midpoints
        + sparse.diags((valence - 3.0) * inverse) @ identity
    )
    rim = 0.5 * identity + sparse.diags(0.5 / np.maximum(rim_degree, 1.0)) @ rim_edges @ midpoints
    on_rim = (rim_degree > 0).astype(float)
    vertex_points = sparse.diags(1.0 - on_rim) @ inside + sparse.diags(on_rim) @ rim

    edge_at, face_at = vertices, vertices + len(edges)
    face_index = np.repeat(face_at + np.arange(count), 4).reshape(count, 4)
    finer = np.stack([quads, edge_at + edge_of_corner, face_index, edge_at + np.roll(edge_of_corner, 1, 1)], 2)
    return sparse.vstack([vertex_points, edge_points, face_points]).tocsr(), finer.reshape(-1, 4)


def _lids(
    quads: np.ndarray,  # [Q, 4] the lash cards: four grids, one per lid
    points: np.ndarray,  # [V, 3] before subdivision
    eyes: np.ndarray,  # [2, 4]
) -> list[Lid]:
    """A lash card's long sides are matching rows of vertices; the roots are the one nearer to the eye."""
    edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2), 1)
    border, uses = np.unique(edges, axis=0, return_counts=True)
    border = border[uses == 1]
    neighbours: dict[int, list[int]] = {}
    for a, b in border.tolist():
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    valence = np.bincount(quads.ravel(), minlength=len(points))
    corners = {vertex for vertex in neighbours if valence[vertex] == 1}
    lids = []
    while corners:
        start = min(corners)
        sides, here, before = [], start, None
        while len(sides) < 4:
            side = [here]
            while len(side) == 1 or side[-1] not in corners:
                onward = [v for v in neighbours[side[-1]] if v != before]
                before = side[-1]
                side.append(onward[0])
            sides.append(side)
            here = side[-1]
        corners -= {side[0] for side in sides}
        first, second = (sides[0], sides[2]) if len(sides[0]) > len(sides[1]) else (sides[1], sides[3])
        pair = np.array(first), np.array(second[::-1])
        eye = eyes[np.argmin(np.linalg.norm(eyes[:, :3] - points[pair[0]].mean(0), axis=1)), :3]
        near = np.argmin([np.linalg.norm(points[row] - eye, axis=1).mean() for row in pair])
        roots, tips = pair[near], pair[1 - near]
        lids.append(Lid(roots, tips, bool(points[tips, 1].mean() > points[roots, 1].mean())))
    return lids


@numba.njit(**KERNEL)
def vertex_normals(
    points,  # [V, 3]
    triangles,  # [T, 3]
):
    """Area-weighted unit normals [V, 3]; zero where no triangle is."""
    normals = np.zeros_like(points)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for v in range(len(points)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2) + 1e-12
        normals[v] /= length
    return normals
