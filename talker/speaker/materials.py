"""What surfaces are made of, compiled: linear albedo and gloss as functions of rest position and masks.

Every material returns (red, green, blue, specular, gloss, occlusion factor). Colours are linear, positions in mesh
units.
"""

from __future__ import annotations

import math

import numba

from talker.speaker.noise import KERNEL, noise, smoothstep

STUBBLE = 0.3
BROW_HEIGHT = 8.262  # rest y of the inner end


@numba.njit(**KERNEL)
def brow_density(x, y, z):
    """Eyebrow coverage in [0, 1]: an arch on either side of the nose, thinning outward, with hairs painted in."""
    aside = abs(x)
    if z < 0.8 or aside > 0.66 or aside < 0.05:
        return 0.0
    t = (aside - 0.10) / 0.47
    middle = BROW_HEIGHT + 0.105 * math.sin(2.2 * min(1.0, max(0.0, 1.12 * t))) - 0.03 * t
    half = 0.085 * (1.0 - 0.6 * max(0.0, t)) * smoothstep(-0.09, 0.06, t) * (1.0 - smoothstep(0.85, 1.06, t))
    if half < 0.004:
        return 0.0
    across = (y - middle) / half
    if abs(across) >= 1.0:
        return 0.0
    lean = 0.35 + 0.5 * t  # hairs stand up near the nose and lie down outward
    hairs = noise(
        (aside * (1.0 - lean) - y * lean) * 70.0, (aside * lean + y * (1.0 - lean)) * 8.0, 3.0 if x > 0 else 9.0
    )
    return min(1.0, (1.0 - across * across) * (0.75 + 0.5 * hairs))


@numba.njit(**KERNEL)
def below_collar(x, y, z):
    """Depth below the shirt's collar, in mesh units; negative above."""
    collar = 6.41 + 0.36 * min(1.0, max(0.0, (0.5 - z) / 0.9)) + 0.9 * max(0.0, abs(x) - 0.62)
    return collar - 0.10 - y


@numba.njit(**KERNEL)
def shirt(x, y, z):
    weave = 0.80 + 0.25 * noise(x * 55, y * 55, z * 55) + 0.2 * noise(x * 3, y * 6, z * 3)
    if below_collar(x, y, z) < 0.035:  # the hem
        weave *= 0.6
    return 0.035 * weave, 0.075 * weave, 0.13 * weave, 0.006, 6.0, 1.0


@numba.njit(**KERNEL)
def mouth_inside(z, front):
    lit = smoothstep(front - 0.8, front + 0.12, z)  # it gets dark toward the throat
    return 0.24 * lit, 0.055 * lit, 0.05 * lit, 0.03 * lit, 30.0, 0.75 * lit


@numba.njit(**KERNEL)
def tongue(z, front):
    lit = smoothstep(front - 0.75, front + 0.1, z)
    return 0.36 * lit, 0.12 * lit, 0.115 * lit, 0.04, 40.0, 0.7 * lit


@numba.njit(**KERNEL)
def teeth(x, z, front):
    lit = smoothstep(front - 0.55, front + 0.02, z)
    from_gap = abs((x / 0.082 + 100.0) % 1.0 - 0.5) * 2.0
    lit *= 1.0 - 0.4 * smoothstep(0.84, 1.0, from_gap)
    return 0.74 * lit, 0.67 * lit, 0.56 * lit, 0.05, 60.0, lit


@numba.njit(**KERNEL)
def skin(x, y, z, fine, lips, lids, ears, scalp):
    """Skin with its blush, freckles, stubble, lips, and the shade of hair roots; `fine` is the pores' noise."""
    coarse, middle = noise(x * 3.1, y * 3.1, z * 3.1), noise(x * 17, y * 17, z * 17)
    even = 0.86 + 0.12 * coarse + 0.10 * middle + 0.10 * fine
    r, g, b = 0.56 * even, 0.315 * even, 0.215 * even
    specular, gloss = 0.028, 22.0

    blush = 0.8 * ears
    if z > 0.5:
        blush += 0.9 * math.exp(-((abs(x) - 0.52) ** 2 + (y - 7.72) ** 2) / 0.045)
    if z > 1.3:
        blush += 0.8 * math.exp(-(x * x + (y - 7.72) ** 2) / 0.02)
    blush *= 0.22 * (0.5 + coarse)
    g *= 1.0 - blush
    b *= 1.0 - 0.9 * blush
    r, g, b = r * (1.0 - 0.12 * lids), g * (1.0 - 0.18 * lids), b * (1.0 - 0.14 * lids)
    freckle = smoothstep(0.84, 0.92, middle) * smoothstep(0.4, 0.5, coarse)
    r, g, b = r * (1.0 - 0.07 * freckle), g * (1.0 - 0.13 * freckle), b * (1.0 - 0.16 * freckle)

    beard = smoothstep(7.55, 7.25, y) * smoothstep(0.2, 0.55, z) * smoothstep(6.62, 6.95, y)
    if z > 1.0:
        beard += 0.8 * smoothstep(0.24, 0.1, abs(x)) * smoothstep(7.62, 7.55, y) * smoothstep(7.36, 7.44, y)
    if beard > 0.01:
        beard = min(1.0, beard) * (1.0 - lips) * (0.35 + 0.9 * noise(x * 75, y * 75, z * 75)) * STUBBLE
        r, g, b = r + (0.09 - r) * beard, g + (0.075 - g) * beard, b + (0.07 - b) * beard

    red = smoothstep(0.3, 0.62, lips)
    if red > 0.0:
        even = 0.85 + 0.3 * noise(x * 70, y * 12, z * 8)
        r, g, b = r + (0.40 * even - r) * red, g + (0.135 * even - g) * red, b + (0.12 * even - b) * red
        specular, gloss = specular + 0.02 * red, gloss + 14.0 * red
    root_shade = 0.8 * scalp
    r, g, b = r + (0.03 - r) * root_shade, g + (0.02 - g) * root_shade, b + (0.015 - b) * root_shade
    return r, g, b, specular * (1.0 - root_shade), gloss, 1.0


@numba.njit(**KERNEL)
def eyeball(x, y, z):
    """Iris, pupil and a sclera with veins; the upper lid shades its top. (x, y, z) on the ball that looks along +z."""
    length = math.sqrt(x * x + y * y + z * z)
    forward = z / length
    from_axis = math.sqrt(max(0.0, 1.0 - forward * forward))
    if forward > 0.0 and from_axis < 0.50:
        around = math.atan2(y, x)
        fibres = 0.6 * noise(around * 9 + 30, from_axis * 7, 2.0) + 0.4 * noise(around * 26 + 90, from_axis * 4, 7.0)
        dark = (1.0 - 0.82 * smoothstep(0.40, 0.49, from_axis)) * smoothstep(0.155, 0.185, from_axis)
        collar = math.exp(-(((from_axis - 0.24) / 0.06) ** 2))
        r, g = (0.10 + 0.16 * fibres + 0.10 * collar) * dark, (0.085 + 0.12 * fibres + 0.035 * collar) * dark
        b = (0.05 + 0.09 * fibres) * dark
    else:
        veins = noise(x / length * 14, y / length * 14, z / length * 14) * smoothstep(0.55, 1.05, from_axis)
        r, g, b = 0.62, 0.56 - 0.16 * veins, 0.52 - 0.18 * veins
    shade = 1.0 - 0.6 * smoothstep(0.22, 0.52, y / length) - 0.25 * smoothstep(0.55, 0.9, abs(x / length))
    return r * shade, g * shade, b * shade, 0.5, 260.0, 0.62
