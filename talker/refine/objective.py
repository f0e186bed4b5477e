"""What an edit is trained on: losses on the field's render I_r and on the refined image I_f.

On I_r, mean squared error and, in the lip stage, the lip-edge loss (an objective of its own); on
I_f = w g(I_r) + (1 - w) I_r, perceptual, style and adversarial losses (Instruct-NeuralTalker, eq. 4). Gradients of all
of them reach the field.
F frames, n pixels of each, patches of h x w pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from talker.core import losses
from talker.core.losses import FeatureBank
from talker.radfield.targets import Batch, FixedObjective
from talker.refine.discriminator import Discriminator
from talker.refine.network import RefinementNet, blend

SMALLEST_JUDGED_PX = 8  # patches below have no cell for the discriminator to judge


@dataclass(frozen=True)
class RefineOptions:
    """The refinement network's training, with the paper's weights; it has fewer steps, and hence a higher rate."""

    weight: float = 0.8  # w, the share of g(I_r) in the final image while training
    mse: float = 1.0  # mean squared error of I_r
    lip_edge: float = 0.1  # edges inside the lips of I_r where the original has none; lip stage only
    perceptual: float = 0.001  # feature distance of I_f
    style: float = 10.0  # Gram distance of I_f
    adversarial: float = 0.01  # what the discriminator says of I_f
    learning_rate: float = 5e-4  # Adam, of the refinement network and of the discriminator (the paper's: 2e-4)


@dataclass(frozen=True)
class OriginalPatch:
    """The unedited field under the same condition as some pixels of a batch."""

    rgb: Tensor  # [n, 3]
    lips: Tensor  # [n] bool


class Originals(Protocol):
    """Renders of the unedited field, as far as the lip-edge loss asks for them."""

    def __call__(
        self,
        frame: int,
        pixels: Tensor,  # [n, 2] int64 (x, y)
    ) -> OriginalPatch: ...


class RefineObjective:
    """An `Objective` that trains g with the field. Batches that are not patches meet the pixel loss alone."""

    def __init__(
        self,
        net: RefinementNet,
        discriminator: Discriminator,
        bank: FeatureBank,
        options: RefineOptions | None = None,
    ) -> None:
        self.net = net
        self.discriminator = discriminator
        self.options = options or RefineOptions()
        self.learning_rate = self.options.learning_rate
        self._bank = bank
        self._judge = torch.optim.Adam(discriminator.parameters(), self.learning_rate, betas=(0.5, 0.99))

    def parameters(self) -> Iterable[nn.Parameter]:
        return self.net.parameters()

    def __call__(
        self,
        rendered: Tensor,  # [F, n, 3]
        batch: Batch,
    ) -> Tensor:
        weights = self.options
        loss = weights.mse * (rendered - batch.target).square().mean()
        if batch.patch is None:
            return loss
        found, wanted = as_patches(rendered, batch), as_patches(batch.target, batch)
        final = blend(found, self.net(found), weights.weight)
        features = self._bank.features(final)
        with torch.no_grad():
            wanted_features = self._bank.features(wanted)
        loss = loss + weights.perceptual * self._bank.perceptual_gain * losses.perceptual(features, wanted_features)
        loss = loss + weights.style * self._bank.style_gain * losses.style(features, wanted_features)
        if min(batch.patch) >= SMALLEST_JUDGED_PX:
            loss = loss + weights.adversarial * losses.generator_loss(self._verdict_of(final))
        return loss

    def after_step(self, rendered: Tensor, batch: Batch) -> None:
        """The discriminator's own step, on the edited patches against the final ones."""
        if batch.patch is None or min(batch.patch) < SMALLEST_JUDGED_PX:
            return
        with torch.no_grad():
            found = as_patches(rendered, batch)
            final = blend(found, self.net(found), self.options.weight)
        loss = losses.discriminator_loss(self.discriminator(as_patches(batch.target, batch)), self.discriminator(final))
        self._judge.zero_grad()
        loss.backward()
        self._judge.step()

    def state_dict(self) -> dict[str, Tensor]:
        """All state, flat and named, for checkpoints: both networks and the discriminator's moments."""
        state = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        state |= {f"discriminator.{name}": tensor for name, tensor in self.discriminator.state_dict().items()}
        for slot, moments in self._judge.state_dict()["state"].items():
            state |= {f"judge.{slot}.{name}": tensor for name, tensor in moments.items()}
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def load_state_dict(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of `state_dict`."""
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "discriminator": {}, "judge": {}}
        for key, tensor in tensors.items():
            part, name = key.split(".", 1)
            parts[part][name] = tensor.clone()
        self.net.load_state_dict(parts["net"])
        self.discriminator.load_state_dict(parts["discriminator"])
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts["judge"].items():
            slot, name = key.split(".", 1)
            moments.setdefault(int(slot), {})[name] = tensor
        self._judge.load_state_dict({**self._judge.state_dict(), "state": moments})

    def _verdict_of(self, final: Tensor) -> Tensor:
        """The discriminator's logits, with gradients for the image and none for the discriminator."""
        self.discriminator.requires_grad_(False)
        logits = self.discriminator(final)
        self.discriminator.requires_grad_(True)
        return logits


class LipEdgeObjective(FixedObjective):
    """The lip-edge loss on patches of I_r: an `Objective` for the lip stage."""

    def __init__(self, originals: Originals, weight: float) -> None:
        self._originals, self._weight = originals, weight

    def __call__(
        self,
        rendered: Tensor,  # [F, n, 3]
        batch: Batch,
    ) -> Tensor:
        if batch.patch is None:
            return torch.zeros(())
        patches = [self._originals(frame, pixels) for frame, pixels in zip(batch.frames, batch.pixels, strict=True)]
        original = as_patches(torch.stack([patch.rgb for patch in patches]).to(rendered.device), batch)
        lips = torch.stack([patch.lips for patch in patches]).reshape(original.shape[:3]).to(rendered.device)
        return self._weight * losses.lip_edge(as_patches(rendered, batch), original, lips)


def as_patches(
    values: Tensor,  # [F, n, 3]
    batch: Batch,
) -> Tensor:  # [F, h, w, 3]
    return values.reshape(len(batch.frames), *batch.patch, 3)
