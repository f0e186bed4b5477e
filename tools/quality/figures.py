"""The figures of one clip, as a table for people and as an object for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Figures:
    """One clip's figures; None where a clip has no truth to measure against, or a row was left out."""

    head_psnr_db: float | None = None  # held-out frames, inside the head mask
    null_psnr_db: float | None = None  # the better of the two nulls below
    face_psnr_db: float | None = None  # held-out frames, the part "face": the skin without its features
    face_with_features_psnr_db: float | None = None  # with brows, eyes, lips and mouth
    hair_psnr_db: float | None = None
    mouth_psnr_db: float | None = None  # the head within the mouth's box
    mouth_sharpness: float | None = None  # strength of fine detail there, over the truth's
    seam: float | None = None  # PSNR within a narrow band about the border of head and neck, dB
    blink_corr: float | None = None  # lid openness read from held-out renders, against the truth
    null_mean_psnr_db: float | None = None  # the mean training frame
    null_nearest_psnr_db: float | None = None  # the training frame nearest in pose
    mouth_corr: float | None = None  # opening on unseen speech, render against truth
    mouth_corr_shifted: float | None = None  # the larger r with the track shifted by 0.2 s either way
    mouth_corr_loudness: float | None = None  # r of a regression on loudness
    mouth_amplitude: float | None = None  # spread of the opening over the truth's
    mouth_lag_ms: float | None = None  # where r peaks; positive when the render is late
    mouth_width_corr: float | None = None  # width on unseen speech
    mouth_width_corr_loudness: float | None = None
    mouth_reader_corr: float | None = None  # the reader's own r on true frames: the ceiling of the above
    right_audio_gain_db: float | None = None  # mouth box with the right audio, less that with the wrong
    silence_opening: float | None = None  # opening in pauses of half a second, of the opening's range
    yaw20_psnr_db: float | None = None  # trained on a head that turns, light on the head, seen at yaw +-20 degrees
    yaw20_null_psnr_db: float | None = None  # the better of its two nulls
    yaw20_narrow_psnr_db: float | None = None  # the same of a calm head, whom nobody saw from there
    yaw20_narrow_null_psnr_db: float | None = None
    rot_err_deg: float | None = None  # head rotation after the best constant alignment, median
    rot_err_p95_deg: float | None = None
    eye_corr: float | None = None  # tracked lid openness against the truth
    mouth_track_corr: float | None = None  # opening by tracked landmarks against the truth
    iou_person: float | None = None  # masks against the truth: intersection over union
    iou_head: float | None = None
    iou_lips: float | None = None  # lips and what is between them
    plate_psnr_db: float | None = None  # background, where it was ever visible
    jitter_x: float | None = None  # shaking of the tracked head in the picture, over the true head's
    lmd_px: float | None = None  # real clips: lip landmarks of held-out renders and originals, mean distance
    mouth_corr_self: float | None = None  # mouth opening of the same landmarks, r
    edit_psnr_db: float | None = None  # held-out edited renders against the edit of the original field's, both soft
    edit_lip_shift_pct: float | None = None  # lip landmarks between the two, per cent of the face width
    fit_s: float | None = None
    edit_s: float | None = None
    peak_rss_mib: float | None = None  # the largest of the commands that ran

    def as_json(self) -> dict[str, float | None]:
        return {
            key: None if value is None or math.isnan(value) else round(value, 3) for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure, what it is, the least that it should be, and its controls."""

    text: str
    key: str
    least: float | None = None
    most: float | None = None
    controls: tuple[tuple[str, str], ...] = ()  # (name, key)
    less: str | None = None  # key of what the figure is to be above: the line shows the difference

    def value(self, values: Mapping[str, float | None]) -> float | None:
        found, below = values[self.key], values[self.less] if self.less else 0.0
        return None if found is None or below is None else round(found - below, 3)

    def verdict(self, value: float) -> str:
        if self.least is None and self.most is None:
            return ""
        good = (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        return "ok" if good else "short"


# The targets are those of the issue "A take that can be trusted, a field worth editing", for 40 s of the demo speaker.
LINES = (
    Line(
        "held-out frames, head PSNR, dB",
        "head_psnr_db",
        28.5,
        controls=(("mean frame", "null_mean_psnr_db"), ("nearest pose", "null_nearest_psnr_db")),
    ),
    Line("  above the better null, dB", "head_psnr_db", 3.0, less="null_psnr_db"),
    Line("  face", "face_psnr_db", 32.5, controls=(("with its features", "face_with_features_psnr_db"),)),
    Line("  hair", "hair_psnr_db", 25.0),
    Line("  mouth box", "mouth_psnr_db", 26.5),
    Line("  seam of head and neck", "seam"),
    Line("sharpness of the mouth over the truth's", "mouth_sharpness", 0.75, 1.2),
    Line("lids in the render, r", "blink_corr", 0.8),
    Line("lip landmarks, render to original, px", "lmd_px", None, 3.0),
    Line("  mouth opening by them, r", "mouth_corr_self", 0.65),
    Line(
        "mouth opening on unseen speech, r",
        "mouth_corr",
        0.80,
        controls=(
            ("shifted 0.2 s", "mouth_corr_shifted"),
            ("loudness", "mouth_corr_loudness"),
            ("reader on truth", "mouth_reader_corr"),
        ),
    ),
    Line("  its drop when shifted by 0.2 s", "mouth_corr", 0.4, less="mouth_corr_shifted"),
    Line("  its amplitude ratio", "mouth_amplitude", 0.8, 1.2),
    Line("  its lag, ms", "mouth_lag_ms", -40, 40),
    Line(
        "mouth width on unseen speech, r",
        "mouth_width_corr",
        0.55,
        controls=(("loudness", "mouth_width_corr_loudness"),),
    ),
    Line("right audio less wrong, mouth box, dB", "right_audio_gain_db", 2.5),
    Line("opening in pauses, of its range", "silence_opening", None, 0.1),
    Line("seen at yaw +-20, head PSNR, dB", "yaw20_psnr_db", 26.5, controls=(("nulls", "yaw20_null_psnr_db"),)),
    Line(
        "  trained on a calm head",
        "yaw20_narrow_psnr_db",
        22.0,
        controls=(("nulls", "yaw20_narrow_null_psnr_db"),),
    ),
    Line("head rotation error, median, deg", "rot_err_deg", None, 1.2),
    Line("  95th percentile", "rot_err_p95_deg", None, 3.0),
    Line("shaking of the tracked head over the truth's", "jitter_x", None, 2.0),
    Line("tracked lids, r", "eye_corr", 0.9),
    Line("tracked mouth opening, r", "mouth_track_corr", 0.95),
    Line("person mask, IoU", "iou_person", 0.95),
    Line("  head", "iou_head", 0.93),
    Line("  lips", "iou_lips", 0.75),
    Line("background plate, dB", "plate_psnr_db", 32.0),
    Line("edited against operator, both soft, dB", "edit_psnr_db", 24.0),
    Line("  lip landmarks moved, % of face width", "edit_lip_shift_pct", None, 2.0),
    Line("fit, s", "fit_s", controls=(("edit", "edit_s"),)),
    Line("peak memory of a command, MiB", "peak_rss_mib", None, 6 * 1024),
)

UNJUDGED = tuple(replace(line, least=None, most=None) for line in LINES)  # of other footage than the targets are for


def table(
    clips: Mapping[str, Figures],  # by name
    lines: Sequence[Line] = LINES,
) -> str:
    """Every clip's figures in lines of text: value, target, verdict, and the nulls and controls beside them."""
    return "\n\n".join("\n".join([name, *judged(figures.as_json(), lines)]) for name, figures in clips.items())


def judged(values: Mapping[str, float | None], lines: Sequence[Line]) -> list[str]:
    rows = []
    for line in lines:
        value = line.value(values)
        if value is None:
            continue
        bounds = [(">=", line.least), ("<=", line.most)]
        target = " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        beside = ", ".join(f"{what} {values[key]:g}" for what, key in line.controls if values[key] is not None)
        rows.append(f"  {line.text:<44}{value:>10g}  {target:<14}{line.verdict(value):<7}{beside}".rstrip())
    return rows
