"""Targets from a tracked take: random pixels where they matter, and patches around the lips.

Pixels are drawn in random order, so that a prefix of a batch is a fair smaller batch. F frames, n pixels of each.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import torch
from torch import Tensor

from talker.core.camera import project
from talker.core.images import grown
from talker.core.types import HEAD_PARTS, TORSO_PARTS, Take, mask_of
from talker.radfield.guidance import ErrorMaps
from talker.radfield.layers import separate
from talker.radfield.targets import Batch, LayerTargets, PixelObjective

MAX_TRAINING_FRAMES = 1200  # the paper's; longer takes are thinned evenly
HEAD_MARGIN = 0.025  # head pixels are drawn from the mask dilated by this much of the image's height
# Shares of each frame's pixels; the rest fall anywhere on the head.
MOUTH_SHARE, EYE_SHARE, TORSO_SHARE, UNIFORM_SHARE, ERROR_SHARE = 0.30, 0.08, 0.09, 0.10, 0.28
EYE_LANDMARKS = (range(36, 42), range(42, 48))
MOUTH_LANDMARKS = range(48, 68)
NOSE_TIP = 30  # iBUG
MOUTH_HALF_WIDTH, MOUTH_HALF_HEIGHT = 0.30, 0.23  # head units: a box that an open mouth fits
EYE_HALF_WIDTH, EYE_HALF_HEIGHT = 0.15, 0.09  # the same for an eye with its lids


def pixels_per_unit(take: Take) -> float:
    """Pixels that one head unit covers at the head's typical distance."""
    return take.focal_px / take.c2w[:, :3, 3].norm(dim=-1).median().item()


def box_around(
    take: Take,
    index: int,
    landmarks: range,  # whose mean shape the box follows: by pose alone, which leaks nothing of the audio
    half_width: int,
    half_height: int,
) -> tuple[int, int]:
    """Top left corner (x, y) of a fixed-size box around some landmarks, wholly inside the image."""
    x, y = project(take.camera(index), take.landmarks_head[list(landmarks)].mean(0)).round().int().tolist()
    width, height = take.size_px
    return (
        min(max(x - half_width, 0), max(width - 2 * half_width, 0)),
        min(max(y - half_height, 0), max(height - 2 * half_height, 0)),
    )


def row_of_the_nose(take: Take, index: int) -> int:
    """The row of a frame in which its pose puts the nose's tip."""
    return int(project(take.camera(index), take.landmarks_head[NOSE_TIP])[1].round().clamp(1, take.size_px[1]))


class TakeTargets:
    """A TargetSource over a take's training frames; holds each frame's layers, 8 bit."""

    def __init__(self, take: Take, frames_per_batch: int, pixels_per_frame: int) -> None:
        self.take, self._frames_per_batch, self._pixels_per_frame = take, frames_per_batch, pixels_per_frame
        stride = -(-len(take.training) // MAX_TRAINING_FRAMES)
        self.frames = take.training[::stride]
        height, width = take.frames.shape[1:3]
        count = len(self.frames)
        self._behind = np.empty((count, height, width, 3), np.uint8)
        self._alphas = np.empty((count, height, width, 2), np.uint8)
        self._boxes: list[list[tuple[int, int]]] = []  # corners of each frame's boxes around mouth and eyes
        self._head_pixels: list[np.ndarray] = []
        self._torso_pixels: list[np.ndarray] = []
        scale = pixels_per_unit(take)
        self._mouth_half_px = tuple(max(2, round(scale * half)) for half in (MOUTH_HALF_WIDTH, MOUTH_HALF_HEIGHT))
        self._eye_half_px = tuple(max(2, round(scale * half)) for half in (EYE_HALF_WIDTH, EYE_HALF_HEIGHT))
        margin_px = max(1, round(HEAD_MARGIN * height))
        # What hides a mouth comes from below, and must not be learnt as face, neck or clothes.
        shown = take.use.lips_usable
        ends = [height if shown[index] else row_of_the_nose(take, index) for index in self.frames]
        self._ends = [width * row for row in ends]  # flat index, of each frame, from which nothing teaches
        for slot, index in enumerate(self.frames):
            frame = take.frame(index)
            layers = separate(frame.rgb, frame.alpha, frame.parts, take.background)
            self._behind[slot] = layers.behind
            self._alphas[slot] = np.stack([layers.head_alpha, layers.torso_alpha], axis=-1)
            near_head = grown(mask_of(frame.parts, HEAD_PARTS), margin_px)
            self._boxes.append(
                [box_around(take, index, MOUTH_LANDMARKS, *self._mouth_half_px)]
                + [box_around(take, index, landmarks, *self._eye_half_px) for landmarks in EYE_LANDMARKS]
            )
            self._head_pixels.append(np.flatnonzero(near_head.ravel()[: self._ends[slot]]).astype(np.int32))
            self._torso_pixels.append(np.flatnonzero(mask_of(frame.parts, TORSO_PARTS)).astype(np.int32))
        self.errors = ErrorMaps(take.size_px, self._head_pixels)

    def next_batch(self, step: int, generator: torch.Generator) -> Batch:
        slots = torch.randint(len(self.frames), (self._frames_per_batch,), generator=generator).tolist()
        flat = torch.stack([self._draw(slot, generator) for slot in slots])
        return self.batch_of(slots, flat)

    def _draw(self, slot: int, generator: torch.Generator) -> Tensor:
        """Flat indices [n] of one frame's pixels, shuffled."""
        width, height = self.take.size_px
        count = self._pixels_per_frame

        def pick(pixels: np.ndarray, share: int) -> Tensor:
            if not len(pixels):
                return torch.randint(width * height, (share,), generator=generator)
            return torch.from_numpy(pixels)[torch.randint(len(pixels), (share,), generator=generator)].long()

        def pick_box(corner: tuple[int, int], half_px: tuple[int, int], share: int) -> Tensor:
            left, top = corner
            x = torch.randint(2 * half_px[0], (share,), generator=generator) + left
            y = torch.randint(2 * half_px[1], (share,), generator=generator) + top
            return y * width + x

        shares = (MOUTH_SHARE, TORSO_SHARE, UNIFORM_SHARE, ERROR_SHARE)
        mouth, torso, uniform, guided = (round(count * share) for share in shares)
        eye = round(count * EYE_SHARE / 2)
        mouth_box, *eye_boxes = self._boxes[slot]
        drawn = torch.cat(
            [
                pick_box(mouth_box, self._mouth_half_px, mouth),
                *(pick_box(box, self._eye_half_px, eye) for box in eye_boxes),
                pick(self._torso_pixels[slot], torso),
                torch.randint(width * height, (uniform,), generator=generator),
                self.errors.draw(slot, guided, generator),
                pick(self._head_pixels[slot], count - mouth - 2 * eye - torso - uniform - guided),
            ]
        )
        if self._ends[slot] < width * height:
            drawn = torch.where(drawn < self._ends[slot], drawn, pick(self._head_pixels[slot], count))
        return drawn[torch.randperm(count, generator=generator)]

    def batch_of(
        self,
        slots: list[int],  # F places in `frames`
        flat: Tensor,  # [F, n] flat pixel indices
        patch: tuple[int, int] | None = None,
    ) -> Batch:
        width = self.take.size_px[0]
        rows = flat.numpy()

        def gather(images: np.ndarray, indices: list[int]) -> Tensor:
            channels = images.shape[-1]
            picked = [images[i].reshape(-1, channels)[row] for i, row in zip(indices, rows, strict=True)]
            return torch.from_numpy(np.stack(picked)).float() / 255.0

        frames = [self.frames[slot] for slot in slots]
        alphas = gather(self._alphas, slots)
        layers = LayerTargets(gather(self._behind, slots), alphas[..., 0], alphas[..., 1])
        pixels = torch.stack([flat % width, flat // width], dim=-1)
        return Batch(frames, pixels, gather(self.take.frames, frames), patch, layers)

    def note(self, rendered: Tensor, batch: Batch) -> None:
        """Remember how far a step's pixels [F, n, 3] were off: the next are drawn where the error is."""
        slots = [bisect_left(self.frames, frame) for frame in batch.frames]
        flat = batch.pixels[..., 1] * self.take.size_px[0] + batch.pixels[..., 0]
        error = (rendered - batch.target).square().mean(-1)
        self.errors.note(slots, flat.cpu(), error.cpu())


class GuidedObjective(PixelObjective):
    """The pixel loss, which tells a take's targets where it is large."""

    def __init__(self, targets: TakeTargets) -> None:
        self._targets = targets

    def after_step(self, rendered: Tensor, batch: Batch) -> None:
        self._targets.note(rendered, batch)


class LipTargets:
    """A TargetSource: patches around the mouth on even steps, a take's pixels on odd ones lest the rest drift."""

    def __init__(self, pixels: TakeTargets, patches: int) -> None:
        """`patches` are the frames that a patch is taken from on even steps."""
        self._pixels, self._patches = pixels, patches
        shown = pixels.take.use.lips_usable
        self._slots = torch.tensor([slot for slot, index in enumerate(pixels.frames) if shown[index]])

    def next_batch(self, step: int, generator: torch.Generator) -> Batch:
        if step % 2:
            return self._pixels.next_batch(step, generator)
        take, frames = self._pixels.take, self._pixels.frames
        width, height = take.size_px
        side = max(8, width // 8 // 4 * 4)
        slots = self._slots[torch.randint(len(self._slots), (self._patches,), generator=generator)].tolist()
        corners = []
        for slot in slots:
            left, top = box_around(take, frames[slot], MOUTH_LANDMARKS, side // 2, side // 2)
            shift_x, shift_y = (torch.randint(-side // 4, side // 4 + 1, (2,), generator=generator)).tolist()
            corners.append((min(max(left + shift_x, 0), width - side), min(max(top + shift_y, 0), height - side)))
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        flat = torch.stack([((y + top) * width + x + left).flatten() for left, top in corners])
        return self._pixels.batch_of(slots, flat, patch=(side, side))
