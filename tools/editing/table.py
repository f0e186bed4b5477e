"""Means and spreads over the cells of a comparison, as tables for people and as an object for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Cell = Mapping[str, Mapping[str, float | None]]

# What each row is in the paper's tables.
ROWS = {
    "iterative": "iterative (Instruct-NeRF2NeRF)",
    "once": "once",
    "progressive": "progressive",
    "once, w 0": "base: once, no refinement",
    "progressive, w 0": "  + PDU",
    "progressive, w 0.4": "  + refinement, w 0.4",
    "no lip edge": "progressive without lip edge",
    "no lip stage": "progressive without lip stage",
    "per frame": "every driven frame edited",
    "per frame, deflickered": "  the same, deflickered",
    "builtin": "builtin, progressive",
    "operator": "builtin, every driven frame",
}
COLUMNS = {
    "mouth_corr": ("mouth r", 3),
    "lip_lmd": ("lip LMD px", 2),
    "direction": ("direction", 3),
    "share": ("share", 2),
    "identity": ("face distance", 3),
    "e_w_excess": ("E_w excess", 4),
    "e_w_unedited": ("E_w unedited", 4),
    "faces_found": ("faces", 2),
    "seconds": ("seconds", 0),
}
KEPT = ("mouth_corr", "lip_lmd", "direction", "identity", "e_w_excess", "seconds")  # keys of `tools.bench edit`


def table(cells: Sequence[Cell]) -> str:
    lines = ["".join([f"{'':<34}", *(f"{name:>17}" for name, _ in COLUMNS.values())])]
    for row, words in ROWS.items():
        texts = [_spread(values(cells, row, key), digits) for key, (_, digits) in COLUMNS.items()]
        lines.append("".join([f"{words:<34}", *(f"{text:>17}" for text in texts)]))
    return "\n".join([*lines, "", *questions(cells)])


def questions(cells: Sequence[Cell]) -> list[str]:
    """What the comparison was made for, cell by cell against the same instruction and seed."""
    asked = [
        ("once less progressive, lip LMD px (more than 0)", "once", "progressive", "lip_lmd", 2),
        ("once less progressive, E_w excess (more than 0)", "once", "progressive", "e_w_excess", 4),
        ("without lip edge less with, lip LMD px (more than 0)", "no lip edge", "progressive", "lip_lmd", 2),
        ("without lip stage less with, lip LMD px", "no lip stage", "progressive", "lip_lmd", 2),
        ("with lip stage less without, mouth r", "progressive", "no lip stage", "mouth_corr", 3),
    ]
    lines = []
    for words, one, other, key, digits in asked:
        known = paired(cells, one, other, key)
        sure = ""
        if len(known) > 1:
            error = float(np.std(known, ddof=1)) / math.sqrt(len(known))
            sure = f", standard error {error:.{digits}f}, {sum(k > 0 for k in known)} of {len(known)} cells"
        lines.append(f"{words:<58}{_spread(known, digits)}{sure}")
    halves = ratios(cells, "progressive", "per frame", "e_w_excess")
    lines.append(f"{'E_w excess, progressive over every frame (at most 0.5)':<58}{_spread(halves, 2)}")
    for key, words, digits in (
        ("detail_gain", "refinement, gain in feature distance (at least 0.2)", 2),
        ("highpass_energy", "refinement, energy of detail (0.8 to 1.2)", 2),
        ("highpass_corr", "refinement, correlation of detail (above the next)", 3),
        ("highpass_corr_without", "  without it", 3),
    ):
        lines.append(f"{words:<58}{_spread(values(cells, 'progressive', key), digits)}")
    steady = values(cells, "builtin", "builtin_psnr_db")
    lines.append(f"{'builtin against its operator, dB (at least 26)':<58}{_spread(steady, 1)}")
    return lines


def as_json(cells: Sequence[Cell]) -> dict[str, object]:
    """The keys of `tools.bench edit`, means over the cells."""
    ways = {"progressive": "progressive", "once": "once", "iterative": "iterative", "per_frame": "per frame"}
    found: dict[str, object] = {"builtin_psnr_db": _mean(values(cells, "builtin", "builtin_psnr_db"))}
    for name, row in ways.items():
        found[name] = {key: _mean(values(cells, row, key)) for key in KEPT}
    without = _mean(values(cells, "no lip edge", "lip_lmd"))
    with_it = _mean(values(cells, "progressive", "lip_lmd"))
    found["lip_edge_gain"] = None if without is None or with_it is None else round(1.0 - with_it / without, 4)
    for key in ("detail_gain", "highpass_energy", "highpass_corr", "highpass_corr_without"):
        found[key] = _mean(values(cells, "progressive", key))
    return found


def values(cells: Iterable[Cell], row: str, key: str) -> list[float]:
    found = [cell[row].get(key) for cell in cells if row in cell]
    return [value for value in found if value is not None and math.isfinite(value)]


def paired(cells: Iterable[Cell], one: str, other: str, key: str) -> list[float]:
    """`one` less `other` in every cell that knows both."""
    pairs = [(cell[one].get(key), cell[other].get(key)) for cell in cells if one in cell and other in cell]
    return [first - second for first, second in pairs if first is not None and second is not None]


def ratios(cells: Iterable[Cell], one: str, other: str, key: str) -> list[float]:
    pairs = [(cell[one].get(key), cell[other].get(key)) for cell in cells]
    return [first / second for first, second in pairs if first is not None and second]


def _mean(known: Sequence[float]) -> float | None:
    return round(float(np.mean(known)), 4) if known else None


def _spread(known: Sequence[float], digits: int) -> str:
    if not known:
        return "-"
    mean = f"{np.mean(known):.{digits}f}"
    return mean if len(known) == 1 else f"{mean} ± {np.std(known, ddof=1):.{digits}f}"
