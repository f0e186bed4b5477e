"""What the fitter asks for: a source of targets, and objectives to meet.

Fitting a take and fitting edited frames differ in these two and in nothing else: the fitter never learns whether
its targets are originals or edits. F frames, n pixels of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerTargets:
    """What is known of the layers behind a pixel, when the targets are tracked frames."""

    behind: Tensor  # [F, n, 3] RGB of torso over plate, were the head not there
    head_alpha: Tensor  # [F, n] coverage by the head
    torso_alpha: Tensor  # [F, n] coverage by neck and torso


@dataclass(frozen=True)
class Batch:
    """Pixels of a few frames of the take, and what they should look like."""

    frames: list[int]  # F indices into the take
    pixels: Tensor  # [F, n, 2] int64 (x, y)
    target: Tensor  # [F, n, 3] RGB
    patch: tuple[int, int] | None = None  # (h, w) when each frame's pixels are one patch in reading order
    layers: LayerTargets | None = None  # None: the scene's own torso and plate stand behind the head

    def first(self, count: int) -> Batch:
        """The first `count` pixels of each frame; patches stay whole."""
        if self.patch or count >= self.pixels.shape[1]:
            return self
        layers = self.layers and LayerTargets(
            *(t[:, :count] for t in (self.layers.behind, self.layers.head_alpha, self.layers.torso_alpha))
        )
        return Batch(self.frames, self.pixels[:, :count], self.target[:, :count], None, layers)

    def to(self, device: torch.device) -> Batch:
        layers = self.layers and LayerTargets(
            *(t.to(device) for t in (self.layers.behind, self.layers.head_alpha, self.layers.torso_alpha))
        )
        return Batch(self.frames, self.pixels.to(device), self.target.to(device), self.patch, layers)


class TargetSource(Protocol):
    def next_batch(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of this step; all randomness comes from `generator`."""
        ...


class Objective(Protocol):
    """A loss on rendered pixels, with parameters and an update of its own where it needs them."""

    learning_rate: float

    def __call__(
        self,
        rendered: Tensor,  # [F, n, 3] composited RGB, differentiable
        batch: Batch,
    ) -> Tensor: ...

    def parameters(self) -> Iterable[nn.Parameter]:
        """Trained along with the scene at `learning_rate`."""
        ...

    def after_step(self, rendered: Tensor, batch: Batch) -> None:
        """Called after every optimiser step, for updates of the objective's own (a discriminator's, say)."""
        ...


class FixedObjective:
    """One that trains nothing of its own."""

    learning_rate = 0.0

    def parameters(self) -> Iterable[nn.Parameter]:
        return ()

    def after_step(self, rendered: Tensor, batch: Batch) -> None:
        pass


class PixelObjective(FixedObjective):
    """Mean squared error on the composited pixels."""

    def __call__(self, rendered: Tensor, batch: Batch) -> Tensor:
        return (rendered - batch.target).square().mean()
