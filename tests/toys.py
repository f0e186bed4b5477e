"""Stand-ins for what takes minutes to fit."""

from __future__ import annotations

import torch

from talker.core.types import Render


class ToyScene:
    """Renders the audio code's mean as grey, before the given background on the left half."""

    device = torch.device("cpu")

    def __init__(self):
        self.seen = []

    def encode_audio(self, windows):  # [B, 8, 16, C]
        return windows.mean((1, 2, 3))[:, None].expand(-1, 64)

    def render(self, camera, condition, *, background=None):
        self.seen.append((camera, condition))
        width, height = camera.size_px
        rgb = torch.full((height, width, 3), float(condition.audio.mean().sigmoid()))
        alpha = torch.ones(height, width)
        alpha[:, : width // 2] = 0
        if background is not None:
            rgb = torch.where(alpha[..., None] > 0, rgb, background)
        return Render(rgb, alpha, torch.zeros(height, width))
