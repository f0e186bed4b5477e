"""Several instructions in one edit."""

from __future__ import annotations

import pytest
import torch

from talker.core.errors import BadInput
from talker.editors.builtin.editor import BuiltinEditor
from talker.editors.editor import Editor, EditRequest
from talker.editors.sequence import join_instructions, one_after_the_other


class Recorder(Editor):
    """Adds one to what it is given, and remembers what it was asked."""

    name, reads, cost_follows_steps = "recorder", frozenset({"rendered"}), True

    def __init__(self):
        self.asked = []

    def describe(self, instruction):
        return f"<{instruction}>"

    def edit(self, request):
        means = (float(request.rendered.mean()), float(request.originals.mean()))
        self.asked.append((request.instruction, *means, request.start))
        return request.rendered + 1


def run(editor, instruction: str, start: float = 1.0) -> torch.Tensor:
    flags = {"text_guidance": 6.0, "image_guidance": 1.5, "steps": 2, "generator": torch.Generator()}
    images = torch.zeros(1, 2, 2, 3), torch.full((1, 2, 2, 3), 9.0)
    return editor.edit(EditRequest(*images, instruction, **flags, start=start))


def test_instructions_become_one():
    assert (
        join_instructions(["make him bronze. ", " the  background\nblue"])
        == "make him bronze, then the background blue"
    )
    assert join_instructions(["make him bronze"]) == "make him bronze"


@pytest.mark.parametrize("instructions", [[""], ["  "], ["."], ["make him bronze", ""]])
def test_an_empty_one_is_refused(instructions):
    with pytest.raises(BadInput, match="empty"):
        join_instructions(instructions)


def test_each_is_made_on_what_the_one_before_has_made():
    recorder = Recorder()
    editor = one_after_the_other(recorder)
    assert torch.equal(run(editor, "a, then b, then c", start=0.5), torch.full((1, 2, 2, 3), 3.0))
    # The first keeps its start and its condition; the others start from noise, conditioned on what is made.
    assert recorder.asked == [("a", 0.0, 9.0, 0.5), ("b", 1.0, 1.0, 1.0), ("c", 2.0, 2.0, 1.0)]
    assert editor.describe("a, then b") == "<a>, then <b>"
    assert editor.reads_lists and editor.cost_follows_steps and editor.name == "recorder"


def test_the_builtin_editor_reads_them_at_once():
    builtin = BuiltinEditor()
    editor = one_after_the_other(builtin)
    assert editor is builtin
    told = editor.describe(join_instructions(["make him bronze", "make the background blue"]))
    assert "bronze" in told and "background" in told and "blue" in told
