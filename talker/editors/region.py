"""Edits limited to a region: pixels outside it keep the original's, for any editor.

A region is said in words that people use; each covers some of `talker.core.types.PARTS`. Where it ends within the
person its border is soft, and where person and background meet it follows the matte.

Notation: B images of H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.types import BACKGROUND, BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, PARTS, TORSO, mask_of
from talker.editors.editor import Editor, EditorWrapper, EditRequest, Masks

# What each word covers, wherever it is said: in --only and --keep, and in instructions to the built-in editor.
PARTS_OF = {
    "face": (FACE, BROWS, EYES, LIPS, MOUTH),
    "hair": (HAIR,),
    "skin": (FACE, EARS, NECK),
    "clothes": (TORSO,),
    "background": (BACKGROUND,),
}
COVERAGE = "; ".join(
    (
        "face: with brows, eyes, lips and mouth",
        "hair: of the head",
        "skin: face without those, ears, neck",
        "clothes: all below the neck",
        "background: all but the person",
    )
)
BORDER_PX = 1.5  # standard deviation of a border within the person, in an image of 256 px
CHECKED_FRAMES = 8  # of a take, looked at before any work
LEAST_SHARE = 1e-3  # of the pixels: less is a speck of the parser's, and no region


@dataclass(frozen=True)
class Region:
    """What an edit may change: all of it, or only some things, without those to keep."""

    only: tuple[str, ...] = ()  # words of PARTS_OF; none: everything
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for flag, words in (("--only", self.only), ("--keep", self.keep)):
            for word in words:
                if word not in PARTS_OF:
                    raise BadInput(f"{flag} {word}: choose {', '.join(PARTS_OF)}")
        if not self.parts:
            only, keep = " ".join(self.only), " ".join(self.keep)
            limits = f"--only {only} and --keep {keep} leave" if self.only else f"--keep {keep} leaves"
            raise BadInput(f"{limits} nothing to edit; drop one of them")

    @property
    def parts(self) -> tuple[int, ...]:
        """The parts that it covers."""
        covered = _parts_of(self.only) if self.only else set(range(len(PARTS)))
        return tuple(sorted(covered - _parts_of(self.keep)))

    @property
    def is_everything(self) -> bool:
        return not (self.only or self.keep)

    def __str__(self) -> str:
        limits = [f"only {' and '.join(self.only)}"] if self.only else []
        return ", ".join([*limits, f"keeping {' and '.join(self.keep)}"] if self.keep else limits)

    @property
    def name(self) -> str:
        """For names of edits: "only-hair-keep-face"; nothing where it is everything."""
        return "-".join([*(["only", *self.only] if self.only else []), *(["keep", *self.keep] if self.keep else [])])

    def inputs(self) -> dict[str, list[str]]:
        """For an edit's record; nothing where nothing is limited."""
        return {name: list(words) for name, words in (("only", self.only), ("keep", self.keep)) if words}

    def check(
        self,
        parts: Iterable[np.ndarray],  # [H, W] uint8 of some frames
    ) -> None:
        """BadInput where none of the frames shows any of it."""
        if self.is_everything or any(mask_of(image, self.parts).mean() >= LEAST_SHARE for image in parts):
            return
        raise BadInput(f"The take shows nothing of it: {self}; talker sees no {self._named()} there")

    def _named(self) -> str:
        return " or ".join(self.only) if self.only else " or ".join(word for word in PARTS_OF if word not in self.keep)


def _parts_of(words: Sequence[str]) -> set[int]:
    return {part for word in words for part in PARTS_OF[word]}


def region_weights(
    masks: Masks,
    parts: tuple[int, ...],  # indices into PARTS
) -> Tensor:  # [B, H, W] in [0, 1]
    """How much of each pixel belongs to a region.

    What the matte gives to the background belongs to it or not as a whole. What it gives to the person is told by the
    labels, blurred; beyond them (loose hair) the nearest one counts, so that no border bleeds into the background.
    """
    share = torch.from_numpy(np.stack([_share(labels, parts) for labels in masks.parts.cpu().numpy()]))
    alpha = masks.alpha.to(share)
    return torch.lerp(torch.full_like(share, float(BACKGROUND in parts)), share, alpha)


def _share(
    labels: np.ndarray,  # [H, W] uint8 indices into PARTS
    parts: tuple[int, ...],
) -> np.ndarray:  # [H, W] float32
    """The share of a region in the person at each pixel."""
    nowhere = (labels == BACKGROUND).astype(np.uint8)
    if nowhere.all():
        return np.zeros(labels.shape, np.float32)
    _, nearest = cv2.distanceTransformWithLabels(nowhere, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros(nearest.max() + 1, np.uint8)
    known[nearest[nowhere == 0]] = labels[nowhere == 0]
    inside = mask_of(known[nearest], parts).astype(np.float32)
    sigma = BORDER_PX * min(labels.shape) / 256
    return cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


class WithinRegion(EditorWrapper):
    """An Editor that lets another one edit, and keeps the original outside a region."""

    def __init__(self, editor: Editor, region: Region) -> None:
        super().__init__(editor)
        self.region = region
        self.reads = editor.reads | {"originals"}

    def describe(self, instruction: str) -> str:
        return f"{self.editor.describe(instruction)}; {self.region}"

    def edit(self, request: EditRequest) -> Tensor:
        if request.masks is None:
            raise ValueError("a region needs masks")
        edited = self.editor.edit(request)
        weights = region_weights(request.masks, self.region.parts).to(edited)
        return torch.lerp(request.originals.to(edited), edited, weights[..., None])


def within(editor: Editor, region: Region) -> Editor:
    """The editor, limited to a region where there is one."""
    return editor if region.is_everything else WithinRegion(editor, region)
