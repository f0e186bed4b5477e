"""Who is a pixel: a soft person matte per frame, its edge moved to the picture's. Parts are `talker.take.parts`.

A video whose speaker was cut out brings its matte along.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from talker.core.images import grown
from talker.take.landmarks import import_mediapipe, quiet_stderr
from talker.video import VideoInfo, read_frames

GUIDE_RADIUS = 0.02  # of the image's side: how far the matte may move to meet an edge of the picture
GUIDE_NOISE = 2e-4  # variance of a colour (in [0, 1]) below which the picture has no edge

CUT_OUT = "The speaker stands alone in a transparent picture: its transparency is the matte, the background plain grey"
_CLEAR_SHARE = 0.02  # of the picture: where less is transparent, or solid, transparency shows no speaker
_CLEAR, _SOLID = 26, 229  # opacity up to which, and from which on
_LOOKED_S, _LOOKS_HZ, _LOOKED_PX = 5.0, 2.0, 160


def is_cut_out(video: Path, info: VideoInfo, span_s: tuple[float, float]) -> bool:
    """Whether a video has transparency that can serve as its matte: many a solid video has it, too."""
    if not info.has_alpha:
        return False
    end_s = min(span_s[1], span_s[0] + _LOOKED_S)
    looks = read_frames(video, start_s=span_s[0], end_s=end_s, fps=_LOOKS_HZ, max_side_px=_LOOKED_PX, with_alpha=True)
    shares = [((look[..., 3] <= _CLEAR).mean(), (look[..., 3] >= _SOLID).mean()) for look in looks]
    return bool(shares) and bool((np.median(shares, axis=0) > _CLEAR_SHARE).all())


def opacity(
    rgba: np.ndarray,  # [H, W, 4] uint8
) -> np.ndarray:  # [H, W] float32 in [0, 1]
    """The matte that a cut-out frame brings, where others have to be segmented."""
    return rgba[..., 3].astype(np.float32) / 255.0


def person_segmenter() -> Callable[[np.ndarray], np.ndarray]:
    """mediapipe's selfie segmentation: rgb [H, W, 3] uint8 -> [H, W] float32 in [0, 1]. Embedded weights, 5-18 ms."""
    solutions = import_mediapipe().solutions
    with quiet_stderr():
        network = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
        network.process(np.zeros((64, 64, 3), np.uint8))  # the graph's threads say most when they meet a first frame

    def segment(rgb: np.ndarray) -> np.ndarray:
        with quiet_stderr():
            return network.process(rgb).segmentation_mask.astype(np.float32)

    return segment


def guided_filter(
    guide: np.ndarray,  # [H, W, 3] float32 in [0, 1]
    image: np.ndarray,  # [H, W] float32
    radius: int,
    noise: float = GUIDE_NOISE,
) -> np.ndarray:  # [H, W]
    """The smoothing of `image` that is locally an affine function of the guide's colour (He et al., 2013)."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.blur(x, size, borderType=cv2.BORDER_REFLECT)

    guide_mean, image_mean = mean(guide), mean(image)
    covariance = mean(guide * image[..., None]) - guide_mean * image_mean[..., None]
    r, g, b = np.moveaxis(guide, -1, 0)
    r_mean, g_mean, b_mean = np.moveaxis(guide_mean, -1, 0)
    rr, gg, bb = (mean(x * x) - x_mean * x_mean + noise for x, x_mean in ((r, r_mean), (g, g_mean), (b, b_mean)))
    rg, rb, gb = mean(r * g) - r_mean * g_mean, mean(r * b) - r_mean * b_mean, mean(g * b) - g_mean * b_mean
    # The inverse of each pixel's symmetric 3 x 3 matrix by its cofactors: fifty times faster than a general solver.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    x, y, z = np.moveaxis(covariance, -1, 0)
    rows = ((c_rr, c_rg, c_rb), (c_rg, c_gg, c_gb), (c_rb, c_gb, c_bb))
    determinant = rr * c_rr + rg * c_rg + rb * c_rb
    slope = np.stack([(first * x + second * y + third * z) / determinant for first, second, third in rows], axis=-1)
    offset = image_mean - (slope * guide_mean).sum(axis=-1)
    return (mean(slope) * guide).sum(axis=-1) + mean(offset)


def refine_matte(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] float32 in [0, 1]
) -> np.ndarray:  # [H, W] float32 in [0, 1]
    """Move the network's soft outline onto the picture's own edges; far from the outline nothing changes."""
    radius = max(2, round(GUIDE_RADIUS * max(matte.shape)))
    followed = guided_filter(rgb.astype(np.float32) / 255.0, matte, radius)
    # The filter leaves a veil of a few percent; stretch it back to 0 and 1.
    return np.clip((followed - 0.08) / 0.84, 0.0, 1.0)


def keep_speaker(
    matte: np.ndarray,  # [H, W] float32
    face: np.ndarray,  # [H, W] bool: the speaker's face
) -> np.ndarray:
    """The matte of the piece that the face belongs to: other people and chairs go."""
    count, pieces = cv2.connectedComponents((matte > 0.3).astype(np.uint8))
    if count <= 2 or not face.any():
        return matte
    own = np.bincount(pieces[face], minlength=count)
    own[0] = 0
    others = (pieces != own.argmax()) & (pieces != 0)
    return np.where(grown(others, 2), 0.0, matte)
