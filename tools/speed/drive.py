"""`talker drive` as a user runs it: frames a second, memory, and the latency of live video.

A frame counts against everything that its command does, from the start of the process to its end.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter
from talker.speaker.record import SpeakerOptions
from talker.speaker.speech import speak
from talker.video import write_wav
from talker.video.sound import to_pcm
from tools.quality.clips import Bench
from tools.quality.cost import Cost, run_talker
from tools.quality.dump import Dump
from tools.speed.fragments import FrameClock
from tools.speed.report import DRIVE_LINES, Report, fitted_options, report

SPEECH_SEED = 2024  # the recording's seed is 0: other sentences
SPEECH_S, BRIEF_S = 30.0, 2.0
LIVE_S, LIVE_PIECE_S = 12.0, 0.02
EDIT = "speed"
LARGE_PX = 512


def measure(
    work: Path,  # recording, project and videos are kept here; what is there is not made again
    reporter: Reporter,
    long_s: float = 600.0,  # of the speech whose memory is compared with that of a tenth of it
    training_steps: int | None = None,  # instead of the preset's, for a quick look at figures that then mean little
) -> Report:
    project = speaker_with_edit(work, reporter, training_steps)
    large = larger(project, work / f"demo-{LARGE_PX}.talker", LARGE_PX)
    values: dict[str, float] = {}
    for key, shown, words in (
        ("fps_256", project, ()),
        ("fps_256_refined", project, ("--edit", EDIT)),
        ("fps_512", large, ()),
    ):
        reporter.progress(key, 0.0)
        brief, whole = (_drive(work, shown, seconds, *words).seconds for seconds in (BRIEF_S, SPEECH_S))
        values[key] = round(SPEECH_S * FPS / whole, 1)
        # What a second more of speech costs; the rest is start-up.
        values[f"{key}_after_startup"] = round((SPEECH_S - BRIEF_S) * FPS / (whole - brief), 1)
        values.setdefault("startup_s", round(brief - BRIEF_S * (whole - brief) / (SPEECH_S - BRIEF_S), 1))
    reporter.progress("memory", 0.0)
    short, long = (_drive(work, project, seconds).peak_rss_mib for seconds in (long_s / 10, long_s))
    values["rss_growth_mib"] = round((long - short) * 540.0 / (0.9 * long_s), 1)  # for 10 minutes against 1
    reporter.progress("live", 0.0)
    latencies_ms = live_latencies_ms(project, SPEECH_SEED)
    values["live_latency_ms"] = round(statistics.median(latencies_ms), 0)
    values["live_latency_p95_ms"] = round(statistics.quantiles(latencies_ms, n=20)[-1], 0)
    return report(fitted_options(project), values, DRIVE_LINES)


def speaker_with_edit(work: Path, reporter: Reporter, training_steps: int | None) -> Path:
    """The demo speaker, fitted as `talker fit` does, with an edit of a few steps: as fast as a good one."""
    work.mkdir(parents=True, exist_ok=True)
    Bench(work, Dump(None), reporter, frozenset(), SpeakerOptions(seconds=20.0), training_steps=training_steps).demo()
    project = work / "demo.talker"
    if not (project / "edits" / EDIT).is_dir():
        words = ["--instruction", "make him a Van Gogh painting", "--rounds", 1, "--frames", 6, "--training-steps", 10]
        run_talker("edit", "--project", project, "--name", EDIT, *words)
    return project


def larger(project: Path, copy: Path, side_px: int) -> Path:
    """The same speaker before a camera with more pixels: as many rays as a fit at that size has, through its field.

    A fit at that size would show more detail and take as long to render.
    """
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project, copy)
    facts = json.loads((copy / "take" / "take.json").read_text())
    scale = side_px / facts["size_px"][0]
    facts["size_px"] = [side_px, side_px]
    facts["focal_px"] *= scale
    facts["centre_px"] = [scale * at for at in facts["centre_px"]]
    (copy / "take" / "take.json").write_text(json.dumps(facts))
    plate = cv2.imread(str(copy / "take" / "background.png"))
    cv2.imwrite(str(copy / "take" / "background.png"), cv2.resize(plate, (side_px, side_px)))
    return copy


def _drive(work: Path, project: Path, seconds: float, *words: object) -> Cost:
    """What a drive with so much speech costs."""
    speech = work / f"speech-{seconds:g}.wav"
    if not speech.is_file():
        write_wav(speech, speak(seconds, SPEECH_SEED)[0])
    return run_talker("drive", speech, "--project", project, "-o", work / "drive.mp4", "--force", *words)


def live_latencies_ms(project: Path, seed: int) -> list[float]:
    """From a frame's first sample going in at the speed of speech to its whole picture coming out, encoded."""
    command = [sys.executable, "-m", "talker", "drive", "--live", "--project", str(project), "-o", "-"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    while line := process.stderr.readline():
        sys.stderr.buffer.write(line)
        if b"listening" in line:
            break
    time.sleep(0.5)  # what it hears at first, it may take for what waited
    clock = FrameClock()
    threads = [
        threading.Thread(target=_pass, args=(process.stdout.read, clock.feed)),
        threading.Thread(target=_pass, args=(process.stderr.read, sys.stderr.buffer.write)),
    ]
    for thread in threads:
        thread.start()
    data, size = to_pcm(speak(LIVE_S, seed)[0]), 2 * round(LIVE_PIECE_S * AUDIO_RATE_HZ)
    started_s = time.monotonic()
    for number in range(len(data) // size):
        # A microphone hands a piece over when its last sample was heard.
        time.sleep(max(0.0, started_s + (number + 1) * LIVE_PIECE_S - time.monotonic()))
        process.stdin.write(data[number * size : (number + 1) * size])
    process.stdin.close()
    process.wait()
    for thread in threads:
        thread.join()
    frames = range(FPS, round(LIVE_S * FPS) - FPS)  # the first and the last second are not typical
    return [1000 * (clock.came_s[frame] - started_s - frame / FPS) for frame in frames]


def _pass(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
    while data := read(1 << 16):
        write(data)
