"""An image with what is known about it: soft regions, where detail matters, and a place on the head per pixel.

Operators get a Picture and return [H, W, 3]. All sizes are given for a 256 px image and scaled by `unit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from talker.pdu.builtin.filters import blur, guided, luminance, smoothstep
from talker.types import BROWS, EARS, EYES, FACE, HAIR, HEAD_PARTS, LIPS, MOUTH, NECK, TORSO

REGION_PARTS: dict[str, tuple[int, ...]] = {
    "hair": (HAIR,),
    "skin": (FACE, EARS, NECK),
    "face": (FACE, BROWS, EYES, LIPS, MOUTH),
    "lips": (LIPS,),
    "clothes": (TORSO,),
    "head": HEAD_PARTS,
}
REGIONS = (*REGION_PARTS, "background", "person")


@dataclass(frozen=True)
class Picture:
    """One image for the operators."""

    rgb: np.ndarray  # [H, W, 3] float32 in [0, 1]
    alpha: np.ndarray  # [H, W] float32, coverage of the person
    parts: np.ndarray  # [H, W] uint8 indices into talker.types.PARTS
    head_anchors: np.ndarray | None = None  # [H, W, 2] radians on the head, from talker.pdu.anchors

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
        if not hard.any():
            return hard
        radius = max(1, round((2 if name == "lips" else 4) * self.unit))
        soft = guided(blur(hard, 0.7 * self.unit), self.grey, radius, 2e-3)
        return smoothstep(0.08, 0.92, soft) * np.minimum(1.0, self.alpha * 1.02)

    @cached_property
    def detail(self) -> np.ndarray:
        """[H, W] 1 on eyes, lips and mouth, falling to 0 around them: where brushes must be fine."""
        features = np.isin(self.parts, (EYES, LIPS, MOUTH)).astype(np.float32)
        wide = cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self.odd(5), self.odd(5))))
        brows = np.isin(self.parts, (BROWS,)).astype(np.float32)
        return np.clip(blur(np.maximum(wide, 0.6 * brows), 3.0 * self.unit), 0.0, 1.0)

    @cached_property
    def face(self) -> np.ndarray:
        """[H, W] 1 on the face, falling to 0 around it."""
        return blur(np.isin(self.parts, REGION_PARTS["face"]).astype(np.float32), 4.0 * self.unit)

    def odd(self, size: float) -> int:
        """An odd kernel size, at least 3, for `size` pixels of a 256 px image."""
        return max(3, 2 * round(size * self.unit / 2) + 1)
