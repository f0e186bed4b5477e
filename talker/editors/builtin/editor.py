"""The built-in editor: parsed edits applied to the unedited renders, stronger with the guidance."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from talker.core.types import FACE, Reporter
from talker.editors.builtin.filters import mix
from talker.editors.builtin.parser import Edit, StyleEdit, describe, parse
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.vocabulary import REGION_OPERATORS
from talker.editors.editor import EditorOptions, EditRequest, Masks, RegisteredEditor

# The guidance at which an edit is whole: the paper's upper ends (s_u, and the image guidance beside it).
FULL_TEXT_GUIDANCE = 6.0
USUAL_IMAGE_GUIDANCE = 1.5

_parse_once = lru_cache(maxsize=64)(parse)


def strength_of(text_guidance: float, image_guidance: float) -> float:
    """Share of the edit in [0, 1]: s / s_u, less when the image guidance holds on to the original."""
    return min(1.0, max(0.0, text_guidance / FULL_TEXT_GUIDANCE * USUAL_IMAGE_GUIDANCE / max(image_guidance, 1e-6)))


def whole_edit(picture: Picture, edit: Edit) -> np.ndarray:
    """[H, W, 3] float32 in [0, 1]: one edit at full strength, in 8-bit steps as it is remembered."""
    if isinstance(edit, StyleEdit):
        edited = edit.style.operator(picture)
        if edit.regions:
            where = np.max([picture.region(region) for region in edit.regions], axis=0)
            edited = mix(picture.rgb, edited, where)
    else:
        edited = REGION_OPERATORS[edit.region](picture, edit.colour)
    return np.rint(np.clip(edited, 0.0, 1.0) * 255.0).astype(np.float32) / 255.0


def apply_edits(
    picture: Picture,
    edits: tuple[Edit, ...],
    strength: float,  # 0: the original, 1: the whole edit
    whole: Callable[[Picture, Edit], np.ndarray] = whole_edit,
) -> np.ndarray:
    """[H, W, 3] the edited image; each edit works on the result of the one before."""
    for edit in edits:
        edited = whole(picture, edit)
        rgb = mix(picture.rgb, edited, strength * edit.amount).astype(np.float32)
        picture = Picture(np.clip(rgb, 0.0, 1.0), picture.alpha, picture.parts, picture.head_anchors)
    return picture.rgb


class Memory:
    """Whole edits of the pictures seen last: rounds ask for the same ones again, and differ in strength alone."""

    def __init__(self, limit_bytes: int = 320 * 2**20) -> None:  # two edits of 200 frames of 512x512
        self._limit_bytes, self._bytes = limit_bytes, 0
        self._edits: OrderedDict[bytes, np.ndarray] = OrderedDict()  # uint8

    def whole_edit(self, picture: Picture, edit: Edit) -> np.ndarray:
        """`whole_edit`, computed once."""
        key = self._key(picture, edit)
        if key in self._edits:
            self._edits.move_to_end(key)
            return self._edits[key].astype(np.float32) / 255.0
        edited = whole_edit(picture, edit)
        self._edits[key] = np.rint(edited * 255.0).astype(np.uint8)
        self._bytes += self._edits[key].nbytes
        while self._bytes > self._limit_bytes:
            self._bytes -= self._edits.popitem(last=False)[1].nbytes
        return edited

    @staticmethod
    def _key(picture: Picture, edit: Edit) -> bytes:
        digest = hashlib.blake2b(str(edit).encode(), digest_size=16)
        anchors = [] if picture.head_anchors is None else [picture.head_anchors]
        for array in (picture.rgb, picture.alpha, picture.parts, *anchors):
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


class BuiltinEditor(RegisteredEditor):
    """Editor over the words of `talker.editors.builtin.vocabulary`; reads the originals, so rounds do not pile up."""

    name = "builtin"
    reads = frozenset({"originals"})
    reads_lists = True

    def __init__(self) -> None:
        self._memory = Memory()

    @classmethod
    def open(cls, options: EditorOptions, reporter: Reporter, *, local_only: bool) -> BuiltinEditor:
        return cls()

    def describe(self, instruction: str) -> str:
        return describe(_parse_once(instruction))

    def edit(self, request: EditRequest) -> Tensor:
        """Steps, start, noise and generator have no say here: the same image, the same edit."""
        originals, edits = request.originals, _parse_once(request.instruction)
        strength = strength_of(request.text_guidance, request.image_guidance)
        pictures = (_picture(originals, request.masks, row) for row in range(len(originals)))
        edited = [apply_edits(picture, edits, strength, self._memory.whole_edit) for picture in pictures]
        return torch.from_numpy(np.stack(edited)).to(originals.device)


def _picture(originals: Tensor, masks: Masks | None, row: int) -> Picture:
    rgb = originals[row].detach().float().cpu().numpy().clip(0.0, 1.0)
    if masks is None:
        # Without masks all is person, and none of it a feature: styles work, regions find nothing.
        return Picture(rgb, np.ones(rgb.shape[:2], np.float32), np.full(rgb.shape[:2], FACE, np.uint8))
    anchors = None if masks.anchors is None else masks.anchors[row].cpu().numpy()
    return Picture(rgb, masks.alpha[row].float().cpu().numpy(), masks.parts[row].cpu().numpy(), anchors)
