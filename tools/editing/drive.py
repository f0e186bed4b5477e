"""One and the same drive of a speaker: as fitted, edited in the field, and edited picture by picture.

Notation: N frames, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from talker.core.images import to_bytes
from talker.core.types import EditPlan, Reporter, Take
from talker.driving.render import Portrait
from talker.editors.anchors import take_masks
from talker.editors.editor import Editor, EditRequest
from talker.evaluation.faces import find_faces
from talker.evaluation.footage import held_out_footage
from talker.evaluation.mouth import LoudnessGuess
from talker.evaluation.warping import flow_between, warp
from talker.pdu.schedule import Round, rounds_of
from talker.take.landmarks import LandmarkDetector

KEPT = 0.7  # share of the frame before in a deflickered frame, where both show the same thing


@dataclass(frozen=True)
class Drive:
    """The unedited speaker on frames that the fit never saw, under their own sound and poses."""

    take: Take
    frames: tuple[int, ...]  # of the take, successive
    unedited: np.ndarray  # [N, H, W, 3] uint8
    faces: np.ndarray  # [N, 68, 2] landmarks of them, nan where no face is found
    load: Callable[[], LandmarkDetector]
    guess: LoudnessGuess

    @classmethod
    def of(
        cls,
        portrait: Portrait,
        wav: np.ndarray,  # [T] the take's sound, 16 kHz
        load: Callable[[], LandmarkDetector],
        count: int,  # at most so many frames
        reporter: Reporter,
    ) -> Drive:
        take = portrait.take
        portrait.set_audio(take.audio_features, len(take))
        footage = held_out_footage(portrait, wav, count, reporter)
        faces = find_faces(footage.found, load, "find faces", reporter)
        guess = LoudnessGuess.of(take, wav, footage.wav, len(footage))
        return cls(take, footage.poses, footage.found, faces, load, guess)

    def rendered(
        self,
        portrait: Portrait,  # of the same take
        detail: float,  # weight w of the refinement network
    ) -> np.ndarray:  # [N, H, W, 3] uint8
        portrait.set_audio(self.take.audio_features, len(self.take))
        return np.stack([to_bytes(portrait.render(index, pose=index, detail=detail).rgb) for index in self.frames])

    def edited(
        self,
        editor: Editor,
        plan: EditPlan,
        rendered: np.ndarray | None = None,  # [N, H, W, 3] uint8 to start from; None: the unedited drive
    ) -> np.ndarray:  # [N, H, W, 3] uint8
        """Every frame edited by itself as the plan's last round would, from noise."""
        asked: Round = rounds_of(plan)[-1]
        starts = self.unedited if rendered is None else rendered
        edited = []
        for index, start, original in zip(self.frames, starts, self.unedited, strict=True):
            pictures = (torch.from_numpy(each).float()[None] / 255 for each in (start, original))
            request = EditRequest(
                *pictures,
                plan.instruction,
                text_guidance=asked.text_guidance,
                image_guidance=asked.image_guidance,
                steps=asked.steps,
                generator=torch.Generator().manual_seed(plan.seed),
                masks=take_masks(self.take, index),
            )
            edited.append(to_bytes(editor.edit(request)[0]))
        return np.stack(edited)


def deflickered(
    frames: np.ndarray,  # [N, H, W, 3] uint8
    moving: Sequence[np.ndarray],  # N of [H, W, 3] uint8: whose flow it is
) -> np.ndarray:  # [N, H, W, 3] uint8
    """Each frame blended with the one before, moved along the flow, where both show the same thing.

    The flow-guided blending of Bonneel et al. 2015 and Lai et al. 2018 in its plain, recursive form.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in moving]
    steady = [frames[0].astype(np.float32)]
    for t in range(1, len(frames)):
        flow, visible = flow_between(greys[t], greys[t - 1])
        kept = KEPT * visible[..., None].astype(np.float32)
        steady.append((1.0 - kept) * frames[t] + kept * warp(steady[-1], flow))
    return np.rint(np.stack(steady)).clip(0, 255).astype(np.uint8)
