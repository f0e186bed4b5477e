"""Poses that agree with what flow says of all pairs of frames at once: bundle adjustment on a graph.

Notation as in `flow`: B frames, N surface points, E pairs (i, j). The residual of a pair is
    r = u_j(X) - u_i(X) - shift_ij,
with u_b(X) the image of surface point X in frame b. All six numbers of all poses are solved together
(Gauss-Newton, Cauchy loss); the points move along. Landmark poses enter as a faint pull that fixes what pairs
cannot know: the head frame itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import bsr_matrix
from scipy.sparse.linalg import LinearOperator, cg
from scipy.spatial.transform import Rotation

from talker.core.types import Reporter
from talker.take.flow import Comparisons, Surface, choose_pairs, compare, eye_span_px, rigid_surface, texture
from talker.take.pose import (
    CAUCHY_PX,
    HeadMotion,
    change_frame,
    head_frame,
    pose_jacobian,
    project_points,
    rigid_weights,
    robust_weights,
    shape_step,
)

LANDMARK_PULL = 3e-4  # weight of a landmark pose's point images against a flow's
DEPTH_PULL = 1e-4  # pull of the surface points toward where they were, against one pair's full parallax
CAUCHY = 0.005  # of the eye span: flow error at which a residual starts to lose its say
ROUNDS = 2  # comparisons are made anew from better poses
STEPS = 6  # Gauss-Newton steps in a round
CHUNK = 400  # pairs at a time: bounds the memory
MINIMUM_POINTS = 25.0  # mean of followed points in a pair below which pictures have too little texture


def refine_motion(
    motion: HeadMotion,  # from landmarks; its shape is the landmarks'
    landmarks_px: np.ndarray,  # [B, M, 2]
    ibug: tuple[int, ...],
    grey: np.ndarray,  # [B, H, W] uint8, in the motion's pixels
    mattes: np.ndarray,  # [B, H, W] uint8
    reporter: Reporter,
    pieces: Sequence[range] = (),  # of the frames, each without a cut; none: all are one
) -> HeadMotion:
    """Poses to a fraction of a pixel, and the landmarks' shape seen from them. Falls back to `motion` where the
    pictures have too little texture to follow."""
    surface = rigid_surface(motion.shape)
    span_px = eye_span_px(motion)
    textures = np.stack([texture(image, span_px) for image in grey])
    start, refined, points = motion, motion, surface.points
    for turn in range(ROUNDS):
        pairs = choose_pairs(refined, np.random.default_rng(turn), pieces=pieces)
        found = compare(refined, Surface(points, surface.normals), pairs, textures, mattes)
        if found.weight.sum() < MINIMUM_POINTS * len(pairs):
            reporter.notice("The picture is too smooth to follow the head finely; its poses come from landmarks alone")
            return motion
        for step in range(STEPS):
            refined = agree(refined, start, points, found)
            points = move_points(refined, points, surface.points, found)
            reporter.progress("pose", (turn + (step + 1) / STEPS) / ROUNDS, "agreeing on the head's motion")
    return refit_shape(refined, landmarks_px, ibug)


def agree(
    motion: HeadMotion,
    start: HeadMotion,  # the landmarks' poses
    points: np.ndarray,  # [N, 3]
    found: Comparisons,
) -> HeadMotion:
    """One Gauss-Newton step on all poses together."""
    count = len(motion.rotation)
    images, jacobian = pose_jacobian(replace(motion, shape=points))
    pulled = images - project_points(replace(start, shape=points))[0]
    flat = jacobian.reshape(count, -1, 6)
    diagonal = LANDMARK_PULL * flat.swapaxes(1, 2) @ flat + 1e-6 * np.eye(6)
    gradient = LANDMARK_PULL * (flat.swapaxes(1, 2) @ pulled.reshape(count, -1, 1))[..., 0]
    cauchy_px = CAUCHY * eye_span_px(motion)
    across = np.empty((len(found.pairs), 6, 6))
    for chunk in range(0, len(found.pairs), CHUNK):
        part = slice(chunk, chunk + CHUNK)
        i, j = found.pairs[part].T
        residual = images[j] - images[i] - found.shift[part]
        weight = found.weight[part] / (1.0 + (residual**2).sum(axis=-1) / cauchy_px**2)
        root = np.sqrt(weight)[..., None]
        rest = (residual * root).reshape(len(i), -1, 1)
        by_i = (jacobian[i] * root[..., None]).reshape(len(i), -1, 6)
        by_j = (jacobian[j] * root[..., None]).reshape(len(j), -1, 6)
        np.add.at(diagonal, i, by_i.swapaxes(1, 2) @ by_i)
        np.add.at(diagonal, j, by_j.swapaxes(1, 2) @ by_j)
        np.add.at(gradient, i, -(by_i.swapaxes(1, 2) @ rest)[..., 0])
        np.add.at(gradient, j, (by_j.swapaxes(1, 2) @ rest)[..., 0])
        across[part] = -by_i.swapaxes(1, 2) @ by_j
    change = -solve_blocks(diagonal, found.pairs, across, gradient)
    return replace(
        motion,
        rotation=Rotation.from_rotvec(change[:, :3]).as_matrix() @ motion.rotation,
        translation=motion.translation + change[:, 3:],
    )


def solve_blocks(
    diagonal: np.ndarray,  # [B, 6, 6]
    pairs: np.ndarray,  # [E, 2]
    across: np.ndarray,  # [E, 6, 6]: block (i, j); block (j, i) is its transpose
    right: np.ndarray,  # [B, 6]
) -> np.ndarray:  # [B, 6]
    """A symmetric block system by conjugate gradients, preconditioned by its diagonal blocks.

    The distant pairs make the graph an expander, on which this converges in tens of steps where a factorisation
    would fill up.
    """
    count = len(diagonal)
    rows = np.concatenate([np.arange(count), pairs[:, 0], pairs[:, 1]])
    columns = np.concatenate([np.arange(count), pairs[:, 1], pairs[:, 0]])
    blocks = np.concatenate([diagonal, across, across.swapaxes(1, 2)])
    order = np.lexsort((columns, rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])
    matrix = bsr_matrix((blocks[order], columns[order], starts), shape=(6 * count, 6 * count))
    inverse = np.linalg.inv(diagonal)

    def precondition(vector: np.ndarray) -> np.ndarray:
        return np.einsum("bij,bj->bi", inverse, vector.reshape(count, 6)).ravel()

    preconditioner = LinearOperator(matrix.shape, matvec=precondition, dtype=np.float64)
    solution, _ = cg(matrix, right.ravel(), rtol=1e-5, maxiter=400, M=preconditioner)
    return solution.reshape(count, 6)


def move_points(
    motion: HeadMotion,
    points: np.ndarray,  # [N, 3]
    prior: np.ndarray,  # [N, 3]
    found: Comparisons,
) -> np.ndarray:
    """One Gauss-Newton step on every surface point, drawn toward `prior`: depths that explain the parallax."""
    images, _, by_point = project_points(replace(motion, shape=points))
    jacobian = by_point @ motion.rotation[:, None]  # [B, N, 2, 3]
    cauchy_px = CAUCHY * eye_span_px(motion)
    pixels_per_unit = motion.focal_px / float(motion.translation[:, 2].mean())
    pull = DEPTH_PULL * len(found.pairs) * pixels_per_unit**2
    normal = np.tile(pull * np.eye(3), (len(points), 1, 1))
    gradient = pull * (points - prior)
    for chunk in range(0, len(found.pairs), CHUNK):
        part = slice(chunk, chunk + CHUNK)
        i, j = found.pairs[part].T
        residual = images[j] - images[i] - found.shift[part]
        weight = found.weight[part] / (1.0 + (residual**2).sum(axis=-1) / cauchy_px**2)
        root = np.sqrt(weight)[..., None]
        by = ((jacobian[j] - jacobian[i]) * root[..., None]).transpose(1, 0, 2, 3).reshape(len(points), -1, 3)
        rest = (residual * root).transpose(1, 0, 2).reshape(len(points), -1, 1)
        normal += by.swapaxes(1, 2) @ by
        gradient += (by.swapaxes(1, 2) @ rest)[..., 0]
    return points - np.linalg.solve(normal, gradient[..., None])[..., 0]


def refit_shape(
    motion: HeadMotion,
    landmarks_px: np.ndarray,  # [B, M, 2]
    ibug: tuple[int, ...],
    rounds: int = 4,
) -> HeadMotion:
    """The landmarks' rigid shape as the given poses see it, in its own head frame."""
    cauchy_px = CAUCHY_PX * eye_span_px(motion)
    prior = motion.shape
    for _ in range(rounds):
        weight = robust_weights(motion, landmarks_px, rigid_weights(motion.shape), cauchy_px)
        motion = shape_step(motion, landmarks_px, weight, prior)
    return change_frame(motion, *head_frame(motion.shape[list(ibug)]))
