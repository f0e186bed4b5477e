"""Colours of regions: hair, skin, lips, clothes, background."""

from __future__ import annotations

import numpy as np

from talker.editors.builtin.filters import blur, luminance, mix, smoothstep
from talker.editors.builtin.picture import Picture


def dyed(
    picture: Picture,
    region: np.ndarray,  # [H, W] soft mask
    colour: tuple[float, float, float],
    *,
    own_light: float,  # how much of the region's own mean luminance stays, 0..1
    contrast: float,  # how much of its relative light and shade stays
) -> np.ndarray:
    """The region in another colour, its light and shade kept relative to its mean."""
    total = float(region.sum())
    if total < 1.0:
        return picture.rgb
    mean = max(0.04, float((picture.grey * region).sum() / total))
    target = np.asarray(colour, np.float32)
    goal = max(0.03, float(luminance(target)))
    level = goal ** (1.0 - own_light) * mean**own_light
    relative = np.clip(picture.grey / mean, 0.0, 4.0)
    tone = level * relative ** (contrast * min(1.0, 0.25 + 1.6 * (1.0 - level)))
    base = target * (tone / goal)[..., None]
    # What would exceed white turns towards white, as a highlight does.
    excess = np.maximum(base.max(axis=-1) - 1.0, 0.0)
    base = np.minimum(base, 1.0) + (excess * 0.5)[..., None]
    return mix(picture.rgb, np.clip(base, 0.0, 1.0), region)


def dye_hair(picture: Picture, colour: tuple[float, float, float]) -> np.ndarray:
    """Strands keep their highlights; dark hair is bleached first for a light colour."""
    dyed_hair = dyed(picture, picture.region("hair"), colour, own_light=0.25, contrast=0.85)
    return mix(dyed_hair, picture.rgb, 0.10)


def paint_skin(picture: Picture, colour: tuple[float, float, float]) -> np.ndarray:
    """Face, ears and neck; lips take a darker tone of it, eyes and brows stay."""
    # A share of the own skin keeps its flush and its life.
    painted = mix(dyed(picture, picture.region("skin"), colour, own_light=0.40, contrast=1.1), picture.rgb, 0.20)
    lips = picture.region("lips")
    darker = np.asarray(colour, np.float32) * 0.45 + np.array([0.20, 0.05, 0.08], np.float32)
    total = float(lips.sum())
    if total < 1.0:
        return painted
    relative = np.clip(picture.grey / max(0.04, float((picture.grey * lips).sum() / total)), 0.0, 2.5)
    return mix(painted, np.clip(darker * relative[..., None], 0.0, 1.0), lips * 0.75)


def paint_lips(picture: Picture, colour: tuple[float, float, float]) -> np.ndarray:
    """Lipstick: the lips' own light with a little gloss."""
    return dyed(picture, picture.region("lips"), colour, own_light=0.55, contrast=1.1)


def dye_clothes(picture: Picture, colour: tuple[float, float, float]) -> np.ndarray:
    """The same cut and folds in another cloth."""
    return dyed(picture, picture.region("clothes"), colour, own_light=0.25, contrast=0.8)


def change_background(picture: Picture, colour: tuple[float, float, float]) -> np.ndarray:
    """A studio backdrop: lit from above, with a hint of the old room's light, and no rim of the old colour."""
    unit = picture.unit
    at = picture.screen / 256.0
    glow = np.exp(-(((at[..., 0] - 0.5) / 0.55) ** 2 + ((at[..., 1] - 0.38) / 0.60) ** 2)).astype(np.float32)
    tone = 0.80 + 0.28 * glow + 0.10 * (blur(picture.grey, 6.0 * unit) - 0.5)
    target = np.asarray(colour, np.float32)
    backdrop = np.clip(target * tone[..., None] + 0.05 * (glow - 0.4)[..., None], 0.0, 1.0)
    return mix(backdrop, without_spill(picture), picture.alpha)


def without_spill(picture: Picture) -> np.ndarray:
    """[H, W, 3] the person's own colour at the soft outline: I = alpha F + (1 - alpha) B solved for F."""
    uncovered = np.square(1.0 - picture.alpha)
    sigma = 8.0 * picture.unit
    around = blur(picture.rgb * uncovered[..., None], sigma) / (blur(uncovered, sigma) + 1e-3)[..., None]
    known = smoothstep(0.0, 0.02, blur(uncovered, sigma))
    own = (picture.rgb - (1.0 - picture.alpha)[..., None] * around) / np.maximum(picture.alpha, 0.35)[..., None]
    return mix(picture.rgb, np.clip(own, 0.0, 1.0), known * smoothstep(1.0, 0.9, picture.alpha))
