"""Several instructions in one edit, joined by ", then " into the one that a plan holds.

The built-in editor reads them all at once. InstructPix2Pix was trained on one change at a time, and of a sentence that
asks for two it often makes one: for it each instruction is applied to the picture that the one before has made.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from talker.core.errors import BadInput
from talker.editors.editor import Editor, Masks

THEN = ", then "


def join_instructions(instructions: Sequence[str]) -> str:
    """One instruction out of several; BadInput when one is empty."""
    cleaned = [" ".join(instruction.split()).rstrip(" .,;") for instruction in instructions]
    if not all(cleaned):
        raise BadInput('The instruction is empty; say what to change: --instruction "make him a bronze statue"')
    return THEN.join(cleaned)


class OneAfterTheOther:
    """An Editor that lets another one make each of the instructions, in order."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.name, self.reads = editor, editor.name, editor.reads

    def describe(self, instruction: str) -> str:
        return THEN.join(self.editor.describe(each) for each in instruction.split(THEN))

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
        """As `Editor.edit`. From the second instruction on, an edit starts from noise, conditioned on what is made."""
        for each in instruction.split(THEN):
            rendered = originals = self.editor.edit(
                rendered,
                originals,
                each,
                text_guidance=text_guidance,
                image_guidance=image_guidance,
                steps=steps,
                start=start,
                noise=noise,
                generator=generator,
                masks=masks,
            )
            start = 1.0
        return rendered


def one_after_the_other(editor: Editor) -> Editor:
    """The editor, taking several instructions one by one unless it reads them all at once."""
    return editor if editor.name == "builtin" else OneAfterTheOther(editor)
