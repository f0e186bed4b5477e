"""Statues and metals: the person's shape keeps its light and loses its colours."""

from __future__ import annotations

import numpy as np

from talker.core.types import BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO
from talker.editors.builtin.filters import (
    blur,
    edge_preserving,
    gradient_map,
    guided,
    mix,
    relief,
    saturate,
    smoothstep,
)
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain, ridges

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
    folded = tone + 0.10 * (1.0 - picture.detail) * np.sin(tone * 2.0 * np.pi * 1.5 - 0.8)
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
    body = np.clip(body + shine * highlight[..., None] * np.array([1.0, 0.93, 0.78], np.float32), 0.0, 1.0)
    body = mix(body, redrawn(picture, body), 0.5 * picture.detail)
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
    tone = np.clip(0.05 + 1.02 * soft + 0.16 * (rounded(picture) - 1.0), 0.0, 1.0)
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


def wood(picture: Picture) -> np.ndarray:
    """Carved in limewood and oiled: growth rings cut by the form, fine pores along the trunk."""
    shading = sculpted(picture)
    quiet = 1.0 - 0.75 * picture.detail
    warp = grain(picture, 44.0, salt=331, stretch=0.35) + 0.35 * grain(picture, 14.0, salt=333, stretch=0.3)
    at = mix(picture.screen[..., 0] / 60.0, picture.anchors[..., 0], picture.head)
    # The knife meets the rings at other depths where the form comes forward: rings follow light and shade.
    rings = np.sin(20.0 * at + 1.6 * warp + 5.0 * blur(shading, 5.0 * picture.unit))
    pores = grain(picture, 1.8, salt=337, stretch=0.08)
    tone = np.clip(0.06 + 0.82 * shading + quiet * (0.055 * rings + 0.028 * pores), 0.0, 1.0)
    ramp = [(0.13, 0.06, 0.03), (0.36, 0.18, 0.08), (0.62, 0.36, 0.17), (0.83, 0.58, 0.32), (0.96, 0.80, 0.55)]
    oil = smoothstep(0.78, 1.15, shading) * 0.12
    return on_person(picture, np.clip(gradient_map(tone, ramp) + oil[..., None], 0.0, 1.0))


def jade(picture: Picture) -> np.ndarray:
    """Polished jade: light goes deep into it, pale clouds in the green, small wet highlights."""
    unit = picture.unit
    shading = sculpted(picture)
    deep = mix(blur(shading, 2.4 * unit), shading, 0.35 + 0.55 * picture.detail)
    clouds = grain(picture, 34.0, salt=341) + 0.5 * grain(picture, 13.0, salt=343)
    tone = 0.08 + 0.86 * deep + 0.035 * clouds * (1.0 - 0.8 * picture.detail)
    # Thin places at the outline let light through.
    tone = tone + 0.12 * (1.0 - rounded(picture)) * picture.alpha
    ramp = [(0.05, 0.13, 0.09), (0.17, 0.33, 0.23), (0.38, 0.56, 0.41), (0.64, 0.79, 0.62), (0.90, 0.96, 0.87)]
    body = gradient_map(np.clip(tone, 0.0, 1.0), ramp)
    pale = smoothstep(0.2, 2.0, clouds)[..., None] * np.array([0.10, 0.09, 0.05], np.float32)
    polish = smoothstep(0.84, 1.15, shading + 0.5 * (shading - blur(shading, 6.0 * unit)))
    polish = polish * (1.0 - 0.6 * picture.detail)
    body = np.clip(body + pale + (0.40 * polish)[..., None], 0.0, 1.0)
    body = mix(body, redrawn(picture, body), 0.6 * picture.detail)
    return on_person(picture, np.clip(body, 0.0, 1.0))


def ice(picture: Picture) -> np.ndarray:
    """A carving of clear ice: the room bent and pale inside it, white rims, cracks and wet lights."""
    unit = picture.unit
    shading = sculpted(picture)
    turned = rounded(picture)
    soft = mix(blur(shading, 1.2 * unit), shading, 0.5 + 0.4 * picture.detail)
    tone = np.clip(0.04 + 0.80 * soft, 0.0, 1.0)
    body = gradient_map(
        tone, [(0.06, 0.16, 0.28), (0.22, 0.42, 0.58), (0.48, 0.68, 0.80), (0.76, 0.89, 0.95), (0.97, 1.0, 1.0)]
    )
    cloudy = smoothstep(-0.3, 1.8, grain(picture, 26.0, salt=351)) * (1.0 - 0.7 * picture.detail)
    cracks = ridges(picture, 26.0, salt=353) * smoothstep(0.0, 1.4, grain(picture, 34.0, salt=357))
    body = mix(body, np.array([0.90, 0.96, 1.0], np.float32), 0.22 * cloudy + 0.30 * cracks * (1.0 - picture.detail))
    room = blur(picture.rgb * (1.0 - picture.alpha)[..., None], 28.0 * unit)
    room = room / np.maximum(blur(1.0 - picture.alpha, 28.0 * unit), 0.02)[..., None]
    body = mix(body, body * (0.45 + 0.9 * np.clip(room, 0.0, 1.0)), 0.38)
    rim = smoothstep(0.9, 0.25, turned) * picture.alpha
    wet = smoothstep(0.72, 1.0, shading + 0.9 * (shading - blur(shading, 4.0 * unit)))
    body = body + (0.34 * rim + 0.55 * wet * (1.0 - 0.4 * picture.detail))[..., None]
    return on_person(picture, np.clip(body, 0.0, 1.0))


def clay(picture: Picture) -> np.ndarray:
    """Modelling clay, as in stop-motion films: plain colours, thumb marks, soft studio light."""
    unit = picture.unit
    shading = sculpted(picture)
    soft = mix(blur(shading, 1.6 * unit), shading, 0.25 + 0.65 * picture.detail)
    thumbs = blur(grain(picture, 13.0, salt=361), 0.6 * unit)
    dents = relief(thumbs, 0.022 * unit)
    light = 0.30 + 1.26 * soft + dents * (1.0 - 0.9 * picture.detail) * (1.0 - 0.75 * picture.face)
    colours = picture.rgb * 0.0 + np.array([0.5, 0.5, 0.5], np.float32)
    for parts, gain in (((TORSO,), 1.5), ((HAIR,), 1.6), ((FACE, EARS, NECK), 1.3), ((BROWS,), 1.3), ((LIPS,), 1.5)):
        mask = np.isin(picture.parts, parts)
        if mask.any():
            plain = np.median(picture.rgb[mask], axis=0)
            plain = np.clip(saturate(plain[None], gain)[0], 0.02, 1.0)
            plain = plain * (max(0.22, min(0.72, float(plain.max()) * 1.12)) / float(plain.max()))
            colours = mix(colours, plain.astype(np.float32), blur(mask.astype(np.float32), 0.8 * unit))
    # A man's colours lie in his picture: eyes, teeth and collars keep theirs.
    own = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.12)
    own = own / np.maximum(shading, 0.25)[..., None] * 0.55
    flat = np.isin(picture.parts, (EYES, MOUTH)).astype(np.float32)
    colours = mix(colours, own, np.maximum(blur(flat, 0.8 * unit), 0.55 * picture.region("clothes")))
    body = np.clip(colours * light[..., None] + (0.10 * smoothstep(0.75, 1.2, soft))[..., None], 0.0, 1.0)
    body = mix(body, redrawn(picture, body), 0.7 * picture.detail)
    return on_person(picture, np.clip(body, 0.0, 1.0))
