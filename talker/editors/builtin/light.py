"""Light, season and age of the picture: winter, night, sunset, old photo and the like."""

from __future__ import annotations

import numpy as np

from talker.editors.builtin.filters import blur, gradient_map, luminance, mix, saturate, smoothstep
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain


def vignette(picture: Picture, depth: float) -> np.ndarray:
    """[H, W] 1 in the middle, 1 - depth in the corners."""
    at = picture.screen / 128.0 - 1.0
    return (1.0 - depth * smoothstep(0.45, 1.45, np.hypot(at[..., 0], at[..., 1]))).astype(np.float32)


def rim(picture: Picture, direction: tuple[float, float], width: float) -> np.ndarray:
    """[H, W] light that grazes the outline of the person from a direction (x, y), y down."""
    unit = picture.unit
    down, right = np.gradient(blur(picture.alpha, width * unit) * (width * unit))
    facing = -(right * direction[0] + down * direction[1])
    return np.clip(facing * 2.2, 0.0, 1.0) * picture.alpha


def side_light(picture: Picture, from_left: bool) -> np.ndarray:
    """[H, W] about 1: more on one side of the head, less on the other; the body follows the head's shape."""
    across = np.tanh(picture.anchors[..., 0] * 1.2) * (-1.0 if from_left else 1.0)
    return mix(np.ones_like(picture.grey), (1.0 + 0.28 * across).astype(np.float32), picture.alpha)


def bokeh(picture: Picture, spots: list[tuple[float, float, float]]) -> np.ndarray:
    """[H, W] soft discs of light out of focus: centres and radii in image widths."""
    at = picture.screen / 256.0
    light = np.zeros_like(picture.grey)
    for x, y, radius in spots:
        distance = np.hypot(at[..., 0] - x, at[..., 1] - y) / radius
        light = light + (0.75 + 0.25 * np.clip(distance, 0.0, 1.0)) * (1.0 - smoothstep(0.82, 1.12, distance))
    return light.astype(np.float32)


def _spots(seed: int, count: int, least: float, most: float) -> list[tuple[float, float, float]]:
    rng = np.random.default_rng(seed)
    return [(*rng.uniform(0.0, 1.0, 2), rng.uniform(least, most)) for _ in range(count)]


SNOWFLAKES = _spots(7, 70, 0.004, 0.013)
CITY_LIGHTS = _spots(24, 14, 0.018, 0.048)


def winter(picture: Picture) -> np.ndarray:
    """Cold, pale light; snow in the room, on the hair and on the shoulders."""
    unit = picture.unit
    cold = saturate(picture.rgb, 0.72) * np.array([0.90, 0.99, 1.12], np.float32)
    person = np.clip(cold * 0.94 + 0.06, 0.0, 1.0)
    haze = blur(cold, 2.5 * unit)
    white = np.array([0.86, 0.91, 0.97], np.float32) * (0.80 + 0.25 * luminance(haze))[..., None]
    room = mix(haze, white, 0.72)
    room = mix(room, np.ones(3, np.float32), 0.75 * np.clip(bokeh(picture, SNOWFLAKES), 0.0, 1.0))
    fallen = rim(picture, (0.0, -1.0), 3.5) * (1.0 - picture.face)
    fallen = smoothstep(0.28, 0.62, fallen + 0.10 * grain(picture, 3.0, salt=101))
    flecks = smoothstep(1.5, 2.2, grain(picture, 2.2, salt=103)) * picture.region("hair") * 0.6
    person = mix(person, np.array([0.95, 0.97, 1.0], np.float32), np.maximum(fallen * 0.92, flecks))
    return np.clip(mix(room, person, picture.alpha), 0.0, 1.0)


def night(picture: Picture) -> np.ndarray:
    """Moonlight from one side, lights of a city out of focus behind."""
    # Exposed for the face: a dark room must not swallow it.
    face = float(picture.face.sum())
    exposure = np.clip(0.50 / max(0.05, float((picture.grey * picture.face).sum()) / max(face, 1.0)), 0.8, 1.7)
    dark = np.clip(saturate(picture.rgb, 0.55) * (exposure if face > 1.0 else 1.0), 0.0, 1.0)
    moon = np.array([0.52, 0.64, 0.96], np.float32)
    lit = side_light(picture, from_left=True)
    person = dark**1.15 * moon * (1.15 * lit)[..., None] + np.array([0.016, 0.024, 0.060], np.float32)
    person = person + (0.55 * rim(picture, (-0.9, -0.45), 3.0))[..., None] * np.array([0.55, 0.72, 1.0], np.float32)
    room = blur(dark, 2.0 * picture.unit) ** 1.5 * moon * 0.50 + np.array([0.008, 0.014, 0.05], np.float32)
    lamps = bokeh(picture, CITY_LIGHTS[::2])[..., None] * np.array([0.34, 0.21, 0.08], np.float32)
    lamps = lamps + bokeh(picture, CITY_LIGHTS[1::2])[..., None] * np.array([0.08, 0.13, 0.22], np.float32)
    return np.clip(mix(room + lamps, person, picture.alpha), 0.0, 1.0)


def sunset(picture: Picture) -> np.ndarray:
    """Low warm sun from one side, a glowing sky behind."""
    unit = picture.unit
    height = picture.screen[..., 1] / 256.0
    lit = side_light(picture, from_left=False)
    warm = np.array([1.16, 0.88, 0.62], np.float32)
    cool = np.array([0.84, 0.66, 0.80], np.float32)
    person = picture.rgb * mix(np.broadcast_to(cool, picture.rgb.shape), warm, np.clip(lit - 0.5, 0.0, 1.0))
    person = saturate(person * (0.15 + 0.85 * lit)[..., None], 1.12)
    person = person + (0.85 * rim(picture, (0.9, -0.3), 2.5))[..., None] * np.array([1.0, 0.62, 0.25], np.float32)
    sky = gradient_map(
        height, [(0.36, 0.24, 0.46), (0.80, 0.40, 0.42), (1.0, 0.62, 0.30), (1.0, 0.84, 0.50)], [0.0, 0.35, 0.65, 1.0]
    )
    tone = blur(picture.rgb, 1.5 * unit)
    room = mix(tone * warm, sky * (0.55 + 0.6 * luminance(tone))[..., None], 0.75)
    at = picture.screen / 256.0
    sun = np.exp(-(((at[..., 0] - 0.86) / 0.20) ** 2 + ((at[..., 1] - 0.42) / 0.22) ** 2))
    room = room + 0.5 * sun[..., None] * np.array([1.0, 0.75, 0.40], np.float32)
    return np.clip(mix(room, person, picture.alpha), 0.0, 1.0)


def old_photo(picture: Picture) -> np.ndarray:
    """A faded sepia print: soft lens, pale blacks, worn edges, a little dust."""
    unit = picture.unit
    # Early plates saw blue best: skin comes out darker and lips darker still.
    plate = picture.rgb @ np.array([0.22, 0.48, 0.30], np.float32)
    soft = mix(plate, blur(plate, 1.4 * unit), 0.45 - 0.35 * picture.detail)
    soft = soft + 0.18 * (blur(np.maximum(soft - 0.55, 0.0), 8.0 * unit))
    tone = 0.04 + 0.92 * smoothstep(-0.12, 0.92, soft)
    tone = tone + 0.012 * grain(picture, 1.7, salt=111)
    worn = smoothstep(0.6, 1.6, grain(picture, 34.0, salt=113)) * (1.0 - picture.alpha)
    dust = smoothstep(2.6, 3.1, grain(picture, 2.6, salt=115)) * (1.0 - picture.head)
    tone = mix(tone * vignette(picture, 0.38), np.full_like(tone, 0.80), np.clip(0.16 * worn + 0.5 * dust, 0.0, 1.0))
    shadow, paper = np.array([0.17, 0.105, 0.06], np.float32), np.array([1.0, 0.925, 0.775], np.float32)
    return np.clip(shadow + (paper - shadow) * tone[..., None], 0.0, 1.0)


def black_and_white(picture: Picture) -> np.ndarray:
    """A studio black-and-white photograph: full blacks, clear skin."""
    film = picture.rgb @ np.array([0.38, 0.44, 0.18], np.float32)
    local = film + 0.35 * (film - blur(film, 12.0 * picture.unit))
    tone = smoothstep(-0.04, 0.98, local) * vignette(picture, 0.22)
    return np.repeat(np.clip(tone, 0.0, 1.0)[..., None], 3, axis=-1)


def candlelight(picture: Picture) -> np.ndarray:
    """A candle before the speaker, a little below: warm skin, deep shadows, the room lost in brown dark."""
    face = float((picture.grey * picture.face).sum()) / max(float(picture.face.sum()), 1.0)
    exposed = np.clip(picture.rgb * np.clip(0.50 / max(0.05, face), 0.7, 1.7), 0.0, 1.0)
    x, y = picture.anchors[..., 0], picture.anchors[..., 1]
    reach = np.exp(-np.square((x + 0.35) / 1.30) - np.square((y - 0.30) / 1.25)).astype(np.float32)
    warm = np.array([1.16, 0.78, 0.42], np.float32)
    tone = saturate(exposed, 0.80) ** 1.10 * warm
    person = tone * (0.16 + 1.40 * reach)[..., None] + np.array([0.030, 0.014, 0.006], np.float32)
    at = picture.screen / 256.0
    glow = np.exp(-(((at[..., 0] - 0.24) / 0.42) ** 2 + ((at[..., 1] - 0.86) / 0.55) ** 2)).astype(np.float32)
    room = blur(exposed, 2.5 * picture.unit) ** 1.3 * warm * (0.12 + 0.70 * glow)[..., None]
    room = room + (0.24 * glow)[..., None] * np.array([1.0, 0.52, 0.16], np.float32)
    person = person + (0.40 * rim(picture, (-0.8, 0.3), 2.5))[..., None] * np.array([1.0, 0.56, 0.20], np.float32)
    return np.clip(mix(room, person, picture.alpha) * vignette(picture, 0.35)[..., None], 0.0, 1.0)


# Tubes on the wall behind: ends in image widths, colour.
NEON_TUBES = (
    ((0.06, 0.10), (0.06, 0.80), (1.0, 0.10, 0.55)),
    ((0.94, 0.16), (0.94, 0.86), (0.08, 0.75, 1.0)),
    ((0.20, 0.06), (0.80, 0.06), (0.55, 0.20, 1.0)),
)


def neon(picture: Picture) -> np.ndarray:
    """A club at night: magenta light from the left, cyan from the right, glowing tubes on a dark wall."""
    face = float((picture.grey * picture.face).sum()) / max(float(picture.face.sum()), 1.0)
    tone = np.clip(picture.grey * np.clip(0.52 / max(0.05, face), 0.7, 1.8), 0.0, 1.0)
    shade = (tone + 0.35 * (1.0 - picture.detail) * (tone - blur(tone, 8.0 * picture.unit)))[..., None]
    x = picture.anchors[..., 0]
    left, right = smoothstep(0.30, -0.80, x), smoothstep(-0.30, 0.80, x)
    magenta, cyan = np.array([1.12, 0.26, 0.66], np.float32), np.array([0.24, 0.76, 1.10], np.float32)
    lit = (0.16 + 0.94 * left)[..., None] * magenta + (0.12 + 0.94 * right)[..., None] * cyan
    person = np.clip(shade, 0.0, 1.2) ** 1.1 * (1.12 * lit + np.array([0.16, 0.12, 0.24], np.float32))
    person = np.clip(mix(person, picture.rgb * lit, 0.25), 0.0, 1.0)
    # Under two such lights lips and eyes would be lost: they keep some of their own colour.
    person = mix(person, redrawn(picture, mix(person, picture.rgb, 0.45)), 0.8 * picture.detail)
    edges = rim(picture, (-0.9, -0.2), 2.5)[..., None] * magenta + rim(picture, (0.9, -0.2), 2.5)[..., None] * cyan
    at = picture.screen / 256.0
    wall = blur(picture.grey, 2.0 * picture.unit)[..., None] * np.array([0.10, 0.07, 0.20], np.float32)
    for (x0, y0), (x1, y1), colour in NEON_TUBES:
        along = np.array([x1 - x0, y1 - y0], np.float32)
        share = np.clip(((at - (x0, y0)) @ along) / float(along @ along), 0.0, 1.0)[..., None]
        away = at - ((x0, y0) + share * along)
        distance = np.hypot(away[..., 0], away[..., 1])
        halo = 0.50 * np.exp(-distance / 0.10) + 0.8 * np.exp(-np.square(distance / 0.016))
        core = np.exp(-np.square(distance / 0.0065))
        wall = wall + halo[..., None] * np.asarray(colour, np.float32) + (0.9 * core)[..., None]
    return np.clip(mix(wall, person + 0.55 * edges, picture.alpha), 0.0, 1.0)
