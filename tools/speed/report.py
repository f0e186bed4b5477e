"""What a benchmark hands back, and how it is printed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from talker.api.artifacts import SCENE_FILE
from talker.radfield.field import GEOMETRY, HARMONICS, HIDDEN, FieldOptions
from talker.radfield.kernels import TorchKernels
from talker.radfield.scene import Scene
from tools.quality.figures import Line, judged

# The targets are those of the issues "Fast" and "The studio".
FIT_LINES = (
    Line("talker fit of 20 s at 256x256, everything, s", "fit_20s_256_s", most=180.0),
    Line("  its held-out frames, head PSNR, dB", "head_psnr_db", 26.5, controls=(("nulls", "null_psnr_db"),)),
)
DRIVE_LINES = (
    Line("drive 256x256, frames a second", "fps_256", 25.0),
    Line("  with refinement", "fps_256_refined", 10.0),
    Line("drive 512x512, frames a second", "fps_512", 6.0),
    Line("memory of 10 minutes above that of 1, MiB", "rss_growth_mib", most=50.0),
    Line("drive --live, latency, ms", "live_latency_ms"),
)
STUDIO_LINES = (
    Line("studio: first load to a usable stage, s", "load_s", most=3.0),
    Line("  from a drag to the screen, ms, median", "orbit_ms_p50", most=150.0),
    Line("  95th percentile", "orbit_ms_p95", most=300.0),
    Line("  frames a second while a sound plays", "play_fps", 15.0),
    Line("  picture against sound, ms, 95th percentile", "av_skew_ms", most=80.0),
    Line("  size of its frames, share of the take's", "play_share"),
    Line("  switching edits, ms", "switch_ms", most=300.0),
    Line("  for the first time, ms", "switch_ms_first"),
)


@dataclass(frozen=True)
class Report:
    configuration: str  # of the field and the machine
    rows: Sequence[str]  # a table for people
    values: Mapping[str, float]  # for programs


def report(options: FieldOptions, values: Mapping[str, float], lines: Sequence[Line]) -> Report:
    return Report(configuration(options), judged(values, [line for line in lines if line.key in values]), values)


def fitted_options(project: Path) -> FieldOptions:
    """The options of a project's field, as it was fitted."""
    return Scene.load(project / "field" / SCENE_FILE, TorchKernels()).head.options


def configuration(options: FieldOptions) -> str:
    shape = options.shape
    per_sample = HIDDEN * (shape.space.width + 2 + shape.encoded + GEOMETRY)
    colour = HIDDEN * (GEOMETRY + HARMONICS + 3)
    middle = HIDDEN * HIDDEN
    per_ray = colour + middle if shape.deferred else 0
    per_sample += 0 if shape.deferred else colour + middle
    grids = "; ".join(
        f"{grid.dims}-D grid of {grid.levels} levels x 2, {grid.base} to {grid.finest}, T=2^{grid.table_log2}"
        for grid in (shape.space, shape.ambient)
    )
    kind = "deferred" if shape.deferred else "colour at every sample"
    return (
        f"field: {grids}; width {HIDDEN}, {kind}: {2e-3 * per_sample:.1f} kFLOP a sample, {2e-3 * per_ray:.1f} a ray; "
        f"occupancy {options.occupancy}^3\n"
        f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; torch {torch.__version__}"
    )
