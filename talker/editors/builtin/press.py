"""Printed styles: cartoon, comic, pop art."""

from __future__ import annotations

import cv2
import numpy as np

from talker.editors.builtin.brush import PX_PER_RADIAN
from talker.editors.builtin.draw import contours, even_light
from talker.editors.builtin.filters import Pen, blur, luminance, mix, saturate, smoothstep, with_luminance
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture


def soft_steps(tone: np.ndarray, levels: int, sharpness: float) -> np.ndarray:
    """Tones in flat steps with soft edges: a hard step would flicker where a gradient crosses it."""
    scaled = tone * levels
    whole = np.floor(scaled)
    within = scaled - whole - 0.5
    return (whole + 0.5 + 0.5 * np.tanh(sharpness * within) / np.tanh(sharpness * 0.5)) / levels


def flat_areas(picture: Picture) -> np.ndarray:
    """[H, W, 3] the image without texture inside its outlines; eyes and lips keep theirs."""
    flat = picture.rgb.astype(np.float32)
    diameter = picture.odd(7)
    for _ in range(2):
        flat = cv2.bilateralFilter(flat, diameter, 0.12, 3.0 * picture.unit)
    return mix(flat, picture.rgb, 0.6 * picture.detail)


def cartoon(picture: Picture) -> np.ndarray:
    """Clear outlines, a few flat tones, fresh colours."""
    flat = flat_areas(picture)
    tone = np.clip(luminance(flat) * 1.08, 0.0, 1.0)
    tone = mix(tone, soft_steps(tone, 5, 7.0), 0.85 - 0.6 * picture.detail)
    colour = saturate(flat * (tone / np.maximum(luminance(flat), 0.02))[..., None], 1.55)
    colour = np.clip(colour * 1.06 + 0.02, 0.0, 1.0)
    fine, bold = contours(picture, Pen(0.8, 24.0, 0.012), Pen(1.2, 20.0, 0.011))
    ink = np.maximum(bold, 0.8 * fine)
    ink = ink * mix(np.full_like(tone, 0.5), np.ones_like(tone), picture.alpha)
    return mix(colour, np.array([0.06, 0.04, 0.07], np.float32), 0.9 * ink)


def comic(picture: Picture) -> np.ndarray:
    """Printed comic: bold ink, bright inks in halftone dots."""
    base = cartoon(picture)
    tone = luminance(base)
    period = 5.0
    on_screen = picture.screen * (2.0 * np.pi / period)
    on_head = picture.anchors * (PX_PER_RADIAN * 2.0 * np.pi / period)
    across = mix(
        np.cos(on_screen[..., 0] + on_screen[..., 1]) * np.cos(on_screen[..., 0] - on_screen[..., 1]),
        np.cos(on_head[..., 0] + on_head[..., 1]) * np.cos(on_head[..., 0] - on_head[..., 1]),
        picture.head,
    )
    dots = smoothstep(-0.35, 0.35, across * 0.9 + (0.62 - tone) * 2.0)
    printed = saturate(with_luminance(base, np.clip(tone * 1.06 + 0.03, 0.0, 1.0)), 1.35)
    shadowed = printed * np.array([0.72, 0.66, 0.80], np.float32)
    screened = mix(
        printed,
        shadowed,
        dots * (1.0 - 0.9 * picture.detail) * (1.0 - 0.4 * picture.face) * smoothstep(0.95, 0.75, tone),
    )
    (ink,) = contours(picture, Pen(1.6, 22.0, 0.010))
    return np.clip(mix(screened, np.array([0.05, 0.04, 0.07], np.float32), 0.85 * ink), 0.0, 1.0)


# A silk screen's inks, as in the Marilyns of 1967: (shade, light) of each region.
POP_INKS = {
    "skin": ((0.93, 0.36, 0.52), (1.0, 0.74, 0.74)),
    "hair": ((0.93, 0.62, 0.05), (1.0, 0.89, 0.20)),
    "clothes": ((0.36, 0.14, 0.58), (0.60, 0.36, 0.84)),
    "lips": ((0.70, 0.03, 0.12), (0.92, 0.10, 0.20)),
}
POP_WALL = (0.07, 0.72, 0.74)


def pop_art(picture: Picture) -> np.ndarray:
    """A silk-screen print: flat loud inks, region by region, and the photograph's darks in black on top."""
    unit = picture.unit
    soft = luminance(flat_areas(picture))
    tone = np.clip(0.5 + 1.3 * (even_light(picture) - 0.5) + 0.4 * (soft - blur(soft, 10.0 * unit)), 0.0, 1.0)
    wall = (
        np.asarray(POP_WALL, np.float32)
        * (0.93 + 0.07 * smoothstep(0.2, 0.8, blur(picture.grey, 2.0 * unit)))[..., None]
    )
    print_ = mix(wall, np.array([0.93, 0.62, 0.70], np.float32), picture.alpha)
    for region, (shade, light) in POP_INKS.items():
        where = picture.region(region)
        own = float((picture.grey * where).sum() / max(float(where.sum()), 1.0))
        lit = smoothstep(-0.05, 0.09, soft - own)
        print_ = mix(
            print_,
            mix(np.broadcast_to(np.asarray(shade, np.float32), print_.shape), np.asarray(light, np.float32), lit),
            where,
        )
    # Whites of eyes and teeth are the paper.
    bare = (
        picture.detail
        * smoothstep(0.62, 0.80, picture.grey)
        * smoothstep(0.22, 0.10, picture.rgb[..., 0] - picture.rgb[..., 2])
    )
    print_ = mix(print_, np.array([0.98, 0.97, 0.93], np.float32), bare)
    fine, bold = contours(picture, Pen(0.9, 28.0, 0.010), Pen(1.6, 16.0, 0.012))
    own_dark = smoothstep(0.30, 0.16, tone) * (1.0 - 0.55 * picture.region("hair") - 0.4 * picture.region("clothes"))
    black = np.clip(np.maximum(np.maximum(bold, 0.8 * fine), own_dark), 0.0, 1.0) * picture.alpha
    printed = np.clip(mix(print_, np.array([0.07, 0.05, 0.10], np.float32), 0.92 * black), 0.0, 1.0)
    return np.clip(mix(printed, redrawn(picture, printed), 0.5 * picture.detail), 0.0, 1.0)
