"""HDR pictures (HLG, PQ; BT.2100) as SDR ones (BT.709), as a table that ffmpeg looks colours up in.

Notation: E' [..., 3] the signal, R'G'B' in [0, 1] with BT.2020 primaries; F the light that a display gives for it,
1 at reference white, which is 203 cd/m2 (BT.2408).

HLG's system gamma is applied to each channel and not to luminance: so cameras and displays of SDR television do
together, and colours stay as vivid as people know them from there (BT.2390, 6.2).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SIDE, CURVE = 33, 1024  # of the table: colours come out half a level off on average, greys at most two
REFERENCE_WHITE = 203.0  # cd/m2
PEAK = 1000.0  # cd/m2 of the display that HLG is made for; PQ's highlights beyond it are burnt out
_KNEE = 0.8  # light from here on is compressed
_HLG_GAMMA, _SDR_GAMMA = 1.2, 2.4
_TO_BT709 = np.array(  # from BT.2020 (BT.2407)
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
TRANSFERS = {"arib-std-b67": "HLG", "smpte2084": "PQ"}  # ffmpeg's names, and people's


def hlg_light(
    signal: np.ndarray,  # [..., 3] E'
) -> np.ndarray:  # [..., 3] F
    """BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - c) / a) + b) / 12.0)
    return PEAK / REFERENCE_WHITE * scene**_HLG_GAMMA


def pq_light(
    signal: np.ndarray,  # [..., 3] E'
) -> np.ndarray:  # [..., 3] F
    """BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** (1.0 / m2)
    return 10_000.0 / REFERENCE_WHITE * (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1.0 / m1)


def compressed(
    light: np.ndarray,  # [..., 3] F with BT.709 primaries
) -> np.ndarray:  # [..., 3] in [0, 1]
    """The same colours, none brighter than white: the brightest channel goes along a curve that bends at the knee."""
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    above, room, most = np.maximum(brightest - _KNEE, 0.0), 1.0 - _KNEE, PEAK / REFERENCE_WHITE - _KNEE
    curve = np.minimum(brightest, _KNEE) + above / (1.0 + above * (1.0 / room - 1.0 / most))
    return np.clip(light * (curve / brightest), 0.0, 1.0)


def coded(
    signal: np.ndarray,  # [...] E' of HLG or PQ
    transfer: str,  # of `TRANSFERS`
) -> np.ndarray:  # [...] in [0, 1]: light as SDR displays code it, 1 at `PEAK`
    light = hlg_light(signal) if TRANSFERS[transfer] == "HLG" else pq_light(signal)
    return np.minimum(light * REFERENCE_WHITE / PEAK, 1.0) ** (1.0 / _SDR_GAMMA)


def to_sdr(
    values: np.ndarray,  # [..., 3] of `coded`
) -> np.ndarray:  # [..., 3] R'G'B' of BT.709
    return compressed(PEAK / REFERENCE_WHITE * values**_SDR_GAMMA @ _TO_BT709.T) ** (1.0 / _SDR_GAMMA)


@lru_cache(maxsize=2)
def table(transfer: str) -> str:
    """`to_sdr` of `coded` as a .csp file: a curve for each channel, then colours, red changing fastest."""
    signal = np.linspace(0.0, 1.0, CURVE)
    curve = f"{CURVE}\n{_text(signal, CURVE)}{_text(coded(signal, transfer), CURVE)}"
    axis = np.linspace(0.0, 1.0, SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    colours = to_sdr(np.stack([red, green, blue], axis=-1))
    head = "CSPLUTV100\n3D\n\nBEGIN METADATA\nEND METADATA\n\n"
    return f"{head}{3 * curve}\n{SIDE} {SIDE} {SIDE}\n{_text(colours, 3)}"


def _text(values: np.ndarray, in_line: int) -> str:
    line = " ".join(["%.6f"] * in_line) + "\n"
    return line * (values.size // in_line) % tuple(values.ravel())
