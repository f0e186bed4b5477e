"""Painted styles: Van Gogh, oil, watercolour."""

from __future__ import annotations

import numpy as np

from talker.editors.builtin.brush import Brush, draw, lay_strokes
from talker.editors.builtin.filters import (
    along_edges,
    blur,
    edge_preserving,
    gradient_map,
    gradient_tensor,
    luminance,
    mix,
    relief,
    saturate,
    smoothstep,
    structure_tensor,
    with_luminance,
)
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain

# Vincent's own tubes (self-portraits of 1887-89): ultramarine and Prussian blue in the shadows, ochres, chrome yellow.
ROOM_PALETTE = [(0.05, 0.10, 0.26), (0.10, 0.26, 0.52), (0.22, 0.48, 0.66), (0.48, 0.72, 0.72), (0.90, 0.92, 0.74)]
SKIN_PALETTE = [(0.10, 0.12, 0.18), (0.38, 0.24, 0.16), (0.76, 0.46, 0.22), (0.94, 0.73, 0.42), (1.00, 0.94, 0.72)]
HAIR_PALETTE = [(0.05, 0.06, 0.12), (0.24, 0.13, 0.09), (0.56, 0.28, 0.10), (0.83, 0.55, 0.18), (0.97, 0.85, 0.45)]
LIP_PALETTE = [(0.14, 0.05, 0.08), (0.44, 0.14, 0.13), (0.76, 0.34, 0.26), (0.94, 0.66, 0.52)]
# Eddies of The Starry Night: centre and radius in image widths, turning sense.
EDDIES = ((0.16, 0.22, 0.17, 1.0), (0.86, 0.30, 0.15, -1.0), (0.55, 0.02, 0.13, 0.9))

ROOM_BRUSH = Brush(width=4.6, length=19.0, spacing=0.95, stray=0.75, salt=11)
HEAD_BRUSH = Brush(width=3.4, length=12.0, spacing=0.88, stray=0.42, salt=23)
FINE_BRUSH = Brush(width=2.2, length=7.0, spacing=0.80, stray=0.35, salt=37)


def swirls(screen: np.ndarray) -> np.ndarray:
    """[H, W]: a potential whose contour lines roll across the room."""
    x, y = screen[..., 0] / 256.0, screen[..., 1] / 256.0
    potential = 0.55 * y + 0.10 * np.sin(5.5 * x + 2.0 * y) + 0.05 * np.sin(9.0 * y - 4.0 * x)
    for centre_x, centre_y, radius, turn in EDDIES:
        square = ((x - centre_x) ** 2 + (y - centre_y) ** 2) / radius**2
        potential = potential + turn * 0.55 * np.exp(-square)
    return potential.astype(np.float32)


def slant(screen: np.ndarray) -> np.ndarray:
    """[H, W]: a potential for the slanting strokes of a right-handed painter, not quite parallel."""
    x, y = screen[..., 0] / 256.0, screen[..., 1] / 256.0
    return (0.8 * x + y + 0.10 * np.sin(7.0 * x - 3.0 * y) + 0.06 * np.sin(11.0 * y + 5.0 * x)).astype(np.float32)


def brush_flow(
    picture: Picture,
    room: np.ndarray,  # [H, W] potential for the strokes of the room
) -> np.ndarray:
    """[H, W, 2]: along the image's own edges; where they are faint, around the face's form or as the room wants."""
    unit = picture.unit
    image = structure_tensor(picture.rgb, 1.2 * unit, 3.5 * unit)
    anchors = picture.anchors
    around_face = np.hypot(anchors[..., 0] * 1.25, anchors[..., 1] - 0.05).astype(np.float32)
    guide = mix(gradient_tensor(room), gradient_tensor(around_face), picture.head)
    silhouette = structure_tensor(picture.alpha, 1.5 * unit, 9.0 * unit)
    return along_edges(blur(image + 3e-4 * guide + 0.02 * silhouette, 1.5 * unit))


def van_gogh_colours(picture: Picture) -> np.ndarray:
    """[H, W, 3]: the image in Vincent's palette, region by region, its light and its hues still there."""
    soft = edge_preserving(picture.rgb, max(1, round(3 * picture.unit)), 0.06)
    tone = luminance(soft)
    tone = np.clip(tone + 0.35 * (tone - blur(tone, 24.0 * picture.unit)), 0.0, 1.0)
    vivid = saturate(with_luminance(soft, tone), 1.55)
    palette = gradient_map(tone, ROOM_PALETTE)
    palette = mix(palette, gradient_map(tone, SKIN_PALETTE), np.maximum(picture.region("skin"), picture.face))
    palette = mix(palette, gradient_map(tone, HAIR_PALETTE), picture.region("hair"))
    colours = mix(vivid, palette, 0.62 - 0.38 * picture.detail)
    return np.clip(mix(colours, gradient_map(tone, LIP_PALETTE), 0.55 * picture.region("lips")), 0.0, 1.0)


def van_gogh(picture: Picture) -> np.ndarray:
    """Swirling, directed strokes of thick paint in blues and ochres; fine and short about eyes and lips."""
    unit = picture.unit
    colours = van_gogh_colours(picture)
    flow = brush_flow(picture, swirls(picture.screen))
    on_head, near = picture.head > 0.5, picture.detail > 0.12
    painted, thickness = draw(
        colours,
        [
            lay_strokes(picture, colours, flow, ROOM_BRUSH, ~on_head, on_head=False),
            lay_strokes(picture, colours, flow, HEAD_BRUSH, on_head, on_head=True),
            lay_strokes(picture, colours, flow, FINE_BRUSH, on_head & near, on_head=True),
        ],
    )
    painted = mix(painted, redrawn(picture, colours), np.maximum(0.22 * picture.face, 0.92 * picture.detail))
    light = (
        relief(blur(thickness, 0.5 * unit), 0.14 / unit) * (1.0 - 0.35 * picture.face) * (1.0 - 0.9 * picture.detail)
    )
    return np.clip(painted + light[..., None], 0.0, 1.0)


def redrawn(picture: Picture, colours: np.ndarray) -> np.ndarray:
    """The features drawn into the paint once more: lips and eyes must survive the brush."""
    wide = 4.0 * picture.unit
    tone = blur(luminance(colours), 0.5 * wide) + 1.1 * (picture.grey - blur(picture.grey, wide))
    return with_luminance(colours, tone)


OIL_ROOM_BRUSH = Brush(width=7.0, length=15.0, spacing=0.70, stray=0.22, salt=51)
OIL_HEAD_BRUSH = Brush(width=4.2, length=9.0, spacing=0.70, stray=0.16, salt=53)
OIL_FINE_BRUSH = Brush(width=2.4, length=5.0, spacing=0.75, stray=0.10, salt=57)


def oil(picture: Picture) -> np.ndarray:
    """Broad, soft-edged strokes in warm glazes on canvas, as in a studio portrait."""
    unit = picture.unit
    soft = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.07)
    tone = luminance(soft)
    tone = np.clip(tone + 0.30 * (tone - blur(tone, 30.0 * unit)), 0.0, 1.0)
    tone = tone * (0.82 + 0.18 * smoothstep(0.1, 0.7, tone))
    glaze = saturate(with_luminance(soft, tone), 1.28) * np.array([1.05, 1.0, 0.90], np.float32)
    flow = brush_flow(picture, slant(picture.screen))
    on_head, near = picture.head > 0.5, picture.detail > 0.10
    painted, thickness = draw(
        np.clip(glaze, 0.0, 1.0),
        [
            lay_strokes(picture, glaze, flow, OIL_ROOM_BRUSH, ~on_head, on_head=False),
            lay_strokes(picture, glaze, flow, OIL_HEAD_BRUSH, on_head, on_head=True),
            lay_strokes(picture, glaze, flow, OIL_FINE_BRUSH, on_head & near, on_head=True),
        ],
    )
    painted = mix(blur(painted, 0.6 * unit), redrawn(picture, glaze), 0.25 * picture.head + 0.55 * picture.detail)
    light = relief(blur(thickness, 0.7 * unit), 0.07 / unit) * (1.0 - 0.5 * picture.face) * (1.0 - 0.8 * picture.detail)
    return np.clip(painted + light[..., None], 0.0, 1.0)


def watercolour(picture: Picture) -> np.ndarray:
    """Transparent washes with pooled edges on white paper, the room fading out, a faint pencil underneath."""
    unit = picture.unit
    wash = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.09, passes=2)
    wash = mix(wash, blur(wash, 3.0 * unit), (1.0 - picture.face) * 0.6)
    wash = saturate(wash, 1.5)
    # Thin paint lets the paper through: optical density falls, and pools at the edges of a wash.
    density = -np.log(np.clip(wash, 0.04, 1.0)) * 0.80
    tone = luminance(wash)
    edges = np.sqrt(np.maximum(structure_tensor(tone, 0.8 * unit, 0.8 * unit)[..., [0, 2]].sum(axis=-1), 0.0))
    pooled = smoothstep(0.010 / unit, 0.06 / unit, edges) * (1.0 - 0.6 * picture.detail)
    flowing = grain(picture, 26.0, salt=3)
    tooth = grain(picture, 2.6, salt=5)
    density = density * (1.0 + 0.40 * pooled + 0.13 * flowing * (1.0 - 0.8 * picture.face) + 0.06 * tooth)[..., None]
    screen = picture.screen / 128.0 - 1.0
    away = np.hypot(screen[..., 0] * 0.95, screen[..., 1] * 0.95) + 0.12 * flowing
    density = (
        density * mix(1.0 - smoothstep(0.55, 1.05, away) * 0.93, np.ones_like(tone), picture.alpha * 0.8)[..., None]
    )
    paper = np.array([0.985, 0.975, 0.95], np.float32) * (1.0 + 0.025 * tooth)[..., None]
    pencil = np.clip((blur(picture.grey, 1.8 * unit) - blur(picture.grey, 0.8 * unit)) * 5.0, 0.0, 0.5)
    return np.clip(paper * np.exp(-density) * (1.0 - 0.7 * pencil)[..., None], 0.0, 1.0)


DOT_ROOM = Brush(width=4.4, length=0.3, spacing=0.82, stray=1.0, salt=241)
DOT_HEAD = Brush(width=3.3, length=0.3, spacing=0.80, stray=0.75, salt=247)
DOT_FINE = Brush(width=2.1, length=0.3, spacing=0.75, stray=0.45, salt=253)


def pointillist(picture: Picture) -> np.ndarray:
    """Dots of unmixed paint on a pale ground, cold ones among warm ones, which only the eye mixes (Seurat)."""
    unit = picture.unit
    soft = edge_preserving(picture.rgb, max(1, round(2 * unit)), 0.06)
    tone = luminance(soft)
    vivid = saturate(with_luminance(soft, np.clip(0.05 + tone + 0.25 * (tone - blur(tone, 20.0 * unit)), 0, 1)), 1.6)
    ground = mix(vivid, np.array([0.93, 0.89, 0.78], np.float32), 0.45)
    flow = brush_flow(picture, slant(picture.screen))
    on_head, near = picture.head > 0.5, picture.detail > 0.10
    painted, _ = draw(
        ground,
        [
            lay_strokes(picture, vivid, flow, DOT_ROOM, ~on_head, on_head=False),
            lay_strokes(picture, vivid, flow, DOT_HEAD, on_head, on_head=True),
            lay_strokes(picture, vivid, flow, DOT_FINE, on_head & near, on_head=True),
        ],
    )
    drawn = redrawn(picture, vivid)
    return np.clip(mix(painted, drawn, np.maximum(0.15 * picture.face, 0.70 * picture.detail)), 0.0, 1.0)


def pastel(picture: Picture) -> np.ndarray:
    """Soft sticks on tinted paper: powdery colour in slanting strokes, the paper's grain and tint between them."""
    unit = picture.unit
    soft = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.08)
    tone = luminance(soft)
    chalky = saturate(with_luminance(soft, 0.10 + 0.86 * tone + 0.25 * (tone - blur(tone, 18.0 * unit))), 1.35)
    chalky = mix(chalky, redrawn(picture, chalky), 0.30 * picture.face + 0.60 * picture.detail)
    paper = np.array([0.66, 0.60, 0.55], np.float32)
    strokes = np.tanh(grain(picture, 2.6, salt=261, stretch=7.0, degrees=-48.0))
    tooth = grain(picture, 1.8, salt=265)
    quiet = (1.0 - 0.85 * picture.detail) * (1.0 - 0.55 * picture.face)
    covered = 0.86 + quiet * (0.17 * strokes + 0.11 * tooth) - 0.16 * (1.0 - picture.alpha) * (1.0 - 0.4 * strokes)
    # The stick leaves more where it is pressed: lights and darks are covered, the middle lets the paper through.
    covered = covered + 0.25 * np.abs(tone - 0.5) + 0.2 * picture.detail
    laid = mix(np.broadcast_to(paper, picture.rgb.shape), chalky, np.clip(covered, 0.25, 1.0))
    return np.clip(laid + (0.045 * quiet * strokes)[..., None], 0.0, 1.0)
