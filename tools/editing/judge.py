"""How good an edited drive is, against the unedited one and the operator itself.

Notation: N frames, H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from talker.core.losses import FeatureBank, perceptual
from talker.core.metrics import as_float, blur, pearson
from talker.core.types import HEAD_PARTS, EditPlan, Reporter, mask_of
from talker.editors.builtin.editor import FULL_TEXT_GUIDANCE, BuiltinEditor
from talker.evaluation.faces import find_faces
from talker.evaluation.identity import Looked, measure_face
from talker.evaluation.mouth import measure_mouth
from talker.evaluation.warping import measure_warping
from talker.take.identity import FaceIdentity
from tools.editing.drive import Drive
from tools.quality.dump import Dump
from tools.quality.held_out import edited_psnr

DETAIL_SIGMA_PX = 1.5  # what a blur of this takes away is detail


@dataclass(frozen=True)
class Judgement:
    """None where too few faces are found, or where weights are missing."""

    mouth_corr: float | None  # opening, r with the unedited drive's
    lip_lmd: float | None  # lip landmarks to the unedited drive's, px
    direction: float  # cosine of the change of features with the operator's own, mean over the frames
    share: float  # how much of the operator's change has been made: its projection on it, 1 for all
    identity: float | None  # face distance to the unedited drive, by dlib's network
    e_w: float  # warping error under the unedited drive's flow
    e_w_unedited: float
    e_w_excess: float  # the difference of the two
    faces_found: float


def judge(
    found: np.ndarray,  # [N, H, W, 3] uint8, the drive edited in whatever way
    wanted: np.ndarray,  # [N, H, W, 3] uint8, the operator applied to the unedited drive
    drive: Drive,
    bank: FeatureBank,
    network: FaceIdentity | None,
    reporter: Reporter,
) -> Judgement:
    faces = find_faces(found, drive.load, "find faces", reporter)
    mouth = measure_mouth(faces, drive.faces, drive.guess, same_speech=True)
    warping = measure_warping(found, drive.unedited, reporter, one_motion=True)
    identity = None
    if network is not None:
        seen, unedited = Looked(found, faces), Looked(drive.unedited, drive.faces)
        identity = measure_face(seen, unedited, network, reporter).face_distance
    direction, share = directions(found, wanted, drive.unedited, bank)
    return Judgement(
        mouth_corr=mouth.mouth_corr_self,
        lip_lmd=mouth.lmd_px,
        direction=direction,
        share=share,
        identity=identity,
        e_w=warping.e_w,
        e_w_unedited=warping.e_w_reference,
        e_w_excess=warping.e_w - warping.e_w_reference,
        faces_found=mouth.faces_found,
    )


def directions(
    found: np.ndarray,  # [N, H, W, 3] uint8
    wanted: np.ndarray,  # [N, H, W, 3] uint8
    unedited: np.ndarray,  # [N, H, W, 3] uint8
    bank: FeatureBank,
) -> tuple[float, float]:
    """Cosine and projection of each picture's change on the operator's, in the means of the bank's features.

    What CLIP direction is (Gal et al. 2022), with the operator's own change in the place of the captions'.
    """
    cosines, shares = [], []
    for pictures in zip(found, wanted, unedited, strict=True):
        with torch.no_grad():
            levels = bank.features(torch.from_numpy(np.stack(pictures)).float() / 255)
        # A level counts as much as any other, however many channels it has.
        mean = torch.cat([level.mean(dim=(2, 3)) / level.shape[1] ** 0.5 for level in levels], dim=1)
        made, asked = (mean[row] - mean[2] for row in (0, 1))
        cosines.append(float(torch.nn.functional.cosine_similarity(made, asked, dim=0)))
        shares.append(float(made @ asked / (asked @ asked).clamp_min(1e-12)))
    return float(np.mean(cosines)), float(np.mean(shares))


@dataclass(frozen=True)
class Detail:
    """What the refinement network gives back, on held-out frames against frames edited one by one."""

    detail_gain: float  # by how much it brings the features nearer: 1 - distance with it over distance without
    highpass_energy: float  # of fine detail, over the edited frames' own
    highpass_corr: float  # of fine detail with the edited frames'
    highpass_corr_without: float


def measure_detail(
    plain: np.ndarray,  # [N, H, W, 3] uint8, w = 0
    refined: np.ndarray,  # [N, H, W, 3] uint8
    wanted: np.ndarray,  # [N, H, W, 3] uint8, the same frames edited one by one
    bank: FeatureBank,
) -> Detail:
    rows = []
    for pictures in zip(plain, refined, wanted, strict=True):
        with torch.no_grad():
            levels = bank.features(torch.from_numpy(np.stack(pictures)).float() / 255)
        far = [float(perceptual([level[row] for level in levels], [level[2] for level in levels])) for row in (0, 1)]
        fine = [_fine(picture) for picture in pictures]
        energy = [float(np.sqrt((each**2).mean())) for each in fine]
        rows.append([*far, energy[1] / max(energy[2], 1e-6), *(pearson(each, fine[2]) for each in fine[:2])])
    far_plain, far_refined, energy, corr_plain, corr_refined = np.mean(rows, axis=0).tolist()
    return Detail(1.0 - far_refined / max(far_plain, 1e-12), energy, corr_refined, corr_plain)


def _fine(picture: np.ndarray) -> np.ndarray:  # [H * W]
    grey = as_float(picture).mean(axis=-1, keepdims=True)
    return (grey - blur(grey, DETAIL_SIGMA_PX)).ravel()


def operator_of(drive: Drive, instruction: str) -> np.ndarray:
    """[N, H, W, 3] uint8: the whole built-in edit of the unedited drive."""
    return drive.edited(BuiltinEditor(), EditPlan(instruction, text_guidance=(FULL_TEXT_GUIDANCE,) * 2))


def steady_psnr_db(found: np.ndarray, wanted: np.ndarray, drive: Drive) -> float:
    """PSNR in the head of the edited field against the operator, both blurred."""
    place = {index: row for row, index in enumerate(drive.frames)}
    return edited_psnr(
        lambda index: found[place[index]],
        lambda index: wanted[place[index]],
        lambda index: mask_of(drive.take.parts[index], HEAD_PARTS),
        drive.frames,
        Dump(None),
    )
