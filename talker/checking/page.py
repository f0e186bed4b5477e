"""The report as one HTML page that needs nothing else: pictures and plots are in it, by day and by night."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

import cv2
import numpy as np

from talker.checking.clip_stats import ClipStats
from talker.checking.finding import Finding
from talker.checking.findings import CLIPPED_SHARE, DIM_LEVEL, SOFT, TURNED_DEG
from talker.checking.plots import time_plot
from talker.checking.report import Report
from talker.checking.size import ENLARGED
from talker.core.temporary import replacing
from talker.core.types import FEATURE_RATE_HZ, Reporter
from talker.video import read_frames

STRIP = 6  # pictures of the clip, evenly spread
PICTURE_PX = 320
_INK = {"face": (80, 200, 120), "crop": (90, 150, 255)}
_WORDS = {"stop": "cannot serve", "warn": "mend", "note": "good to know"}

_STYLE = """
:root { color-scheme: light dark; --paper: #faf9f6; --ink: #28282c; --soft: #6b6b72; --rule: #dcdad3; --line: #2f6fb2;
  --good: #e3efdf; --mark: #e8a33d88; --stop: #b3261e; --warn: #a35c00; --note: #3c6e47; }
@media (prefers-color-scheme: dark) { :root { --paper: #19191c; --ink: #e9e8e4; --soft: #a0a0a8; --rule: #3a3a40;
  --line: #7db4ee; --good: #24321f; --mark: #d18a2488; --stop: #ff8a80; --warn: #ffb95c; --note: #8fcf9c; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 720px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: .2rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.verdict { font-size: 1.1rem; margin-top: 0; }
.strip { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; } .strip img { width: 100%; display: block; }
figure { margin: 0; } figcaption, .soft { color: var(--soft); font-size: .85rem; }
.finding { border-left: 4px solid; padding: .1rem 0 .1rem .8rem; margin: 1rem 0; display: flex; gap: 1rem; }
.finding > div { flex: 1; } .finding img { width: 170px; align-self: flex-start; }
.finding p { margin: .15rem 0; } .stop { border-color: var(--stop); } .warn { border-color: var(--warn); }
.note { border-color: var(--note); } .kind { font-size: .8rem; color: var(--soft); }
table { border-collapse: collapse; } td { padding: .15rem 1.2rem .15rem 0; vertical-align: top; }
td:first-child { color: var(--soft); white-space: nowrap; }
svg { width: 100%; display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .line { fill: none; stroke: var(--line); stroke-width: 1.5; } svg .good { fill: var(--good); }
svg .mark { fill: var(--mark); } svg .tick { stroke: var(--rule); stroke-width: 1; }
"""


def write_page(path: Path, report: Report, video: Path, reporter: Reporter) -> None:
    """The page, whole or not at all."""
    text = page(report, video, reporter)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def page(report: Report, video: Path, reporter: Reporter) -> str:
    name = escape(report.clip.name)
    reporter.progress("page", 0.0, "pictures")
    strip = "".join(_strip(report.clip, video))
    findings = "".join(_finding(finding, report.clip, video) for finding in report.findings)
    rows = "".join(f"<tr><td>{escape(fact)}</td><td>{escape(value)}</td></tr>" for fact, value in report.facts())
    plots = "".join(
        f"<figure><h2>{escape(title)}</h2>{plot}<figcaption>{escape(words)}</figcaption></figure>"
        for title, plot, words in _plots(report)
    )
    reporter.progress("page", 1.0)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}: talker check</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f'<h1>{name}</h1><p class="verdict">{escape(report.verdict)}</p>'
        f'<div class="strip">{strip}</div><p class="soft">Green: the face. Blue: what talker will cut out.</p>'
        f"{findings}<h2>Facts</h2><table>{rows}</table>{plots}</body></html>\n"
    )


# -------------------------------------------------------------------- pictures


def _strip(clip: ClipStats, video: Path) -> Iterator[str]:
    """Pictures of the whole clip, with the face and the take's crop drawn in."""
    start_s, end_s = clip.span_s
    for time_s in start_s + (np.arange(STRIP) + 0.5) / STRIP * (end_s - start_s):
        picture = _picture_at(video, time_s)
        if picture is None:
            continue
        _draw_boxes(picture, clip, time_s)
        yield f"<figure>{_image(picture)}<figcaption>{time_s:.1f} s</figcaption></figure>"


def _draw_boxes(picture: np.ndarray, clip: ClipStats, time_s: float) -> None:
    crop = clip.crop
    if crop is None:
        return
    scale = picture.shape[1] / clip.info.size_px[0]
    box = clip.search.box_at(time_s - clip.span_s[0])
    square = (crop.x0, crop.y0, crop.x0 + crop.side - 1, crop.y0 + crop.side - 1)
    for corners, colour in ((box, _INK["face"]), (square, _INK["crop"])):
        x0, y0, x1, y1 = (round(float(corner) * scale) for corner in corners)
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2)


def _finding(finding: Finding, clip: ClipStats, video: Path) -> str:
    picture = None
    if finding.key == "background":
        picture = _unrest_picture(clip)
    elif finding.where_s:
        start_s, end_s = max(finding.where_s, key=lambda place: place[1] - place[0])
        picture = _picture_at(video, (start_s + end_s) / 2.0)
    shown = "" if picture is None else _image(picture)
    where = f'<p class="soft">{escape(finding.where)}</p>' if finding.where_s else ""
    return (
        f'<div class="finding {finding.severity}"><div><p class="kind">{_WORDS[finding.severity]}</p>'
        f"<p><strong>{escape(finding.what)}</strong></p>{where}<p>{escape(finding.way_out)}</p></div>{shown}</div>"
    )


def _picture_at(video: Path, time_s: float) -> np.ndarray | None:
    """The picture of that moment; None past the end."""
    frames = read_frames(video, start_s=time_s, end_s=time_s + 0.1, max_side_px=PICTURE_PX)
    picture = next(frames, None)
    frames.close()
    return None if picture is None else picture.copy()


def _unrest_picture(clip: ClipStats) -> np.ndarray:
    """How much the room moves, bright where most; black where the speaker always stands."""
    unrest = clip.looks.unrest
    levels = np.nan_to_num(np.clip(unrest / max(4.0, float(np.nanpercentile(unrest, 98))), 0.0, 1.0))
    colours = cv2.applyColorMap((30 + 225 * levels).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1]
    return np.where(np.isfinite(unrest)[..., None], colours, 0).astype(np.uint8)


def _image(picture: np.ndarray) -> str:
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}">'


# -------------------------------------------------------------------- plots


def _plots(report: Report) -> Iterator[tuple[str, str, str]]:
    """Title, SVG and caption of each plot."""
    clip, looks = report.clip, report.clip.looks
    marks = {finding.key: finding.where_s for finding in report.findings}
    everywhere = [
        place for key in ("absent", "others", "unfollowed", "mouth", "hidden", "cuts") for place in marks.get(key, ())
    ]
    if clip.crop is not None and looks.seen.any():
        wanted_px = float(np.nanmedian(looks.face_px)) * clip.size_px / (ENLARGED * clip.crop.side)
        top_px = 1.2 * max(float(np.nanmax(looks.face_px)), wanted_px)
        size = time_plot(
            looks.times_s, looks.face_px, range_y=(0.0, top_px), good=(wanted_px, top_px), marks_s=everywhere
        )
        yield "Height of the face, pixels", size, f"Green: enough for a take of {clip.size_px} px."
        yaw = looks.angles_deg[:, 0]
        turned = time_plot(
            looks.times_s, yaw, range_y=(-60.0, 60.0), good=(-TURNED_DEG, TURNED_DEG), marks_s=marks.get("poses", ())
        )
        yield "Turn of the head, degrees", turned, "To the viewer's right is up."
        top = max(0.7, float(np.nanmax(looks.sharpness)))
        sharp = time_plot(
            looks.times_s, looks.sharpness, range_y=(0.0, top), good=(SOFT, top), marks_s=marks.get("blur", ())
        )
        yield "Sharpness of the face", sharp, "Dips are motion blur."
        light = time_plot(looks.times_s, looks.light[:, 2], range_y=(0.0, 255.0), good=(DIM_LEVEL, 245.0))
        yield "Brightest parts of the face, grey levels", light, "Even light makes a flat line."
    sound = clip.sound
    if sound is not None:
        times_s = clip.span_s[0] + (np.arange(len(sound.levels_db)) + 0.5) / FEATURE_RATE_HZ
        low = max(-90.0, sound.noise_db - 10.0)
        loud = time_plot(times_s, sound.levels_db, range_y=(low, 0.0), good=(sound.speech_db - 12.0, 0.0))
        words = f"Speech {sound.speech_db:.0f} dB, noise {sound.noise_db:.0f} dB, {sound.clipped_share:.2%} clipped"
        yield "Loudness, dB", loud, f"{words} (at most {CLIPPED_SHARE:.1%} is well)."
    offset = clip.offset
    if offset is not None and offset.is_long_enough:
        mark = [(offset.offset_s, offset.offset_s)] if offset.is_sure else []
        curve = time_plot(offset.lags_s, offset.correlations, marks_s=mark)
        words = "A single high peak is certain." if offset.is_sure else "A single high peak would be certain; none is."
        yield "How well the sound fits the lips when it is taken to be late", curve, words
