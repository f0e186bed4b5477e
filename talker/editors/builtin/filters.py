"""Image filters that the operators share: pure functions on float32 arrays in [0, 1].

Notation: H x W pixels; sigma and radius in pixels. Everything follows the image smoothly: a small change of the
image makes a small change of the result, because a radiance field is fitted to what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """[H, W]"""
    return rgb @ LUMA


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; wide ones work on a reduced image, which nobody can tell apart."""
    if sigma < 0.3:
        return image
    if sigma <= 4.0:
        return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    height, width = image.shape[:2]
    factor = 2 ** int(np.log2(sigma / 2.0))
    small_size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(image, small_size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small_size[0] / width, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """`share` of the second; a [H, W] share serves [H, W, 3] images."""
    if isinstance(share, np.ndarray) and share.ndim == 2 and np.ndim(first) == 3:
        share = share[..., None]
    return first + (second - first) * share


def saturate(rgb: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    """Chroma times `gain` at unchanged luminance."""
    grey = luminance(rgb)[..., None]
    return grey + (rgb - grey) * gain


def with_luminance(rgb: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The same hue at another luminance [H, W]."""
    return rgb + (target - luminance(rgb))[..., None]


def gradient_map(
    tone: np.ndarray,  # [H, W] in [0, 1]
    colours: list[tuple[float, float, float]],  # from the darkest to the lightest
    positions: list[float] | None = None,
) -> np.ndarray:
    """[H, W, 3]: tones turned into a ramp of colours."""
    table = np.asarray(colours, np.float32)
    at = np.linspace(0.0, 1.0, len(colours)) if positions is None else positions
    grid = np.linspace(0.0, 1.0, 1024)
    ramp = np.stack([np.interp(grid, at, table[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)
    return ramp[(np.clip(tone, 0.0, 1.0) * 1023.0 + 0.5).astype(np.int32)]


def guided(
    image: np.ndarray,  # [H, W] or [H, W, 3], smoothed
    guide: np.ndarray,  # [H, W]
    radius: int,
    epsilon: float,  # variance of the guide below which it is smoothed away
) -> np.ndarray:
    """Guided filter (He, Sun and Tang, 2010): smooths, and keeps the edges of the guide."""
    box = (2 * radius + 1, 2 * radius + 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, box, borderType=cv2.BORDER_REFLECT)

    layers = image if image.ndim == 3 else image[..., None]
    mean_guide = mean(guide)
    variance = np.maximum(mean(guide * guide) - mean_guide * mean_guide, 0.0)
    mean_layers = mean(layers).reshape(layers.shape)
    covariance = mean(layers * guide[..., None]).reshape(layers.shape) - mean_layers * mean_guide[..., None]
    slope = covariance / (variance + epsilon)[..., None]
    offset = mean_layers - slope * mean_guide[..., None]
    smooth = mean(slope).reshape(layers.shape) * guide[..., None] + mean(offset).reshape(layers.shape)
    return smooth if image.ndim == 3 else smooth[..., 0]


def edge_preserving(rgb: np.ndarray, radius: int, contrast: float, passes: int = 2) -> np.ndarray:
    """Flattens texture fainter than `contrast` and keeps stronger edges."""
    for _ in range(passes):
        rgb = guided(rgb, luminance(rgb), radius, contrast * contrast)
    return rgb


def structure_tensor(image: np.ndarray, fine_sigma: float, coarse_sigma: float) -> np.ndarray:
    """[H, W, 3] (xx, xy, yy): averaged outer products of the gradients of all channels."""
    soft = blur(image, fine_sigma)
    dx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    dy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    products = [dx * dx, dx * dy, dy * dy]
    if image.ndim == 3:
        products = [sum(cv2.split(product)) for product in products]
    return blur(np.stack(products, axis=-1), coarse_sigma)


def along_edges(tensor: np.ndarray) -> np.ndarray:
    """[H, W, 2]: unit direction of least change, the minor eigenvector of a structure tensor; sign is arbitrary."""
    angle = 0.5 * np.arctan2(2.0 * tensor[..., 1], tensor[..., 0] - tensor[..., 2]) + np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)


def gradient_tensor(potential: np.ndarray) -> np.ndarray:
    """[H, W, 3]: structure tensor of unit strength, whose flow runs along the potential's contour lines."""
    dx = cv2.Sobel(potential, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(potential, cv2.CV_32F, 0, 1, ksize=3)
    square = dx * dx + dy * dy + 1e-12
    return np.stack([dx * dx / square, dx * dy / square, dy * dy / square], axis=-1)


def convolve_along(
    image: np.ndarray,  # [H, W] or [H, W, C]
    flow: np.ndarray,  # [H, W, 2] unit directions, sign arbitrary
    steps: int,
    step_px: float = 1.0,
) -> np.ndarray:
    """Line integral convolution (Cabral and Leedom, 1993) with a box kernel of 2 * steps + 1 samples."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = image.astype(np.float32).copy()
    for sign in (-1.0, 1.0):
        at_x, at_y = x, y
        direction = flow * sign
        for _ in range(steps):
            at_x, at_y = at_x + direction[..., 0] * step_px, at_y + direction[..., 1] * step_px
            ahead_image = cv2.remap(image, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            total += ahead_image.reshape(total.shape)
            # Nearest, not linear: the field has no sign, and opposite neighbours would cancel out.
            ahead = cv2.remap(flow, at_x, at_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            along = ahead[..., 0] * direction[..., 0] + ahead[..., 1] * direction[..., 1]  # sum(axis=-1) is slow
            direction = ahead * np.sign(along + np.float32(1e-9))[..., None]
    return total / (2 * steps + 1)


@dataclass(frozen=True)
class Pen:
    """How lines of one width are found and inked."""

    sigma: float  # half width, pixels
    gain: float  # ink for each unit of darkness beyond the threshold
    threshold: float


def lines(
    grey: np.ndarray,  # [H, W]
    flow: np.ndarray,  # [H, W, 2]
    pens: list[Pen],
) -> list[np.ndarray]:
    """For each pen [H, W] in [0, 1], 1 on dark lines: flow-guided differences of Gaussians.

    Kang, Lee and Chui (2007), "Coherent line drawing"; Winnemoeller et al. (2012) for the soft threshold.
    """
    differences = np.stack([blur(grey, pen.sigma) - blur(grey, pen.sigma * 1.6) for pen in pens], axis=-1)
    smooth = convolve_along(differences, flow, 3, max(0.7, pens[0].sigma)).reshape(differences.shape)
    return [smoothstep(0.0, 1.0, (-smooth[..., k] - pen.threshold) * pen.gain) for k, pen in enumerate(pens)]


def relief(height: np.ndarray, strength: float) -> np.ndarray:
    """[H, W] about 0: light from the upper left falling on a height field."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    return np.clip((dx + 1.3 * dy) * strength, -1.0, 1.0)
