"""From a video file to a take: look, crop, track, pose, matte, parts, plate, eyes, sound.

Everything is streamed: the source passes three times (thumbnails for cuts, a sparse look for the speaker, then every
frame in the crop), and frames wait on disk.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval

from talker.core import links
from talker.core.bounds import Track, check_fields
from talker.core.hub import folder_or_name
from talker.core.types import AUDIO_RATE_HZ, FPS, Camera, Reporter, Take
from talker.take.audio import check_encoder, load_encoder
from talker.take.crop import SEARCH_FPS, Search, check_faces, checked_span, choose_crop, search_speaker
from talker.take.eyes import gaze, lid_ratio, openness
from talker.take.landmarks import LandmarkDetector, load_detector
from talker.take.lips import refine_lips
from talker.take.loudness import check_audible, measure_loudness
from talker.take.masks import CUT_OUT, is_cut_out
from talker.take.pose import between_known, fill_gaps
from talker.take.segmentation import separate
from talker.take.speaker_frames import SpeakerFrames, follow_speaker
from talker.take.store import TakeFolder, Tracks, load_take, read_image, save_tracks, torch_float, write_image
from talker.take.track import track_frames
from talker.video import SoundSource, read_audio, require_video, sound_source, write_wav

FRAME_SAMPLES = AUDIO_RATE_HZ // FPS
LONGEST_S = 24 * 3600.0  # of a recording
AV_OFFSET_LIMIT_S = 2.0  # sound that is further from its picture is another recording


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

    LATER = frozenset({"track"})  # see `talker.projects.project.inputs_of`

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
    check_audible(measure_loudness([wav]), video.name)
    encoder = load_encoder(options.audio, model=options.audio_model)
    detector = load_detector(options.landmarks)
    found = search(video, info, span_s, detector, reporter)
    check_faces(found, video.name)
    crop = choose_crop(found, info.size_px)
    links.remove(folder.path)
    folder.make()

    there = found.attendance(np.isfinite(found.boxes[:, 0]), SEARCH_FPS, span_s[0])
    there.require_enough()  # before every frame is looked at
    tracked = track_frames(video, span_s, crop, found, detector, options.size_px, folder, reporter, cut_out=cut_out)
    followed = follow_speaker(tracked, found, span_s[0], detector, options.size_px, reporter)
    for one in followed.left_out:
        reporter.notice(one.sentence)
    use, count = followed.use, len(tracked.points)
    del tracked  # its pictures are large
    write_image(folder.background, separate(folder, followed, detector, reporter, cut_out=cut_out))

    wav = fit_length(wav, count * FRAME_SAMPLES)
    write_wav(folder.audio, wav)
    own = wav.reshape(count, FRAME_SAMPLES)[use.usable].ravel()
    encoder.fit(own)
    tracks = Tracks(
        **tracks_of(followed, folder, detector, options.size_px),
        audio_features=encoder.encode(wav, measure_loudness([own])),  # as loud as new speech will be
        audio_encoder=options.audio,
        audio_state=encoder.state(),
        use=use,
    )
    facts = {"source": video.name, "span_s": list(span_s), "crop": asdict(crop), "options": asdict(options)}
    facts |= {"left_out": [one._asdict() for one in followed.left_out]}
    save_tracks(folder, tracks, (options.size_px, options.size_px), facts)
    return load_take(folder.path)


def tracks_of(
    followed: SpeakerFrames,
    folder: TakeFolder,
    detector: LandmarkDetector,
    size_px: int,
) -> dict[str, Any]:
    """The part of `Tracks` that is seen; interpolated where the speaker is not."""
    motion, points, use = followed.motion, followed.points, followed.use
    ibug = list(detector.ibug)
    landmarks, landmarks_head, c2w = (torch_float(t) for t in (points[:, ibug, :2], motion.shape[ibug], motion.c2w()))
    lids = openness(lid_ratio(landmarks.numpy()))
    look = np.zeros((len(points), 2))
    if detector.irises is not None:
        look = gaze(motion, points[:, list(detector.irises), :2], lids, detector.ibug)
    camera = Camera(c2w[0], motion.focal_px, motion.centre_px, (size_px, size_px))
    shown = np.flatnonzero(use.lips_usable[followed.frames])
    pictures = (read_image(folder.frame(followed.frames[i])) for i in shown)
    landmarks[shown] = refine_lips(pictures, camera, c2w[shown], landmarks[shown], landmarks_head)
    return {
        "c2w": torch_float(fill_gaps(motion, use.usable).c2w()),
        "focal_px": motion.focal_px,
        "centre_px": motion.centre_px,
        "landmarks_px": torch_float(between_known(landmarks.numpy(), use.usable)),
        "landmarks_head": landmarks_head,
        "eye": torch_float(between_known(np.concatenate([lids[:, None], look], axis=1), use.usable)),
    }


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
