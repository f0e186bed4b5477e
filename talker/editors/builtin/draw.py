"""Drawn styles: pencil, charcoal, ink, chalk."""

from __future__ import annotations

import numpy as np

from talker.editors.builtin.filters import (
    Pen,
    along_edges,
    blur,
    edge_preserving,
    lines,
    luminance,
    mix,
    smoothstep,
    structure_tensor,
)
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain


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
    drawn = mix(np.broadcast_to(paper, picture.rgb.shape), lead, graphite)
    return np.clip(mix(drawn, redrawn(picture, drawn), 0.4 * picture.detail), 0.0, 1.0)


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


def ink(picture: Picture) -> np.ndarray:
    """Pen and Indian ink: firm contours, hatching in three directions as it darkens, black masses."""
    unit = picture.unit
    tone = even_light(picture)
    fine, bold = contours(picture, Pen(0.8, 32.0, 0.007), Pen(1.5, 18.0, 0.011))
    dark = 1.0 - mix(tone, blur(tone, 3.5 * unit), (1.0 - 0.3 * picture.alpha) * (1.0 - picture.detail))
    # Three directions, each from its own darkness on; the darker it is, the more paper its strokes cover.
    white = np.ones_like(tone)
    for least, salt, degrees in ((0.40, 301, -46.0), (0.56, 303, 38.0), (0.70, 305, -82.0)):
        stroke = grain(picture, 1.6, salt=salt, stretch=14.0, degrees=degrees)
        cover = smoothstep(-0.7, 0.7, stroke + 3.5 * (dark - least) - 0.6) * smoothstep(-0.12, 0.12, dark - least)
        white = white * (1.0 - 0.88 * cover)
    # On the face a wash of thinned ink carries the tone, and hatching only its shadows.
    near = np.maximum(picture.detail, 0.75 * picture.face)
    hatching = (1.0 - white) * (1.0 - near)
    wash = near * 0.62 * smoothstep(0.42, 1.0, dark) + 0.30 * picture.detail * smoothstep(0.45, 0.85, dark)
    mass = smoothstep(0.72, 0.88, dark) * (1.0 - 0.5 * picture.detail)
    lips = 0.24 * picture.region("lips")  # darker than the skin about them, however even their light is
    line = np.maximum(fine, bold) * (0.92 - 0.25 * picture.detail)
    black = 1.0 - (1.0 - hatching) * (1.0 - mass) * (1.0 - np.clip(wash + lips, 0.0, 1.0)) * (1.0 - line)
    black = black * mix(np.full_like(tone, 0.55), np.ones_like(tone), picture.alpha)
    paper = np.array([0.975, 0.962, 0.93], np.float32)
    drawn = mix(np.broadcast_to(paper, picture.rgb.shape), np.array([0.06, 0.055, 0.09], np.float32), black)
    return np.clip(mix(drawn, redrawn(picture, drawn), 0.5 * picture.detail), 0.0, 1.0)


def chalk(picture: Picture) -> np.ndarray:
    """White chalk on a blackboard: the lights are rubbed in, the darks are the board, the outlines drawn over."""
    unit = picture.unit
    tone = even_light(picture)
    fine, bold = contours(picture, Pen(0.8, 30.0, 0.006), Pen(1.6, 14.0, 0.012))
    tooth = grain(picture, 1.9, salt=311)
    stroke = np.tanh(grain(picture, 2.6, salt=313, stretch=8.0, degrees=-50.0))
    quiet = (1.0 - 0.9 * picture.detail) * (1.0 - 0.5 * picture.face)
    # Chalk draws the light: a dark face takes as much of it as a pale one.
    face = float((tone * picture.face).sum()) / max(float(picture.face.sum()), 1.0)
    rubbed = smoothstep(0.16, 0.86, tone + np.clip(0.60 - face, 0.0, 0.25) * picture.head if face else tone)
    powder = rubbed * (0.88 + quiet * (0.16 * stroke + 0.20 * tooth))
    powder = powder * (1.0 - 0.7 * np.maximum(fine, bold) * np.maximum(picture.face, picture.detail))
    powder = powder * (1.0 - 0.20 * picture.region("lips"))
    edge = structure_tensor(picture.grey, 0.9 * unit, 1.0 * unit)[..., [0, 2]].sum(axis=-1)
    outline = smoothstep(0.018 / unit, 0.060 / unit, np.sqrt(np.maximum(edge, 0.0))) * (1.0 - 0.95 * picture.face)
    outline = outline * mix(np.full_like(tone, 0.45), np.ones_like(tone), blur(picture.alpha, 2.0 * unit))
    outline = outline * np.clip(0.78 + 0.42 * tooth, 0.15, 1.0)
    powder = np.maximum(powder * mix(np.full_like(tone, 0.16), np.ones_like(tone), picture.alpha), 0.62 * outline)
    board = np.array([0.105, 0.135, 0.120], np.float32) * (1.0 + 0.14 * grain(picture, 38.0, salt=317))[..., None]
    wiped = 0.035 * smoothstep(-0.5, 1.8, grain(picture, 12.0, salt=319, stretch=6.0, degrees=12.0))
    white = np.array([0.95, 0.945, 0.91], np.float32)
    drawn = np.clip(mix(board + wiped[..., None], white, np.clip(0.96 * powder, 0.0, 1.0)), 0.0, 1.0)
    return np.clip(mix(drawn, redrawn(picture, drawn), 0.6 * picture.detail), 0.0, 1.0)
