"""Head poses by bundle adjustment: one rigid shape and one focal length per speaker, one pose per frame.

Notation: B frames, M points; X [M, 3] the shape in the head frame; R [B, 3, 3] and t [B, 3] take the head frame to the
camera, q = R X + t; u = f q_xy / q_z + centre is where a point lands, in pixels.

Landmarks are noisy, biased when the head turns, and follow the talking mouth. So every point's weight is learnt from
its own residuals (iteratively reweighted least squares, Cauchy loss), starting from "the upper face is rigid".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from talker.core.types import EYE_MIDPOINT, OUTER_EYE_SPAN

# How far away people sit from the camera that films them: head units (about 15 cm) from lens to eyes. It decides the
# focal length, which a talking head's small turns hardly show.
TYPICAL_DISTANCE = 6.0
# The mouth's corners lie below the eyes and a little nearer to the camera: (down, away) in a frontal face.
EYES_TO_MOUTH = (0.495, -0.068)
CAUCHY_PX = 0.02  # landmark noise at which a residual starts to lose its say, as a share of the eye span
DEPTH_PRIOR = 2e-4  # pull of the points toward the detector's mean shape, relative to B observations
RIGHT_EYE, LEFT_EYE, MOUTH_CORNERS = 36, 45, (48, 54)  # iBUG; the eyes are the subject's


@dataclass(frozen=True)
class HeadMotion:
    """A rigid shape and where it was in every frame."""

    shape: np.ndarray  # [M, 3] head frame
    rotation: np.ndarray  # [B, 3, 3] head to camera
    translation: np.ndarray  # [B, 3] head to camera
    focal_px: float
    centre_px: tuple[float, float]

    def only(
        self,
        frames: np.ndarray,  # places, or [B] bool
    ) -> HeadMotion:
        return replace(self, rotation=self.rotation[frames], translation=self.translation[frames])

    def c2w(self) -> np.ndarray:
        """Camera to head frame, [B, 4, 4] float64."""
        inverse = np.zeros((len(self.rotation), 4, 4))
        inverse[:, :3, :3] = self.rotation.transpose(0, 2, 1)
        inverse[:, :3, 3] = -np.einsum("bji,bj->bi", self.rotation, self.translation)
        inverse[:, 3, 3] = 1.0
        return inverse


def align_similarity(
    target: np.ndarray,  # [..., M, 3]
    source: np.ndarray,  # [M, 3]
    weight: np.ndarray,  # [M]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # scale [...], rotation [..., 3, 3], shift [..., 3]
    """Least-squares s, R, t with target = s R source + t (Umeyama, 1991)."""
    share = (weight / weight.sum())[:, None]
    target_mean = (share * target).sum(axis=-2, keepdims=True)
    source_mean = (share * source).sum(axis=-2, keepdims=True)
    centred = source - source_mean
    u, singular, v = np.linalg.svd(((target - target_mean) * share).swapaxes(-1, -2) @ centred)
    flip = np.ones_like(singular)
    flip[..., 2] = np.sign(np.linalg.det(u @ v))
    rotation = (u * flip[..., None, :]) @ v
    scale = (singular * flip).sum(axis=-1) / (share * centred**2).sum()
    shift = target_mean[..., 0, :] - scale[..., None] * (rotation @ source_mean[0])
    return scale, rotation, shift


def mean_shape(
    points: np.ndarray,  # [B, M, 3] pixels
    rounds: int = 4,
) -> np.ndarray:  # [M, 3] centred, in the first frame's orientation and scale
    """The shape that the frames share once position, turn and size are taken out (generalised Procrustes)."""
    weight = np.ones(points.shape[1])
    shape = points[0] - points[0].mean(axis=0)
    for _ in range(rounds):
        scale, rotation, shift = align_similarity(points, shape, weight)
        shape = (((points - shift[:, None]) @ rotation) / scale[:, None, None]).mean(axis=0)
    return shape


def head_frame(
    landmarks: np.ndarray,  # [68, 3] in any frame with image-like handedness (x right, y down, z away)
) -> tuple[float, np.ndarray, np.ndarray]:  # scale, rotation [3, 3], shift [3]
    """The similarity head = s R point + t that puts a face where the program expects it.

    The outer eye corners lie OUTER_EYE_SPAN apart along x, their midpoint at EYE_MIDPOINT, and the mouth in the
    direction EYES_TO_MOUTH from there: a frontal face looks along -z.
    """
    across = landmarks[LEFT_EYE] - landmarks[RIGHT_EYE]
    midpoint = (landmarks[LEFT_EYE] + landmarks[RIGHT_EYE]) / 2.0
    across_mouth = landmarks[MOUTH_CORNERS[1]] - landmarks[MOUTH_CORNERS[0]]
    x_axis = across / np.linalg.norm(across) + 0.5 * across_mouth / np.linalg.norm(across_mouth)
    x_axis /= np.linalg.norm(x_axis)
    to_mouth = (landmarks[MOUTH_CORNERS[0]] + landmarks[MOUTH_CORNERS[1]]) / 2.0 - midpoint
    to_mouth = to_mouth - x_axis * (to_mouth @ x_axis)
    to_mouth /= np.linalg.norm(to_mouth)
    sideways = np.cross(x_axis, to_mouth)  # away from the viewer, at a right angle to the face
    lean = np.arctan2(EYES_TO_MOUTH[1], EYES_TO_MOUTH[0])
    y_axis = np.cos(lean) * to_mouth - np.sin(lean) * sideways
    z_axis = np.cross(x_axis, y_axis)
    rotation = np.stack([x_axis, y_axis, z_axis])
    scale = OUTER_EYE_SPAN / np.linalg.norm(across)
    return float(scale), rotation, np.asarray(EYE_MIDPOINT) - scale * rotation @ midpoint


def rigid_weights(
    shape: np.ndarray,  # [M, 3] head frame
) -> np.ndarray:  # [M]
    """How far a point may be trusted to follow the skull before any residual is known: the jaw and lips hardly."""
    below_nose = np.clip((shape[:, 1] - 0.25) / 0.2, 0.0, 1.0)
    return 1.0 - 0.95 * below_nose


def project_points(
    motion: HeadMotion,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # u [B, M, 2], turned = R X [B, M, 3], du/dq [B, M, 2, 3]
    """Images of the shape in every frame, with their derivatives by the point in camera axes."""
    turned = motion.shape @ motion.rotation.swapaxes(1, 2)
    q = turned + motion.translation[:, None]
    per_depth = motion.focal_px / q[..., 2]
    u = q[..., :2] * per_depth[..., None] + np.asarray(motion.centre_px)
    derivative = np.zeros((*u.shape, 3))
    derivative[..., 0, 0] = derivative[..., 1, 1] = per_depth
    derivative[..., 2] = -per_depth[..., None] * q[..., :2] / q[..., 2:]
    return u, turned, derivative


def pose_jacobian(
    motion: HeadMotion,
) -> tuple[np.ndarray, np.ndarray]:  # u [B, M, 2], du / d(omega, t) [B, M, 2, 6]
    """Images of the shape, and how they change as q does by omega x (R X) + dt."""
    u, turned, by_point = project_points(motion)
    return u, np.concatenate([np.cross(turned[:, :, None], by_point), by_point], axis=-1)


def pose_step(
    motion: HeadMotion,
    observed: np.ndarray,  # [B, M, 2] pixels
    weight: np.ndarray,  # [B, M]
) -> HeadMotion:
    """One Gauss-Newton step on every frame's own six numbers."""
    u, jacobian = pose_jacobian(motion)
    weighted = jacobian * weight[..., None, None]
    batch = len(observed)
    flat, flat_weighted = jacobian.reshape(batch, -1, 6), weighted.reshape(batch, -1, 6)
    normal = flat_weighted.swapaxes(1, 2) @ flat + 1e-6 * np.eye(6)
    gradient = flat_weighted.swapaxes(1, 2) @ (u - observed).reshape(batch, -1, 1)
    step = -np.linalg.solve(normal, gradient)[..., 0]
    return replace(
        motion,
        rotation=Rotation.from_rotvec(step[:, :3]).as_matrix() @ motion.rotation,
        translation=motion.translation + step[:, 3:],
    )


def shape_step(
    motion: HeadMotion,
    observed: np.ndarray,  # [B, M, 2] pixels
    weight: np.ndarray,  # [B, M]
    prior: np.ndarray,  # [M, 3] head frame
) -> HeadMotion:
    """One Gauss-Newton step on every point's own three numbers, all frames together, drawn toward `prior`."""
    u, _, by_point = project_points(motion)
    jacobian = by_point @ motion.rotation[:, None]  # [B, M, 2, 3]
    pull = DEPTH_PRIOR * len(observed) * (motion.focal_px / motion.translation[:, 2].mean()) ** 2
    per_point = jacobian.transpose(1, 3, 0, 2).reshape(len(prior), 3, -1)  # [M, 3, 2 B]
    weighted = per_point * np.repeat(weight.T, 2, axis=1)[:, None]
    normal = weighted @ per_point.swapaxes(1, 2) + pull * np.eye(3)
    gradient = weighted @ (u - observed).transpose(1, 0, 2).reshape(len(prior), -1, 1)
    gradient += pull * (motion.shape - prior)[..., None]
    return replace(motion, shape=motion.shape - np.linalg.solve(normal, gradient)[..., 0])


def change_frame(
    motion: HeadMotion,
    scale: float,
    rotation: np.ndarray,  # [3, 3]
    shift: np.ndarray,  # [3]
) -> HeadMotion:
    """The same images from a head frame moved by new = s R old + t (everything scales, the camera's distance too)."""
    turned = motion.rotation @ rotation.T
    return replace(
        motion,
        shape=scale * motion.shape @ rotation.T + shift,
        rotation=turned,
        translation=scale * motion.translation - turned @ shift,
    )


def solve_motion(
    points: np.ndarray,  # [B, M, 3] pixels; NaN rows where no face was found
    ibug: tuple[int, ...],  # the 68 iBUG points among the M
    size_px: tuple[int, int],  # (width, height)
    rounds: int = 15,
) -> HeadMotion:
    """Shape, focal length and poses of all frames, robustly; frames without a face get their neighbours' pose."""
    seen = np.isfinite(points[:, 0, 0])
    points = points[seen].astype(np.float64)
    prior = mean_shape(points)
    scale, rotation, shift = head_frame(prior[list(ibug)])
    prior = scale * prior @ rotation.T + shift
    trust = rigid_weights(prior)
    # Scaled orthography first: its scale and the typical distance say what the focal length is.
    sizes, turns, places = align_similarity(points, prior, trust)
    focal_px = float(np.median(sizes)) * TYPICAL_DISTANCE
    centre = np.array([size_px[0] / 2.0, size_px[1] / 2.0])
    depth = focal_px / sizes
    translation = np.concatenate([(places[:, :2] - centre) / sizes[:, None], depth[:, None]], axis=1)
    motion = HeadMotion(prior, turns, translation, focal_px, (float(centre[0]), float(centre[1])))
    observed = points[..., :2]
    cauchy_px = CAUCHY_PX * OUTER_EYE_SPAN * float(np.median(sizes))
    weight = np.broadcast_to(trust, observed.shape[:2])
    for turn in range(rounds):
        motion = pose_step(motion, observed, weight)
        if turn >= 2:  # the first steps only bring the poses in; the shape is already good
            motion = shape_step(motion, observed, weight, prior)
            motion = change_frame(motion, *align_similarity(prior, motion.shape, trust))
        weight = robust_weights(motion, observed, trust, cauchy_px)
    motion = change_frame(motion, *head_frame(motion.shape[list(ibug)]))
    return fill_gaps(motion, seen)


def robust_weights(
    motion: HeadMotion,
    observed: np.ndarray,  # [B, M, 2]
    trust: np.ndarray,  # [M]
    cauchy_px: float,
) -> np.ndarray:  # [B, M]
    """Cauchy weights per observation, times one weight per point from its median residual."""
    residual = np.linalg.norm(project_points(motion)[0] - observed, axis=-1)
    per_point = 1.0 / (cauchy_px**2 + np.median(residual, axis=0) ** 2)
    per_point = trust * per_point / (trust * per_point).mean()
    return per_point / (1.0 + (residual / cauchy_px) ** 2)


def fill_gaps(
    motion: HeadMotion,  # of the seen frames only
    seen: np.ndarray,  # [B] bool
) -> HeadMotion:
    """Poses for all frames: between seen ones interpolated, before the first and after the last held."""
    if seen.all():
        return motion
    # Heads turn little between frames: interpolating the matrices and projecting back is a slerp to first order.
    rotation = nearest_rotation(between_known(motion.rotation, seen))
    return replace(motion, rotation=rotation, translation=between_known(motion.translation, seen))


def between_known(
    values: np.ndarray,  # [K, ...] where known
    known: np.ndarray,  # [B] bool, K times true
) -> np.ndarray:  # [B, ...]
    """Values in between without a kink or an overshoot (Fritsch and Carlson, 1980); held beyond the ends."""
    if known.all():
        return values
    places, every = np.flatnonzero(known), np.arange(len(known))
    if len(places) == 1:
        return np.repeat(values, len(known), axis=0)
    return PchipInterpolator(places, values, axis=0)(every.clip(places[0], places[-1]))


def nearest_rotation(
    matrices: np.ndarray,  # [..., 3, 3]
) -> np.ndarray:
    u, _, v = np.linalg.svd(matrices)
    return u @ v


def smooth_motion(
    motion: HeadMotion,
    frames: float,  # standard deviation of the Gaussian, frames
    pieces: Sequence[range] = (),  # of the frames, each smooth in itself; none: all are one
) -> HeadMotion:
    """Poses filtered symmetrically in time: no lag, and nothing across a cut."""
    rotation, translation = motion.rotation.copy(), motion.translation.copy()
    for piece in pieces or [range(len(rotation))]:
        part = slice(piece.start, piece.stop)
        rotation[part] = gaussian_filter1d(motion.rotation[part], frames, axis=0, mode="nearest")
        translation[part] = gaussian_filter1d(motion.translation[part], frames, axis=0, mode="nearest")
    return replace(motion, rotation=nearest_rotation(rotation), translation=translation)


def rescale_motion(
    motion: HeadMotion,
    scale: float,
) -> HeadMotion:
    """The same motion in a picture resized by `scale`."""
    centre = (motion.centre_px[0] * scale, motion.centre_px[1] * scale)
    return replace(motion, focal_px=motion.focal_px * scale, centre_px=centre)
