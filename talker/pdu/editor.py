"""The plug point for editors: what edits an image by an instruction.

Notation: B images of H x W pixels, RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from talker.errors import BadInput, Missing
from talker.types import Reporter, Silent

DEFAULT_MODEL = "timbrooks/instruct-pix2pix"
Sampler = Literal["ddim", "dpm++"]
Precision = Literal["auto", "float16", "bfloat16", "float32"]


@dataclass(frozen=True)
class Masks:
    """Where things are in B images, for editors that work by region."""

    alpha: Tensor  # [B, H, W] float, coverage of the person
    parts: Tensor  # [B, H, W] uint8 indices into talker.types.PARTS
    anchors: Tensor | None = None  # [B, H, W, 2] place on the head, radians (talker.pdu.anchors)

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


def _open_builtin(options: DiffusionOptions, reporter: Reporter) -> Editor:
    from talker.pdu.builtin.editor import BuiltinEditor

    return BuiltinEditor()


def _open_ip2p(options: DiffusionOptions, reporter: Reporter, *, local_only: bool = False) -> Editor:
    from talker.pdu.ip2p import load

    return load(
        options.model or DEFAULT_MODEL,
        local_only=local_only,
        sampler=options.sampler,
        precision=options.precision,
        reporter=reporter,
    )


EDITORS: dict[str, Callable[[DiffusionOptions, Reporter], Editor]] = {"builtin": _open_builtin, "ip2p": _open_ip2p}


def open_editor(
    name: str,  # "auto" or a key of EDITORS
    instruction: str,
    options: DiffusionOptions = DiffusionOptions(),
    reporter: Reporter = Silent(),
) -> Editor:
    """The editor for an instruction, which it is known to understand.

    `auto` takes the built-in editor when it parses the instruction, otherwise InstructPix2Pix when a model was
    named or already lies on this machine. Raises BadInput or Missing with the way out.
    """
    if name != "auto" and name not in EDITORS:
        raise BadInput(f"no editor called {name!r}; choose auto, {', '.join(EDITORS)}")
    if name == "auto":
        builtin = _open_builtin(options, reporter)
        try:
            builtin.describe(instruction)
            return builtin
        except BadInput as unknown:
            if options.model is None:
                try:
                    return _open_ip2p(options, reporter, local_only=True)
                except Missing:
                    raise unknown from None
        name = "ip2p"
    editor = EDITORS[name](options, reporter)
    editor.describe(instruction)
    return editor
