"""The edited frames as the fitter's targets: large random patches first, then small ones about the lips.

The paper (Instruct-NeuralTalker, 4.1) trains on 256x256 crops of 512x512 frames and then on 64x64 lip patches;
below 512 px the patches are side/2 and side/8 of the frame. A patch tells the losses of features much, and the field
little: few frames, and one place of each. Where steps are dear, most of them therefore see a few pixels of many
frames, as in the fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from talker.core.camera import pixel_grid
from talker.core.images import grown
from talker.core.types import LIP_LANDMARKS, Take
from talker.pdu.store import EditStore
from talker.radfield.targets import Batch

Stage = Literal["patch", "lips"]
PATCH_DIVISOR: dict[Stage, int] = {"patch": 2, "lips": 8}
PERSON_MARGIN = 0.01  # beyond the matte, of the image's height


def lip_centres(take: Take) -> dict[int, tuple[float, float]]:
    """Centre (x, y) in pixels of the lips (iBUG 48-67) of every frame."""
    centres = take.landmarks_px[:, LIP_LANDMARKS].mean(dim=1)
    return {index: (float(x), float(y)) for index, (x, y) in enumerate(centres)}


def person_pixels(take: Take, index: int) -> Tensor:
    """Flat indices [n] int32 of a frame's pixels on the person or close to it."""
    height, width = take.alpha.shape[1:3]
    near = grown(take.alpha[index] > 0, max(1, round(PERSON_MARGIN * height)))
    return torch.from_numpy(np.flatnonzero(near) if near.any() else np.arange(height * width)).int()


def patch_pixels(
    left: int,
    top: int,
    size: int,
) -> Tensor:
    """[size * size, 2] int64 (x, y) of a square patch in reading order."""
    return pixel_grid((size, size)) + torch.tensor([left, top])


class EditedTargets:
    """A TargetSource over frames of the store, each as one of its rounds left it."""

    def __init__(
        self,
        store: EditStore,
        newest: Mapping[int, int],  # frame -> round
        centres: Mapping[int, tuple[float, float]],  # of the lips, per frame, pixels (x, y)
        *,
        stage: Stage = "patch",
        patches: int = 1,  # F, frames per step
        patch_px: int | None = None,  # side of a patch; None takes the paper's share of the frame
    ):
        self.frames = sorted(newest)
        if not self.frames:
            raise ValueError(f"no frames of {store.folder} to train on")
        # Read once: a step must not wait for a PNG, and 200 frames of 512x512 are 157 MB.
        self.images = torch.from_numpy(np.stack([store.read(newest[index], index) for index in self.frames]))
        self._store, self._shown = store, dict(newest)
        self.stage = stage
        self.patches = patches
        self.centres = centres
        height, width = self.images.shape[1:3]
        self.patch_px = min(patch_px or max(1, min(height, width) // PATCH_DIVISOR[stage]), height, width)

    def show(self, newest: Mapping[int, int]) -> None:
        """Put in the frames that another round has edited since."""
        for row, index in enumerate(self.frames):
            if newest[index] != self._shown[index]:
                self.images[row] = torch.from_numpy(self._store.read(newest[index], index))
                self._shown[index] = newest[index]

    def next_batch(self, step: int, generator: torch.Generator) -> Batch:
        """F patches, each of its own frame; the lip stage moves its patch about the lips by up to a half."""
        height, width = self.images.shape[1:3]
        rows = torch.randint(len(self.frames), (self.patches,), generator=generator).tolist()
        shift = torch.rand(self.patches, 2, generator=generator).tolist()
        pixels, targets = [], []
        for row, (u, v) in zip(rows, shift, strict=True):
            if self.stage == "patch":
                left, top = u * (width - self.patch_px + 1), v * (height - self.patch_px + 1)
            else:
                x, y = self.centres[self.frames[row]]
                left, top = x + (u - 1.0) * self.patch_px, y + (v - 1.0) * self.patch_px
            left = min(max(int(left), 0), width - self.patch_px)
            top = min(max(int(top), 0), height - self.patch_px)
            patch = patch_pixels(left, top, self.patch_px)
            pixels.append(patch)
            targets.append(self.images[row, patch[:, 1], patch[:, 0]].float() / 255.0)
        side = (self.patch_px, self.patch_px)
        return Batch([self.frames[row] for row in rows], torch.stack(pixels), torch.stack(targets), side)


class MostlyPixels:
    """A TargetSource: one step in so many is on patches, the others see random pixels of the person in many frames."""

    def __init__(
        self,
        patches: EditedTargets,
        pixels: Mapping[int, Tensor],  # per frame, flat indices [n] of those that are drawn
        *,
        patch_every: int,
        frames: int = 16,  # F of a step on pixels
        per_frame: int = 256,  # n
    ):
        self.patches, self._pixels = patches, pixels
        self._patch_every, self._frames, self._per_frame = patch_every, frames, per_frame

    def next_batch(self, step: int, generator: torch.Generator) -> Batch:
        if step % self._patch_every == 0:
            return self.patches.next_batch(step, generator)
        images, width = self.patches.images, self.patches.images.shape[2]
        rows = torch.randint(len(images), (self._frames,), generator=generator).tolist()
        frames = [self.patches.frames[row] for row in rows]
        pixels, targets = [], []
        for row, frame in zip(rows, frames, strict=True):
            drawn = torch.randint(len(self._pixels[frame]), (self._per_frame,), generator=generator)
            flat = self._pixels[frame][drawn].long()
            pixels.append(torch.stack([flat % width, flat // width], dim=-1))
            targets.append(images[row].reshape(-1, 3)[flat].float() / 255.0)
        return Batch(frames, torch.stack(pixels), torch.stack(targets))
