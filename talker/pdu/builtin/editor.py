"""The built-in editor: parsed edits applied to the unedited renders, stronger with the guidance."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from talker.pdu.builtin.filters import mix
from talker.pdu.builtin.parser import Edit, StyleEdit, describe, parse
from talker.pdu.builtin.picture import Picture
from talker.pdu.builtin.vocabulary import REGION_OPERATORS
from talker.pdu.editor import Masks
from talker.types import FACE

# The guidance at which an edit is whole: the paper's upper ends (s_u, and the image guidance beside it).
FULL_TEXT_GUIDANCE = 6.0
USUAL_IMAGE_GUIDANCE = 1.5

_parse_once = lru_cache(maxsize=64)(parse)


def strength_of(text_guidance: float, image_guidance: float) -> float:
    """Share of the edit in [0, 1]: s / s_u, less when the image guidance holds on to the original."""
    return min(1.0, max(0.0, text_guidance / FULL_TEXT_GUIDANCE * USUAL_IMAGE_GUIDANCE / max(image_guidance, 1e-6)))


def apply_edits(
    picture: Picture,
    edits: tuple[Edit, ...],
    strength: float,  # 0: the original, 1: the whole edit
) -> np.ndarray:
    """[H, W, 3] the edited image; each edit works on the result of the one before."""
    for edit in edits:
        if isinstance(edit, StyleEdit):
            edited = edit.style.operator(picture)
            if edit.regions:
                where = np.max([picture.region(region) for region in edit.regions], axis=0)
                edited = mix(picture.rgb, edited, where)
        else:
            edited = REGION_OPERATORS[edit.region](picture, edit.colour)
        rgb = mix(picture.rgb, edited, strength * edit.amount).astype(np.float32)
        picture = Picture(np.clip(rgb, 0.0, 1.0), picture.alpha, picture.parts, picture.head_anchors)
    return picture.rgb


class BuiltinEditor:
    """Editor over the vocabulary of `talker.pdu.builtin.vocabulary`; reads the originals, so rounds do not pile up."""

    name = "builtin"
    reads = frozenset({"originals"})

    def describe(self, instruction: str) -> str:
        return describe(_parse_once(instruction))

    def edit(
        self,
        rendered: Tensor,
        originals: Tensor,
        instruction: str,
        *,
        text_guidance: float,
        image_guidance: float,
        steps: int,
        start: float = 1.0,
        noise: Tensor | None = None,
        generator: torch.Generator,
        masks: Masks | None = None,
    ) -> Tensor:
        """As `Editor.edit`; steps, start, noise and generator have no say here: the same image, the same edit."""
        edits = _parse_once(instruction)
        strength = strength_of(text_guidance, image_guidance)
        edited = [apply_edits(_picture(originals, masks, row), edits, strength) for row in range(len(originals))]
        return torch.from_numpy(np.stack(edited)).to(originals.device)


def _picture(originals: Tensor, masks: Masks | None, row: int) -> Picture:
    rgb = originals[row].detach().float().cpu().numpy().clip(0.0, 1.0)
    if masks is None:
        # Without masks all is person, and none of it a feature: styles work, regions find nothing.
        return Picture(rgb, np.ones(rgb.shape[:2], np.float32), np.full(rgb.shape[:2], FACE, np.uint8))
    anchors = None if masks.anchors is None else masks.anchors[row].cpu().numpy()
    return Picture(rgb, masks.alpha[row].float().cpu().numpy(), masks.parts[row].cpu().numpy(), anchors)
