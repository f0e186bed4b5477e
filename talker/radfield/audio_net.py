"""From audio features to one code per frame (RAD-NeRF; the network is AD-NeRF's, Guo et al. 2021, section 3.2).

Each of eight neighbouring frames has a window of 16 features (320 ms). Four stride-2 convolutions turn a window into
a code; attention over the neighbours, learnt from the codes themselves, smooths it in time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.radfield.field import AUDIO_CODE
from talker.take.audio import NEIGHBOURS

CENTRE = NEIGHBOURS // 2  # where frame i stands among its neighbours
SLOPE = 0.02
LIP_COORDINATES = 40  # x and y of the 20 lip landmarks
CENTRE_BIAS = 3.0  # attention starts on the frame itself and learns to widen


def convolve(layer: nn.Conv1d, hidden: Tensor) -> Tensor:
    """The layer on [B, C, L] as one matrix product: for inputs this small, forty times faster backward on a CPU."""
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
    windows = functional.pad(hidden, (padding, padding)).unfold(-1, kernel, stride)  # [B, C, L', kernel]
    columns = windows.transpose(1, 2).flatten(2)
    return functional.linear(columns, layer.weight.flatten(1), layer.bias).transpose(1, 2)


class AudioNet(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (channels, 64, 64, 64, 64)
        self.window = nn.ModuleList(
            nn.Conv1d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.code = nn.Sequential(nn.Linear(64, 64), nn.LeakyReLU(SLOPE), nn.Linear(64, AUDIO_CODE))
        widths = (AUDIO_CODE, 16, 8, 4, 2, 1)
        self.attention = nn.ModuleList(nn.Conv1d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:], strict=False))
        self.weights = nn.Linear(NEIGHBOURS, NEIGHBOURS)
        self.lips = nn.Linear(AUDIO_CODE, LIP_COORDINATES)  # what a code says of the lips' shape: a lesson of the fit
        with torch.no_grad():
            self.weights.bias.zero_()
            self.weights.bias[CENTRE] = CENTRE_BIAS

    def forward(
        self,
        windows: Tensor,  # [B, 8, 16, C]
    ) -> Tensor:
        """Audio codes [B, 64]."""
        hidden = windows.flatten(0, 1).transpose(1, 2)
        for layer in self.window:
            hidden = functional.leaky_relu(convolve(layer, hidden), SLOPE)
        codes = self.code(hidden.squeeze(-1)).reshape(-1, NEIGHBOURS, AUDIO_CODE)
        hidden = codes.transpose(1, 2)
        for layer in self.attention:
            hidden = functional.leaky_relu(convolve(layer, hidden), SLOPE)
        share = self.weights(hidden.squeeze(1)).softmax(dim=-1)
        return (codes * share[..., None]).sum(1)
