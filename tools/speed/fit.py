"""The whole of `talker fit` on 20 s of the demo speaker, as a user would run it, to the quality it reaches."""

from __future__ import annotations

import shutil
from pathlib import Path

from talker.core.types import Reporter
from talker.speaker.record import SpeakerOptions
from tools.quality.clips import Bench
from tools.quality.dump import Dump
from tools.speed.report import FIT_LINES, Report, fitted_options, report


def measure(
    work: Path,  # the recording is kept here; the fit is made anew
    reporter: Reporter,
    seconds: float = 20.0,
    training_steps: int | None = None,  # instead of the preset's, for a quick look
) -> Report:
    speaker = SpeakerOptions(seconds=seconds)
    bench = Bench(work, Dump(None), reporter, frozenset({"held-out"}), speaker, training_steps=training_steps)
    shutil.rmtree(work / "demo.talker", ignore_errors=True)
    found = bench.demo().as_json()
    values = {"fit_20s_256_s": found["fit_s"], **{key: found[key] for key in ("head_psnr_db", "null_psnr_db")}}
    return report(fitted_options(work / "demo.talker"), values, FIT_LINES)
