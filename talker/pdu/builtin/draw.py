"""Drawn styles: pencil, charcoal, cartoon, comic."""

from __future__ import annotations

import cv2
import numpy as np

from talker.pdu.builtin.brush import PX_PER_RADIAN
from talker.pdu.builtin.filters import (
    Pen,
    along_edges,
    blur,
    edge_preserving,
    lines,
    luminance,
    mix,
    saturate,
    smoothstep,
    structure_tensor,
    with_luminance,
)
from talker.pdu.builtin.picture import Picture
from talker.pdu.builtin.texture import grain


def contours(picture: Picture, *pens: Pen) -> list[np.ndarray]:
    """Ink [H, W] on the image's lines for each pen, their widths for a 256 px image."""
    unit = picture.unit
    flow = along_edges(structure_tensor(picture.rgb, 0.8 * unit, 2.0 * unit))
    return lines(picture.grey, flow, [Pen(pen.sigma * unit, pen.gain, pen.threshold) for pen in pens])


def even_light(picture: Picture) -> np.ndarray:
    """[H, W] luminance with the wide differences reduced: what a draughtsman would shade."""
    tone = luminance(edge_preserving(picture.rgb, max(1, round(2 * picture.unit)), 0.05))
    wide = blur(tone, 40.0 * picture.unit)
    features = picture.detail * (picture.grey - blur(picture.grey, 4.0 * picture.unit))
    return np.clip(0.56 + (tone - wide) * 1.1 + (wide - 0.5) * 0.55 + 0.9 * features, 0.0, 1.0)


def pencil(picture: Picture) -> np.ndarray:
    """Graphite on paper: fine contours, hatching that grows with the shade, the room only hinted at."""
    tone = even_light(picture)
    fine, bold = contours(picture, Pen(0.8, 34.0, 0.006), Pen(1.7, 15.0, 0.012))
    shade = smoothstep(0.08, 0.95, 1.0 - tone)
    hatch = np.tanh(grain(picture, 2.2, salt=41, stretch=9.0, degrees=-52.0))
    cross = np.tanh(grain(picture, 2.2, salt=43, stretch=9.0, degrees=-18.0))
    # About eyes and lips hatching would draw what is not there: plain tone carries them.
    plain = (1.0 - 0.9 * picture.detail) * (1.0 - 0.3 * picture.face)
    laid = shade * (0.80 + plain * (0.34 * hatch + 0.22 * cross * smoothstep(0.35, 0.75, shade)))
    # Lips are always drawn darker than the skin about them, however even their light is.
    laid = laid * mix(np.full_like(tone, 0.45), np.ones_like(tone), picture.alpha) + 0.16 * picture.region("lips")
    ink = np.maximum(0.85 * fine, 0.75 * bold) * mix(np.full_like(tone, 0.55), np.ones_like(tone), picture.alpha)
    graphite = 1.0 - (1.0 - np.clip(laid, 0.0, 1.0) * 0.85) * (1.0 - ink)
    tooth = grain(picture, 1.8, salt=45)
    graphite = np.clip(graphite * (1.0 + 0.10 * tooth), 0.0, 1.0)
    paper = np.array([0.965, 0.955, 0.93], np.float32)
    lead = np.array([0.16, 0.16, 0.18], np.float32)
    return mix(np.broadcast_to(paper, picture.rgb.shape), lead, graphite)


def charcoal(picture: Picture) -> np.ndarray:
    """Soft black masses rubbed into rough paper, with a few heavy lines."""
    unit = picture.unit
    tone = even_light(picture)
    rubbed = mix(tone, blur(tone, 3.0 * unit), 0.5 * (1.0 - picture.detail))
    tooth = grain(picture, 2.0, salt=61, stretch=3.5, degrees=-48.0)
    tooth = tooth * (1.0 - 0.9 * picture.detail) * (1.0 - 0.5 * picture.face)
    mass = smoothstep(0.10, 0.84, rubbed + 0.045 * tooth)
    (bold,) = contours(picture, Pen(1.5, 13.0, 0.010))
    black = 1.0 - mass * (1.0 - 0.85 * bold)
    black = black * mix(np.full_like(tone, 0.6), np.ones_like(tone), picture.alpha)
    paper = np.array([0.93, 0.91, 0.87], np.float32)
    return mix(np.broadcast_to(paper, picture.rgb.shape), np.array([0.07, 0.065, 0.06], np.float32), black)


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
    printed = saturate(with_luminance(base, np.clip(tone * 1.18 + 0.04, 0.0, 1.0)), 1.35)
    shadowed = printed * np.array([0.72, 0.66, 0.80], np.float32)
    screened = mix(
        printed,
        shadowed,
        dots * (1.0 - 0.9 * picture.detail) * (1.0 - 0.4 * picture.face) * smoothstep(0.95, 0.75, tone),
    )
    (ink,) = contours(picture, Pen(1.6, 22.0, 0.010))
    return np.clip(mix(screened, np.array([0.05, 0.04, 0.07], np.float32), 0.85 * ink), 0.0, 1.0)
