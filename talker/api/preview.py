"""A look at an edit before it is made: three frames of the speaker, beside them their edits over a small grid.

What is edited are renders of the fitted field under the frames' own conditions, as in the rounds of an edit. Only the
masks of the three frames are read, and nothing is trained: seconds, with the built-in editor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.api.options import PreviewOptions
from talker.core.contact_sheet import contact_sheet, layout
from talker.core.images import to_bytes
from talker.core.metrics import lip_opening
from talker.core.types import Reporter, Take
from talker.driving.render import USUAL_DETAIL
from talker.editors.anchors import take_masks
from talker.editors.editor import Editor, EditRequest, stack_masks
from talker.radfield.fit import conditions_for
from talker.radfield.scene import Scene
from talker.refine.network import RefinementNet

PICTURE_PX = 224  # height of each picture on the sheet
FRONTAL_SHARE = 0.25  # of the frames: those most frontal, among which a quiet mouth is looked for


class Moments(NamedTuple):
    """Three frames of a take that show what an edit may go wrong at."""

    frontal: int
    turned: int
    mouth_open: int


def telling_moments(take: Take) -> Moments:
    """A frontal frame with a quiet mouth, the one turned farthest, and the mouth widest open in a frontal face.

    Chosen among the training frames, with open eyes and nothing before the mouth, by pose and landmarks: no picture is
    read.
    """
    frames = np.array(take.lip_training)
    eyes = take.eye[frames, 0].numpy()
    frames = frames[eyes >= 0.5 * np.median(eyes)]
    x, y, z = take.c2w[frames, :3, 3].numpy().T  # where the camera stands, seen from the head
    yaw, pitch = np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))
    opening = lip_opening(take.landmarks_px[frames].numpy())
    ahead = np.argsort(np.hypot(yaw, pitch - np.median(pitch)), kind="stable")
    quiet = ahead[: max(1, round(FRONTAL_SHARE * len(frames)))]
    half = ahead[: max(1, len(frames) // 2)]
    found = (quiet[opening[quiet].argmin()], np.abs(yaw).argmax(), half[opening[half].argmax()])
    return Moments(*(int(frames[place]) for place in found))


class Sheet(NamedTuple):
    """A look at an edit, and what is where on it."""

    picture: np.ndarray  # [H, W, 3] uint8
    rows: list[str]  # of the moments
    columns: list[tuple[float, int]]  # text guidance and steps of each edited column
    cells: list[list[tuple[float, ...]]]  # by row, the original first: x, y, width, height as shares of the picture


def preview_sheet(
    take: Take,
    scene: Scene,
    refiner: RefinementNet | None,  # of the edit that is built upon
    editor: Editor,
    instruction: str,
    options: PreviewOptions,
    moments: Moments,
    reporter: Reporter,
) -> Sheet:
    """The sheet. A column that would repeat another's pictures is left out: the built-in editor takes no steps."""
    rows: list[list[np.ndarray]] = []
    columns = options.grid
    for done, index in enumerate(moments):
        original = render_as_taken(scene, take, index, refiner)
        masks = stack_masks([take_masks(take, index)])
        edited: list[np.ndarray] = []
        kept: list[tuple[float, int]] = []
        for guidance, steps in columns:
            reporter.progress("preview", (done + len(edited) / len(columns)) / len(moments))
            request = EditRequest(
                original[None],
                original[None],
                instruction,
                text_guidance=guidance,
                image_guidance=options.image_guidance,
                steps=steps,
                generator=torch.Generator().manual_seed(options.seed),
                masks=masks,
            )
            picture = to_bytes(editor.edit(request)[0])
            if rows or not any(np.array_equal(picture, other) for other in edited):
                edited.append(picture)
                kept.append((guidance, steps))
        columns = kept
        rows.append([to_bytes(original), *edited])
    reporter.progress("preview", 1.0)
    names = [name.replace("_", " ") for name in Moments._fields]
    asked = rows, ["original", *_names(columns)], names, PICTURE_PX
    (width, height), boxes = layout(*asked)
    cells = [[(x / width, y / height, w / width, h / height) for x, y, w, h in row] for row in boxes]
    return Sheet(contact_sheet(*asked), names, columns, cells)


@torch.no_grad()
def render_as_taken(
    scene: Scene,
    take: Take,
    index: int,
    refiner: RefinementNet | None = None,
) -> Tensor:  # [H, W, 3]
    """A frame of the take as a scene shows it, with the detail of a refinement network where there is one."""
    rgb = scene.render(take.camera(index), conditions_for(scene, take, [index])).rgb
    return rgb if refiner is None else refiner.refine(rgb, USUAL_DETAIL)


def _names(columns: Sequence[tuple[float, int]]) -> list[str]:
    """What stands above the columns: only what they differ in."""
    several = len({steps for _, steps in columns}) > 1
    return [f"guidance {guidance:g}" + (f", {steps} steps" if several else "") for guidance, steps in columns]
