"""Progressive dataset update: rounds of render, edit, store, train (Instruct-NeuralTalker, section 3.2).

One loop runs every strategy; what is edited when stands in `talker.pdu.schedule`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from talker.core.types import EditPlan, Reporter, Silent
from talker.editors.editor import Editor, EditRequest, Masks, stack_masks
from talker.pdu.schedule import UNEDITED, Round, Turn, rounds_of, seeded, turns_of
from talker.pdu.store import EditStore


class RenderFrame(Protocol):
    """Renders a frame of the take from some field, under the frame's own conditions."""

    def __call__(self, index: int) -> Tensor: ...  # [H, W, 3]


class MasksOf(Protocol):
    """The masks (B = 1) of a frame of the take."""

    def __call__(self, index: int) -> Masks: ...


class Train(Protocol):
    """Trains the current field on each frame's newest edit, up to the turn's share of the training; resumes by itself.

    It is called for every turn of the rounds that are not over, in order, those that it has trained before included.
    """

    def __call__(self, store: EditStore, turn: Turn) -> None: ...


def run_pdu(
    plan: EditPlan,
    editor: Editor,
    frames: list[int],  # indices into the take: the N frames that every round edits
    render_original: RenderFrame,
    render_current: RenderFrame,  # must see the training of the turns before
    train: Train,
    store: EditStore,
    masks_of: MasksOf,
    reporter: Reporter,
    *,
    batch_size: int = 4,
) -> None:
    """Runs the rounds that the store does not hold yet, from the very frame where a killed run stopped.

    The result depends on the plan alone. Edits that start from noise share it over all frames of all rounds, drawn
    from plan.seed, so that equal renders get equal edits; the iterative strategy draws start and noise for each.
    """
    count, over = len(rounds_of(plan)), store.rounds_trained()
    renders = (render_original, render_current)
    for turn in turns_of(plan, frames):
        this_round = turn.round
        if this_round.number <= over:
            continue
        tell, at_once = reporter, batch_size
        if this_round.one_by_one:  # each has a start of its own; edits and training are told of together
            if turn.before == 0:
                _store_originals(frames, render_original, store, reporter)
            task = f"edit and train, round {this_round.number} of {count}"
            reporter.progress(task, turn.before / len(frames))
            tell, at_once = Silent(), 1
        edit_round(plan, this_round, editor, turn.frames, *renders, store, masks_of, tell, at_once)
        train(store, turn)
        if turn.last_of_round:
            if this_round.one_by_one:
                reporter.progress(task, 1.0)
            store.mark_trained(this_round.number)


def edit_round(
    plan: EditPlan,
    this_round: Round,
    editor: Editor,
    frames: Sequence[int],
    render_original: RenderFrame,
    render_current: RenderFrame,
    store: EditStore,
    masks_of: MasksOf,
    reporter: Reporter,
    batch_size: int,  # 1 where the round goes one by one
) -> None:
    """Edits those of the frames that this round has not edited yet."""
    edited = set(store.edited(this_round.number))
    waiting = [index for index in frames if index not in edited]
    task = f"edit, round {this_round.number} of {len(rounds_of(plan))}"
    started = time.monotonic()
    for first in range(0, len(waiting), batch_size):
        batch = waiting[first : first + batch_size]
        left_s = (time.monotonic() - started) / max(first, 1) * (len(waiting) - first)
        done = len(frames) - len(waiting) + first
        reporter.progress(task, done / len(frames), f"about {left_s:.0f} s left" if first else "")
        start, generator = _chance(plan, this_round, batch[0])
        rendered, originals = _renders(editor, start, batch, render_original, render_current)
        request = EditRequest(
            rendered,
            originals,
            plan.instruction,
            text_guidance=this_round.text_guidance,
            image_guidance=this_round.image_guidance,
            steps=this_round.steps,
            start=start,
            generator=generator,
            masks=stack_masks([masks_of(index) for index in batch]),
        )
        for index, image in zip(batch, editor.edit(request), strict=True):
            store.write(this_round.number, index, image.cpu().numpy())
    reporter.progress(task, 1.0)


def _chance(plan: EditPlan, this_round: Round, index: int) -> tuple[float, torch.Generator]:
    """Where an edit starts, and the generator of its noise: the same again after a kill."""
    if not this_round.one_by_one:
        return 1.0, torch.Generator().manual_seed(plan.seed)
    generator = seeded(plan.seed, this_round.number, index)
    low, high = this_round.starts
    return low + (high - low) * float(torch.rand((), generator=generator)), generator


def _store_originals(frames: list[int], render_original: RenderFrame, store: EditStore, reporter: Reporter) -> None:
    """What the field is trained on where nothing has been edited yet."""
    there = set(store.edited(UNEDITED))
    for place, index in enumerate(frames):
        if index not in there:
            reporter.progress("render the originals", place / len(frames))
            store.write(UNEDITED, index, render_original(index).cpu().numpy())
    reporter.progress("render the originals", 1.0)


def _renders(
    editor: Editor, start: float, batch: list[int], render_original: RenderFrame, render_current: RenderFrame
) -> tuple[Tensor, Tensor]:
    """What the editor reads; rendering costs more than the built-in editor's edit, so nothing else is rendered."""
    rendered = originals = None
    reads = editor.reads
    if start < 1.0 and "rendered" in reads:
        reads = reads | {"originals"}  # the condition, where the render is the start
    if "rendered" in reads:
        rendered = torch.stack([render_current(index) for index in batch])
    if "originals" in reads:
        originals = torch.stack([render_original(index) for index in batch])
    if rendered is None and originals is None:
        raise ValueError(f"editor {editor.name} reads neither the renders nor the originals")
    return (originals if rendered is None else rendered), (rendered if originals is None else originals)
