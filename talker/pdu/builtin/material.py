"""Statues and metals: the person's shape keeps its light and loses its colours."""

from __future__ import annotations

import numpy as np

from talker.pdu.builtin.filters import blur, gradient_map, guided, mix, smoothstep
from talker.pdu.builtin.picture import Picture
from talker.pdu.builtin.texture import grain, ridges
from talker.types import BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO

# Parts that a sculptor makes of one stone, and how much of their own darkness he leaves them.
ALBEDO_GROUPS = (
    ((FACE, EARS, EYES), 1.0, 0.0),
    ((HAIR,), 0.94, 0.06),
    ((BROWS,), 0.92, 0.45),
    ((LIPS,), 0.90, 0.55),
    ((NECK,), 0.86, 0.0),
    ((TORSO,), 0.90, 0.0),
)
SCULPTED_MEAN = 0.52
SCULPTED_SPREAD = 0.15
CLOTH_SIGMA = 5.0  # shirt, tie and suit are one block: their own colours go, their folds and seams stay


def sculpted(picture: Picture) -> np.ndarray:
    """[H, W] shading of the person as if all of one material, about SCULPTED_MEAN.

    Luminance is divided by the mean of its part, so that dark hair and a white shirt are carved of the same block;
    the mouth's inside stays dark.
    """
    unit = picture.unit
    gain, goal = np.zeros_like(picture.grey), np.zeros_like(picture.grey)
    weight = np.full_like(picture.grey, 1e-4)
    skin = np.isin(picture.parts, (FACE,))
    skin_mean = max(0.08, float(picture.grey[skin].mean())) if skin.any() else 0.5
    radius = max(1, round(3 * unit))
    for parts, relative, kept in ALBEDO_GROUPS:
        mask = np.isin(picture.parts, parts)
        if not mask.any():
            continue
        own_mean = max(0.05, float(picture.grey[mask].mean()))
        mean: float | np.ndarray = own_mean ** (1.0 - kept) * skin_mean**kept
        if parts in ((NECK,), (TORSO,)):
            mean = np.maximum(0.05, local_mean(picture.grey, mask, CLOTH_SIGMA * unit) ** 0.8 * own_mean**0.2)
        soft = np.clip(guided(blur(mask.astype(np.float32), 0.6 * unit), picture.grey, radius, 1e-3), 0.0, 1.0)
        gain += soft * (relative * SCULPTED_MEAN / mean)
        goal += soft * (relative * SCULPTED_MEAN)
        weight += soft
    inside = blur(np.isin(picture.parts, (MOUTH,)).astype(np.float32), 0.8 * unit)
    gain = mix(gain / weight, np.full_like(gain, SCULPTED_MEAN / skin_mean), inside)
    goal = np.maximum(goal / weight, 0.1)
    shading = picture.grey * gain
    # Soft light makes a dull statue: the skin's spread of light and shade is brought to SCULPTED_SPREAD.
    spread = float(shading[skin].std()) if skin.any() else SCULPTED_SPREAD
    contrast = float(np.clip(SCULPTED_SPREAD / max(spread, 1e-3), 0.8, 2.2))
    shading = goal * (np.maximum(shading, 0.0) / goal) ** contrast
    # Cloth and neck keep to mild tones: a collar's bright edge would outshine the face.
    cloth = blur(np.isin(picture.parts, (NECK, TORSO)).astype(np.float32), 1.0 * unit)
    mild = SCULPTED_MEAN + 0.24 * np.tanh((shading - SCULPTED_MEAN) / 0.24)
    shading = mix(shading, mild, cloth)
    carved = shading + 0.5 * (shading - blur(shading, 2.5 * unit))
    return np.clip(carved, 0.0, 1.4)


def local_mean(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """[H, W] blurred values of the masked pixels alone."""
    weight = mask.astype(np.float32)
    return blur(values * weight, sigma) / np.maximum(blur(weight, sigma), 1e-3)


def rounded(picture: Picture) -> np.ndarray:
    """[H, W] 1 well inside the person, falling towards the outline: the body turns away from the viewer there."""
    return smoothstep(0.45, 1.0, blur(picture.alpha, 7.0 * picture.unit))


def metal(
    picture: Picture,
    ramp: list[tuple[float, float, float]],
    *,
    patina: tuple[float, float, float] | None,
    shine: float,
) -> np.ndarray:
    """Polished metal: steep tones, sharp highlights, dark bounces at the outline."""
    shading = sculpted(picture)
    tone = np.clip((shading - 0.16) / 0.78, 0.0, 1.0)
    # Metal mirrors its surroundings: tones fold once instead of rising evenly.
    folded = tone + 0.10 * np.sin(tone * 2.0 * np.pi * 1.5 - 0.8)
    turned = rounded(picture)
    body = gradient_map(np.clip(folded * (0.55 + 0.45 * turned), 0.0, 1.0), ramp)
    if patina is not None:
        hollow = smoothstep(
            0.02, 0.14, blur(shading, 5.0 * picture.unit) - shading + 0.03 * grain(picture, 12.0, salt=71)
        )
        body = mix(
            body, body * 0.45 + np.asarray(patina, np.float32) * 0.5, 0.55 * hollow * (1.0 - 0.6 * picture.detail)
        )
    highlight = smoothstep(0.72, 1.15, shading) * (1.0 - 0.5 * picture.detail)
    body = body + shine * highlight[..., None] * np.array([1.0, 0.93, 0.78], np.float32)
    return on_person(picture, np.clip(body, 0.0, 1.0))


def bronze(picture: Picture) -> np.ndarray:
    """A cast bronze bust with a little verdigris in the hollows."""
    ramp = [(0.05, 0.03, 0.02), (0.24, 0.13, 0.06), (0.52, 0.31, 0.14), (0.76, 0.52, 0.26), (0.97, 0.82, 0.54)]
    return metal(picture, ramp, patina=(0.24, 0.48, 0.42), shine=0.35)


def gold(picture: Picture) -> np.ndarray:
    """A gilded bust."""
    ramp = [(0.16, 0.07, 0.01), (0.48, 0.27, 0.04), (0.80, 0.55, 0.12), (0.98, 0.80, 0.32), (1.0, 0.95, 0.70)]
    return metal(picture, ramp, patina=None, shine=0.45)


def silver(picture: Picture) -> np.ndarray:
    """A bust of polished silver."""
    ramp = [(0.05, 0.06, 0.08), (0.27, 0.29, 0.33), (0.55, 0.58, 0.62), (0.82, 0.84, 0.87), (0.98, 0.99, 1.0)]
    return metal(picture, ramp, patina=None, shine=0.40)


def marble(picture: Picture) -> np.ndarray:
    """White marble: light that goes under the surface, grey veins, blank eyes."""
    unit = picture.unit
    shading = sculpted(picture)
    # Light leaks sideways in marble; at eyes and lips the chisel's line stays.
    soft = mix(blur(shading, 1.6 * unit), shading, 0.35 + 0.5 * picture.detail)
    tone = np.clip(0.16 + 0.94 * soft + 0.16 * (rounded(picture) - 1.0), 0.0, 1.0)
    stone = gradient_map(
        tone, [(0.22, 0.22, 0.25), (0.50, 0.50, 0.53), (0.74, 0.74, 0.75), (0.90, 0.89, 0.87), (1.0, 0.99, 0.97)]
    )
    veins = ridges(picture, 30.0, salt=81) * smoothstep(-0.4, 1.2, grain(picture, 44.0, salt=85))
    stone = stone * (1.0 - 0.13 * veins * (1.0 - 0.9 * picture.detail))[..., None]
    return on_person(picture, np.clip(stone, 0.0, 1.0))


def stone(picture: Picture) -> np.ndarray:
    """Weathered sandstone."""
    shading = sculpted(picture)
    pitted = grain(picture, 2.2, salt=91) * (1.0 - 0.7 * picture.detail)
    mottled = 0.022 * pitted + 0.05 * grain(picture, 14.0, salt=93) * (1.0 - 0.6 * picture.face)
    tone = np.clip(0.06 + 0.90 * shading + mottled, 0.0, 1.0)
    ramp = [(0.16, 0.14, 0.12), (0.42, 0.37, 0.31), (0.66, 0.59, 0.49), (0.86, 0.80, 0.69)]
    return on_person(picture, gradient_map(tone, ramp))


def on_person(picture: Picture, body: np.ndarray) -> np.ndarray:
    """The statue before its room, the room a little quieter so that the statue stands out."""
    grey = picture.grey[..., None]
    room = (grey + (picture.rgb - grey) * 0.75) * 0.92
    return mix(room, body, picture.alpha)
