"""An evaluation as a table for people, as JSON for programs, as a plot over time and as a sheet of the worst frames."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from typing_extensions import TypedDict

from talker import __version__
from talker.core.contact_sheet import contact_sheet, save_picture
from talker.core.records import Count, Figure, open_ended, read_record, write_record
from talker.core.types import FPS, LIP_LANDMARKS
from talker.evaluation.figures import METRICS
from talker.evaluation.footage import Footage
from talker.evaluation.plot import Panel, plot
from talker.evaluation.run import Evaluation

FACTS, PLOT, SHEET = "eval.json", "eval.png", "worst.png"
TELLING_S = 5.0  # from which a lip correlation has a spread below 0.1
WORST_FRAMES = 3  # of each kind
APART_FRAMES = 10  # between two of them, or the sheet would show one moment
ERROR_GAIN = 4.0  # by which differences are brightened
CLOSE_UP_PX = (256, 192)  # of a mouth
LIP_WIDTHS = 1.6  # that it shows
# What is plotted: title, and lines of (name, track); what an evaluation does not have is left out.
PANELS = (
    ("PSNR in the head, dB", (("render", "psnr_db"), ("nearest pose", "psnr_nearest_db"))),
    ("SSIM in the head", (("render", "ssim"), ("nearest pose", "ssim_nearest"))),
    (
        "mouth opening, noses",
        (("render", "mouth_opening"), ("reference", "mouth_opening_reference"), ("loudness", "mouth_opening_loudness")),
    ),
    ("mouth width, eye spans", (("render", "mouth_width"), ("reference", "mouth_width_reference"))),
    ("lip landmark distance, px", (("render", "lmd_px"),)),
    ("warping error to the previous frame", (("render", "warp_previous"), ("reference", "warp_previous_reference"))),
    ("identity distance", (("render", "identity_distance"),)),
)
# Where to look for bad frames: words, track, and whether small values are bad.
FAULTS = (
    ("PSNR {:.1f} dB", "psnr_db", True),
    ("lips off by {:.1f} px", "lmd_px", False),
    ("flicker {:.4f}", "warp_previous", False),
)


@open_ended
class MetricFacts(TypedDict):
    value: Figure
    better: str
    controls: dict[str, Figure]
    source: str


@open_ended
class EvalFacts(TypedDict):
    """eval.json"""

    inputs: dict[str, Any]
    frames: Count
    metrics: dict[str, MetricFacts]
    left_out: dict[str, str]


def facts_of(evaluation: Evaluation) -> dict[str, Any]:
    """What was measured, as JSON values."""
    metrics = {}
    for metric in METRICS:
        if metric.key not in evaluation.figures:
            continue
        controls = {
            evaluation.footage.reference_name if name == "reference" else name: evaluation.figures[key]
            for name, key in metric.controls
            if key in evaluation.figures
        }
        metrics[metric.key] = {
            "value": _plain(evaluation.figures[metric.key]),
            "better": metric.better,
            "controls": {name: _plain(value) for name, value in controls.items()},
            "source": metric.source,
        }
    tracks = {
        name: [_plain(value) if np.isfinite(value) else None for value in track]
        for name, track in evaluation.tracks.items()
    }
    return {
        "frames": len(evaluation.footage),
        "metrics": metrics,
        "left_out": evaluation.left_out,
        "poses": list(evaluation.footage.poses),
        "tracks": tracks,
    }


def save(
    evaluation: Evaluation,
    folder: Path,
    inputs: dict[str, Any],  # everything that it depends on
) -> EvalFacts:
    """Write eval.png, worst.png and, as the last, eval.json, whose content this returns."""
    save_picture(folder / PLOT, plot_of(evaluation))
    save_picture(folder / SHEET, sheet_of(evaluation))
    facts = {"talker": __version__, "inputs": inputs, **facts_of(evaluation)}
    write_record(folder / FACTS, facts)
    return facts


def load(folder: Path) -> EvalFacts | None:
    """What `save` left there; None where nothing is. BadInput where eval.json is something else."""
    path = folder / FACTS
    return read_record(path, EvalFacts, whole=path) if os.path.lexists(path) else None


def rows(
    facts: EvalFacts,  # from `save` or `load`
) -> list[tuple[str, ...]]:
    """What each figure is, its value, which way is better, its controls, its source."""
    found = []
    for metric in METRICS:
        figure = facts["metrics"].get(metric.key)
        if figure is not None and figure["value"] is not None:
            known = {name: value for name, value in figure["controls"].items() if value is not None}
            beside = ", ".join(f"{name} {value:.{metric.digits}f}" for name, value in known.items())
            value = f"{figure['value']:.{metric.digits}f}"
            found.append((metric.text, value, figure["better"], beside, figure["source"]))
    return found


def table(
    facts: EvalFacts,  # from `save` or `load`
) -> str:
    """One line for each figure: value, direction, controls, source; and one for each that was left out."""
    lined = [("", "", "better", "beside it", "source"), *rows(facts)]
    widths = [max(len(row[column]) for row in lined) for column in range(4)]
    lines = [
        f"{text:<{widths[0]}}  {value:>{widths[1]}}  {better:<{widths[2]}}  {beside:<{widths[3]}}  {source}".rstrip()
        for text, value, better, beside, source in lined
    ]
    seconds = facts["frames"] / FPS
    caution = "; correlations over so short a time say little" if seconds < TELLING_S else ""
    lines.append(f"over {facts['frames']} frames, {seconds:.1f} s{caution}")
    return "\n".join([*lines, *(f"left out: {name}: {reason}" for name, reason in facts["left_out"].items())])


def plot_of(evaluation: Evaluation) -> np.ndarray:  # [H, W, 3] uint8
    """The tracks over time, each beside its reference."""
    footage, panels = evaluation.footage, []
    for title, lines in PANELS:
        there = tuple(
            (footage.reference_name if name == "reference" else name, evaluation.tracks[key])
            for name, key in lines
            if key in evaluation.tracks
        )
        if any(np.isfinite(track).any() for _, track in there):
            panels.append(Panel(title, there))
    return plot(panels, footage.start_s + np.arange(len(footage)) / FPS)


def sheet_of(evaluation: Evaluation) -> np.ndarray:  # [H, W, 3] uint8
    """The worst frames by each fault: reference, render, both mouths, and the difference where they are to agree."""
    footage, compares = evaluation.footage, "psnr_db" in evaluation.tracks
    rows, names = [], []
    for words, key, small_is_bad in FAULTS:
        if key not in evaluation.tracks:
            continue
        track = evaluation.tracks[key]
        for index in worst_frames(-track if small_is_bad else track):
            found, reference = footage.found[index], footage.reference[index]
            mouths = [mouth_close_up(picture, footage, index) for picture in (reference, found)]
            rows.append([reference, found, *mouths, *([difference(found, reference)] if compares else [])])
            names.append(f"{footage.start_s + index / FPS:.2f} s: {words.format(track[index])}")
    columns = (footage.reference_name, "render", footage.reference_name, "render", f"difference x{ERROR_GAIN:g}")
    return contact_sheet(rows, columns, names)


def difference(
    found: np.ndarray,  # [H, W, 3] uint8
    reference: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray:  # [H, W, 3] uint8
    """Where they differ, brightened."""
    return np.minimum(ERROR_GAIN * np.abs(found.astype(np.float32) - reference), 255).astype(np.uint8)


def worst_frames(
    badness: np.ndarray,  # [N], nan where unknown
) -> list[int]:
    """The frames of the largest values, none near another; in time's order."""
    left = np.where(np.isfinite(badness), badness, -np.inf)
    found: list[int] = []
    while len(found) < WORST_FRAMES and np.isfinite(left).any():
        index = int(left.argmax())
        found.append(index)
        left[max(0, index - APART_FRAMES) : index + APART_FRAMES + 1] = -np.inf
    return sorted(found)


def mouth_close_up(
    picture: np.ndarray,  # [H, W, 3] uint8
    footage: Footage,
    index: int,
) -> np.ndarray:  # [CLOSE_UP_PX[1], CLOSE_UP_PX[0], 3] uint8
    """The tracked mouth, as large in every picture: so many widths of the lips as they are on average."""
    lips = footage.take.landmarks_px[footage.poses[index], LIP_LANDMARKS].numpy()
    corners = footage.take.landmarks_px[:, [48, 54]].numpy()
    scale = CLOSE_UP_PX[0] / (
        LIP_WIDTHS * max(1.0, float(np.linalg.norm(corners[:, 0] - corners[:, 1], axis=-1).mean()))
    )
    middle = (lips.min(axis=0) + lips.max(axis=0)) / 2
    shift = np.array(CLOSE_UP_PX) / 2 - scale * middle + 0.5 * scale - 0.5  # OpenCV counts from pixel centres
    transform = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(picture, transform, CLOSE_UP_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _plain(value: float) -> float:
    return round(float(value), 6)
