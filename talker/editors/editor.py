"""The plug point for editors: what edits an image by an instruction.

Notation: B images of H x W pixels, RGB in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from talker.core.bounds import check_fields
from talker.core.types import Reporter


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


@dataclass(frozen=True)
class EditRequest:
    """What an editor is asked: B images, and how they are to be edited."""

    rendered: Tensor  # [B, H, W, 3] from the field as edited so far
    originals: Tensor  # [B, H, W, 3] from the unedited field under the same conditions
    instruction: str
    text_guidance: float
    image_guidance: float
    steps: int  # of sampling
    generator: torch.Generator  # of everything random
    start: float = 1.0
    """below 1: start from `rendered`, noised to that share of the diffusion time, and condition on `originals` (the
    iterative strategy)"""
    noise: Tensor | None = None  # [1 or B, 4, h, w] to start from, in latents; None: `generator` draws it
    masks: Masks | None = None  # of the B images


@dataclass(frozen=True)
class EditorOptions:
    """What people may choose of an editor: a subclass has a flag for each field. This one: nothing."""

    def __post_init__(self) -> None:
        check_fields(self)


class Editor(Protocol):
    """Edits images by an instruction, and says of itself what the program must know."""

    name: str  # in the registry and in records
    # Which of "rendered" and "originals" it looks at: the loop renders only those. A start below 1 adds "originals" for
    # an editor that reads "rendered".
    reads: frozenset[str]
    options: EditorOptions = EditorOptions()  # what was chosen of it; recorded with an edit, field by field
    cost_follows_steps: bool = False  # whether twice the sampling steps take it twice as long
    reads_lists: bool = False  # whether it makes several instructions (talker.editors.sequence) at once

    def describe(self, instruction: str) -> str:
        """What the editor understood, for people; raises BadInput when it cannot do it."""

    def edit(self, request: EditRequest) -> Tensor:  # [B, H, W, 3]
        """The images, edited."""


class RegisteredEditor(Editor, Protocol):
    """An Editor that the registry opens."""

    hub_model: str | None = None  # its weights on the hub, unless its option `model` names others; None: it has none

    @classmethod
    def open(cls, options: EditorOptions, reporter: Reporter, *, local_only: bool) -> Editor:
        """The editor with these options, of the class of its own `options`.

        `local_only`: without a download. Raises Missing where its weights cannot be had.
        """


class EditorWrapper(Editor):
    """An Editor around another one, which says of itself what that one does."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.name, self.reads, self.options = editor.name, editor.reads, editor.options
        self.cost_follows_steps, self.reads_lists = editor.cost_follows_steps, editor.reads_lists
