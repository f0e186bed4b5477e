"""Light on what is seen, compiled: deferred shading of every sample, resolved into pixels.

Samples are averaged in display space, not in linear light: so the picture is alpha * speaker + (1 - alpha) * plate in
the very numbers that are stored, which is what mattes mean to everything downstream. Vectors are (x, y, z) tuples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from talker.core import types
from talker.speaker import materials
from talker.speaker.mesh import EYE, HAIR_CAP, LASH, SKIN, TEETH, TONGUE
from talker.speaker.noise import KERNEL, noise_gradient

_PARTS = len(types.PARTS)
FACE, BROWS, EYES, LIPS, MOUTH, HAIR_PART = types.FACE, types.BROWS, types.EYES, types.LIPS, types.MOUTH, types.HAIR
EARS, NECK, TORSO = types.EARS, types.NECK, types.TORSO
GAMMA = 2.2
KEY_STRENGTH = 1.25
HAIR_COLOUR = (0.105, 0.062, 0.036)
PORE_DEPTH = 0.085


class Surface(NamedTuple):
    points: np.ndarray  # [V, 3] float32 world
    normals: np.ndarray  # [V, 3] float32
    rest: np.ndarray  # [V, 3] float32
    masks: np.ndarray  # [V, 7] float32, head.*_COLUMN
    occlusion: np.ndarray  # [V] float32
    below_jaw: np.ndarray  # [V] float32: positive on the neck
    triangles: np.ndarray  # [T, 3] int32
    kinds: np.ndarray  # [T] int32


class StrandSurface(NamedTuple):
    points: np.ndarray  # [K, 3] float32 world
    normals: np.ndarray  # [K, 3] float32
    openness: np.ndarray  # [K] float32
    tone: np.ndarray  # [K] float32
    segments: np.ndarray  # [S, 2] int32
    kinds: np.ndarray  # [S] int32


class Lights(NamedTuple):
    key: np.ndarray  # [3] float32 toward the key light
    camera: np.ndarray  # [3] float32 camera centre
    shadow: np.ndarray  # [n, n] float32 1 / depth as the key light sees it
    shadow_from_world: np.ndarray  # [3, 4] float32


@numba.njit(inline="always")
def _mix(values, a, b, c, wa, wb, wc):
    return (
        wa * values[a, 0] + wb * values[b, 0] + wc * values[c, 0],
        wa * values[a, 1] + wb * values[b, 1] + wc * values[c, 1],
        wa * values[a, 2] + wb * values[b, 2] + wc * values[c, 2],
    )


@numba.njit(inline="always")
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@numba.njit(inline="always")
def _unit(x, y, z):
    length = math.sqrt(x * x + y * y + z * z) + 1e-9
    return x / length, y / length, z / length


@numba.njit(**KERNEL)
def _openness(point, lights, bias):
    """Share of the key light that reaches a point: a 3 x 3 box that slides smoothly over the shadow map's texels."""
    m, side = lights.shadow_from_world, lights.shadow.shape[0]
    x, y, depth = _dot(m[0], point) + m[0, 3], _dot(m[1], point) + m[1, 3], _dot(m[2], point) + m[2, 3]
    left, top = int(math.floor(x - 1.5)), int(math.floor(y - 1.5))
    if left < 0 or top < 0 or left + 3 >= side or top + 3 >= side:
        return 1.0
    into_x, into_y = x - 1.5 - left, y - 1.5 - top
    farthest = 1.0 / (depth - bias)  # what is nearer than this casts the shadow
    lit = 0.0
    for j in range(4):
        share_y = 1.0 - into_y if j == 0 else (into_y if j == 3 else 1.0)
        for i in range(4):
            if lights.shadow[top + j, left + i] < farthest:
                lit += share_y * (1.0 - into_x if i == 0 else (into_x if i == 3 else 1.0))
    return lit / 9.0


@numba.njit(**KERNEL)
def _sky(normal, key, facing):
    """Ambient light from above and below, a fill opposite to the key, and a rim from behind: (r, g, b, rim)."""
    hemisphere = 0.5 + 0.5 * normal[1]
    fill = max(0.0, -0.66 * normal[0] * key[0] + 0.15 * normal[1] + 0.75 * normal[2])
    rim = max(0.0, -0.75 * normal[2] + 0.5 * normal[1] + 0.35) * (1.0 - facing) ** 2
    return (
        0.24 + 0.20 * hemisphere + 0.38 * fill,
        0.25 + 0.21 * hemisphere + 0.37 * fill,
        0.28 + 0.24 * hemisphere + 0.36 * fill,
        rim,
    )


@numba.njit(**KERNEL)
def _surface_colour(surface, lights, mouth_front, triangle, wb, wc):
    """(red, green, blue, part) of a triangle's point, linear."""
    kind = surface.kinds[triangle]
    a, b, c = surface.triangles[triangle, 0], surface.triangles[triangle, 1], surface.triangles[triangle, 2]
    wa = 1.0 - wb - wc
    point = _mix(surface.points, a, b, c, wa, wb, wc)
    nx, ny, nz = _mix(surface.normals, a, b, c, wa, wb, wc)
    x, y, z = _mix(surface.rest, a, b, c, wa, wb, wc)
    lips, mouth, lids = _mix(surface.masks, a, b, c, wa, wb, wc)
    ears, _, shirt_mask = _mix(surface.masks[:, 3:], a, b, c, wa, wb, wc)
    scalp = wa * surface.masks[a, 6] + wb * surface.masks[b, 6] + wc * surface.masks[c, 6]
    occlusion = wa * surface.occlusion[a] + wb * surface.occlusion[b] + wc * surface.occlusion[c]
    normal = _unit(nx, ny, nz)
    view = _unit(lights.camera[0] - point[0], lights.camera[1] - point[1], lights.camera[2] - point[2])
    if kind != SKIN and _dot(normal, view) < 0.0:
        normal = (-normal[0], -normal[1], -normal[2])
    lit = _openness(point, lights, 0.08 if kind == HAIR_CAP else 0.035)

    wrap, wet = 0.0, False
    if kind == SKIN and shirt_mask > 0.0 and materials.below_collar(x, y, z) > 0.0:
        part = TORSO
        r, g, bl, specular, gloss, share = materials.shirt(x, y, z)
    elif kind == SKIN and mouth > 0.5:
        part, wet = MOUTH, True
        r, g, bl, specular, gloss, share = materials.mouth_inside(z, mouth_front)
    elif kind == TONGUE:
        part, wet = MOUTH, True
        r, g, bl, specular, gloss, share = materials.tongue(z, mouth_front)
    elif kind == TEETH:
        part, wet = MOUTH, True
        r, g, bl, specular, gloss, share = materials.teeth(x, z, mouth_front)
    elif kind == EYE:
        part = EYES
        r, g, bl, specular, gloss, share = materials.eyeball(x, y, z)
    elif kind == HAIR_CAP:
        part, specular, gloss, share = HAIR_PART, 0.0, 1.0, 1.0
        r, g, bl = 0.4 * HAIR_COLOUR[0], 0.4 * HAIR_COLOUR[1], 0.4 * HAIR_COLOUR[2]
    else:
        fine, gx, gy, gz = noise_gradient(x * 52, y * 52, z * 52)
        r, g, bl, specular, gloss, share = materials.skin(x, y, z, fine, lips, lids, ears, scalp)
        brow = 0.88 * materials.brow_density(x, y, z)
        r, g, bl, specular = (
            r + (0.028 - r) * brow,
            g + (0.018 - g) * brow,
            bl + (0.012 - bl) * brow,
            specular * (1.0 - 0.7 * brow),
        )
        below = wa * surface.below_jaw[a] + wb * surface.below_jaw[b] + wc * surface.below_jaw[c]
        part = FACE
        if lips > 0.45:
            part = LIPS
        elif brow > 0.25:
            part = BROWS
        elif ears > 0.5:
            part = EARS
        elif below > 0.0:
            part = NECK
        normal = _unit(normal[0] - PORE_DEPTH * gx, normal[1] - PORE_DEPTH * gy, normal[2] - PORE_DEPTH * gz)
        wrap, wet = 0.28, lips > 0.5
    occlusion = share if kind in (TONGUE, TEETH, EYE) else occlusion * share

    facing_key, facing = _dot(normal, lights.key), max(0.02, _dot(normal, view))
    # Light that has wandered under the skin reddens the shadow's edge: wider wrap for red than for green and blue.
    soft_r, soft_g, soft_b = 1.1 * wrap, 0.45 * wrap, 0.28 * wrap
    key_r = max(0.0, (facing_key + soft_r) / (1.0 + soft_r)) * min(1.0, lit + (0.10 if wrap > 0.0 else 0.0))
    key_g = max(0.0, (facing_key + soft_g) / (1.0 + soft_g)) * lit
    key_b = max(0.0, (facing_key + soft_b) / (1.0 + soft_b)) * lit
    half = _unit(lights.key[0] + view[0], lights.key[1] + view[1], lights.key[2] + view[2])
    fresnel = specular + (1.0 - specular) * 0.5 * (1.0 - max(0.0, _dot(half, view))) ** 5
    shine = (
        fresnel
        * (gloss + 2.0)
        / 8.0
        * max(0.0, _dot(normal, half)) ** gloss
        * max(0.0, facing_key)
        * lit
        * KEY_STRENGTH
    )
    sky_r, sky_g, sky_b, rim = _sky(normal, lights.key, facing)
    # Folds of skin are lit by their own red walls (coloured occlusion).
    red_share = 1.0 - (1.0 - occlusion) * 0.55 if wrap > 0.0 else 1.0
    r_out = (
        r * ((occlusion * sky_r) ** red_share + KEY_STRENGTH * 1.06 * key_r)
        + shine
        + 0.10 * rim * occlusion * (r + 0.10)
    )
    g_out = g * (occlusion * sky_g + KEY_STRENGTH * 0.98 * key_g) + 0.97 * shine + 0.10 * rim * occlusion * (g + 0.10)
    b_out = bl * (occlusion * sky_b + KEY_STRENGTH * 0.90 * key_b) + 0.92 * shine + 0.11 * rim * occlusion * (bl + 0.12)
    if wet or kind == EYE:  # the window that fills from the other side is seen in wet things
        mirror = (2 * facing * normal[0] - view[0], 2 * facing * normal[1] - view[1], 2 * facing * normal[2] - view[2])
        toward = max(0.0, -0.50 * mirror[0] + 0.08 * mirror[1] + 0.86 * mirror[2])
        window = 0.9 * toward**120 if kind == EYE else 0.02 * toward**30
        r_out, g_out, b_out = r_out + window, g_out + window, b_out + 1.1 * window
    return r_out, g_out, b_out, part


@numba.njit(**KERNEL)
def _strand_colour(strands, lights, segment, along):
    """(red, green, blue, part) of a strand's point, linear (Kajiya and Kay 1989)."""
    a, b = strands.segments[segment, 0], strands.segments[segment, 1]
    depth = strands.openness[a] + along * (strands.openness[b] - strands.openness[a])
    if strands.kinds[segment] == LASH:
        # A lash is finer than a sample: toward its tip it is mixed with the lid's shade instead of drawn ever thinner.
        return 0.012 + 0.30 * depth, 0.010 + 0.16 * depth, 0.009 + 0.11 * depth, EYES if depth < 0.3 else FACE
    point = _mix(strands.points, a, b, b, 1.0 - along, along, 0.0)
    normal = (strands.normals[a, 0], strands.normals[a, 1], strands.normals[a, 2])
    tangent = _unit(
        strands.points[b, 0] - strands.points[a, 0],
        strands.points[b, 1] - strands.points[a, 1],
        strands.points[b, 2] - strands.points[a, 2],
    )
    view = _unit(lights.camera[0] - point[0], lights.camera[1] - point[1], lights.camera[2] - point[2])
    lit = _openness(point, lights, 0.12)
    tone = strands.tone[a]
    r, g, bl = HAIR_COLOUR[0] * tone * depth, HAIR_COLOUR[1] * tone * depth, HAIR_COLOUR[2] * tone * depth
    facing_key = _dot(normal, lights.key)
    across = _dot(tangent, lights.key)
    diffuse = max(
        0.0,
        0.5 * (facing_key + 0.3) / 1.3 + 0.5 * math.sqrt(max(0.0, 1.0 - across * across)) * max(0.0, facing_key + 0.2),
    )
    half = _unit(lights.key[0] + view[0], lights.key[1] + view[1], lights.key[2] + view[2])
    toward_half = _dot(tangent, half) + 0.12 * (tone - 1.0)
    sheen = max(0.0, 1.0 - toward_half * toward_half)
    shine = (
        (0.045 * sheen**40 + 0.03 * sheen**10) * (0.3 + 0.7 * depth) * lit * KEY_STRENGTH * max(0.0, facing_key + 0.2)
    )
    sky_r, sky_g, sky_b, rim = _sky(normal, lights.key, max(0.02, _dot(normal, view)))
    glow = 0.10 * rim * depth
    return (
        r * (depth * sky_r + KEY_STRENGTH * 1.06 * diffuse * lit) + shine + glow * (r + 0.10),
        g * (depth * sky_g + KEY_STRENGTH * 0.98 * diffuse * lit) + 0.92 * shine + glow * (g + 0.10),
        bl * (depth * sky_b + KEY_STRENGTH * 0.90 * diffuse * lit) + 0.82 * shine + glow * (bl + 0.12),
        HAIR_PART,
    )


@numba.njit(**KERNEL)
def resolve(
    rgb,  # [H, W, 3] float32, written: display space in [0, 1]
    alpha,  # [H, W] float32, written: share of samples that the speaker covers
    parts,  # [H, W] uint8, written: the part with most samples
    first_row,
    last_row,
    visible,  # Visible, `samples` per pixel side
    samples,
    surface,  # Surface
    strands,  # StrandSurface
    lights,  # Lights
    plate,  # [H, W, 3] float32, display space
    mouth_front,
):
    triangles = surface.triangles.shape[0]
    votes = np.zeros(_PARTS, np.int64)
    for y in range(first_row, last_row):
        for x in range(rgb.shape[1]):
            votes[:] = 0
            red, green, blue, covered = 0.0, 0.0, 0.0, 0
            for sample in range(samples * samples):
                row, column = y * samples + sample // samples, x * samples + sample % samples
                primitive = visible.primitive[row, column]
                if primitive < 0:
                    continue
                along = visible.weights[row, column, 0]
                if primitive < triangles:
                    r, g, b, part = _surface_colour(
                        surface, lights, mouth_front, primitive, along, visible.weights[row, column, 1]
                    )
                else:
                    r, g, b, part = _strand_colour(strands, lights, primitive - triangles, along)
                covered += 1
                votes[part] += 1
                red += min(1.0, max(0.0, r)) ** (1.0 / GAMMA)
                green += min(1.0, max(0.0, g)) ** (1.0 / GAMMA)
                blue += min(1.0, max(0.0, b)) ** (1.0 / GAMMA)
            open_share = 1.0 - covered / (samples * samples)
            rgb[y, x, 0] = red / (samples * samples) + open_share * plate[y, x, 0]
            rgb[y, x, 1] = green / (samples * samples) + open_share * plate[y, x, 1]
            rgb[y, x, 2] = blue / (samples * samples) + open_share * plate[y, x, 2]
            alpha[y, x] = 1.0 - open_share
            parts[y, x] = np.argmax(votes) if 2 * covered >= samples * samples else 0
