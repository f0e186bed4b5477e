"""Several instructions in one edit, joined by ", then " into the one that a plan holds.

An editor may read them all at once, as the built-in one does (`Editor.reads_lists`). InstructPix2Pix was trained on one
change at a time, and of a sentence that asks for two it often makes one: for such an editor each instruction is applied
to the picture that the one before has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from talker.core.errors import BadInput
from talker.editors.editor import Editor, EditorWrapper, EditRequest

THEN = ", then "


def join_instructions(instructions: Sequence[str]) -> str:
    """One instruction out of several; BadInput when one is empty."""
    cleaned = [" ".join(instruction.split()).rstrip(" .,;") for instruction in instructions]
    if not all(cleaned):
        raise BadInput('The instruction is empty; say what to change: --instruction "make him a bronze statue"')
    return THEN.join(cleaned)


class OneAfterTheOther(EditorWrapper):
    """An Editor that lets another one make each of the instructions, in order."""

    def __init__(self, editor: Editor) -> None:
        super().__init__(editor)
        self.reads_lists = True

    def describe(self, instruction: str) -> str:
        return THEN.join(self.editor.describe(each) for each in instruction.split(THEN))

    def edit(self, request: EditRequest) -> Tensor:
        """From the second instruction on, an edit starts from noise, conditioned on what is made."""
        first, *others = request.instruction.split(THEN)
        edited = self.editor.edit(replace(request, instruction=first))
        for each in others:
            request = replace(request, rendered=edited, originals=edited, instruction=each, start=1.0)
            edited = self.editor.edit(request)
        return edited


def one_after_the_other(editor: Editor) -> Editor:
    """The editor, taking several instructions one by one unless it reads them all at once."""
    return editor if editor.reads_lists else OneAfterTheOther(editor)
