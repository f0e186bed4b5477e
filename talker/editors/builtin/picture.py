"""An image with what is known about it: soft regions, where detail matters, and a place on the head per pixel.

Operators get a Picture and return [H, W, 3]. All sizes are given for a 256 px image and scaled by `unit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from talker.core.types import BROWS, EYES, FACE, HEAD_PARTS, LIPS, MOUTH, NECK, TORSO
from talker.editors.builtin.filters import blur, guided, luminance, smoothstep
from talker.editors.region import PARTS_OF

# The words of --only and --keep mean the same here; operators know two more.
REGION_PARTS: dict[str, tuple[int, ...]] = {**PARTS_OF, "lips": (LIPS,), "head": HEAD_PARTS}


@dataclass(frozen=True)
class Picture:
    """One image for the operators."""

    rgb: np.ndarray  # [H, W, 3] float32 in [0, 1]
    alpha: np.ndarray  # [H, W] float32, coverage of the person
    parts: np.ndarray  # [H, W] uint8 indices into talker.core.types.PARTS
    head_anchors: np.ndarray | None = None  # [H, W, 2] radians on the head, from talker.editors.anchors

    @property
    def unit(self) -> float:
        """Pixels for what is one pixel in a 256 px image."""
        return min(self.rgb.shape[:2]) / 256.0

    @cached_property
    def grey(self) -> np.ndarray:
        return luminance(self.rgb)

    @cached_property
    def screen(self) -> np.ndarray:
        """[H, W, 2] (x, y), in pixels of a 256 px image: where the still background's texture is anchored."""
        height, width = self.rgb.shape[:2]
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        return np.stack([x + 0.5, y + 0.5], axis=-1) / self.unit

    @cached_property
    def has_head(self) -> bool:
        return bool(np.isin(self.parts, (FACE, LIPS)).sum() > 20)

    @cached_property
    def anchors(self) -> np.ndarray:
        """[H, W, 2] radians on the head; without a camera, from where the face is and how large."""
        if self.head_anchors is not None:
            return self.head_anchors.astype(np.float32)
        face = np.isin(self.parts, REGION_PARTS["face"]).astype(np.float32)
        if not self.has_head:
            return (self.screen - 128.0) / 60.0
        moments = cv2.moments(face)
        centre = np.array([moments["m10"], moments["m01"]], np.float32) / moments["m00"]
        radius = np.sqrt(moments["m00"] / np.pi)
        height, width = face.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        return np.stack([x - centre[0], y - centre[1]], axis=-1) / radius

    @cached_property
    def anchors_per_px(self) -> np.ndarray:
        """[H, W] how fast the anchors run across the screen, radians a pixel in the steepest direction."""
        u_down, u_right = np.gradient(self.anchors[..., 0])
        v_down, v_right = np.gradient(self.anchors[..., 1])
        return np.sqrt(u_down**2 + u_right**2 + v_down**2 + v_right**2) + np.float32(1e-6)

    @cached_property
    def head(self) -> np.ndarray:
        """[H, W] soft mask of what moves with the head."""
        return self.region("head")

    def region(self, name: str) -> np.ndarray:
        """[H, W] soft mask of a region, its border drawn by the image rather than by the hard labels."""
        if name == "person":
            return self.alpha
        if name == "background":
            return 1.0 - self.alpha
        hard = np.isin(self.parts, REGION_PARTS[name]).astype(np.float32)
        if name in ("skin", "clothes"):
            # A refinement: below the jaw labels are coarse, and bare shoulders, collars and the chin's shadow are told
            # by their colour. There skin and clothes share out neck and torso, whatever their parts say.
            below = np.isin(self.parts, (NECK, TORSO))
            hard = np.where(below, self.skin_likeness if name == "skin" else 1.0 - self.skin_likeness, hard)
        if not hard.any():
            return hard
        radius = max(1, round((2 if name == "lips" else 4) * self.unit))
        soft = guided(blur(hard, 0.7 * self.unit), self.grey, radius, 2e-3)
        return smoothstep(0.08, 0.92, soft) * np.minimum(1.0, self.alpha * 1.02)

    @cached_property
    def skin_likeness(self) -> np.ndarray:
        """[H, W] 1 where the hue is that of the face, 0 where it is another."""
        face = self.parts == FACE
        if not face.any():
            return (self.parts == NECK).astype(np.float32)
        # The constant keeps black, which has no hue, away from every skin.
        chroma = blur(self.rgb[..., :2] / (sum(cv2.split(self.rgb)) + np.float32(0.06))[..., None], 1.0 * self.unit)
        usual, spread = np.median(chroma[face], axis=0), np.maximum(chroma[face].std(axis=0), 0.010)
        off = (chroma - usual) / spread
        distance = np.hypot(off[..., 0], off[..., 1])
        return smoothstep(5.0, 3.0, distance).astype(np.float32)

    @cached_property
    def detail(self) -> np.ndarray:
        """[H, W] 1 on eyes, lips and mouth, less on brows and nose, 0 elsewhere: where brushes must be fine."""
        features = np.isin(self.parts, (EYES, LIPS, MOUTH)).astype(np.uint8)
        wide = cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self.odd(7), self.odd(7))))
        where = np.maximum(wide.astype(np.float32), 0.6 * np.isin(self.parts, (BROWS,)))
        corners = cv2.findNonZero(features)
        if corners is not None:
            # The nose lies between eyes and lips and has no label of its own.
            middle = cv2.fillConvexPoly(np.zeros_like(features), cv2.convexHull(corners), 1)
            where = np.maximum(where, 0.45 * middle)
        return np.clip(blur(where.astype(np.float32), 3.0 * self.unit), 0.0, 1.0)

    @cached_property
    def face(self) -> np.ndarray:
        """[H, W] 1 on the face, falling to 0 around it."""
        return blur(np.isin(self.parts, REGION_PARTS["face"]).astype(np.float32), 4.0 * self.unit)

    def odd(self, size: float) -> int:
        """An odd kernel size, at least 3, for `size` pixels of a 256 px image."""
        return max(3, 2 * round(size * self.unit / 2) + 1)
