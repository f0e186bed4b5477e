"""Drawn styles: pencil, charcoal, cartoon, comic."""

from __future__ import annotations

import numpy as np

from talker.pdu.builtin.filters import (
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


def contours(picture: Picture, sigma: float, *, gain: float, threshold: float) -> np.ndarray:
    """[H, W] ink on the image's lines; `sigma` for a 256 px image."""
    unit = picture.unit
    flow = along_edges(structure_tensor(picture.rgb, 0.8 * unit, 2.0 * unit))
    return lines(picture.grey, flow, sigma * unit, gain=gain, threshold=threshold)


def even_light(picture: Picture) -> np.ndarray:
    """[H, W] luminance with the wide differences reduced: what a draughtsman would shade."""
    tone = luminance(edge_preserving(picture.rgb, max(1, round(2 * picture.unit)), 0.05))
    wide = blur(tone, 40.0 * picture.unit)
    return np.clip(0.5 + (tone - wide) * 1.1 + (wide - 0.5) * 0.55 + 0.06, 0.0, 1.0)


def pencil(picture: Picture) -> np.ndarray:
    """Graphite on paper: fine contours, hatching that grows with the shade, the room only hinted at."""
    tone = even_light(picture)
    fine = contours(picture, 0.8, gain=34.0, threshold=0.006)
    bold = contours(picture, 1.7, gain=15.0, threshold=0.012)
    shade = np.clip(1.0 - tone, 0.0, 1.0)
    hatch = grain(picture, 2.4, salt=41, stretch=9.0, degrees=-52.0)
    cross = grain(picture, 2.4, salt=43, stretch=9.0, degrees=-18.0)
    light_layer = smoothstep(-0.9, 1.2, hatch + 5.0 * (shade - 0.44))
    dark_layer = smoothstep(-0.9, 1.2, cross + 5.0 * (shade - 0.66))
    laid = 0.34 * light_layer + 0.34 * dark_layer + 0.30 * smoothstep(0.25, 1.0, shade)
    # About eyes and lips hatching would draw what is not there: plain tone carries them.
    laid = mix(laid, 0.85 * smoothstep(0.2, 0.95, shade), 0.8 * picture.detail)
    laid = laid * mix(np.full_like(tone, 0.45), np.ones_like(tone), picture.alpha)
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
    tooth = grain(picture, 2.6, salt=61) * (1.0 - 0.7 * picture.detail)
    mass = smoothstep(0.12, 0.82, rubbed + 0.075 * tooth)
    bold = contours(picture, 1.5, gain=13.0, threshold=0.010)
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


def cartoon(picture: Picture) -> np.ndarray:
    """Clear outlines, a few flat tones, fresh colours."""
    unit = picture.unit
    flat = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.10, passes=3)
    flat = mix(flat, edge_preserving(picture.rgb, 1, 0.05, passes=1), 0.7 * picture.detail)
    tone = luminance(flat)
    stepped = soft_steps(np.clip(tone * 1.08, 0.0, 1.0), 5, 4.5)
    tone = mix(tone, stepped, 0.75 - 0.55 * picture.detail)
    colour = saturate(flat * (tone / np.maximum(luminance(flat), 0.02))[..., None], 1.55)
    colour = np.clip(colour * 1.06 + 0.02, 0.0, 1.0)
    ink = np.maximum(
        contours(picture, 1.2, gain=20.0, threshold=0.011), 0.8 * contours(picture, 0.8, gain=24.0, threshold=0.012)
    )
    ink = ink * mix(np.full_like(tone, 0.5), np.ones_like(tone), picture.alpha)
    return mix(colour, np.array([0.06, 0.04, 0.07], np.float32), 0.9 * ink)


def comic(picture: Picture) -> np.ndarray:
    """Printed comic: bold ink, bright inks in halftone dots."""
    base = cartoon(picture)
    tone = luminance(base)
    period = 5.0
    on_screen = picture.screen * (2.0 * np.pi / period)
    on_head = picture.anchors * (60.0 * 2.0 * np.pi / period)
    across = mix(
        np.cos(on_screen[..., 0] + on_screen[..., 1]) * np.cos(on_screen[..., 0] - on_screen[..., 1]),
        np.cos(on_head[..., 0] + on_head[..., 1]) * np.cos(on_head[..., 0] - on_head[..., 1]),
        picture.head,
    )
    dots = smoothstep(-0.35, 0.35, across * 0.9 + (0.62 - tone) * 2.0)
    printed = saturate(with_luminance(base, np.clip(tone * 1.18 + 0.04, 0.0, 1.0)), 1.35)
    shadowed = printed * np.array([0.72, 0.66, 0.80], np.float32)
    screened = mix(printed, shadowed, dots * (1.0 - 0.75 * picture.detail) * smoothstep(0.95, 0.75, tone))
    ink = contours(picture, 1.6, gain=22.0, threshold=0.010)
    return np.clip(mix(screened, np.array([0.05, 0.04, 0.07], np.float32), 0.85 * ink), 0.0, 1.0)
