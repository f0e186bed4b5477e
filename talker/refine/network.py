"""The refinement network g: one residual-in-residual dense block that gives an edited render its detail back.

The final image is I_f = w g(I_r) + (1 - w) I_r (Instruct-NeuralTalker, section 3.3), w = 0.8 in training and free
at render time. g works on images folded 4 x 4 into channels, so that 256 x 256 costs a CPU what 64 x 64 would.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.files import load_tensors, save_tensors, taken_from

FOLD = 4  # pixels folded into channels, each way
FOLDED_CHANNELS = 3 * FOLD * FOLD
LATTICE_FOLDS = 5  # a pattern that repeats over so many folds each way is no detail of the picture


class RefinementNet(nn.Module):
    """One dense block: five convolutions with LeakyReLU and dense skips (Wang et al. 2018, ESRGAN); 0.98 MB.

    The last convolution starts at zero: an untrained g is the identity.
    """

    def __init__(self, growth: int = 40) -> None:
        super().__init__()
        widths = [FOLDED_CHANNELS + growth * index for index in range(5)]
        outputs = [growth] * 4 + [FOLDED_CHANNELS]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width, out, 3, padding=1) for width, out in zip(widths, outputs, strict=True)
        )
        for convolution in self.convolutions[:4]:
            nn.init.kaiming_normal_(convolution.weight, a=0.2, nonlinearity="leaky_relu")
            nn.init.zeros_(convolution.bias)
        nn.init.zeros_(self.convolutions[4].weight)
        nn.init.zeros_(self.convolutions[4].bias)

    def forward(
        self,
        images: Tensor,  # [B, H, W, 3]
    ) -> Tensor:  # [B, H, W, 3], not clamped
        height, width = images.shape[1:3]
        planes = images.permute(0, 3, 1, 2)
        fringe = (0, -width % FOLD, 0, -height % FOLD)
        folded = functional.pixel_unshuffle(functional.pad(planes, fringe, mode="replicate"), FOLD)
        known = folded
        for convolution in self.convolutions[:4]:
            known = torch.cat([known, functional.leaky_relu(convolution(known), 0.2)], dim=1)
        detail = functional.pixel_shuffle(without_lattice(self.convolutions[4](known)), FOLD)[..., :height, :width]
        return images + detail.permute(0, 2, 3, 1)

    @torch.no_grad()
    def refine(
        self,
        rendered: Tensor,  # [H, W, 3]
        weight: float,
    ) -> Tensor:  # [H, W, 3] in [0, 1]
        """The final image of one render; with weight 0 the render itself, untouched, and g is never run."""
        if weight == 0:
            return rendered
        return blend(rendered, self(rendered[None])[0], weight).clamp(0, 1)

    def save(self, path: Path) -> None:
        save_tensors(path, self.state_dict())

    @classmethod
    def load(cls, path: Path) -> RefinementNet:
        tensors = load_tensors(path)
        with taken_from(path):
            net = cls(growth=tensors["convolutions.0.weight"].shape[0])
            net.load_state_dict(tensors)
        return net.eval()


def without_lattice(
    folded: Tensor,  # [B, 3 * FOLD^2, h, w]
) -> Tensor:
    """The same detail without what repeats from fold to fold over LATTICE_FOLDS x LATTICE_FOLDS of them.

    Places within a fold have weights of their own, and the style loss is glad of any texture: left to itself the net
    draws one lattice over every picture.
    """
    reach = LATTICE_FOLDS // 2
    mean = functional.avg_pool2d(folded, LATTICE_FOLDS, 1, reach, count_include_pad=False).unflatten(1, (3, FOLD**2))
    return folded - (mean - mean.mean(dim=2, keepdim=True)).flatten(1, 2)


def blend(
    rendered: Tensor,  # I_r
    refined: Tensor,  # g(I_r), same shape
    weight: float,
) -> Tensor:
    """I_f = w g(I_r) + (1 - w) I_r; weight 0 returns `rendered` itself."""
    return rendered if weight == 0 else torch.lerp(rendered, refined, weight)
