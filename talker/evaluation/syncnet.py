"""Do lips and sound belong together? SyncNet's confidence and offset (Chung and Zisserman 2016).

Notation: N frames at 25 Hz, M frames of mel cepstra at 100 Hz, D numbers in an embedding.

Five frames of a face and the 0.2 s of sound under them are embedded each; the mean distance over the clip is taken at
every offset between them. The offset is where it is least, and the confidence how far that lies below the median. The
layout is that of the published weights, syncnet_v2.model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from talker.core.types import FPS, Reporter
from talker.evaluation.cepstra import mel_cepstra
from talker.evaluation.faces import has_face
from talker.evaluation.weights import fill, find_weights, load_state

USUAL_FILE = "syncnet_v2.model"
WAY_OUT = "download http://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model to there"
FRAMES = 5  # that are embedded together
CEPSTRA = 20  # that belong to them
CEPSTRA_PER_FRAME = 4
REACH_FRAMES = 15  # of the search for the offset
SIDE_PX = 224
FEWEST_FRAMES = 2 * FPS
BROW_TO_CHIN = 0.3  # the face's box reaches above the brows by this share of the height from brows to chin
CROP_GROWTH = 0.4  # beyond the face's box, to its sides and below
STEADY_FRAMES = 13  # over which the median steadies the crop
BATCH = 8


class SyncNet(nn.Module):
    """Two convolutional nets into one space. The sequences' order is the published weights' layout."""

    def __init__(self, embedding: int = 1024):
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_stage(nn.Conv2d(1, 64, 3, padding=1)),
            nn.Identity(),  # a pooling of one pixel in the original: the numbers go on
            *_stage(nn.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_stage(nn.Conv2d(192, 384, 3, padding=1)),
            *_stage(nn.Conv2d(384, 256, 3, padding=1)),
            *_stage(nn.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_stage(nn.Conv2d(256, 512, (5, 4))),
        )
        self.netfcaud = _head(embedding)
        self.netfclip = _head(embedding)
        self.netcnnlip = nn.Sequential(
            *_stage(nn.Conv3d(3, 96, (FRAMES, 7, 7), (1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_stage(nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_stage(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_stage(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_stage(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_stage(nn.Conv3d(256, 512, (1, 6, 6))),
        )

    def sound(
        self,
        cepstra: Tensor,  # [N, 1, 13, 20]
    ) -> Tensor:  # [N, D]
        return self.netfcaud(self.netcnnaud(cepstra).flatten(1))

    def face(
        self,
        crops: Tensor,  # [N, 3, 5, 224, 224] BGR in [0, 255]
    ) -> Tensor:  # [N, D]
        return self.netfclip(self.netcnnlip(crops).flatten(1))


def _stage(convolution: nn.Conv2d | nn.Conv3d) -> tuple[nn.Module, ...]:
    norm = nn.BatchNorm3d if isinstance(convolution, nn.Conv3d) else nn.BatchNorm2d
    return convolution, norm(convolution.out_channels), nn.ReLU()


def _head(embedding: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, embedding))


@dataclass(frozen=True)
class SyncFigures:
    """None where too few frames have a face."""

    sync_confidence: float | None
    sync_confidence_reference: float | None
    sync_offset_ms: float | None  # positive when the lips are late


def measure_sync(
    network: SyncNet,
    wav: np.ndarray,  # [T] 16 kHz: what is said in the N frames
    found: np.ndarray,  # [N, H, W, 3] uint8
    found_faces: np.ndarray,  # [N, 68, 2] landmarks; nan where no face is found
    reference: np.ndarray | None,  # [N, H, W, 3] uint8; None when it says other words
    reference_faces: np.ndarray,  # [N, 68, 2]
    reporter: Reporter,
) -> SyncFigures:
    sound = embed_sound(network, wav, len(found))
    answers = []
    for frames, faces in ((found, found_faces), (reference, reference_faces)):
        if frames is None or has_face(faces).mean() < 0.5 or len(frames) < FEWEST_FRAMES:
            answers.append((None, None))
            continue
        face = embed_faces(network, frames, faces, reporter)
        answers.append(confidence_and_offset(face, sound))
    (confidence, offset), (true_confidence, _) = answers
    return SyncFigures(confidence, true_confidence, None if offset is None else 1000 / FPS * offset)


def confidence_and_offset(
    face: Tensor,  # [K, D]
    sound: Tensor,  # [K, D]
) -> tuple[float, int]:
    """The confidence, and the frames by which the lips are late.

    Only pairs that exist count; the published script compares with zeros beyond either end.
    """
    reach = min(REACH_FRAMES, len(face) // 2)
    shifts = range(-reach, reach + 1)
    means = []
    for late in shifts:  # lips at t against sound at t - late
        lips, heard = face[max(0, late) :], sound[max(0, -late) :]
        count = min(len(lips), len(heard))
        means.append(torch.linalg.norm(lips[:count] - heard[:count], dim=-1).mean())
    distances = torch.stack(means)
    least = int(distances.argmin())
    return float(distances.median() - distances[least]), shifts[least]


@torch.no_grad()
def embed_sound(
    network: SyncNet,
    wav: np.ndarray,  # [T] 16 kHz
    frames: int,  # N
) -> Tensor:  # [N - 4, D]
    cepstra = torch.from_numpy(mel_cepstra(wav)).float().T  # [13, M]
    needed = CEPSTRA_PER_FRAME * (frames - FRAMES) + CEPSTRA
    cepstra = nn.functional.pad(cepstra[None], (0, max(0, needed - cepstra.shape[1])), mode="replicate")[0]
    windows = cepstra.unfold(1, CEPSTRA, CEPSTRA_PER_FRAME)[:, : frames - FRAMES + 1]  # [13, N - 4, 20]
    return network.sound(windows.permute(1, 0, 2)[:, None])


@torch.no_grad()
def embed_faces(
    network: SyncNet,
    frames: np.ndarray,  # [N, H, W, 3] uint8
    faces: np.ndarray,  # [N, 68, 2]; nan where no face is found
    reporter: Reporter,
) -> Tensor:  # [N - 4, D]
    boxes = crop_boxes(faces)
    crops = np.stack([crop(frame, box) for frame, box in zip(frames, boxes, strict=True)])
    windows = torch.from_numpy(crops).unfold(0, FRAMES, 1).permute(0, 3, 4, 1, 2)  # [N - 4, 3, 5, 224, 224]
    found = []
    for first in range(0, len(windows), BATCH):
        reporter.progress("read lips", first / len(windows))
        found.append(network.face(windows[first : first + BATCH].float()))
    reporter.progress("read lips", 1.0)
    return torch.cat(found)


def crop_boxes(
    faces: np.ndarray,  # [N, 68, 2]; nan where no face is found
) -> np.ndarray:  # [N, 3] centre x, y and half side of the face's square box, pixels
    """As a face detector's boxes, from the landmarks, steadied in time; gaps are bridged."""
    brows, chin = faces[:, 17:27, 1].min(axis=1), faces[:, 8, 1]
    top = brows - BROW_TO_CHIN * (chin - brows)
    left, right = faces[:, :17, 0].min(axis=1), faces[:, :17, 0].max(axis=1)
    boxes = np.stack([(left + right) / 2, (top + chin) / 2, np.maximum(right - left, chin - top) / 2], axis=1)
    there, frames = np.flatnonzero(has_face(faces)), np.arange(len(faces))
    boxes = np.stack([np.interp(frames, there, column[there]) for column in boxes.T], axis=1)
    return ndimage.median_filter(boxes, (STEADY_FRAMES, 1), mode="nearest")


def crop(
    rgb: np.ndarray,  # [H, W, 3] uint8
    box: np.ndarray,  # [3]
) -> np.ndarray:  # [224, 224, 3] uint8 BGR
    """The box, wider to the sides and below, as SyncNet was trained; grey where the picture ends."""
    x, y, half = box
    side = 2 * half * (1 + CROP_GROWTH)
    scale = SIDE_PX / side
    transform = np.array([[scale, 0, -scale * (x - side / 2)], [0, scale, -scale * (y - half)]])
    transform[:, 2] += 0.5 * scale - 0.5  # OpenCV's integer positions are pixel centres
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    return cv2.warpAffine(bgr, transform, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderValue=(110, 110, 110))


def load_syncnet(named: Path | None = None) -> SyncNet:
    """SyncNet with the published weights; Missing without them."""
    path = find_weights(named, USUAL_FILE, "--syncnet", WAY_OUT)
    network = SyncNet()
    fill(network, load_state(path), path, "SyncNet")
    return network
