"""Where a head can be, before any training: what its masks and the shape of its landmarks leave of space.

Masks alone leave a calm head whatever depth explains its pictures from the front, and behind the jaw whatever no view
ever uncovered; seen from the side both would show. V points, M = 68 landmarks (iBUG), head frame: y down, z away.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talker.core.camera import project
from talker.core.images import grown
from talker.core.types import HAIR, HEAD_PARTS, Take, mask_of

VIEWS = 100  # frames that carve
MASK_MARGIN = 0.02  # the masks are dilated by this much of the image's height
DISSENT = 0.03  # share of the views that may see a point outside the mask before it is ruled out
HAIR_VOTES = 0.05  # share of the views that must see hair where a point is, for it to be hair behind the jaw
FRONT_MARGIN, FRONT_SLOPE = 0.10, 0.5  # head units: how far in front of the landmarks the head may reach
JAW_MARGIN = 0.15  # head units: how far behind its edge the jaw may reach
JAW = range(4, 13)  # from one angle of the jaw to the other, the chin in the middle


def carve_hull(
    take: Take,
    points: Tensor,  # [V, 3]
) -> Tensor:  # [V] bool
    """Which points may belong to the head, by evenly spaced training frames and by the landmarks' shape."""
    width, height = take.size_px
    margin_px = max(1, round(MASK_MARGIN * height))
    outside, hair = torch.zeros(len(points)), torch.zeros(len(points))
    places = np.unique(np.linspace(0, len(take.training) - 1, VIEWS).round().astype(int))
    views = [take.training[place] for place in places]
    for index in views:
        parts = take.parts[index]
        mask = grown(mask_of(parts, HEAD_PARTS), margin_px)
        pixel = project(take.camera(index), points).floor().long()
        seen = (pixel[:, 0] >= 0) & (pixel[:, 0] < width) & (pixel[:, 1] >= 0) & (pixel[:, 1] < height)
        pixel = pixel.clamp(min=0).minimum(torch.tensor([width - 1, height - 1]))
        outside += seen & ~torch.from_numpy(mask)[pixel[:, 1], pixel[:, 0]]
        hair += seen & torch.from_numpy(parts == HAIR)[pixel[:, 1], pixel[:, 0]]
    landmarks = take.landmarks_head
    before_neck = before_jaw_ends(landmarks, points) | (hair > HAIR_VOTES * len(views))
    return (outside <= DISSENT * len(views)) & behind_face(landmarks, points) & before_neck


def behind_face(
    landmarks: Tensor,  # [M, 3]
    points: Tensor,  # [V, 3]
) -> Tensor:  # [V] bool
    """Whether points lie behind the face, or not far in front.

    From every landmark a cone recedes at FRONT_SLOPE, and the head may reach FRONT_MARGIN before the foremost of them:
    cheeks and forehead, which have no landmarks, recede from nose and brows more steeply than that.
    """
    kept = []
    for part in points.split(2**16):
        squared = (part[:, None, :2] - landmarks[None, :, :2]).square().sum(-1)
        foremost = (landmarks[:, 2] + FRONT_SLOPE * squared.sqrt()).amin(1)
        kept.append(part[:, 2] > foremost - FRONT_MARGIN)
    return torch.cat(kept)


def before_jaw_ends(
    landmarks: Tensor,  # [M, 3]
    points: Tensor,  # [V, 3]
) -> Tensor:  # [V] bool
    """Whether points lie above the jaw's angles, or not far behind its edge: what is farther back is the neck."""
    jaw = landmarks[list(JAW), 1:].numpy()
    height, depth = ((jaw + jaw[::-1]) / 2)[: len(JAW) // 2 + 1].T  # both sides as one, from the angles to the chin
    order = np.argsort(height)
    edge = torch.from_numpy(np.interp(points[:, 1].numpy(), height[order], depth[order])).to(points)
    return (points[:, 1] < float(height[0])) | (points[:, 2] < edge + JAW_MARGIN)
