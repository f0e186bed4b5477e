"""From a video file to a take: look, crop, track, pose, matte, parts, plate, eyes, sound.

Everything is streamed: the source passes twice (a sparse look, then every frame in the crop), and frames wait on disk.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Interval

from talker import links
from talker.ahead import side_by_side
from talker.bounds import Track, check_fields
from talker.hub import folder_or_name
from talker.take.audio import check_encoder, load_encoder
from talker.take.consensus import refine_motion
from talker.take.crop import Search, check_faces, check_presence, checked_span, choose_crop, search_speaker
from talker.take.eyes import gaze, lid_ratio, openness
from talker.take.flow import eye_span_px
from talker.take.label import Labeller
from talker.take.landmarks import LandmarkDetector, load_detector
from talker.take.level import check_audible, level_of
from talker.take.lips import refine_lips
from talker.take.masks import CUT_OUT, is_cut_out
from talker.take.plate import background_plate, plate_samples
from talker.take.pose import HeadMotion, rescale_motion, smooth_motion, solve_motion
from talker.take.store import TakeFolder, Tracks, load_take, read_image, save_tracks, torch_float, write_image
from talker.take.track import Tracked, decode, track_frames
from talker.types import AUDIO_RATE_HZ, FPS, Camera, Reporter, Take
from talker.video import SoundSource, read_audio, require_video, sound_source, write_wav

FLOW_EYE_SPAN_PX = 64.0  # pictures are compared not finer than this shows the face: larger faces only take longer
LANDMARKS_STEADY_FRAMES = 1.5  # poses from landmarks are smoothed by a Gaussian of this many frames,
STEADY_FRAMES = 0.8  # and poses from pictures by this many: their jitter goes, nods stay
LONGEST_S = 24 * 3600.0  # of a recording
AV_OFFSET_LIMIT_S = 2.0  # sound that is further from its picture is another recording
COLOUR_SAMPLES = 40  # frames that teach skin, hair and clothes
MOST_LABELLED_PX = 2**23  # pixels that are labelled at a time: each takes 150 bytes or so


@dataclass(frozen=True)
class TakeOptions:
    """What a take is made from and how."""

    start_s: Annotated[float, Interval(ge=0, le=LONGEST_S)] | None = None  # use the video from this second on
    end_s: Annotated[float, Interval(ge=0, le=LONGEST_S)] | None = None  # use the video up to this second
    size_px: Annotated[int, Interval(ge=32, le=2048)] = 256  # side of the square that head and shoulders are cut to
    landmarks: str = "mediapipe"  # face landmarks: mediapipe (embedded) or face-alignment (downloads weights)
    audio: str = "viseme"  # speech features: hama, viseme (know speech), mel (no weights), whisper, wav2vec2, hubert
    audio_model: str | None = None  # folder or hub name of the Whisper, wav2vec2 or HuBERT to use instead of the usual
    av_offset_s: Annotated[float, Interval(ge=-AV_OFFSET_LIMIT_S, le=AV_OFFSET_LIMIT_S)] = 0.0
    """the file's sound comes so many seconds after its lips (before: negative); taken out"""
    track: Track | None = None
    """which of the video's sound tracks is learnt from, counted from 1 [the first with speech]"""

    LATER = frozenset({"track"})  # see `talker.project.inputs_of`

    def __post_init__(self) -> None:
        check_fields(self)
        check_encoder(self.audio, self.audio_model)
        if self.audio_model is not None:  # the take finds it again from whatever folder the speaker is driven
            found = folder_or_name(self.audio_model, "--audio-model", "a Whisper, wav2vec2 or HuBERT")
            object.__setattr__(self, "audio_model", found)


def build_take(
    video: Path,
    out: Path,
    options: TakeOptions,
    reporter: Reporter,
    search: Search = search_speaker,
) -> Take:
    """Understand a speaker video and write the take into `out`. BadInput, in one line, for footage that cannot serve.

    `out` is emptied first: `take.json`, written last, is what makes a folder a take.
    """
    video, folder = Path(video), TakeFolder(Path(out))
    info = require_video(video)
    span_s = checked_span(info, video.name, options.start_s, options.end_s)
    source = heard_of(video, span_s, options)
    cut_out = is_cut_out(video, info, span_s)
    for notice in (*info.notices, *source.notices, *([CUT_OUT] if cut_out else [])):
        reporter.notice(notice)
    wav = read_sound(source, span_s, options.av_offset_s)
    check_audible(level_of([wav]), video.name)
    encoder = load_encoder(options.audio, model=options.audio_model)
    detector = load_detector(options.landmarks)
    found = search(video, info, span_s, detector, reporter)
    check_faces(found, video.name)
    crop = choose_crop(found, info.size_px)
    links.remove(folder.path)
    folder.make()

    tracked = track_frames(video, span_s, crop, found, detector, options.size_px, folder, reporter, cut_out=cut_out)
    seen = np.isfinite(tracked.points[:, 0, 0])
    count = len(seen)
    check_presence(seen, span_s[0], FPS)
    points = fill_points(tracked.points, seen)
    motion = head_motion(tracked, points, seen, detector, options.size_px, reporter)

    background = separate(folder, tracked.mattes, points, detector, motion, reporter, cut_out=cut_out)
    write_image(folder.background, background)

    wav = fit_length(wav, count * AUDIO_RATE_HZ // FPS)
    write_wav(folder.audio, wav)
    encoder.fit(wav)
    ibug = list(detector.ibug)
    landmarks, landmarks_head, c2w = (torch_float(t) for t in (points[:, ibug, :2], motion.shape[ibug], motion.c2w()))
    camera = Camera(c2w[0], motion.focal_px, motion.centre_px, (options.size_px, options.size_px))
    pictures = (read_image(folder.frame(i)) for i in range(count))
    lids = openness(lid_ratio(landmarks.numpy()))
    look = np.zeros((count, 2))
    if detector.irises is not None:
        look = gaze(motion, points[:, list(detector.irises), :2], lids, detector.ibug)
    tracks = Tracks(
        c2w=c2w,
        focal_px=motion.focal_px,
        centre_px=motion.centre_px,
        landmarks_px=refine_lips(pictures, camera, c2w, landmarks, landmarks_head),
        landmarks_head=landmarks_head,
        eye=torch_float(np.concatenate([lids[:, None], look], axis=1)),
        audio_features=encoder.encode(wav),
        audio_encoder=options.audio,
        audio_state=encoder.state(),
    )
    facts = {"source": video.name, "span_s": list(span_s), "crop": asdict(crop), "options": asdict(options)}
    save_tracks(folder, tracks, (options.size_px, options.size_px), facts)
    return load_take(folder.path)


def head_motion(
    tracked: Tracked,
    points: np.ndarray,  # [B, M, 3], gaps filled
    seen: np.ndarray,  # [B] bool
    detector: LandmarkDetector,
    size_px: int,
    reporter: Reporter,
) -> HeadMotion:
    """Poses from landmarks, then from the pictures themselves, smooth without lag; pixels of the take's frames."""
    reporter.progress("pose", 0.0, "bundle adjustment")
    flow_px = tracked.grey.shape[1]
    scale = flow_px / size_px
    rough = solve_motion(np.where(seen[:, None, None], points, np.nan) * scale, detector.ibug, (flow_px, flow_px))
    rough = smooth_motion(rough, LANDMARKS_STEADY_FRAMES)
    grey = tracked.grey
    shrink = FLOW_EYE_SPAN_PX / eye_span_px(rough)
    if shrink < 1.0:
        flow_px = max(2, round(flow_px * shrink))
        grey = np.stack([cv2.resize(image, (flow_px, flow_px), interpolation=cv2.INTER_AREA) for image in grey])
        rough = rescale_motion(rough, flow_px / size_px / scale)
        scale = flow_px / size_px
    mattes = np.stack([cv2.resize(decode(png), (flow_px, flow_px)) for png in tracked.mattes])
    fine = refine_motion(rough, points[..., :2] * scale, detector.ibug, grey, mattes, reporter)
    return rescale_motion(smooth_motion(fine, STEADY_FRAMES), 1.0 / scale)


def fill_points(
    points: np.ndarray,  # [B, M, 3]
    seen: np.ndarray,  # [B] bool
) -> np.ndarray:
    """Landmarks of the few frames without a face, interpolated in time."""
    if seen.all():
        return points
    known, every = np.flatnonzero(seen), np.arange(len(seen))
    flat = points.reshape(len(points), -1)
    return np.stack([np.interp(every, known, column[seen]) for column in flat.T], axis=1).reshape(points.shape)


def separate(
    folder: TakeFolder,
    mattes: list[bytes],
    points: np.ndarray,  # [B, M, 3]
    detector: LandmarkDetector,
    motion: HeadMotion,
    reporter: Reporter,
    *,
    cut_out: bool,  # the mattes are the video's own
) -> np.ndarray:
    """Refined mattes and part labels on disk; returns the background plate [H, W, 3] uint8."""
    count = len(mattes)
    samples = plate_samples(count)
    frames = np.stack([read_image(folder.frame(i)) for i in samples])
    covered = np.stack([speaker_cover(decode(mattes[i])) for i in samples])
    background, _ = background_plate(frames, covered)

    def segmented(i: int) -> tuple[int, np.ndarray, np.ndarray]:
        return i, read_image(folder.frame(i)), decode(mattes[i]).astype(np.float32) / 255.0

    chosen = np.unique(np.linspace(0, count - 1, COLOUR_SAMPLES).round().astype(int))
    labeller = Labeller(
        motion, points, detector, (frames.shape[2], frames.shape[1]), map(segmented, chosen), cut_out=cut_out
    )

    def label(i: int) -> int:
        matte, parts = labeller(*segmented(i))
        write_image(folder.alpha(i), (matte * 255.0).round().astype(np.uint8))
        write_image(folder.parts(i), parts)
        return i + 1

    workers = max(1, min(os.cpu_count() or 1, MOST_LABELLED_PX // frames[0, ..., 0].size))
    for done in side_by_side(label, range(count), workers):
        reporter.progress("masks", done / count, "matte and parts")
    return background


def speaker_cover(
    matte: np.ndarray,  # [H, W] uint8
) -> np.ndarray:  # [H, W] bool
    """Where the speaker may be, hair's loose ends and all."""
    reach = max(3, round(0.03 * matte.shape[0]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.dilate((matte > 20).astype(np.uint8), kernel).astype(bool)


def heard_of(video: Path, span_s: tuple[float, float], options: TakeOptions) -> SoundSource:
    """The sound that a take learns from, and what a check listens to: looked through as far as either may hear it."""
    start_s, end_s = span_s[0] - AV_OFFSET_LIMIT_S, span_s[1] + AV_OFFSET_LIMIT_S
    return sound_source(video, options.track, max(0.0, start_s), end_s)


def read_sound(
    source: SoundSource,
    span_s: tuple[float, float],
    offset_s: float,  # by which the sound is late
) -> np.ndarray:  # [n] 16 kHz, from the moment of the span's first picture on
    """The sound that belongs to the pictures of a span; silence where the file has none."""
    start_s, end_s = span_s[0] + offset_s, span_s[1] + offset_s
    wav = read_audio(source, start_s=max(0.0, start_s), end_s=end_s)
    return np.concatenate([np.zeros(round(max(0.0, -start_s) * AUDIO_RATE_HZ), wav.dtype), wav])


def fit_length(
    wav: np.ndarray,  # [n]
    samples: int,
) -> np.ndarray:
    """Exactly as long as the frames: cut, or silence added."""
    return np.pad(wav[:samples], (0, max(0, samples - len(wav))))
