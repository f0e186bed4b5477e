"""The plug point for editors: what edits an image by an instruction.

Notation: B images of H x W pixels, RGB in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

DEFAULT_MODEL = "timbrooks/instruct-pix2pix"
Sampler = Literal["ddim", "dpm++"]
Precision = Literal["auto", "float16", "bfloat16", "float32"]


@dataclass(frozen=True)
class Masks:
    """Where things are in B images, for editors that work by region."""

    alpha: Tensor  # [B, H, W] float, coverage of the person
    parts: Tensor  # [B, H, W] uint8 indices into talker.core.types.PARTS
    anchors: Tensor | None = None  # [B, H, W, 2] place on the head, radians (talker.editors.anchors)

    def __getitem__(self, which: slice) -> Masks:
        return Masks(self.alpha[which], self.parts[which], None if self.anchors is None else self.anchors[which])


def stack_masks(masks: list[Masks]) -> Masks:
    """One Masks for all images of several."""
    anchors = [m.anchors for m in masks if m.anchors is not None]
    return Masks(
        torch.cat([m.alpha for m in masks]),
        torch.cat([m.parts for m in masks]),
        torch.cat(anchors) if len(anchors) == len(masks) else None,
    )


class Editor(Protocol):
    """Edits images by an instruction."""

    name: str
    # Which of "rendered" and "originals" it looks at: the loop renders only those. A start below 1 adds "originals" for
    # an editor that reads "rendered".
    reads: frozenset[str]

    def describe(self, instruction: str) -> str:
        """What the editor understood, for people; raises BadInput when it cannot do it."""

    def edit(
        self,
        rendered: Tensor,  # [B, H, W, 3] from the field as edited so far
        originals: Tensor,  # [B, H, W, 3] from the unedited field under the same conditions
        instruction: str,
        *,
        text_guidance: float,
        image_guidance: float,
        steps: int,
        start: float = 1.0,
        noise: Tensor | None = None,
        generator: torch.Generator,
        masks: Masks | None = None,
    ) -> Tensor:  # [B, H, W, 3]
        """`start` below 1 starts from `rendered` noised to that share of the diffusion time, and conditions on
        `originals` (the iterative strategy); `noise` fixes the start noise, otherwise `generator` draws it."""


@dataclass(frozen=True)
class DiffusionOptions:
    """How InstructPix2Pix edits; the built-in editor has no use for it."""

    model: str | None = None  # hub id or folder of an InstructPix2Pix pipeline
    sampler: Sampler = "ddim"
    precision: Precision = "auto"
