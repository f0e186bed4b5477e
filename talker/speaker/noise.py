"""Value noise on the integer lattice, compiled: the one source of texture."""

from __future__ import annotations

import math

import numba
import numpy as np

from talker.speaker import NOT_KEPT

# Every kernel of the speaker is compiled alike. Kernels release the GIL and are called on bands of image rows from a
# thread pool (see `raster.in_bands`): numba's own parallel loops compile several times slower.
KERNEL = dict(cache=NOT_KEPT is None, fastmath=True, nogil=True, error_model="numpy")


@numba.njit(**KERNEL)
def lattice_hash(i, j, k):
    """A number in [0, 1] for the lattice point (i, j, k)."""
    bits = np.uint32(i * 374761393 + j * 668265263 + k * 2147483647)
    bits = np.uint32((bits ^ (bits >> np.uint32(13))) * np.uint32(1274126177))
    return np.float32(np.uint32(bits ^ (bits >> np.uint32(16))) & np.uint32(0xFFFFFF)) * np.float32(1.0 / 16777215.0)


@numba.njit(**KERNEL)
def noise_gradient(x, y, z):
    """Value noise in [0, 1] and its gradient, smooth between lattice points: (value, d/dx, d/dy, d/dz)."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    slope_u, slope_v, slope_w = 6.0 * u * (1.0 - u), 6.0 * v * (1.0 - v), 6.0 * w * (1.0 - w)
    u, v, w = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v), w * w * (3.0 - 2.0 * w)
    c000, c100 = lattice_hash(i, j, k), lattice_hash(i + 1, j, k)
    c010, c110 = lattice_hash(i, j + 1, k), lattice_hash(i + 1, j + 1, k)
    c001, c101 = lattice_hash(i, j, k + 1), lattice_hash(i + 1, j, k + 1)
    c011, c111 = lattice_hash(i, j + 1, k + 1), lattice_hash(i + 1, j + 1, k + 1)
    du, dv, dw = c100 - c000, c010 - c000, c001 - c000
    duv, dvw, dwu = c000 - c100 - c010 + c110, c000 - c010 - c001 + c011, c000 - c100 - c001 + c101
    duvw = c100 + c010 + c001 + c111 - c000 - c110 - c011 - c101
    value = c000 + du * u + dv * v + dw * w + duv * u * v + dvw * v * w + dwu * w * u + duvw * u * v * w
    return (
        value,
        slope_u * (du + duv * v + dwu * w + duvw * v * w),
        slope_v * (dv + dvw * w + duv * u + duvw * w * u),
        slope_w * (dw + dwu * u + dvw * v + duvw * u * v),
    )


@numba.njit(**KERNEL)
def noise(x, y, z):
    """Value noise in [0, 1], smooth between lattice points."""
    return noise_gradient(x, y, z)[0]


@numba.njit(**KERNEL)
def smoothstep(start, end, x):
    """0 before `start`, 1 after `end`, an S between; `start` may be the larger of the two."""
    t = min(1.0, max(0.0, (x - start) / (end - start)))
    return t * t * (3.0 - 2.0 * t)
