"""Training losses, pure functions of images, and the feature banks that two of them look through.

Notation: B images, H x W pixels, C feature channels; images are RGB in [0, 1], channels last [B, H, W, 3].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class FeatureBank(Protocol):
    """Turns images into stacks of features, coarse and fine; frozen, differentiable, never trained."""

    name: str
    perceptual_gain: float  # factors that bring the bank's losses to the scale that the paper's weights expect
    style_gain: float

    def features(
        self,
        images: Tensor,  # [B, H, W, 3]
    ) -> list[Tensor]:  # each [B, C, h, w]
        ...


def alpha_entropy(
    alpha: Tensor,  # any shape, coverage in [0, 1]
) -> Tensor:
    """Mean binary entropy (nats): pushes coverage to nothing or all (RAD-NeRF, section 3.4)."""
    safe = alpha.clamp(1e-5, 1 - 1e-5)
    return -(safe * safe.log() + (1 - safe) * (1 - safe).log()).mean()


def gradient_magnitude(
    images: Tensor,  # [B, H, W, 3]
) -> Tensor:  # [B, H, W]
    """Length of the forward-difference gradient, mean over channels; differences across the far border are 0."""
    right = functional.pad(images[:, :, 1:] - images[:, :, :-1], (0, 0, 0, 1))
    down = functional.pad(images[:, 1:] - images[:, :-1], (0, 0, 0, 0, 0, 1))
    # The tiny offset keeps the square root's derivative finite on flat pixels.
    return ((right**2 + down**2 + 1e-10).sqrt() - 1e-5).mean(dim=-1)


def lip_edge(
    rendered: Tensor,  # [B, H, W, 3] edited field, differentiable
    original: Tensor,  # [B, H, W, 3] original field under the same condition
    lip_mask: Tensor,  # [B, H, W] bool
) -> Tensor:
    """Edges in the lips of the edited render where the original has none (Instruct-NeuralTalker, lip-edge loss).

    The mean over the mask of |grad I_r| exp(-|grad I|). The mask is applied after the gradient, so that its own
    border makes no edge. An empty mask gives 0.
    """
    weight = torch.exp(-gradient_magnitude(original).detach())
    inside = lip_mask.to(rendered.dtype)
    return (gradient_magnitude(rendered) * weight * inside).sum() / inside.sum().clamp(min=1.0)


def perceptual(
    found: Sequence[Tensor],  # each [B, C, h, w]
    wanted: Sequence[Tensor],
) -> Tensor:
    """Mean squared feature difference, mean over layers (Johnson et al. 2016, eq. 2)."""
    return torch.stack([functional.mse_loss(a, b) for a, b in zip(found, wanted, strict=True)]).mean()


def gram(
    features: Tensor,  # [B, C, h, w]
) -> Tensor:  # [B, C, C]
    """Channel correlations, normalised by C h w (Johnson et al. 2016, eq. 3)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style(
    found: Sequence[Tensor],  # each [B, C, h, w]
    wanted: Sequence[Tensor],
) -> Tensor:
    """Squared Frobenius distance of Gram matrices per image, mean over layers (Johnson et al. 2016, eq. 4)."""
    distances = [((gram(a) - gram(b)) ** 2).sum(dim=(1, 2)).mean() for a, b in zip(found, wanted, strict=True)]
    return torch.stack(distances).mean()


def generator_loss(
    fake_logits: Tensor,
) -> Tensor:
    """The generator's side of the non-saturating adversarial loss (Goodfellow et al. 2014)."""
    return functional.softplus(-fake_logits).mean()


def discriminator_loss(
    real_logits: Tensor,
    fake_logits: Tensor,
) -> Tensor:
    """The discriminator's side of the same loss."""
    return 0.5 * (functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean())


class PyramidBank:
    """A weight-free feature bank: rectified steerable filters over a Gaussian pyramid, in opponent colours.

    Four first-derivative (odd) and four second-derivative (even) Gaussian filters (Freeman and Adelson 1991), their
    responses compressed in contrast and both signs rectified apart, so that edges and lines of either polarity stay
    apart in the Gram matrices, beside the low-passed colour (held small: the pixel loss already sees to colour).

    Calibration: the paper's weights (0.001 and 10) are meant for VGG19. With gains of 2400 and 200, an edited frame
    blurred by 1 px has weighted perceptual and style losses each equal to its mean squared error (the median over
    24 built-in edits of the demo speaker; single edits lie within a factor of 3). But the refinement net answers so
    much style with texture that no edited frame has, and so the gains are three times and a fifth of those.
    """

    name = "pyramid"
    perceptual_gain = 7.2e3
    style_gain = 40.0
    colour_weight = 0.3
    octaves = 4
    smallest_px = 4  # coarser levels are left out

    def __init__(self) -> None:
        self._oriented = _steerable_filters()

    def features(self, images: Tensor) -> list[Tensor]:
        levels = []
        colour = (images @ _OPPONENT.to(images)).permute(0, 3, 1, 2)
        filters = self._oriented.to(images)
        for octave in range(self.octaves):
            if octave:
                if min(colour.shape[-2:]) < 2 * self.smallest_px:
                    break
                colour = _halve(colour)
            levels.append(torch.cat([self.colour_weight * colour, _rectified_responses(colour, filters)], dim=1))
        return levels


# Where a response reaches half its ceiling. Without compression the Gram distance grows with the fourth power of
# contrast, and a strongly painted frame would drown every other loss.
_HALF_RESPONSE = 0.2

# Rows: R, G, B; columns: luma, red-green, yellow-blue.
_OPPONENT = torch.tensor([[0.3, 0.5, 0.25], [0.6, -0.5, 0.25], [0.1, 0.0, -0.5]])


def _steerable_filters() -> Tensor:
    """[8, 1, 5, 5]: four odd and four even oriented filters of unit length, zero mean, sigma 1 px."""
    y, x = torch.meshgrid(torch.arange(-2.0, 3.0), torch.arange(-2.0, 3.0), indexing="ij")
    bell = torch.exp(-(x**2 + y**2) / 2)
    filters = []
    for order in (1, 2):
        for step in range(4):
            angle = math.pi * step / 4
            across = x * math.cos(angle) + y * math.sin(angle)
            kernel = bell * (across if order == 1 else across**2 - 1)
            kernel = kernel - bell * kernel.sum() / bell.sum()
            filters.append(kernel / kernel.norm())
    return torch.stack(filters)[:, None]


def _rectified_responses(
    colour: Tensor,  # [B, 3, h, w]
    filters: Tensor,  # [8, 1, 5, 5]
) -> Tensor:  # [B, 48, h, w]
    batch, channels, height, width = colour.shape
    padded = functional.pad(colour, (2, 2, 2, 2), mode="replicate").reshape(-1, 1, height + 4, width + 4)
    responses = functional.conv2d(padded, filters).reshape(batch, channels * len(filters), height, width)
    responses = responses / (responses.abs() + _HALF_RESPONSE)
    return torch.cat([responses.relu(), (-responses).relu()], dim=1)


def _halve(colour: Tensor) -> Tensor:
    """Blur by the binomial (1, 3, 3, 1) and keep every second pixel."""
    tap = torch.tensor([1.0, 3.0, 3.0, 1.0]).to(colour) / 8
    kernel = (tap[:, None] * tap[None]).expand(colour.shape[1], 1, 4, 4)
    padded = functional.pad(colour, (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, kernel, stride=2, groups=colour.shape[1])
