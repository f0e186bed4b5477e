"""Pictures that no eye sees: hologram, thermal camera, night vision."""

from __future__ import annotations

import numpy as np

from talker.editors.builtin.brush import PX_PER_RADIAN
from talker.editors.builtin.draw import even_light
from talker.editors.builtin.filters import blur, gradient_map, mix, saturate, smoothstep
from talker.editors.builtin.light import vignette
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain

# Degrees above the room's, as shares of the palette: bare skin is warmest, hair and cloth hold the warmth back.
WARMTH = {"clothes": 0.44, "hair": 0.40, "skin": 0.76, "face": 0.80}
IRONBOW = [
    (0.02, 0.01, 0.10), (0.16, 0.03, 0.42), (0.46, 0.04, 0.60), (0.80, 0.18, 0.42),
    (0.96, 0.46, 0.10), (1.0, 0.78, 0.16), (1.0, 0.98, 0.82),
]  # fmt: skip


def scan_lines(picture: Picture, period: float) -> np.ndarray:
    """[H, W] in [-1, 1]: horizontal lines that lie on the head where the head is."""
    per_px = 2.0 * np.pi / period
    head = np.cos(picture.anchors[..., 1] * (PX_PER_RADIAN * per_px))
    # Closer than two pixels lines would only make moire.
    head = head * smoothstep(1.8, 3.2, period / (PX_PER_RADIAN * picture.anchors_per_px * 0.71))
    return mix(np.cos(picture.screen[..., 1] * per_px), head, picture.head)


def hologram(picture: Picture) -> np.ndarray:
    """A projection in blue light: bright edges, lines, the dim room showing through."""
    unit = picture.unit
    tone = even_light(picture)
    local = tone + 0.8 * (1.0 - 0.9 * picture.detail) * (tone - blur(tone, 3.0 * unit))
    light = 0.12 + 0.72 * smoothstep(0.08, 1.05, local)
    rim = smoothstep(0.98, 0.50, blur(picture.alpha, 5.0 * unit)) * picture.alpha
    light = light + 0.45 * rim
    light = light * (1.0 + 0.11 * scan_lines(picture, 4.2) * (1.0 - 0.9 * picture.detail))
    light = light * (1.0 + 0.035 * grain(picture, 2.0, salt=401))
    blue = gradient_map(
        np.clip(light, 0.0, 1.0),
        [(0.02, 0.06, 0.15), (0.11, 0.26, 0.46), (0.30, 0.58, 0.80), (0.62, 0.88, 0.97), (0.95, 1.0, 1.0)],
    )
    room = saturate(blur(picture.rgb, 1.5 * unit), 0.35) * np.array([0.16, 0.24, 0.36], np.float32)
    behind = blur(room, 10.0 * unit)
    halo = blur(picture.alpha, 11.0 * unit) * (1.0 - picture.alpha)
    room = room + (0.40 * halo)[..., None] * np.array([0.10, 0.55, 0.85], np.float32)
    body = 0.94 * blue + 0.25 * behind
    body = mix(body, redrawn(picture, body), 0.5 * picture.detail)
    return np.clip(mix(room, body, picture.alpha), 0.0, 1.0)


def thermal(picture: Picture) -> np.ndarray:
    """A heat camera's false colours: warm skin, cooler hair and cloth, a cold room."""
    unit = picture.unit
    room = 0.10 + 0.10 * blur(picture.grey, 6.0 * unit)
    heat = mix(room, np.full_like(room, 0.42), picture.alpha)
    for region, warmth in WARMTH.items():
        heat = mix(heat, np.full_like(heat, warmth), blur(picture.region(region), 1.2 * unit))
    # Form shows as it does in such pictures: what faces away is cooler, and so are brows, lips' line and nostrils.
    shape = blur(picture.grey, 0.9 * unit) - blur(picture.grey, 14.0 * unit)
    features = picture.grey - blur(picture.grey, 4.0 * unit)
    heat = heat + 0.55 * shape * picture.alpha + 0.9 * picture.detail * features - 0.07 * picture.region("lips")
    heat = heat - 0.22 * (1.0 - smoothstep(0.45, 1.0, blur(picture.alpha, 6.0 * unit))) * picture.alpha
    colours = gradient_map(np.clip(heat, 0.0, 1.0), IRONBOW)
    return np.clip(mix(colours, redrawn(picture, colours), 0.7 * picture.detail), 0.0, 1.0)


def night_vision(picture: Picture) -> np.ndarray:
    """An image intensifier: green phosphor, blooming lights, grain, the tube's dark round edge."""
    unit = picture.unit
    tone = picture.rgb @ np.array([0.34, 0.54, 0.12], np.float32)
    tone = tone + 0.4 * (tone - blur(tone, 10.0 * unit))
    tone = 0.05 + 0.80 * smoothstep(-0.06, 1.08, tone)
    tone = tone + 0.45 * blur(np.maximum(tone - 0.62, 0.0), 6.0 * unit)
    noise = grain(picture, 1.8, salt=411) * (1.0 - 0.75 * picture.detail) * (1.0 - 0.3 * picture.face)
    tone = tone * (1.0 + 0.05 * scan_lines(picture, 3.2) * (1.0 - 0.9 * picture.detail)) + 0.045 * noise
    at = picture.screen / 128.0 - 1.0
    tube = smoothstep(1.36, 1.02, np.hypot(at[..., 0], at[..., 1]))
    phosphor = gradient_map(
        np.clip(tone * vignette(picture, 0.35), 0.0, 1.0),
        [(0.01, 0.04, 0.02), (0.09, 0.25, 0.11), (0.29, 0.58, 0.29), (0.60, 0.88, 0.56), (0.92, 1.0, 0.88)],
    )
    phosphor = phosphor * (0.06 + 0.94 * tube)[..., None]
    return np.clip(mix(phosphor, redrawn(picture, phosphor), 0.5 * picture.detail), 0.0, 1.0)
