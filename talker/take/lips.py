"""The lips' shapes: what they do in the head's own plane, and landmarks that agree with their pictures.

A landmark detector reads each frame anew, and errs by a share of what lips do. Mouths that look alike are shaped alike:
so the shapes are smoothed over *looks*, not over time, by kernel ridge regression on pictures of the mouth that the
head's pose has steadied. Quick lips stay quick.

Notation: B frames, K of them support the regression; the 20 lip landmarks are iBUG's 48 to 67.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor

from talker.core.camera import meet_planes, project_of_frames
from talker.core.types import LIP_LANDMARKS, Camera

LOOK_PX = (32, 24)  # a steadied picture of the mouth
LOOK_HALF_WIDTH = 0.30  # head units from its middle to its side
SUPPORT = 1500  # frames, evenly spaced: more tell little, and cost by the cube
WIDTH = 0.8  # of the Gaussian kernel, in median squared distances of looks
RIDGE = 1.0


def lip_shapes(
    camera: Camera,  # whose intrinsics all frames share
    c2w: Tensor,  # [B, 4, 4]
    landmarks_px: Tensor,  # [B, 68, 2]
    landmarks_head: Tensor,  # [68, 3] the mean shape
) -> Tensor:  # [B, 20, 2] head units
    """Lips as seen from the front: each landmark where its ray meets its own depth."""
    return meet_planes(
        c2w, camera.focal_px, camera.centre_px, landmarks_px[:, LIP_LANDMARKS], landmarks_head[LIP_LANDMARKS, 2]
    )


def refine_lips(
    pictures: Iterable[np.ndarray],  # B of [H, W, 3] uint8, the camera's size
    camera: Camera,
    c2w: Tensor,  # [B, 4, 4]
    landmarks_px: Tensor,  # [B, 68, 2]
    landmarks_head: Tensor,  # [68, 3]
) -> Tensor:  # [B, 68, 2]
    """The landmarks, those of the lips such that mouths that look alike are shaped alike."""
    shapes = lip_shapes(camera, c2w, landmarks_px, landmarks_head)
    smooth = smooth_over_looks(
        mouth_looks(pictures, camera, c2w, landmarks_head[LIP_LANDMARKS].mean(0)), shapes.flatten(1).double().numpy()
    )
    shapes = torch.from_numpy(smooth).to(shapes).reshape(shapes.shape)
    depths = landmarks_head[LIP_LANDMARKS, 2:].expand(len(shapes), -1, -1)
    refined = landmarks_px.clone()
    for frame, places in enumerate(torch.cat([shapes, depths], dim=-1)):
        refined[frame, LIP_LANDMARKS] = project_of_frames(camera, c2w[frame : frame + 1], places)[0]
    return refined


def mouth_looks(
    pictures: Iterable[np.ndarray],  # B of [H, W, 3] uint8
    camera: Camera,
    c2w: Tensor,  # [B, 4, 4]
    middle: Tensor,  # [3] of the mouth, head frame
) -> np.ndarray:  # [B, D] float32
    """The mouth in the head's own plane, freed of each picture's mean colour."""
    width, height = LOOK_PX
    across, down = torch.tensor([[LOOK_HALF_WIDTH, 0.0, 0.0], [0.0, LOOK_HALF_WIDTH * height / width, 0.0]])
    corners = project_of_frames(camera, c2w, torch.stack([middle, middle + across, middle + down])).float().numpy()
    places = np.float32([[width / 2, height / 2], [width, height / 2], [width / 2, height]])
    looks = []
    for picture, corner in zip(pictures, corners, strict=True):
        look = cv2.warpAffine(picture, cv2.getAffineTransform(corner - 0.5, places), LOOK_PX).astype(np.float32) / 255.0
        looks.append((look - look.mean(axis=(0, 1))).ravel())
    return np.stack(looks)


def smooth_over_looks(
    looks: np.ndarray,  # [B, D]
    shapes: np.ndarray,  # [B, S] float64
) -> np.ndarray:  # [B, S]
    """Kernel ridge regression of shapes on looks (Saunders et al. 1998), as it answers for its own frames."""
    chosen = np.unique(np.linspace(0, len(looks) - 1, SUPPORT).round().astype(int))
    support, mean = looks[chosen], shapes[chosen].mean(axis=0)
    squared = (looks**2).sum(1)[:, None] + (support**2).sum(1) - 2.0 * (looks @ support.T)  # [B, K]
    spread = np.median(squared[chosen])
    if spread <= 0:
        return shapes
    kernel = np.exp(-squared.clip(0.0).astype(np.float64) / (2.0 * WIDTH * spread))
    weights = np.linalg.solve(kernel[chosen] + RIDGE * np.eye(len(chosen)), shapes[chosen] - mean)
    return mean + kernel @ weights
