"""Speech that the fit never heard: does the rendered mouth move as the true one would?

Notation: B frames of the new speech.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from talker.core import metrics
from talker.core.images import spaced, to_bytes
from talker.core.types import AUDIO_RATE_HZ, FPS, HEAD_PARTS, LIP_LANDMARKS, mask_of
from talker.driving.render import Portrait
from talker.evaluation.loudness import LoudnessModel
from talker.speaker.truth import Truth
from tools.quality.dump import Dump
from tools.quality.mouth import Box, CropReader, as_crops, mouth_box, train_reader
from tools.quality.replay import NewSpeech

SHIFT_FRAMES = round(0.2 * FPS)
COMPARED_FRAMES = 100  # rendered by the speaker himself, for the figures that need true pictures
SPOKEN_S, SILENT_S = 3, 0.5  # speech with pauses: so much of each in turn
LIPS_CLOSE_S = 0.12  # after the last sound and before the next, lips are on their way


@dataclass(frozen=True)
class LipSync:
    """Named as in `tools.quality.figures.Figures`, where each is explained."""

    mouth_corr: float
    mouth_corr_shifted: float
    mouth_corr_loudness: float
    mouth_amplitude: float
    mouth_lag_ms: float
    mouth_width_corr: float
    mouth_width_corr_loudness: float
    mouth_reader_corr: float
    right_audio_gain_db: float
    silence_opening: float


def mouth_boxes(truth: Truth) -> list[Box]:
    """Of every frame of a recording, from its true pose."""
    mouth = truth.landmarks_head[LIP_LANDMARKS].mean(dim=0)
    depth = float(truth.c2w[:, :3, 3].norm(dim=-1).median())
    return [mouth_box(truth.camera(index), mouth, depth) for index in range(len(truth))]


def train_on_truth(
    truth: Truth,
    boxes: Sequence[Box],
    frames: Sequence[int],  # the training part: what is held out stays unseen by the instrument too
) -> CropReader:
    crops = as_crops([boxes[index].cut(truth.frames[index]) for index in frames])
    sizes = torch.stack([truth.mouth_opening, truth.mouth_width], dim=1).numpy()
    return train_reader(crops, sizes[frames])


def lip_sync(
    portrait: Portrait,
    truth: Truth,
    truth_wav: np.ndarray,  # [T] of the recording, 16 kHz
    speech: NewSpeech,
    poses: Sequence[int],  # frame of the take, one per frame of the speech
    encode: Callable[[np.ndarray], Tensor],  # speech [T] at 16 kHz to features, as the take's own were made
    dump: Dump,
) -> LipSync:
    portrait.set_audio(encode(speech.wav), len(speech))
    boxes = mouth_boxes(truth)
    training = portrait.take.training
    reader = train_on_truth(truth, boxes, training)
    crops = [render_mouth(portrait, index, pose, boxes[pose]) for index, pose in enumerate(poses)]
    found, wanted = reader.read(as_crops(crops)), speech.mouths
    compared = spaced(range(len(speech)), COMPARED_FRAMES)
    on_truth, gain = _against_true_pictures(portrait, reader, speech, poses, boxes, crops, compared)
    opening, width = (
        LoudnessModel.fit(truth_wav, track[: training[-1] + 1].numpy()).predict(speech.wav, len(speech))
        for track in (truth.mouth_opening, truth.mouth_width)
    )
    for index in compared:
        dump.picture(f"mouth_{index:05d}", crops[index])
    dump.tracks(
        "mouth",
        {"opening": found[:, 0], "true_opening": wanted[:, 0], "loudness_opening": opening}
        | {"width": found[:, 1], "true_width": wanted[:, 1], "loudness_width": width},
    )
    with_pauses, silent = pauses(speech.wav)
    portrait.set_audio(encode(with_pauses))
    shut = [render_mouth(portrait, index, pose, boxes[pose]) for index, pose in zip(silent, poses, strict=False)]
    low, high = np.percentile(wanted[:, 0], (5, 95))
    return LipSync(
        mouth_corr=metrics.pearson(found[:, 0], wanted[:, 0]),
        mouth_corr_shifted=max(
            metrics.shifted_pearson(found[:, 0], wanted[:, 0], shift) for shift in (-SHIFT_FRAMES, SHIFT_FRAMES)
        ),
        mouth_corr_loudness=metrics.pearson(opening, wanted[:, 0]),
        mouth_amplitude=metrics.amplitude_ratio(found[:, 0], wanted[:, 0]),
        mouth_lag_ms=metrics.peak_lag_ms(found[:, 0], wanted[:, 0]),
        mouth_width_corr=metrics.pearson(found[:, 1], wanted[:, 1]),
        mouth_width_corr_loudness=metrics.pearson(width, wanted[:, 1]),
        mouth_reader_corr=metrics.pearson(on_truth[:, 0], wanted[compared, 0]),
        right_audio_gain_db=gain,
        silence_opening=float((reader.read(as_crops(shut))[:, 0].mean() - low) / (high - low)),
    )


def pauses(
    wav: np.ndarray,  # [T] at 16 kHz
) -> tuple[np.ndarray, list[int]]:
    """The same speech with pauses cut into it, and the frames at which lips have had the time to close."""
    spoken, silence = round(SPOKEN_S * AUDIO_RATE_HZ), np.zeros(round(SILENT_S * AUDIO_RATE_HZ), wav.dtype)
    pieces, silent, end_s = [], [], 0.0
    for first in range(0, len(wav) - spoken + 1, spoken):
        pieces += [wav[first : first + spoken], silence]
        end_s += SPOKEN_S + SILENT_S
        shut_s = (end_s - SILENT_S + LIPS_CLOSE_S, end_s - LIPS_CLOSE_S)
        silent += [frame for frame in range(round(end_s * FPS)) if shut_s[0] <= (frame + 0.5) / FPS <= shut_s[1]]
    return np.concatenate(pieces), silent


def render_mouth(
    portrait: Portrait,
    index: int,  # frame of the audio that is set
    pose: int,  # frame of the take that lends head pose and eyes
    box: Box,
) -> np.ndarray:  # [h, w, 3] uint8
    """The mouth's pixels alone: a twentieth of the picture's cost."""
    camera, condition = portrait.take.camera(pose), portrait.condition(index, pose, pose)
    return to_bytes(portrait.scene.render_pixels(camera, condition, box.pixels()).rgb).reshape(box.height, box.width, 3)


def _against_true_pictures(
    portrait: Portrait,
    reader: CropReader,
    speech: NewSpeech,
    poses: Sequence[int],
    boxes: Sequence[Box],
    crops: Sequence[np.ndarray],  # rendered with the right audio
    compared: Sequence[int],  # frames of the speech
) -> tuple[np.ndarray, float]:
    """The reader's answers [K, 2] on true pictures, and what the right audio gains over the wrong in them, dB.

    The wrong audio is the same speech half its length away: same voice, same statistics, other sounds.
    """
    true_crops, gains = [], []
    for index in compared:
        pose = poses[index]
        frame, box = speech.render(index), boxes[pose]
        wanted, head = box.cut(frame.rgb), mask_of(box.cut(frame.parts), HEAD_PARTS)
        wrong = render_mouth(portrait, (index + len(speech) // 2) % len(speech), pose, box)
        gains.append(metrics.psnr_db(crops[index], wanted, head) - metrics.psnr_db(wrong, wanted, head))
        true_crops.append(wanted)
    return reader.read(as_crops(true_crops)), float(np.mean(gains))
