"""A small patch discriminator: does a patch look like an edited frame, or like a final image?"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """Three strided convolutions and a judgement per 8 x 8 cell (PatchGAN, Isola et al. 2017).

    Spectral normalisation (Miyato et al. 2018) keeps it from running ahead of a generator that takes small steps.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(narrow, wide, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))

    def forward(
        self,
        images: Tensor,  # [B, H, W, 3], sides of at least 8
    ) -> Tensor:  # [B, 1, H // 8, W // 8] logits, positive means "an edited frame"
        return self.layers(images.permute(0, 3, 1, 2) * 2 - 1)
