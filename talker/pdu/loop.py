"""Progressive dataset update: K rounds of render, edit, store, train (Instruct-NeuralTalker, section 3.2)."""

from __future__ import annotations

import time
from typing import Protocol

import torch
from torch import Tensor

from talker.pdu.editor import Editor, Masks, stack_masks
from talker.pdu.schedule import Round, rounds_of
from talker.pdu.store import EditStore
from talker.types import EditPlan, Reporter


class RenderFrame(Protocol):
    """Renders a frame of the take from some field, under the frame's own conditions."""

    def __call__(self, index: int) -> Tensor: ...  # [H, W, 3]


class MasksOf(Protocol):
    """The masks (B = 1) of a frame of the take."""

    def __call__(self, index: int) -> Masks: ...


class TrainRound(Protocol):
    """Trains the current field on the store's frames of one round (1..K); resumes by itself."""

    def __call__(self, store: EditStore, round_number: int) -> None: ...


def run_pdu(
    plan: EditPlan,
    editor: Editor,
    frames: list[int],  # indices into the take: the N frames that every round edits
    render_original: RenderFrame,
    render_current: RenderFrame,  # must see the training of the rounds before
    train_round: TrainRound,
    store: EditStore,
    masks_of: MasksOf,
    reporter: Reporter,
    *,
    batch_size: int = 4,
) -> None:
    """Runs the rounds that the store does not hold yet, from the very frame where a killed run stopped.

    The result depends on the plan alone: all frames of all rounds share one start noise, drawn from plan.seed, so
    that equal renders get equal edits.
    """
    for this_round in rounds_of(plan):
        if this_round.number <= store.rounds_trained():
            continue
        edit_round(
            plan, this_round, editor, frames, render_original, render_current, store, masks_of, reporter, batch_size
        )
        train_round(store, this_round.number)
        store.mark_trained(this_round.number)


def edit_round(
    plan: EditPlan,
    this_round: Round,
    editor: Editor,
    frames: list[int],
    render_original: RenderFrame,
    render_current: RenderFrame,
    store: EditStore,
    masks_of: MasksOf,
    reporter: Reporter,
    batch_size: int,
) -> None:
    """Edits the frames of one round that are not in the store yet."""
    edited = set(store.edited(this_round.number))
    waiting = [index for index in frames if index not in edited]
    task = f"edit, round {this_round.number} of {plan.rounds}"
    started = time.monotonic()
    for first in range(0, len(waiting), batch_size):
        batch = waiting[first : first + batch_size]
        left_s = (time.monotonic() - started) / max(first, 1) * (len(waiting) - first)
        done = len(frames) - len(waiting) + first
        reporter.progress(task, done / len(frames), f"about {left_s:.0f} s left" if first else "")
        rendered, originals = _renders(editor, batch, render_original, render_current)
        images = editor.edit(
            rendered,
            originals,
            plan.instruction,
            text_guidance=this_round.text_guidance,
            image_guidance=this_round.image_guidance,
            steps=this_round.steps,
            generator=torch.Generator().manual_seed(plan.seed),
            masks=stack_masks([masks_of(index) for index in batch]),
        )
        for index, image in zip(batch, images, strict=True):
            store.write(this_round.number, index, image.cpu().numpy())
    reporter.progress(task, 1.0)


def _renders(
    editor: Editor, batch: list[int], render_original: RenderFrame, render_current: RenderFrame
) -> tuple[Tensor, Tensor]:
    """What the editor reads; rendering costs more than the built-in editor's edit, so nothing else is rendered."""
    rendered = originals = None
    if "rendered" in editor.reads:
        rendered = torch.stack([render_current(index) for index in batch])
    if "originals" in editor.reads:
        originals = torch.stack([render_original(index) for index in batch])
    if rendered is None and originals is None:
        raise ValueError(f"editor {editor.name} reads neither the renders nor the originals")
    return (originals if rendered is None else rendered), (rendered if originals is None else originals)
